"""The facts a score is made of, found by SQL alone and handed over as arrays.

For one lead as for a batch: what holds for each lead at an instant (`lead_facts`), and what happened to it (`log_of`,
answered from the covering index). Which rules a touchpoint matches is in touchpoints.py.

Where a fact changes by time alone (a stated timeline, a date), `changes` says when. The criteria name the next such
instant, at which the facts are read as well, so that nobody is woken for nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from leads.criteria.base import AT, AtMinus, AtPlus, Instant
from scoring.engine import bulk, prepared
from scoring.engine.replay import COMPANY_THEN, LEAD_THEN, LOG_THEN
from scoring.engine.units import NEVER, instant

__all__ = [
    "AT", "NOW", "THEN", "LeadFacts", "Log", "arranged", "lead_facts", "log_of", "log_sql", "look_ahead", "placed",
    "rendered", "statement",
]  # fmt: skip

WORD = 60  # facts packed per bigint
LOOKS = 3  # at the next instants named, before one is taken at its word

NOW = "leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id"
THEN = f"({LEAD_THEN}) l LEFT JOIN LATERAL ({COMPANY_THEN}) c ON true"  # with the field values known at $3

RANGE = "BETWEEN %(first)s AND %(last)s"
GIVEN = "= ANY($1)"

LOG_COLUMNS = 3
LOG = """
SELECT array_send(array_agg(lead_id)), array_send(array_agg(occurred_at)), array_send(array_agg(touchpoint_id))
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


def lead_facts(lead_ids, books, *, at, known_at=None):
    """What holds for each lead at the instant `at`, by its field values now or as known at `known_at`."""
    facts, then = _read(sorted(lead_ids), tuple(books), at, known_at)
    look_ahead(facts, books, then, known_at)
    return facts


def _read(lead_ids, books, at, known_at, ahead=False):
    in_range = known_at is None and not ahead and bulk.is_range(lead_ids)
    which = RANGE if in_range else GIVEN
    sql, params, columns, total = statement(books, known=known_at is not None, ahead=ahead, which=which)
    if in_range:
        row = bulk.read(sql, params | {"first": lead_ids[0], "last": lead_ids[-1], "at": at})
    else:
        types = "bigint[], timestamptz[]" if ahead else "bigint[], timestamptz"
        known = [] if known_at is None else [known_at]
        row = prepared.fetch(sql, types + ", timestamptz" * len(known), [lead_ids, at, *known])[0]
    row = [bulk.numbers(column) for column in row]
    others = in_range and len(lead_ids) <= lead_ids[-1] - lead_ids[0]  # in between, who were not asked for
    return arranged(row, books, columns, total, ahead=ahead, only=lead_ids if others else None)


def arranged(row, books, columns, total, *, ahead=False, only=None):
    """LeadFacts from the columns of a `statement`, and what `look_ahead` asks; of the leads `only`, if given."""
    if only is not None:
        asked_for = np.isin(row[0], only)
        row = [column[asked_for] for column in row]
    ids, created, stage, parked_until, *row = row
    changing = [book for book in books if book.changes_sql]
    dates = {book.version_id: np.minimum(row.pop(0), NEVER) for book in changing}
    after = {book.version_id: row.pop(0) for book in changing} if not ahead else {}
    bits = _unpack(row, total, len(ids))
    holds = {book.version_id: bits[:, columns[book.version_id]] for book in books}
    changes = dates | {book.version_id: np.full(len(ids), NEVER) for book in books if not book.changes_sql}
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


@lru_cache(maxsize=64)
def statement(books, *, known=False, ahead=False, which):
    """The statement and its values, the columns of each rulebook's facts among those packed, and how many there are.

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
    picked |= {f"w{start}": _pack(facts[start : start + WORD]) for start in range(0, len(facts), WORD)}
    sql = f"""{LOG_THEN if known else ""}
SELECT array_send(array_agg(id)), array_send(array_agg(created_at)), array_send(array_agg(stage)),
  array_send(array_agg(parked_until)){"".join(f", array_send(array_agg({name}))" for name in picked)}
FROM (
  SELECT l.id, l.created_at, (array_position(ARRAY{STAGES!r}, l.stage::text) - 1)::bigint AS stage,
    CASE WHEN l.place = 'parked' THEN coalesce(l.wake_at, 'infinity') ELSE '-infinity' END AS parked_until
    {"".join(f", {pick} AS {name}" for name, pick in picked.items())}
  FROM {"unnest($1, $2) AS ahead(id, at), " if ahead else ""}{THEN if known else NOW}
    {" ".join(f"CROSS JOIN LATERAL (SELECT {sql} AS at OFFSET 0) {name}" for name, sql in nexts.items())}
  WHERE l.id {which} AND NOT l.is_test {"AND l.id = ahead.id" if ahead else ""}
  ORDER BY l.id OFFSET 0
) facts"""  # noqa: S608 conditions are SQL from the criteria, their values are bound
    if which != RANGE:
        sql, params = prepared.with_values(sql, params), {}
    return sql, params, columns, len(facts)


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


def _pack(facts):
    return " | ".join(f"((({fact}) IS TRUE)::int::bigint << {place})" for place, fact in enumerate(facts))


def _unpack(words, total, n):
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
        row = bulk.read(log_sql(which=RANGE, opens=opens), {"first": int(ids[0]), "last": int(ids[-1])})
    elif known_at is None:
        row = prepared.fetch(log_sql(which=GIVEN, opens=opens), "bigint[]", [ids.tolist()])[0]
    else:
        sql = log_sql(which=GIVEN, opens=opens, known="AND received_at <= $2")
        row = prepared.fetch(sql, "bigint[], timestamptz", [ids.tolist(), known_at])[0]
    columns = [bulk.numbers(column) for column in row]
    return placed(ids, range(ids[0], ids[-1] + 1) if in_range else ids, columns)


def placed(ids, read, columns):
    """The Log of the leads `ids` from the columns of `log_sql` for the leads `read`, who may be more."""
    leads, times, touchpoints = columns
    places = np.searchsorted(ids, leads)
    if len(ids) < len(read):
        asked_for = ids[np.minimum(places, len(ids) - 1)] == leads if len(ids) else np.zeros(len(leads), bool)
        places, times, touchpoints = places[asked_for], times[asked_for], touchpoints[asked_for]
    return Log(places, times, touchpoints)
