"""Scoring what is due, and what follows from it.

The claim order is law: lock the leads and clear `rescore_at`, THEN, in later statements of the same transaction, read
which versions are live and what the log says. An activity that commits after the claim sets `rescore_at` again; one
that committed before it is read. A lead stays locked until its scores are committed, so nobody else scores it meanwhile.
"""

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from leads import doorbell, places
from leads.models import Stage
from leads.rows import fetch
from scoring import colleagues
from scoring.engine import bulk, facts, prepared, sight
from scoring.engine.arithmetic import BITE, HAND_RAISE, MQL, SALES_READY, VERDICTS
from scoring.engine.judge import judge, scores_of
from scoring.engine.rulebook import live_versions, rulebook
from scoring.engine.units import NEVER, instant, micros

# Whoever scores passes the gate, together with others, before locking a lead; a flip (scoring.publish) closes it.
GATE = 7_020_231
# The scorer need not wait for the disk: what a crash takes it takes whole, the claim included, and the lead is due again.
# Inside somebody else's transaction that is not ours to say.
ENTER = f"""gate AS MATERIALIZED (
  SELECT pg_advisory_xact_lock_shared({GATE}) IS NOT NULL
    AND set_config('synchronous_commit', CASE WHEN $1 THEN 'off' ELSE current_setting('synchronous_commit') END, true) <> ''
    AS open)"""

# The newest first: an activity of this second must not wait behind an import of a million. SKIP LOCKED never waits,
# so the order in which rows are locked cannot make a deadlock. By an array, of which PostgreSQL expects few: the one plan
# for 1 as for 100,000 finds them by their index.
CLAIM = f"""
WITH {ENTER}, due AS MATERIALIZED (
  SELECT id FROM leads_lead WHERE (SELECT open FROM gate) AND rescore_at <= $2 ORDER BY rescore_at DESC, id LIMIT $3
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE leads_lead SET rescore_at = NULL WHERE id = ANY(ARRAY(SELECT id FROM due)) RETURNING id
"""
LOCK = f"""
WITH {ENTER} SELECT id FROM leads_lead WHERE (SELECT open FROM gate) AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE
"""

# Few rows travel as parameters of a planned statement; many are staged (scoring.engine.bulk), and then the range of
# leads is essential: without it PostgreSQL would read all scores for each batch.
STAGE = """
CREATE TEMP TABLE IF NOT EXISTS scoring_staged (version_id bigint, lead_id bigint, hand_raised_at timestamptz,
  next_change_at timestamptz, fit bigint, engagement bigint, rating bigint, verdict bigint) ON COMMIT DELETE ROWS
"""
UNSTAGE = "TRUNCATE scoring_staged"
STAGED = """
SELECT version_id, lead_id, fit, engagement, rating, verdict, nullif(hand_raised_at, '-infinity') AS hand_raised_at,
  nullif(next_change_at, 'infinity') AS next_change_at FROM scoring_staged
"""
GIVEN = """
SELECT version_id, lead_id, fit, engagement, rating, verdict,
  '2000-01-01 00:00:00+00'::timestamptz + raised * interval '1 microsecond' AS hand_raised_at,
  '2000-01-01 00:00:00+00'::timestamptz + changes * interval '1 microsecond' AS next_change_at
FROM unnest($5, $6, $7, $8, $9, $10, $11, $12)
  AS n(version_id, lead_id, raised, changes, fit, engagement, rating, verdict)
"""
NEW = """
SELECT version_id, lead_id, fit / 100.0::float8 AS fit, engagement / 100.0::float8 AS engagement,
  (fit + engagement) / 100.0::float8 AS total, ({labels})[rating] AS rating, ({verdicts})[verdict] AS verdict,
  hand_raised_at, next_change_at FROM ({given}) given
"""
INSERT = """
INSERT INTO scoring_score (model_version_id, lead_id, fit, engagement, total, rating, verdict, hand_raised_at,
  next_change_at, as_of)
SELECT version_id, lead_id, fit, engagement, total, rating, verdict, hand_raised_at, next_change_at, {at}
"""
WRITE = """
WITH new AS ({new}), changed AS MATERIALIZED (
  SELECT n.*, s.id, s.rating AS old_rating, s.verdict AS old_verdict, s.hand_raised_at AS old_raised
  FROM new n LEFT JOIN scoring_score s ON s.model_version_id = n.version_id AND s.lead_id = n.lead_id {which}
  WHERE s.id IS NULL
    OR (s.fit, s.engagement, s.rating, s.verdict, s.hand_raised_at, s.next_change_at)
       IS DISTINCT FROM (n.fit, n.engagement, n.rating, n.verdict, n.hand_raised_at, n.next_change_at)
), updated AS (
  UPDATE scoring_score s SET fit = c.fit, engagement = c.engagement, total = c.total, rating = c.rating,
    verdict = c.verdict, hand_raised_at = c.hand_raised_at, next_change_at = c.next_change_at, as_of = {at}
  FROM changed c WHERE s.model_version_id = c.version_id AND s.lead_id = c.lead_id AND c.id IS NOT NULL {which}
), inserted AS ({insert} FROM changed WHERE id IS NULL
), logged AS (
  INSERT INTO scoring_scorechange (lead_id, model_version_id, at, old_rating, new_rating, old_verdict, new_verdict,
    fit, engagement, total)
  SELECT lead_id, version_id, {at}, coalesce(old_rating, ''), rating, coalesce(old_verdict, ''), verdict,
    fit, engagement, total
  FROM changed
  WHERE version_id = ANY({current}) AND (old_rating, old_verdict) IS DISTINCT FROM (rating, verdict)
)
SELECT version_id, count(*), array_agg(lead_id) FILTER (WHERE version_id = ANY({current})
  AND ((old_rating, old_verdict) IS DISTINCT FROM (rating, verdict) OR coalesce(hand_raised_at > old_raised, false)))
FROM changed GROUP BY version_id
"""


def _writing(statement, *, given, at, which="", **arrays):
    return statement.format(
        new=NEW.format(given=given, **arrays), insert=INSERT.format(at=at), at=at, which=which, **arrays
    )


WRITE_GIVEN = _writing(WRITE, given=GIVEN, labels="$1", verdicts="$2", current="$3", at="$4")
GIVEN_TYPES = (
    "text[], text[], bigint[], timestamptz, "
    "bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]"
)
IN_RANGE = "s.model_version_id = ANY(%(versions)s) AND s.lead_id BETWEEN %(first)s AND %(last)s"
MANY = {
    "given": STAGED, "labels": "%(labels)s::text[]", "verdicts": "%(verdicts)s::text[]",
    "current": "%(current)s::bigint[]", "at": "%(at)s::timestamptz", "which": f"AND {IN_RANGE}",
}  # fmt: skip
WRITE_STAGED = _writing(WRITE, **MANY)
# While a version is being filled it has no scores yet, but of those who were re-scored meanwhile.
IS_EMPTY = f"SELECT NOT EXISTS (SELECT FROM scoring_score s WHERE {IN_RANGE})"
INSERT_STAGED = _writing("{insert} FROM ({new}) new", **MANY)
# Recycled by sales until a date that has not come: the log keeps it with the recycling.
HELD_BACK = """
SELECT w.id, latest.until::timestamptz, latest.reason FROM unnest(%(ids)s::bigint[]) AS w(id)
CROSS JOIN LATERAL (
  SELECT a.properties->>'until' AS until, coalesce(a.properties->>'reason', '') AS reason FROM leads_activity a
  WHERE a.lead_id = w.id AND NOT a.engagement AND a.occurred_at <= %(at)s
    AND a.touchpoint_id = ANY(ARRAY(SELECT id FROM leads_touchpoint WHERE kind = 'recycled'))
  ORDER BY a.occurred_at DESC, a.id DESC LIMIT 1
) latest WHERE latest.until::timestamptz > %(at)s
"""
FORGET = "DELETE FROM scoring_score WHERE model_version_id = %s AND lead_id = ANY(%s)"
FORGET_TESTS = """
DELETE FROM scoring_score
WHERE model_version_id = ANY(ARRAY(SELECT id FROM scoring_modelversion)) AND lead_id = ANY(%s)
"""
AGE = """
UPDATE leads_lead l SET rescore_at = %(at)s
FROM (SELECT DISTINCT lead_id FROM scoring_score WHERE model_version_id = ANY(%(versions)s) AND next_change_at <= %(at)s) s
WHERE l.id = s.lead_id AND (l.rescore_at IS NULL OR l.rescore_at > %(at)s)
"""
WAIT = """
UPDATE leads_lead l SET rescore_at = least(l.rescore_at,
  '2000-01-01 00:00:00+00'::timestamptz + w.arrives * interval '1 microsecond')
FROM unnest(%s::bigint[], %s::bigint[]) AS w(id, arrives) WHERE l.id = w.id
"""

STAGED_COLUMNS = 8
# What PostgreSQL sends and takes for -infinity and infinity.
LONG_PAST, NEVER_MORE = np.iinfo(np.int64).min, np.iinfo(np.int64).max

# The stage that a verdict calls for; positions in facts.STAGES.
STAGE_OF = {
    MQL: Stage.MQL,
    SALES_READY: Stage.SALES_READY,
    BITE: Stage.SALES_READY,
    HAND_RAISE: Stage.SALES_READY,
}
_CALLED_FOR = np.array([facts.STAGES.index(STAGE_OF.get(n, Stage.INQUIRY)) for n in range(len(VERDICTS))])


def rescore_due(*, at=None, limit=500):
    """Claim up to `limit` due leads, newest first, and score them at `at`; how many were claimed.

    By default at the instant at which they are held: all that is read was received by then, and a version that
    came into force while we waited at the gate did so before. So the score can be replayed.
    """
    alone = not connection.in_atomic_block
    with transaction.atomic():
        due_at = at or timezone.now()
        claimed = prepared.fetch(CLAIM, "boolean, timestamptz, bigint", [alone, due_at, limit])
        lead_ids = [row[0] for row in claimed]
        if lead_ids:
            score_locked(lead_ids, at=at or timezone.now())
    return len(lead_ids)


def rescore(*, lead_ids, at):
    """Score these leads at `at` whether due or not; how many scores changed. Test leads are left out."""
    lead_ids = set(lead_ids)
    if len(lead_ids) < bulk.FROM and _is_settled(lead_ids, at):
        return 0
    alone = not connection.in_atomic_block
    with transaction.atomic():
        locked = [row[0] for row in prepared.fetch(LOCK, "boolean, bigint[]", [alone, list(lead_ids)])]
        return score_locked(locked, at=at) if locked else 0


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


def score_locked(lead_ids, *, at, live=None):
    """Compute and write the scores of leads that this transaction has locked, and let stage and routing follow.

    By all live versions, or by those given in `live`, which must have been read after the locking. How many score rows
    were written.
    """
    if live is None and len(lead_ids) < bulk.FROM:
        seen = sight.see(lead_ids, at=at)
        leads, scored = seen.leads, _scored(seen, at)
        stored = seen.stored
    else:
        live = live_versions() if live is None else live
        books = [rulebook(version) for version in live]
        judged = judge(lead_ids, books, at=at)
        leads, scored, stored = judged.leads, list(zip(live, books, judged.scores, strict=True)), None
    if len(leads.ids) < len(lead_ids):
        fetch(FORGET_TESTS, [sorted(set(lead_ids) - set(leads.ids.tolist()))], returns=False)
    if not scored or not len(leads.ids):
        return 0
    changed = _write(leads, scored, stored, at)
    _wait_for_what_is_dated_later(leads, scored[0][2].arrives)
    asking = [version.id for version, book, _ in scored if book.uses_colleagues]
    if asking:
        colleagues.tell(lead_ids=leads.ids.tolist(), versions=asking, at=at)
    for version, book, scores in scored:
        if book.applies is not None:
            _leave_out(version, leads, scores)
        if version.routes and version.is_current:
            _let_follow(book, leads, scores, set(changed.get(version.id, (0, ()))[1] or ()), at)
    return sum(count for count, _news in changed.values())


def _scored(seen, at):
    """[(live version, its rulebook, the Scores by it)] of a Sight."""
    return list(zip(seen.live, seen.books, scores_of(seen.books, seen.leads, seen.log, at=at), strict=True))


def _is_settled(lead_ids, at):
    """Whether nothing would follow from scoring these leads: all scores are what they should be, and so are stages.

    Seen by one statement, and thereby as true at that instant as if the leads had been locked.
    """
    seen = sight.see(lead_ids, at=at)
    if len(seen.leads.ids) < len(lead_ids) or any(book.uses_colleagues for book in seen.books):
        return False
    scored = _scored(seen, at)
    return (
        all(scores.applies.all() and (scores.arrives == NEVER).all() for _, _, scores in scored)
        and not any(v.routes and v.is_current and len(_called(seen.leads, s)) for v, _, s in scored)
        and (not scored or _stands(seen.stored, *_columns(seen.leads, scored)))
    )


def _write(leads, scored, stored, at):
    """{version id: (how many rows differed from what was stored, the leads of whom routing must know or None)}"""
    columns, labels = _columns(leads, scored)
    if stored is not None and _stands(stored, columns, labels):
        return {}
    current = [version.id for version, _, _ in scored if version.is_current]
    verdicts = [str(verdict) for verdict in VERDICTS]
    if columns.shape[1] < bulk.FROM:
        given = [_array(values) for values in columns]
        rows = prepared.fetch(WRITE_GIVEN, GIVEN_TYPES, [labels, verdicts, current, at, *given])
    else:
        fetch(STAGE, returns=False)
        bulk.write("scoring_staged", columns)
        many = {
            "labels": labels, "verdicts": verdicts, "current": current, "at": at,
            "versions": [version.id for version, _, _ in scored], "first": int(leads.ids[0]), "last": int(leads.ids[-1]),
        }  # fmt: skip
        if not current and fetch(IS_EMPTY, many)[0][0]:
            fetch(INSERT_STAGED, many, returns=False)
            rows = [(version.id, len(leads.ids), None) for version, _, _ in scored]
        else:
            with bulk.whole_sets():
                rows = fetch(WRITE_STAGED, many)
        fetch(UNSTAGE, returns=False)
    return {version_id: (count, news) for version_id, count, news in rows}


def _columns(leads, scored):
    """int64[columns of what is staged, scores]: of those that apply, all versions one after another; and the labels that
    the rating counts from 1."""
    labels, parts = [], []
    for version, book, scores in scored:
        rows = scores.applies.nonzero()[0]
        part = np.empty((STAGED_COLUMNS, len(rows)), np.int64)
        raised, changes = scores.hand_raised[rows], scores.next_change[rows]
        part[0], part[1] = version.id, leads.ids[rows]
        part[2] = np.where(raised > -NEVER, raised, LONG_PAST)
        part[3] = np.where(changes < NEVER, changes, NEVER_MORE)
        part[4], part[5] = scores.fit[rows], scores.engagement[rows]
        part[6], part[7] = scores.rating[rows] + len(labels) + 1, scores.verdict[rows] + 1
        parts.append(part)
        labels += book.table.labels
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1), labels


def _stands(stored, columns, labels):
    """Whether `columns` are what is stored."""
    rating, verdict = columns[6:].tolist()
    return (
        stored.rating == [labels[place - 1] for place in rating]
        and stored.verdict == [VERDICTS[place - 1] for place in verdict]
        and (stored.numbers[:4] == columns[:4]).all()
        and (stored.numbers[4:] == (columns[4:6] / 100).view(np.int64)).all()
    )


def _leave_out(version, leads, scores):
    """Those whom the model does not judge have no score by it. Where time alone will change that, they are due then."""
    outside = ~scores.applies
    if outside.any():
        fetch(FORGET, [version.id, leads.ids[outside].tolist()], returns=False)
        changes = leads.changes[version.id]
        _wait_for_what_is_dated_later(leads, np.where(outside, changes, NEVER))


def _array(numbers):
    """An array literal; what never comes, or never came, is NULL."""
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
    called = _called(leads, scores)
    for verdict, stage in STAGE_OF.items() if len(called) else ():
        chosen = called[scores.verdict[called] == verdict]
        if verdict == SALES_READY:
            # Whoever is parked or recycled until a date: before it only a hand-raise or bite passes.
            chosen = chosen[leads.parked_until[chosen] <= micros(at)]
            back = held_back(leads.ids[chosen].tolist(), at=at)
            chosen = chosen[~np.isin(leads.ids[chosen], list(back))]
        if len(chosen):
            reasons = {int(leads.ids[i]): _reason(book, scores, i) for i in chosen}
            moved |= places.advance_many(lead_ids=list(reasons), stage=stage, reason=reasons, at=at)
    if news or moved:
        places.ask_route(lead_ids=sorted(news | moved), at=at)


def _called(leads, scores):
    """Positions of the leads whose verdict calls for a higher stage than theirs."""
    return (leads.stage < _CALLED_FOR[scores.verdict]).nonzero()[0]


def held_back(lead_ids, *, at):
    """Those of the leads that were recycled until a date after `at`, as a set."""
    return set(given_back(lead_ids, at=at))


def given_back(lead_ids, *, at):
    """{lead id: (until, reason in words)} of those whom sales recycled until a date after `at`."""
    rows = fetch(HELD_BACK, {"ids": lead_ids, "at": at}) if lead_ids else []
    return {lead_id: (until, reason) for lead_id, until, reason in rows}


def _reason(book, scores, i):
    """Why the stage is raised, in words: "Fit 42 of 40, engagement 31 of 30"."""
    fit, engagement = scores.fit[i] / 100, scores.engagement[i] / 100
    if scores.verdict[i] in (HAND_RAISE, BITE):
        what = "Raised a hand" if scores.verdict[i] == HAND_RAISE else "Took up an offer"
        return f"{what} on {instant(scores.hand_raised[i]):%Y-%m-%d %H:%M} UTC"
    if scores.verdict[i] == MQL:
        return f"Fit {fit:g} of {book.mql_fit / 100:g}"
    return f"Fit {fit:g} of {book.ready_fit / 100:g}, engagement {engagement:g} of {book.ready_engagement / 100:g}"
