"""Which value survives when two sources disagree: one rule for people and companies, one lead and a thousand."""

import json
from typing import Any, NamedTuple

from leads.rows import fetch, plain

# A lower rank never overwrites a higher one; what it says is kept as a proposal.
RANK = {"enrichment": 1, "import": 2, "person": 3, "rep": 4}

CUSTOM = "custom."

HISTORY = """
SELECT {owner}_id, field, origin, occurred_at, applied, new FROM leads_fieldchange
WHERE {owner}_id = ANY(%s) AND field = ANY(%s) ORDER BY occurred_at, id
"""


class Change(NamedTuple):
    field: str
    old: Any
    new: Any
    applied: bool
    origin: str
    at: Any


class History:
    """What is known about the values in force: who said them and when, and what was proposed before."""

    def __init__(self):
        self.standing = {}
        self.proposed = set()

    def applied(self, field, origin, at):
        self.standing[field] = (origin, at)

    def outranks(self, field, origin, at):
        """Whether the value in force stands against one by `origin` dated `at`.

        Nobody knows where a value without history came from: bought data does not replace it.
        """
        current = self.standing.get(field)
        if current is None:
            return origin == "enrichment"
        return (RANK[current[0]], current[1]) > (RANK[origin], at)


def is_empty(value):
    return value is None or value == ""


def held(row, field):
    """The value of a column, or of a custom field, `custom.<key>`."""
    return row["custom"].get(field.removeprefix(CUSTOM)) if field.startswith(CUSTOM) else row[field]


def put(row, field, value):
    """Set it. `custom` is replaced and not changed, as rows may share one; an empty value is no value there."""
    if not field.startswith(CUSTOM):
        row[field] = value
        return
    key = field.removeprefix(CUSTOM)
    rest = {name: kept for name, kept in row["custom"].items() if name != key}
    row["custom"] = rest if is_empty(value) else rest | {key: value}


def weigh(row, values, *, origin, at, overwrite, history, guarded=()):
    """Apply to `row` what may be applied of `values`; the list of Changes, proposals included.

    Empty fields are filled. A filled one is overwritten where `overwrite` allows it, the field is not `guarded`
    and nobody of higher rank, or later, has said otherwise. The same proposal is made once.
    """
    changes = []
    for field, new in values.items():
        old = held(row, field)
        if old == new or (is_empty(old) and is_empty(new)):
            continue
        stands = not is_empty(old) and (
            not overwrite or field in guarded or history.outranks(field, origin, at)
        )
        if stands:
            said = (field, key(new))
            if said in history.proposed:
                continue
            history.proposed.add(said)
        else:
            put(row, field, new)
            history.applied(field, origin, at)
        changes.append(Change(field, old, new, not stands, origin, at))
    return changes


def key(value):
    return json.dumps(value, default=plain, sort_keys=True)


def histories(owner, contested):
    """`{id: History}` of the (id, field) pairs in `contested`; `owner` is "lead" or "company"."""
    found = {number: History() for number, _ in contested}
    if not contested:
        return found
    ids, fields = sorted(found), sorted({field for _, field in contested})
    for number, field, origin, at, applied, new in fetch(HISTORY.format(owner=owner), [ids, fields]):
        if applied:
            found[number].applied(field, origin, at)
        else:
            found[number].proposed.add((field, key(json.loads(new) if isinstance(new, str) else new)))
    return found


def change_rows(changes, *, now, lead_id=None, company_id=None, by=None):
    """Rows of leads_fieldchange for Changes. `by`: their `actor_id` and `provider`."""
    by = by or {"actor_id": None, "provider": ""}
    return [
        {
            "lead_id": lead_id,
            "company_id": company_id,
            "field": change.field,
            "old": change.old,
            "new": change.new,
            "occurred_at": change.at,
            "recorded_at": now,
            "origin": change.origin,
            "applied": change.applied,
            **by,
        }
        for change in changes
    ]
