"""The facts a score is made of, found by SQL alone and handed over as arrays.

For one lead as for a batch: what holds for each lead at an instant (`lead_facts`), and what happened to it (`log_of`,
answered from the covering index). Which rules a touchpoint matches is in touchpoints.py.

Where a fact changes by time alone (a stated timeline, a date), `changes` says when. The criteria name the next such
instant, at which the facts are read as well, so that nobody is woken for nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from leads.criteria.base import AT, AtMinus, AtPlus, Instant
from scoring.engine import bulk, prepared
from scoring.engine.replay import COMPANY_THEN, LEAD_THEN, LOG_THEN
from scoring.engine.units import NEVER, filled, instant

__all__ = [
    "AT", "NOW", "THEN", "LeadFacts", "Log", "Statement", "arranged", "lead_facts", "log_of", "log_sql", "look_ahead", "placed",
    "rendered", "statement",
]  # fmt: skip

WORD = 60  # facts packed per bigint
LOOKS = 3  # at the next instants named, before one is taken at its word

NOW = "leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id"
THEN = f"({LEAD_THEN}) l LEFT JOIN LATERAL ({COMPANY_THEN}) c ON true"  # with the field values known at $3

RANGE = "BETWEEN %(first)s AND %(last)s"
# Without this the companies of all leads are read for each batch.
THEIR_COMPANIES = f" AND c.id = ANY(ARRAY(SELECT company_id FROM leads_lead WHERE id {RANGE}))"  # noqa: S608 constants
GIVEN = "= ANY($1)"

LOG_COLUMNS = 3
LOG = """
SELECT string_agg(int8send(lead_id) || timestamptz_send(occurred_at) || int8send(touchpoint_id), '')
FROM (
  SELECT lead_id, occurred_at, CASE WHEN engagement THEN touchpoint_id {open_ids} ELSE 0 END AS touchpoint_id
  FROM leads_activity
  WHERE lead_id {which} AND (engagement OR touchpoint_id = ANY(ARRAY(
    SELECT id FROM leads_touchpoint WHERE kind = 'engagement_since' AND asset IN ('', 'restart') {opens}))) {known}
  ORDER BY lead_id, occurred_at OFFSET 0
) log
"""
OPENS = "OR kind = 'mail_open'"
OPEN_IDS = "WHEN touchpoint_id = ANY(ARRAY(SELECT id FROM leads_touchpoint WHERE kind = 'mail_open')) THEN -touchpoint_id"


@dataclass
class LeadFacts:
    """One entry per lead, by id. Test leads are not among them: they are never scored."""

    ids: np.ndarray
    created: np.ndarray
    stage: np.ndarray  # position in STAGES
    parked_until: np.ndarray  # instant, or the distant past
    reachable: np.ndarray
    holds: dict  # {version id: bool[leads, conditions of its rulebook's lead_sql]}
    changes: dict  # {version id: the first instant at which one of them changes by time alone}


@dataclass
class Log:
    """What happened, by lead and time. `lead` is a position in LeadFacts; touchpoint 0 restarts engagement, and
    -t is an open of t, which is no engagement."""

    lead: np.ndarray
    time: np.ndarray
    touchpoint: np.ndarray


STAGES = ["inquiry", "mql", "sales_ready", "sal", "sql", "customer", "disqualified"]
_WHEN_STAGE = " ".join(f"WHEN '{stage}' THEN {place}::bigint" for place, stage in enumerate(STAGES))
STAGE_PLACE = f"CASE l.stage {_WHEN_STAGE} END"
FACTS = """
{log_then} SELECT string_agg({sent}, '')
FROM (
  SELECT l.id, l.created_at, {stage} AS stage,
    CASE WHEN l.place = 'parked' THEN coalesce(l.wake_at, 'infinity') ELSE '-infinity' END AS parked_until{picked}
  FROM {whose} {nexts}
  WHERE l.id {which} AND NOT l.is_test {own}
  ORDER BY l.id OFFSET 0
) facts
"""


def lead_facts(lead_ids, books, *, at, known_at=None):
    """What holds for each lead at the instant `at`, by its field values now or as known at `known_at`."""
    facts, then = _read(sorted(lead_ids), tuple(books), at, known_at)
    look_ahead(facts, books, then, known_at)
    return facts


def _read(lead_ids, books, at, known_at, ahead=False):
    in_range = known_at is None and not ahead and bulk.is_range(lead_ids)
    which = RANGE if in_range else GIVEN
    asked = statement(books, known=known_at is not None, ahead=ahead, which=which)
    if in_range:
        packed = bulk.read(asked.sql, asked.params | {"first": lead_ids[0], "last": lead_ids[-1], "at": at})
    else:
        types = "bigint[], timestamptz[]" if ahead else "bigint[], timestamptz"
        known = [] if known_at is None else [known_at]
        packed = prepared.fetch(asked.sql, types + ", timestamptz" * len(known), [lead_ids, at, *known])[0][0]
    others = in_range and len(lead_ids) <= lead_ids[-1] - lead_ids[0]  # in between, who were not asked for
    return arranged(packed, asked, books, ahead=ahead, only=lead_ids if others else None)


def arranged(packed, asked, books, *, ahead=False, only=None):
    """LeadFacts from what the Statement `asked` sent, and what `look_ahead` asks; of the leads `only`, if given."""
    rows, columns = bulk.columns(packed, asked.width), asked.columns
    if only is not None:
        rows = rows[:, np.isin(rows[0], only)]
    ids, created, stage, parked_until, *row = rows
    changing = [book for book in books if book.changes_sql]
    dates = {book.version_id: np.minimum(row.pop(0), NEVER) for book in changing}
    after = {book.version_id: row.pop(0) for book in changing} if not ahead else {}
    bits = unpack(row, asked.total, len(ids))
    holds = {book.version_id: bits[:, columns[book.version_id]] for book in books}
    changes = dates | {book.version_id: filled(len(ids), NEVER) for book in books if not book.changes_sql}
    then = {
        version: (bits[:, columns[version, "then"]], np.minimum(dates, NEVER))
        for version, dates in after.items()
    }
    return LeadFacts(ids, created, stage, parked_until, bits[:, 0], holds, changes), then


def look_ahead(facts, books, then, known_at=None):
    for book in books:
        if book.changes_sql:
            _look_ahead(facts, book, then[book.version_id], known_at)


def _look_ahead(facts, book, then, known_at):
    """Correct `changes` where nothing will be different at the instant that the criteria name.

    `then`: what holds at it of what time may change, and the next such instant: found by the first statement already.
    After LOOKS more instants without a difference the next one is taken as it is: early, never late.
    """
    changes, holds = facts.changes[book.version_id], facts.holds[book.version_id][:, book.dated]
    places, (dated, after) = np.arange(len(changes)), then
    if (changes == NEVER).all():
        return
    for look in range(LOOKS + 1):
        same = (dated == holds[places]).all(axis=1) & (changes[places] < NEVER)
        places = places[same]
        changes[places] = after[same]
        places = places[changes[places] < NEVER]
        if look == LOOKS or not len(places):
            return
        at = [instant(value) for value in changes[places]]
        found, _ = _read(facts.ids[places].tolist(), (book,), at, known_at, ahead=True)
        places = places[np.isin(facts.ids[places], found.ids)]  # whoever does not lock may miss one
        dated, after = found.holds[book.version_id], found.changes[book.version_id]


class Statement(NamedTuple):
    """What is asked about leads: one value, rows of `width` numbers."""

    sql: str
    params: dict
    columns: dict  # {version id: where the facts of its rulebook are among those packed}
    total: int  # facts packed
    width: int


@lru_cache(maxsize=64)
def statement(books, *, known=False, ahead=False, which):
    """The Statement about leads by these rulebooks.

    $1: lead ids; $2: the instant, or `ahead` one for each lead; $3: when the field values were known. For a RANGE of
    leads the statement is not planned ahead, and takes `first`, `last` and `at` among its values.
    """
    at = "ahead.at" if ahead else "%(at)s::timestamptz" if which == RANGE else "$2"
    params, numbers, columns = {}, {"(l.email IS NOT NULL OR l.phone <> '')": 0}, {}
    changing = [book for book in books if book.changes_sql]
    nexts = {f"next{n}": rendered(book.changes_sql, params, at) for n, book in enumerate(changing)}

    def ask(name, conditions, at):
        asked = [rendered(condition, params, at) for condition in conditions]
        columns[name] = np.array([numbers.setdefault(fact, len(numbers)) for fact in asked], dtype=int)

    for book in books:
        ask(book.version_id, [book.lead_sql[n] for n in book.dated] if ahead else book.lead_sql, at)
    picked = {f"{name}_at": f"coalesce({name}.at, 'infinity')" for name in nexts}
    if not ahead:
        for name, book in zip(nexts, changing, strict=True):
            ask((book.version_id, "then"), [book.lead_sql[n] for n in book.dated], f"{name}.at")
            later = rendered(book.changes_sql, params, f"{name}.at")
            picked[f"after_{name}"] = f"coalesce({later}, 'infinity')"
    facts = list(numbers)
    words = {f"w{start}": pack(facts[start : start + WORD]) for start in range(0, len(facts), WORD)}
    sent = ["int8send(id)", "timestamptz_send(created_at)", "int8send(stage)", "timestamptz_send(parked_until)",
            *(f"timestamptz_send({name})" for name in picked), *(f"int8send({name})" for name in words)]  # fmt: skip
    sql = FACTS.format(
        log_then=LOG_THEN if known else "", sent=" || ".join(sent), stage=STAGE_PLACE, which=which,
        picked="".join(f", {pick} AS {name}" for name, pick in (picked | words).items()),
        whose=("unnest($1, $2) AS ahead(id, at), " if ahead else "") + (THEN if known else NOW)
        + (THEIR_COMPANIES if which == RANGE else ""),
        nexts=" ".join(f"CROSS JOIN LATERAL (SELECT {at} AS at OFFSET 0) {name}" for name, at in nexts.items()),
        own="AND l.id = ahead.id" if ahead else "",
    )  # fmt: skip
    if which != RANGE:
        sql, params = prepared.with_values(sql, params), {}
    return Statement(sql, params, columns, len(facts), len(sent))


def rendered(condition, params, at):
    """The condition with its values bound by name, equal ones once, and `at` for the instant."""
    parts = condition.sql.split("%s")
    sql = parts[0]
    for value, rest in zip(condition.params, parts[1:], strict=True):
        sql += (at_sql(value, at) if isinstance(value, Instant) else f"%({_name(value, params)})s") + rest
    return sql


def _name(value, params):
    """Under which name `value` is bound; equal conditions thereby become equal SQL, and are asked once."""
    for name, known in params.items():
        if type(known) is type(value) and known == value:
            return name
    name = f"p{len(params)}"
    params[name] = value
    return name


def at_sql(value, at):
    """AT, AtMinus or AtPlus in SQL. Hours, as a day across a change of the clocks is not 24 of them."""
    if isinstance(value, AtMinus):
        return f"({at} - interval '{value.days * 24} hours')"
    if isinstance(value, AtPlus):
        return f"({at} + interval '{value.days * 24} hours')"
    return at


def pack(facts):
    return " | ".join(
        f"CASE WHEN {fact} THEN {1 << place}::bigint ELSE 0 END" for place, fact in enumerate(facts)
    )


def unpack(words, total, n):
    if not n or not total:
        return np.zeros((n, total), bool)
    place = np.arange(total)
    return (np.array(words)[place // WORD] >> (place % WORD)[:, None] & 1).astype(bool).T


def log_sql(*, which, opens=False, known=""):
    """The log of the leads, on demand with the opens of mails."""
    asked = {"opens": OPENS, "open_ids": OPEN_IDS} if opens else {"opens": "", "open_ids": ""}
    return LOG.format(which=which, known=known, **asked)


def log_of(ids, *, opens=False, known_at=None):
    """The engagement of the leads `ids` (an ordered array), all of it or what was known at an instant; on demand
    with the opens of mails."""
    in_range = known_at is None and bulk.is_range(ids)
    if in_range:
        packed = bulk.read(log_sql(which=RANGE, opens=opens), {"first": int(ids[0]), "last": int(ids[-1])})
    elif known_at is None:
        packed = prepared.fetch(log_sql(which=GIVEN, opens=opens), "bigint[]", [ids.tolist()])[0][0]
    else:
        sql = log_sql(which=GIVEN, opens=opens, known="AND received_at <= $2")
        packed = prepared.fetch(sql, "bigint[], timestamptz", [ids.tolist(), known_at])[0][0]
    return placed(ids, range(ids[0], ids[-1] + 1) if in_range else ids, packed)


def placed(ids, read, packed):
    """The Log of the leads `ids` from what `log_sql` sent about the leads `read`, who may be more."""
    leads, times, touchpoints = bulk.columns(packed, LOG_COLUMNS)
    places = ids.searchsorted(leads)
    if len(ids) < len(read):
        asked_for = ids[np.minimum(places, len(ids) - 1)] == leads if len(ids) else np.zeros(len(leads), bool)
        places, times, touchpoints = places[asked_for], times[asked_for], touchpoints[asked_for]
    return Log(places, times, touchpoints)
