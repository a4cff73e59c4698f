"""Import of lists: a CSV file and a map that says which column is what (docs/import.md).

The file is read in batches; each batch goes through the capture verbs in one transaction together
with the run's progress. So a killed import goes on where it stopped when it is started again, and a
finished one that is started again finds everybody it made before.
"""

import csv
import hashlib
import json
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.db import transaction
from django.utils.text import slugify

from leads import capture, custom_fields, intake
from leads.models import ImportRejection, ImportRun, Source

BATCH = 1000
LONGEST_CELL = 131_072  # characters
INPUT_FIELDS = frozenset(intake.FIELDS)
EXTRA_TARGETS = frozenset({"asset"})


class BadMap(ValueError):
    """The map or the file cannot be used; the text says what to change."""


@dataclass
class Map:
    """What the columns of a file mean. `columns`: {column: lead field, "custom.<key>" or "asset"}; `values`:
    {column: {value in the file: value meant, null = leave out}}; `defaults`: {lead field: value}."""

    columns: dict
    system: str = "default"
    values: dict = field(default_factory=dict)
    defaults: dict = field(default_factory=dict)
    kind: str = "form_submit"
    asset: str = ""
    delimiter: str = ","
    encoding: str = "utf-8-sig"

    @classmethod
    def read(cls, path):
        try:
            data = json.loads(Path(path).read_text("utf-8"))
        except OSError as error:
            raise BadMap(f"{path}: {error.strerror}.") from None
        except ValueError as error:
            raise BadMap(f"{path} is not JSON: {error}.") from None
        return cls.parse(data)

    @classmethod
    def parse(cls, data):
        if not isinstance(data, dict) or not isinstance(data.get("columns"), dict) or not data["columns"]:
            raise BadMap('The map needs "columns": {"column of the file": "lead field", …}.')
        if unknown := sorted(set(data) - set(cls.__dataclass_fields__)):
            raise BadMap(f"The map has unknown keys: {', '.join(unknown)}. See docs/import.md.")
        targets = {*data["columns"].values(), *data.get("defaults", {})}
        known = INPUT_FIELDS | EXTRA_TARGETS
        if any(custom_fields.is_custom(target) for target in targets):
            known |= {custom_fields.PREFIX + key for key in custom_fields.active()}
        if unknown := sorted(str(target) for target in targets if target not in known):
            raise BadMap(
                f"The map names unknown lead fields: {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
            )
        return cls(**data)

    @property
    def asks_custom(self):
        return any(custom_fields.is_custom(target) for target in (*self.columns.values(), *self.defaults))

    def row(self, line):
        """A line of the file as raw lead input."""
        data = dict(self.defaults)
        for column, target in self.columns.items():
            value = line.get(column)
            if isinstance(value, str):
                value = value.strip()
            if column in self.values and value in self.values[column]:
                value = self.values[column][value]
            if value not in (None, ""):
                data[target] = value
        return data


def start(*, path, mapping, at):
    """The unfinished run of this very file and map, or a new one."""
    digest = hashlib.sha256(repr(mapping).encode())
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    run, _ = ImportRun.objects.get_or_create(
        file_hash=digest.hexdigest(),
        finished_at=None,
        defaults={"file_name": Path(path).name[:255], "started_at": at},
    )
    return run


def carry_on(*, run, path, mapping, at, say=lambda share: None, dry_run=False):
    """Import what is left of the file. Returns the run with its counts. `say(share)` is called after
    each batch with the share of the file that is done, 0 to 1. A dry run keeps nothing: each batch is
    rolled back, and whom an earlier one would have made counts as matched."""
    size = max(Path(path).stat().st_size, 1)
    seen = set() if dry_run else None
    with Path(path).open(encoding=mapping.encoding, errors="replace", newline="") as text:
        for lines in _batches(text, mapping, skip=run.rows_done):
            with transaction.atomic():
                _batch(run, lines, mapping, at, seen)
                transaction.set_rollback(dry_run)
            say(min(text.buffer.tell() / size, 1.0))
    if not dry_run:
        run.finished_at = at
        run.save(update_fields=["finished_at"])
    return run


def _batch(run, lines, mapping, at, seen):
    items, rejections = [], []
    custom = custom_fields.active() if mapping.asks_custom else {}
    for number, line in lines:
        try:
            items.append(_item(line, mapping, at, custom))
        except intake.InvalidLead as invalid:
            column, problem, remedy = invalid.problems[0]
            rejections.append(
                ImportRejection(
                    run=run, line=number, field=column[:60], problem=f"{problem} {remedy}"[:300],
                    row=intake.storable(line if isinstance(line, dict) else {}),
                )
            )  # fmt: skip
    created = sum(row.created for row in capture.submit_many(_with_sources(items), at=at))
    if seen is not None:
        keys = {_key(item["values"]) for item in items}
        created -= min(created, len(keys & seen))
        seen |= keys
    ImportRejection.objects.bulk_create(rejections if seen is None else [])
    run.rows_done += len(lines)
    run.created += created
    run.matched += len(items) - created
    run.rejected += len(rejections)
    if seen is None:
        run.save(update_fields=["rows_done", "created", "matched", "rejected"])


def _item(line, mapping, at, custom=None):
    """A line as an item for `capture.submit_many`. Raises InvalidLead."""
    if isinstance(line, str):
        raise intake.InvalidLead([("", f"The line cannot be read: {line}.", "Mend it in the file.")])
    data = mapping.row(line)
    asset = data.pop("asset", mapping.asset)
    values, _ = intake.clean(data, strict=True, at=at, custom=custom)
    values["external_system"] = mapping.system
    source = values.pop("source", "")
    # The same line again is the same activity, in this run or the next.
    fingerprint = hashlib.sha256(json.dumps([mapping.system, data, asset], default=str).encode())
    return {
        "values": values,
        "source": source,
        "origin": "import",
        "kind": mapping.kind,
        "asset": asset,
        "occurred_at": values.pop("occurred_at", at),
        "message_id": f"import:{fingerprint.hexdigest()[:40]}",
    }


def _with_sources(items):
    """The source of each item as a row; names that nobody has used before become sources."""
    wanted = {slug: item["source"] for item in items if (slug := _slug(item["source"]))}
    known = Source.objects.in_bulk(list(wanted), field_name="slug")
    for slug, name in wanted.items():
        if slug not in known:
            known[slug], _ = Source.objects.get_or_create(slug=slug, defaults={"name": name})
    for item in items:
        item["source"] = known.get(_slug(item["source"]))
    return items


def _slug(name):
    """paid_search, Paid search and paid-search are one source."""
    return slugify(name.replace("_", "-"))[:100]


def _key(values):
    return values.get("email") or values.get("external_id") or values.get("phone")


def _batches(text, mapping, *, skip):
    """Lists of (line number, {column: text} or the problem of a line that cannot be read)."""
    csv.field_size_limit(LONGEST_CELL)
    lines = _lines(csv.reader(text, delimiter=mapping.delimiter), mapping)
    for _ in islice(lines, skip):
        pass
    while batch := list(islice(lines, BATCH)):
        yield batch


def _lines(reader, mapping):
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        raise BadMap("The file is empty.") from None
    if missing := sorted(set(mapping.columns) - set(header)):
        raise BadMap(f"The file has no column {', '.join(missing)}. It has: {', '.join(header)}.")
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, str(error)
            continue
        if len(cells) > len(header):
            yield reader.line_num, f"has {len(cells)} cells, the header {len(header)}"
        elif any(cells):
            yield reader.line_num, dict(zip(header, cells, strict=False))
