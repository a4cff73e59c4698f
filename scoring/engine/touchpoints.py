"""Which rules a touchpoint matches: evaluated once each, by SQL, and remembered.

Touchpoints never change, but what an asset is about does: the memory of rulebooks that ask it holds for one state of
all content (`EPOCH`), and a past instant is evaluated without it.
"""

from datetime import timedelta

import numpy as np
from django.db import connection

from leads.criteria.base import AtMinus, AtPlus, Instant
from leads.rows import fetch
from scoring.engine.facts import WORD, pack, unpack
from scoring.engine.rulebook import UNSEEN

SEEN_LIMIT = 300_000  # touchpoints remembered per rulebook, about 6 MB with 20 rules
EPOCH = "SELECT max(id), count(until) FROM leads_assetstate"


def matching(book, touchpoints, *, at, known_at=None):
    """bool[rules about touchpoints, activities of a Log] at the instant `at`, or as known at `known_at`."""
    touchpoints = np.abs(touchpoints)
    if book.uses_content and known_at is not None:
        ids, places = np.unique(touchpoints, return_inverse=True)
        return _evaluate(book, ids, known_at)[:, places]
    epoch = fetch(EPOCH, [])[0] if book.uses_content else ()
    known_epoch, places, table = book.seen.known
    if known_epoch != epoch or table.shape[1] > SEEN_LIMIT:
        places, table = UNSEEN, table[:, :1]
    found = places.take(touchpoints, mode="clip")
    new = found < 0
    if new.any():
        places, table = _with_new(book, places, table, np.unique(touchpoints[new]), at)
        book.seen.known = (epoch, places, table)
        found = places[touchpoints]
    return table.take(found, axis=1)


def _with_new(book, places, table, new, at):
    known = table.shape[1]
    grown = np.full(max(len(places), new[-1] + 2), -1, np.int32)
    grown[: len(places)] = places
    grown[new] = np.arange(known, known + len(new))
    return grown, np.concatenate([table, _evaluate(book, new, at)], axis=1)


def _evaluate(book, ids, at):
    """bool[rules, touchpoints] by one statement."""
    rules = len(book.touch_sql)
    result = np.zeros((rules, len(ids)), bool)
    if not rules:
        return result
    bound, facts = [], []
    for condition in book.touch_sql:
        facts.append(condition.sql)
        bound.append([_dated(value, at) for value in condition.params])
    words = [facts[start : start + WORD] for start in range(0, rules, WORD)]
    sql = f"SELECT t.id, {', '.join(map(pack, words))} FROM leads_touchpoint t WHERE t.id = ANY(%s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*[value for values in bound for value in values], ids.tolist()])
        rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 1 + len(words))
    result[:, np.searchsorted(ids, rows[:, 0])] = unpack(list(rows.T[1:]), rules, len(rows)).T
    return result


def _dated(value, at):
    """What is bound for `value`: AT and its kin as the instant they stand for."""
    if not isinstance(value, Instant):
        return value
    days = {AtMinus: -1, AtPlus: 1}.get(type(value), 0)
    return at + timedelta(days=days * value.days) if days else at
