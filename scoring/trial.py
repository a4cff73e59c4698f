"""What versions would make of leads, computed without writing a row: of everybody, of a sample, or of the past.

Facts and arithmetic are the engine's own, chunk by chunk in id order, so that memory does not grow with the leads: an
answer keeps some 30 bytes per lead. Points are whole hundredths, instants microseconds since 2000.
"""

from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from itertools import islice

import numpy as np
from django.db import connection, transaction

from leads.rows import fetch
from scoring import ratings
from scoring.engine.arithmetic import EXCLUDED, LONG_AGO, MQL, NONE, SALES_READY, VERDICTS
from scoring.engine.judge import judge
from scoring.engine.rulebook import Rulebook, compile_version
from scoring.engine.units import cents
from scoring.models import Verdict

CHUNK = 20_000
AT_ONCE = [number for number, name in enumerate(VERDICTS) if name in (Verdict.HAND_RAISE, Verdict.BITE)]
READY = [SALES_READY, *AT_ONCE]
NOT_JUDGED = -1  # in place of a rating, where the model does not apply to the lead

NEXT = "SELECT id FROM leads_lead WHERE id > %s AND NOT is_test ORDER BY id LIMIT %s"
SOME = (
    "SELECT id FROM leads_lead TABLESAMPLE SYSTEM (%s) REPEATABLE (1) WHERE NOT is_test ORDER BY id LIMIT %s"
)
TOTAL = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'leads_lead'::regclass"


@dataclass(frozen=True)
class Trial:
    """One entry per lead."""

    ids: np.ndarray
    fit: np.ndarray
    engagement: np.ndarray
    rating: np.ndarray  # index into the labels of the version's scale, or NOT_JUDGED
    verdict: np.ndarray  # index into VERDICTS
    hand_raised: np.ndarray  # the latest hand-raise or bite of the cycle; LONG_AGO for none
    reachable: np.ndarray

    def __len__(self):
        return len(self.ids)

    @property
    def ready(self):
        """bool: sales-ready, by score or at once."""
        return np.isin(self.verdict, READY)


def scores_of(version, *, at, lead_ids=None, sample=None, chunk=CHUNK):
    """The Trial of a ModelVersion (drafts included) or Rulebook at `at`, by lead id: of all leads, of `lead_ids`, or
    of about `sample` leads, the same ones each time. Test leads are left out."""
    book = book_of(version)
    with read_only():
        if lead_ids is None and sample is not None:
            lead_ids = sample_of(sample)
        chunks = id_chunks(lead_ids, chunk=chunk)
        return joined([trial_of(judged, 0) for judged in (judge(ids, [book], at=at) for ids in chunks)])


def scores_then(versions, pasts):
    """[Trial per version] of `pasts`, pairs of lead id and instant: each by the field values that stood at its instant
    and what the log knew by it. One entry per pair; a test lead, or one that is gone, is NOT_JUDGED. A few statements
    per distinct instant."""
    books = [book_of(version) for version in versions]
    found = [nobody([lead_id for lead_id, _ in pasts]) for _ in books]
    by_instant = {}
    for place, (lead_id, at) in enumerate(pasts):
        by_instant.setdefault(at, []).append((lead_id, place))
    for at, group in by_instant.items():
        ids, places = (np.array(column) for column in zip(*group, strict=True))
        judged = judge(np.unique(ids).tolist(), books, at=at, known_at=at)
        there = np.isin(ids, judged.leads.ids)
        rows = np.searchsorted(judged.leads.ids, ids[there])
        for number, trial in enumerate(found):
            put(trial, places[there], chosen(trial_of(judged, number), rows))
    return found


def thresholds(trial, version):
    """The Trial by other thresholds and another scale, from the arrays alone. `version` is anything with mql_fit,
    ready_fit, ready_engagement (points) and a scale."""
    table = ratings.table(version.scale)
    excluded = trial.verdict == EXCLUDED
    judged = trial.rating != NOT_JUDGED
    mql = judged & (trial.fit >= cents(version.mql_fit)) & trial.reachable
    ready = (
        mql & (trial.fit >= cents(version.ready_fit)) & (trial.engagement >= cents(version.ready_engagement))
    )
    stays = excluded | np.isin(trial.verdict, AT_ONCE)
    rating = np.where(excluded, table.worst, table.rate(trial.fit, trial.engagement))
    return replace(
        trial,
        rating=np.where(judged, rating, NOT_JUDGED).astype(np.int8),
        verdict=np.select([stays, ready, mql], [trial.verdict, SALES_READY, MQL], NONE).astype(np.int8),
    )


def trial_of(judged, number):
    """What the `number`-th of the rulebooks says."""
    return trial_by(judged.leads, judged.scores[number])


def trial_by(leads, scores):
    return Trial(
        ids=leads.ids,
        fit=scores.fit.astype(np.int32),
        engagement=scores.engagement.astype(np.int32),
        rating=np.where(scores.applies, scores.rating, NOT_JUDGED).astype(np.int8),
        verdict=np.where(scores.applies, scores.verdict, NONE).astype(np.int8),
        hand_raised=scores.hand_raised,
        reachable=leads.reachable,
    )


def book_of(version):
    return version if isinstance(version, Rulebook) else compile_version(version)


def chosen(trial, positions):
    """The Trial of some of its leads: `positions`, or a bool per lead."""
    return Trial(*(getattr(trial, f.name)[positions] for f in fields(Trial)))


def put(trial, positions, part):
    """Write `part` over the entries of `trial` at `positions`."""
    for f in fields(Trial):
        getattr(trial, f.name)[positions] = getattr(part, f.name)


def nobody(ids=()):
    """A Trial in which nobody is judged."""
    n = len(ids)
    return Trial(
        np.array(ids, np.int64), np.zeros(n, np.int32), np.zeros(n, np.int32), np.full(n, NOT_JUDGED, np.int8),
        np.full(n, NONE, np.int8), np.full(n, LONG_AGO), np.zeros(n, bool),
    )  # fmt: skip


def joined(trials):
    """One Trial of several; an empty one of none."""
    if not trials:
        return nobody()
    return Trial(*(np.concatenate([getattr(trial, f.name) for trial in trials]) for f in fields(Trial)))


def id_chunks(lead_ids=None, *, after=0, chunk=CHUNK):
    """Lists of lead ids in order: of all leads with an id beyond `after`, or of those given."""
    if lead_ids is not None:
        ordered = sorted(set(lead_ids))
        yield from (ordered[start : start + chunk] for start in range(0, len(ordered), chunk))
        return
    while ids := [row[0] for row in fetch(NEXT, [after, chunk])]:
        yield ids
        after = ids[-1]


def sample_of(size):
    """About `size` lead ids, whole pages of the table; everybody where there are not many more."""
    total = fetch(TOTAL)[0][0]
    if total > size:
        found = [row[0] for row in fetch(SOME, [min(100.0, 120 * size / total), size])]
        if len(found) > size // 2:
            return found
        # The statistics are of a table that was larger: see for oneself.
    return [lead_id for ids in islice(id_chunks(chunk=size), 1) for lead_id in ids]


@contextmanager
def read_only():
    """A transaction, or a part of one, in which PostgreSQL refuses to write."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        yield
