"""Scoring what is due, and what follows from it.

The claim order is law: lock the leads and clear `rescore_at`, THEN, in later statements of the same transaction, read
which versions are live and what the log says. An activity that commits after the claim sets `rescore_at` again; one
that committed before it is read. A lead stays locked until its scores are committed, so nobody else scores it meanwhile.
"""

import numpy as np
from django.db import connection, transaction

from leads import doorbell, places
from leads.models import Stage
from leads.rows import fetch
from scoring.engine import facts, prepared
from scoring.engine.arithmetic import BITE, HAND_RAISE, MQL, SALES_READY, VERDICTS
from scoring.engine.judge import judge
from scoring.engine.rulebook import live_versions, rulebook
from scoring.engine.units import NEVER, instant, micros

# Whoever scores passes the gate, together with others, before locking a lead; a flip (scoring.publish) closes it.
GATE = 7_020_231
ENTER = f"gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({GATE}) IS NOT NULL AS open)"

# The newest first: an activity of this second must not wait behind an import of a million. SKIP LOCKED never waits,
# so the order in which rows are locked cannot make a deadlock.
CLAIM = f"""
WITH {ENTER}, due AS MATERIALIZED (
  SELECT id FROM leads_lead WHERE (SELECT open FROM gate) AND rescore_at <= %s ORDER BY rescore_at DESC, id LIMIT %s
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE leads_lead l SET rescore_at = NULL FROM due WHERE l.id = due.id RETURNING l.id
"""
LOCK = f"""
WITH {ENTER} SELECT id FROM leads_lead WHERE (SELECT open FROM gate) AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""

WRITE = """
WITH new AS MATERIALIZED (
  SELECT version_id, lead_id, fit / 100.0::float8 AS fit, engagement / 100.0::float8 AS engagement,
    (fit + engagement) / 100.0::float8 AS total, rating, verdict,
    '2000-01-01 00:00:00+00'::timestamptz + raised * interval '1 microsecond' AS hand_raised_at,
    '2000-01-01 00:00:00+00'::timestamptz + changes * interval '1 microsecond' AS next_change_at
  FROM unnest($1, $2, $3, $4,
    $5, $6, $7, $8
  ) AS n(version_id, lead_id, fit, engagement, rating, verdict, raised, changes)
), changed AS MATERIALIZED (
  SELECT n.*, s.rating AS old_rating, s.verdict AS old_verdict, s.hand_raised_at AS old_raised
  FROM new n LEFT JOIN scoring_score s ON s.model_version_id = n.version_id AND s.lead_id = n.lead_id
  WHERE s.id IS NULL
    OR (s.fit, s.engagement, s.rating, s.verdict, s.hand_raised_at, s.next_change_at)
       IS DISTINCT FROM (n.fit, n.engagement, n.rating, n.verdict, n.hand_raised_at, n.next_change_at)
), written AS (
  INSERT INTO scoring_score (model_version_id, lead_id, fit, engagement, total, rating, verdict, hand_raised_at,
    next_change_at, as_of)
  SELECT version_id, lead_id, fit, engagement, total, rating, verdict, hand_raised_at, next_change_at, $10
  FROM changed
  ON CONFLICT (model_version_id, lead_id) DO UPDATE SET
    fit = excluded.fit, engagement = excluded.engagement, total = excluded.total, rating = excluded.rating,
    verdict = excluded.verdict, hand_raised_at = excluded.hand_raised_at, next_change_at = excluded.next_change_at,
    as_of = excluded.as_of
), logged AS (
  INSERT INTO scoring_scorechange (lead_id, model_version_id, at, old_rating, new_rating, old_verdict, new_verdict,
    fit, engagement, total)
  SELECT lead_id, version_id, $10, coalesce(old_rating, ''), rating, coalesce(old_verdict, ''), verdict,
    fit, engagement, total
  FROM changed
  WHERE version_id = ANY($9) AND (old_rating, old_verdict) IS DISTINCT FROM (rating, verdict)
)
SELECT version_id, lead_id,
  (old_rating, old_verdict) IS DISTINCT FROM (rating, verdict) OR coalesce(hand_raised_at > old_raised, false)
FROM changed
"""
WRITE_TYPES = (
    "bigint[], bigint[], bigint[], bigint[], text[], text[], bigint[], bigint[], bigint[], timestamptz"
)
# Recycled by sales until a date that has not come: the log keeps it with the recycling.
HELD_BACK = """
SELECT w.id FROM unnest(%(ids)s::bigint[]) AS w(id)
CROSS JOIN LATERAL (
  SELECT a.properties->>'until' AS until FROM leads_activity a
  WHERE a.lead_id = w.id AND NOT a.engagement AND a.occurred_at <= %(at)s
    AND a.touchpoint_id = ANY(ARRAY(SELECT id FROM leads_touchpoint WHERE kind = 'recycled'))
  ORDER BY a.occurred_at DESC, a.id DESC LIMIT 1
) latest WHERE latest.until::timestamptz > %(at)s
"""
FORGET = "DELETE FROM scoring_score WHERE model_version_id = %s AND lead_id = ANY(%s)"
FORGET_TESTS = "DELETE FROM scoring_score WHERE lead_id = ANY(%s)"
AGE = """
UPDATE leads_lead l SET rescore_at = %(at)s
FROM (SELECT DISTINCT lead_id FROM scoring_score WHERE model_version_id = ANY(%(versions)s) AND next_change_at <= %(at)s) s
WHERE l.id = s.lead_id AND l.rescore_at IS NULL
"""
WAIT = """
UPDATE leads_lead l SET rescore_at = least(l.rescore_at,
  '2000-01-01 00:00:00+00'::timestamptz + w.arrives * interval '1 microsecond')
FROM unnest(%s::bigint[], %s::bigint[]) AS w(id, arrives) WHERE l.id = w.id
"""

# The stage that a verdict calls for; positions in facts.STAGES.
STAGE_OF = {
    MQL: Stage.MQL,
    SALES_READY: Stage.SALES_READY,
    BITE: Stage.SALES_READY,
    HAND_RAISE: Stage.SALES_READY,
}


def rescore_due(*, at, limit=500):
    """Claim up to `limit` due leads, newest first, and score them at `at`; how many were claimed."""
    with transaction.atomic():
        lead_ids = [row[0] for row in fetch(CLAIM, [at, limit])]
        if lead_ids:
            score_locked(lead_ids, live=live_versions(), at=at)
    return len(lead_ids)


def rescore(*, lead_ids, at):
    """Score these leads at `at` whether due or not; how many scores changed. Test leads are left out."""
    with transaction.atomic():
        locked = [row[0] for row in fetch(LOCK, [list(lead_ids)])]
        return score_locked(locked, live=live_versions(), at=at) if locked else 0


def age_due(*, at):
    """Ask for a re-score of every lead whose score changes by itself at or before `at`; how many were asked.

    One pass over the scores: an index on `next_change_at` would cost every re-score more than it saves here.
    """
    versions = [live.id for live in live_versions()]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(AGE, {"at": at, "versions": versions})
        asked = cursor.rowcount
        if asked:
            doorbell.ring("score")
    return asked


def score_locked(lead_ids, *, live, at):
    """Compute and write the scores of leads that this transaction has locked, and let stage and routing follow.

    `live` must have been read after the locking. How many score rows were written.
    """
    books = [rulebook(version) for version in live]
    judged = judge(lead_ids, books, at=at)
    leads = judged.leads
    if len(leads.ids) < len(lead_ids):
        fetch(FORGET_TESTS, [sorted(set(lead_ids) - set(leads.ids.tolist()))], returns=False)
    if not books or not len(leads.ids):
        return 0
    scored = list(zip(live, books, judged.scores, strict=True))
    changed = _write(leads, scored, at)
    _wait_for_what_is_dated_later(leads, judged.scores[0].arrives)
    for version, book, scores in scored:
        if book.applies is not None:
            _leave_out(version, leads, scores)
        if version.routes and version.is_current:
            news = {
                lead_id for version_id, lead_id, is_news in changed if version_id == version.id and is_news
            }
            _let_follow(book, leads, scores, news, at)
    return len(changed)


def _write(leads, scored, at):
    """Rows (version id, lead id, whether routing must know) that differed from what was stored."""
    rows = [np.flatnonzero(scores.applies) for _, _, scores in scored]

    def of_all(name):
        pairs = zip(scored, rows, strict=True)
        return np.concatenate([getattr(scores, name)[chosen] for (_, _, scores), chosen in pairs])

    args = [
        _array(np.repeat([version.id for version, _, _ in scored], [len(chosen) for chosen in rows])),
        _array(np.concatenate([leads.ids[chosen] for chosen in rows])),
        _array(of_all("fit")),
        _array(of_all("engagement")),
        [book.table.labels[index] for (_, book, scores), chosen in zip(scored, rows, strict=True)
         for index in scores.rating[chosen].tolist()],
        [str(VERDICTS[index]) for index in of_all("verdict").tolist()],
        _array(of_all("hand_raised")),
        _array(of_all("next_change")),
        [version.id for version, _, _ in scored if version.is_current],
        at,
    ]  # fmt: skip
    return prepared.fetch(WRITE, WRITE_TYPES, args)


def _leave_out(version, leads, scores):
    """Those whom the model does not judge have no score by it. Where time alone will change that, they are due then."""
    outside = ~scores.applies
    if outside.any():
        fetch(FORGET, [version.id, leads.ids[outside].tolist()], returns=False)
        changes = leads.changes[version.id]
        _wait_for_what_is_dated_later(leads, np.where(outside, changes, NEVER))


def _array(numbers):
    """A bigint[] literal; what never comes, or never came, is NULL."""
    return "{" + ",".join(str(n) if -NEVER < n < NEVER else "NULL" for n in numbers.tolist()) + "}"


def _wait_for_what_is_dated_later(leads, arrives):
    """An activity dated after `at` (recorded while we were at work, or by a clock ahead of ours) counts when its
    time comes: the lead is due again then."""
    later = arrives < NEVER
    if later.any():
        fetch(WAIT, [_array(leads.ids[later]), _array(arrives[later])], returns=False)


def _let_follow(book, leads, scores, news, at):
    """Raise the lifecycle stage where the verdict calls for it, and wake routing for what is new."""
    moved = set()
    for verdict, stage in STAGE_OF.items():
        called = (scores.verdict == verdict) & (leads.stage < facts.STAGES.index(stage))
        if (
            verdict == SALES_READY
        ):  # parked or recycled until a date: before it only a hand-raise or bite passes
            called &= leads.parked_until <= micros(at)
            called &= ~np.isin(leads.ids, list(held_back(leads.ids[called].tolist(), at=at)))
        chosen = np.flatnonzero(called)
        if len(chosen):
            reasons = {int(leads.ids[i]): _reason(book, scores, i) for i in chosen}
            moved |= places.advance_many(lead_ids=list(reasons), stage=stage, reason=reasons, at=at)
    if news or moved:
        places.ask_route(lead_ids=sorted(news | moved), at=at)


def held_back(lead_ids, *, at):
    """Those of the leads that were recycled until a date after `at`, as a set."""
    return {row[0] for row in fetch(HELD_BACK, {"ids": lead_ids, "at": at})} if lead_ids else set()


def _reason(book, scores, i):
    """Why the stage is raised, in words: "Fit 42 of 40, engagement 31 of 30"."""
    fit, engagement = scores.fit[i] / 100, scores.engagement[i] / 100
    if scores.verdict[i] in (HAND_RAISE, BITE):
        what = "Raised a hand" if scores.verdict[i] == HAND_RAISE else "Took up an offer"
        return f"{what} on {instant(scores.hand_raised[i]):%Y-%m-%d %H:%M} UTC"
    if scores.verdict[i] == MQL:
        return f"Fit {fit:g} of {book.mql_fit / 100:g}"
    return f"Fit {fit:g} of {book.ready_fit / 100:g}, engagement {engagement:g} of {book.ready_engagement / 100:g}"
