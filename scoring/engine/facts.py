"""The facts a score is made of, found by SQL alone and handed over as arrays.

Three statements at most, for one lead as for a batch: what holds for each lead (`lead_facts`), what happened to it
(`log_of`, answered from the covering index), and, for touchpoints not seen before, which rules they match (`matching`).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from django.db import connection

from scoring.engine import prepared
from scoring.engine.replay import COMPANY_THEN, LEAD_THEN
from scoring.engine.units import NEVER

WORD = 60  # facts packed per bigint
SEEN_LIMIT = 300_000  # touchpoints remembered per rulebook, about 6 MB with 20 rules

NOW = "leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id"
THEN = f"({LEAD_THEN}) l LEFT JOIN LATERAL ({COMPANY_THEN}) c ON true"

LOG = """
SELECT array_send(array_agg(lead_id)), array_send(array_agg(occurred_at)), array_send(array_agg(touchpoint_id))
FROM (
  SELECT lead_id, occurred_at, CASE WHEN engagement THEN touchpoint_id ELSE 0 END AS touchpoint_id
  FROM leads_activity
  WHERE lead_id = ANY($1) AND (engagement OR touchpoint_id = ANY(ARRAY(
    SELECT id FROM leads_touchpoint WHERE kind = 'engagement_since' AND asset IN ('', 'restart')))) {known}
  ORDER BY lead_id, occurred_at OFFSET 0
) log
"""


@dataclass
class LeadFacts:
    """One entry per lead, by id. Test leads are not among them: they are never scored."""

    ids: np.ndarray
    created: np.ndarray
    timeline_until: np.ndarray  # NEVER where nothing is stated
    stage: np.ndarray  # position in STAGES
    parked_until: np.ndarray  # instant, or the distant past
    reachable: np.ndarray
    holds: dict  # {version id: bool[leads, rules about the lead]}
    later: dict  # the same once the stated timeline has run out


@dataclass
class Log:
    """What happened, by lead and time. `lead` is a position in LeadFacts; touchpoint 0 restarts engagement."""

    lead: np.ndarray
    time: np.ndarray
    touchpoint: np.ndarray


STAGES = ["inquiry", "mql", "sales_ready", "sal", "sql", "customer", "disqualified"]


def lead_facts(lead_ids, books, *, then=None):
    """Which rules of each rulebook hold for each lead, now or with the field values that stood `then`."""
    sql, columns, total = _statement(tuple(books), then is not None)
    args = [list(lead_ids)] if then is None else [list(lead_ids), then]
    types = "bigint[]" if then is None else "bigint[], timestamptz"
    row = [_numbers(column) for column in prepared.fetch(sql, types, args)[0]]
    ids, created, timeline_until, stage, parked_until, *words = row
    bits = _unpack(words, total, len(ids))
    return LeadFacts(
        ids, created, np.minimum(timeline_until, NEVER), stage, parked_until, bits[:, 0],
        holds={book.version_id: bits[:, columns[book.version_id, False]] for book in books},
        later={book.version_id: bits[:, columns[book.version_id, True]] for book in books},
    )  # fmt: skip


@lru_cache(maxsize=64)
def _statement(books, then):
    """The statement ($1: lead ids, $2: then), which packed facts belong to which rulebook, and how many there are."""
    facts = ["(l.email IS NOT NULL OR l.phone <> '')"]
    params, columns = {}, {}
    for book in books:
        before = [_named(condition, params) for condition in book.lead_sql]
        start = len(facts)
        facts += before
        columns[book.version_id, False] = np.arange(start, start + len(before))
        columns[book.version_id, True] = columns[book.version_id, False].copy()
        for position, condition in enumerate(book.lead_sql_later):
            if condition is not None:
                columns[book.version_id, True][position] = len(facts)
                facts.append(_named(condition, params))
    words = [_pack(facts[start : start + WORD]) for start in range(0, len(facts), WORD)]
    sends = "".join(f", array_send(array_agg(w{number}))" for number in range(len(words)))
    picks = "".join(f", {word} AS w{number}" for number, word in enumerate(words))
    sql = f"""
SELECT array_send(array_agg(id)), array_send(array_agg(created_at)), array_send(array_agg(timeline_until)),
  array_send(array_agg(stage)), array_send(array_agg(parked_until)){sends}
FROM (
  SELECT l.id, l.created_at, coalesce(l.timeline_until, 'infinity') AS timeline_until,
    (array_position(ARRAY{STAGES!r}, l.stage::text) - 1)::bigint AS stage,
    CASE WHEN l.place = 'parked' THEN coalesce(l.wake_at, 'infinity') ELSE '-infinity' END AS parked_until{picks}
  FROM {THEN if then else NOW} WHERE l.id = ANY($1) AND NOT l.is_test ORDER BY l.id OFFSET 0
) facts"""  # noqa: S608 conditions are SQL from the criteria, their values are bound
    return prepared.with_values(sql, params), columns, len(facts)


def _named(condition, params):
    """The condition with its values bound by name, as the statement repeats none of them by position."""
    parts = condition.sql.split("%s")
    sql = parts[0]
    for value, rest in zip(condition.params, parts[1:], strict=True):
        name = f"p{len(params)}"
        params[name] = value
        sql += f"%({name})s{rest}"
    return sql


def _pack(facts):
    return " | ".join(f"((({fact}) IS TRUE)::int::bigint << {place})" for place, fact in enumerate(facts))


def _unpack(words, total, n):
    bits = [(words[place // WORD] >> (place % WORD)) & 1 for place in range(total)]
    return np.stack(bits, axis=1).astype(bool) if n else np.zeros((0, total), bool)


def log_of(ids, *, known_at=None):
    """The engagement of the leads `ids` (an ordered array), all of it or what was known at an instant."""
    if known_at is None:
        row = prepared.fetch(LOG.format(known=""), "bigint[]", [ids.tolist()])[0]
    else:
        known = LOG.format(known="AND received_at <= $2")
        row = prepared.fetch(known, "bigint[], timestamptz", [ids.tolist(), known_at])[0]
    leads, times, touchpoints = (_numbers(column) for column in row)
    return Log(np.searchsorted(ids, leads), times, touchpoints)


def matching(book, touchpoints):
    """bool[rules about touchpoints, activities]. Touchpoints never change, so each is evaluated once per condition."""
    ids, table = book.seen.known
    places = np.minimum(np.searchsorted(ids, touchpoints), len(ids) - 1)
    new = ids[places] != touchpoints
    if new.any():
        if len(ids) > SEEN_LIMIT:
            ids, table, new = ids[:1], table[:, :1], touchpoints != 0
        ids, table = book.seen.known = _with_new(book, ids, table, np.unique(touchpoints[new]))
        places = np.searchsorted(ids, touchpoints)
    return table[:, places]


def _with_new(book, ids, table, new):
    merged = np.concatenate([ids, new])
    order = np.argsort(merged)
    return merged[order], np.concatenate([table, _evaluate(book, new)], axis=1)[:, order]


def _evaluate(book, ids):
    """bool[rules, touchpoints] by one statement."""
    rules = len(book.touch_sql)
    result = np.zeros((rules, len(ids)), bool)
    if not rules:
        return result
    params = {"ids": ids.tolist()}
    facts = [_named(condition, params) for condition in book.touch_sql]
    words = ", ".join(_pack(facts[start : start + WORD]) for start in range(0, rules, WORD))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t.id, {words} FROM leads_touchpoint t WHERE t.id = ANY(%(ids)s)", params)  # noqa: S608
        rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 1 + -(-rules // WORD))
    result[:, np.searchsorted(ids, rows[:, 0])] = _unpack(list(rows.T[1:]), rules, len(rows)).T
    return result


_ELEMENT = np.dtype([("length", ">i4"), ("value", ">i8")])
_HEADER = 20  # bytes before the first element of a one-dimensional array on the wire


def _numbers(column):
    """An array of 8-byte values in PostgreSQL's binary form; a timestamptz is microseconds since 2000-01-01 UTC."""
    if column is None:
        return np.zeros(0, np.int64)
    return np.frombuffer(column, dtype=_ELEMENT, offset=_HEADER)["value"].astype(np.int64)
