"""Purchased data: a CSV file by domain or e-mail address, whose values fill what nobody better has said.

The file lies in its row until it is worked off, and `done` commits with the values of a batch: a killed upload goes on
where it stopped. Survivorship is that of `identity.set_fields`; each value keeps the name of its provider.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import transaction

from leads import cleaners, custom_fields, identity, intake
from leads.cleaners import Problem
from leads.models import Company, CustomField, EnrichmentUpload, FieldChange, Lead
from leads.rows import fetch

BATCH = 1000
AT_ONCE = 2_000  # rows that the one who uploads waits for
LONGEST_CELL = 10_000  # characters; a longer one is rejected with its line
LONGEST_READ = 2**31 - 1  # the same for every file, as all threads of a process share it
MOST_COLUMNS = 1_000
HEAD = 40_000  # bytes that say what kind of file it is
PREVIEWED = 5
KEPT_REJECTIONS = 100
DELIMITERS = ",;\t|"
EMAIL, DOMAIN = "email", "domain"
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]|^%PDF-")

# What may be bought about a person, and about a company: field → cleaner.
OF_LEAD = {
    name: intake.FIELDS[name]
    for name in (
        "first_name",
        "last_name",
        "job_title",
        "role",
        "phone",
        "country",
        "industry",
        "company_size",
    )
}
OF_COMPANY = {
    "name": cleaners.text(255), "size": cleaners.whole_number, "industry": cleaners.text(100), "country": cleaners.country,
}  # fmt: skip
# Other names for the same; headers are compared without case, spaces and punctuation.
KEYS = {
    EMAIL: {"email", "emailaddress", "mail", "workemail", "businessemail"},
    DOMAIN: {"domain", "companydomain", "website", "web", "url", "homepage", "emaildomain"},
}
ALSO = {
    "firstname": "first_name", "givenname": "first_name", "lastname": "last_name", "surname": "last_name",
    "familyname": "last_name", "title": "job_title", "position": "job_title", "jobtitle": "job_title", "telephone": "phone",
    "phonenumber": "phone", "countrycode": "country", "sector": "industry", "branch": "industry", "companyname": "name",
    "company": "name", "organisation": "name", "organization": "name", "employees": "size", "employeecount": "size",
    "numberofemployees": "size", "headcount": "size", "companysize": "size",
}  # fmt: skip
FIND = {
    EMAIL: "SELECT email, id FROM leads_lead WHERE email = ANY(%s)",
    DOMAIN: "SELECT domain, company_id FROM leads_companydomain WHERE domain = ANY(%s)",
}


class BadFile(ValueError):
    """The file cannot be used; the text says what to change."""


@dataclass
class Table:
    """A file as it is read: its header, then its lines, as (line number, {column: cell} or the problem of the line)."""

    header: list
    lines: Iterator

    @classmethod
    def read(cls, body):
        start = bytes(body).lstrip()[:HEAD].decode("utf-8-sig", "replace")
        head = next((line for line in start.splitlines() if line.strip()), "")
        if not head:
            raise BadFile("The file is empty.")
        if NO_TEXT.search(head):
            raise BadFile(
                "This is no CSV file in UTF-8, perhaps a spreadsheet, a picture or an archive. Save the table as"
                " “CSV UTF-8” and upload that."
            )
        delimiter = max(DELIMITERS, key=head[:10_000].count)
        csv.field_size_limit(LONGEST_READ)  # cells that are too long are judged below, one by one
        text = io.TextIOWrapper(io.BytesIO(body), "utf-8-sig", "replace", newline="")
        reader = csv.reader((line.replace("\x00", "") for line in text), delimiter=delimiter)
        names = ([name.strip()[:100] for name in cells] for cells in reader)
        header = next(filter(any, names), None)
        if header is None:
            raise BadFile("The first line names no column.")
        if len(header) > MOST_COLUMNS:
            raise BadFile(f"It has {len(header):,} columns; {MOST_COLUMNS:,} can be read. Leave some out.")
        if doubled := sorted({name for name in header if name and header.count(name) > 1}):
            raise BadFile(f"The column “{doubled[0]}” is there twice. Rename one of them.")
        return cls(header, lines_of(reader, header))


def lines_of(reader, header):
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"The line cannot be read: {error}."
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            yield reader.line_num, f"It has {len(cells)} cells, the header {len(header)}."
        elif any(len(cell) > LONGEST_CELL for cell in cells):
            yield reader.line_num, f"A cell is longer than {LONGEST_CELL:,} characters."
        else:
            yield reader.line_num, dict(zip(header, cells, strict=False))


# --- what the columns mean -----------------------------------------------------------------------------


def fields_by(matched_by):
    """`{field: (words, cleaner)}` of what a file by e-mail address, or by domain, may bring."""
    own = OF_LEAD if matched_by == EMAIL else OF_COMPANY
    table = {name: (name.replace("_", " ").capitalize(), cleaner) for name, cleaner in own.items()}
    owner = CustomField.Owner.LEAD if matched_by == EMAIL else CustomField.Owner.COMPANY
    for key, field in custom_fields.active(owner).items():
        table[custom_fields.PREFIX + key] = (
            field.label,
            lambda value, field=field: custom_fields.clean(field, value),
        )
    return table


def key_column(header, matched_by):
    """The column by which rows are matched, or None."""
    return next((name for name in header if folded(name) in KEYS[matched_by]), None)


def guess_matched_by(header):
    for matched_by in (EMAIL, DOMAIN):
        if key_column(header, matched_by):
            return matched_by
    shown = ", ".join(name for name in header if name)[:300]
    raise BadFile(
        f"No column is called E-mail or Domain, so nobody can be matched. The columns are: {shown}."
    )


def guess_columns(header, matched_by):
    """`{column: field}` by the names alone; columns that mean nothing here are missing."""
    table = fields_by(matched_by)
    known = {folded(name.removeprefix(custom_fields.PREFIX)): name for name in table}
    known |= {folded(words): name for name, (words, _) in table.items()}
    found, key = {}, key_column(header, matched_by)
    for column in header:
        also = ALSO.get(folded(column), "")
        also = "company_size" if also == "size" and matched_by == EMAIL else also
        field = known.get(folded(column)) or (also if also in table else None)
        if column and column != key and field and field not in found.values():
            found[column] = field
    return found


def folded(name):
    return re.sub(r"[^a-z0-9]", "", name.casefold())


# --- the work --------------------------------------------------------------------------------------------


def check(body, matched_by=""):
    """(matched by, number of rows) of a file that can be used. Raises BadFile."""
    table = Table.read(body)
    matched_by = matched_by or guess_matched_by(table.header)
    if key_column(table.header, matched_by) is None:
        wanted = "E-mail" if matched_by == EMAIL else "Domain"
        raise BadFile(f"No column is called {wanted}. Rename the one that holds it, or match by the other.")
    rows = sum(1 for _ in table.lines)
    if not rows:
        raise BadFile("The file has a header and no rows.")
    return matched_by, rows


def upload(*, provider, file_name, body, at, by=None, matched_by=""):
    """Keep a file for its preview; the EnrichmentUpload. Raises BadFile."""
    matched_by, rows = check(body, matched_by)
    return EnrichmentUpload.objects.create(
        provider=provider,
        file_name=file_name[:255],
        matched_by=matched_by,
        at=at,
        by=by,
        body=bytes(body),
        rows=rows,
    )


def start(*, upload, columns, at):
    """Use the file, with `columns` meaning {column: field}. What is long is left to `leads.tasks.enrich`."""
    table = fields_by(upload.matched_by)
    if not columns or any(field not in table for field in columns.values()):
        raise BadFile("Choose at least one column to use.")
    if len(set(columns.values())) < len(columns):
        raise BadFile("Two columns cannot fill the same field. Leave one of them out.")
    if not EnrichmentUpload.objects.filter(pk=upload.pk, columns={}).update(columns=columns):
        raise BadFile("This upload has been started already.")
    upload.columns = columns
    if upload.rows <= AT_ONCE:
        carry_on(upload, at=at)


def carry_on(upload, *, at):
    """Work off what is left of an upload, in batches of a transaction each; False where somebody else does."""
    table = Table.read(upload.body)
    key, lines = key_column(table.header, upload.matched_by), islice(table.lines, upload.done, None)
    while batch := list(islice(lines, BATCH)):
        with transaction.atomic():
            row = EnrichmentUpload.objects.select_for_update(skip_locked=True).filter(
                pk=upload.pk, done=upload.done, finished_at=None
            )
            if not row.values_list("pk").first():
                return False
            work_off(upload, batch, key, at=at)
            upload.done += len(batch)
            upload.save(update_fields=["done", "matched", "filled", "kept_back", "rejected", "rejections"])
    upload.finished_at, upload.body = at, None
    upload.save(update_fields=["finished_at", "body"])
    return True


def carry_on_with_all(*, at):
    """Work off every upload that was started and is not finished; how many now are."""
    waiting = EnrichmentUpload.objects.filter(finished_at=None).exclude(columns={}).order_by("id")
    return sum(carry_on(upload, at=at) for upload in waiting)


def work_off(upload, lines, key_name, *, at):
    """One batch: match, clean, say. Counts go to `upload`, which the caller saves."""
    table, items = fields_by(upload.matched_by), []
    for number, line in lines:
        if isinstance(line, str):
            reject(upload, number, "", line)
            continue
        try:
            items.append(cleaned(line, key_name, upload, table))
        except intake.InvalidLead as invalid:
            column, problem, remedy = invalid.problems[0]
            reject(upload, number, column, f"{problem} {remedy}")
    known = dict(fetch(FIND[upload.matched_by], [[key for key, _ in items]]))
    model = Lead if upload.matched_by == EMAIL else Company
    found = [(model(pk=known[key]), values) for key, values in items if key in known]
    upload.matched += len(found)
    changes = identity.set_fields_many(
        [item for item in found if item[1]], origin=FieldChange.FieldOrigin.ENRICHMENT, at=at, actor=upload.by,
        provider=upload.provider,
    )  # fmt: skip
    applied = sum(change.applied for change in changes)
    upload.filled += applied
    upload.kept_back += len(changes) - applied


def cleaned(line, key_name, upload, table):
    """(address or domain, values) of a line. Raises InvalidLead with the first problem."""
    clean_key = cleaners.email if upload.matched_by == EMAIL else cleaners.domain
    pairs = [(key_name, "", clean_key)]
    pairs += [(column, field, table[field][1]) for column, field in upload.columns.items() if field in table]
    values = {}
    for column, field, clean in pairs:
        try:
            value = clean(line.get(column, "").strip())
        except Problem as problem:
            raise intake.InvalidLead([(column, problem.problem, problem.remedy)]) from None
        if value is not None and value != "":
            values[field] = value
    if "" not in values:
        raise intake.InvalidLead([(key_name, "is missing.", "Fill it in or delete the line.")])
    return values.pop(""), values


def reject(upload, number, column, problem):
    upload.rejected += 1
    if len(upload.rejections) < KEPT_REJECTIONS:
        upload.rejections.append([number, column[:100], problem[:300]])


def forget_unstarted(*, before):
    """Delete uploads that were only looked at; their files would lie there for ever."""
    return EnrichmentUpload.objects.filter(columns={}, finished_at=None, at__lt=before).delete()[0]
