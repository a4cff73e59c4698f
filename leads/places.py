"""Where a lead is and how far it has come: the only writer of `place`, `stage` and `StageChange`.

Called by the app that owns the reason, inside that app's transaction. Each verb locks the leads in id order,
so two of them can never wait for each other.
"""

from leads import doorbell
from leads.models import Place, Stage
from leads.rows import fetch

ORDER = [Stage.INQUIRY, Stage.MQL, Stage.SALES_READY, Stage.SAL, Stage.SQL, Stage.CUSTOMER]

MOVE = """
WITH wish AS (
  SELECT * FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS w(id, reason)
), held AS MATERIALIZED (
  SELECT id, stage, place, wake_at, cycle_no FROM leads_lead WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE
), moved AS (
  UPDATE leads_lead l SET
    stage = coalesce(%(stage)s, h.stage),
    place = coalesce(%(place)s, h.place),
    place_reason = CASE WHEN %(place)s IS NULL THEN l.place_reason ELSE w.reason END,
    wake_at = CASE WHEN coalesce(%(place)s, h.place) = 'parked'
                   THEN coalesce(%(wake_at)s::timestamptz, h.wake_at) END,
    cycle_no = h.cycle_no + %(cycles)s,
    updated_at = %(at)s
  FROM held h JOIN wish w USING (id)
  WHERE l.id = h.id AND ({condition})
  RETURNING l.id, h.stage AS from_stage, l.stage AS to_stage, h.place AS from_place, l.place AS to_place,
            w.reason, l.cycle_no, l.place_reason, l.wake_at
), logged AS (
  INSERT INTO leads_stagechange (lead_id, from_stage, to_stage, from_place, to_place, reason, actor_id, at, cycle_no)
  SELECT id, from_stage, to_stage, from_place, to_place, reason, %(actor)s, %(at)s, cycle_no FROM moved
)
SELECT id, to_stage, to_place, place_reason, wake_at, cycle_no FROM moved
"""
CHANGES_SOMETHING = """
  %(cycles)s > 0 OR h.stage <> coalesce(%(stage)s, h.stage) OR h.place <> coalesce(%(place)s, h.place)
  OR (%(place)s = 'parked' AND h.wake_at IS DISTINCT FROM coalesce(%(wake_at)s::timestamptz, h.wake_at))
"""
GOES_FORWARD = """
  array_position(%(order)s::text[], h.stage::text) < array_position(%(order)s::text[], %(stage)s::text)
"""
ASK = """
WITH held AS MATERIALIZED (
  SELECT id FROM leads_lead
  WHERE id = ANY(%(ids)s) AND ({due} IS NULL OR {due} > %(at)s) ORDER BY id FOR NO KEY UPDATE
)
UPDATE leads_lead l SET {due} = least(l.{due}, %(at)s) FROM held h WHERE l.id = h.id
"""


def move(*, lead, reason, at, stage=None, place=None, actor=None, wake_at=None, new_cycle=False):
    """Move one lead, back as well as forward; False where it stood there already. Keeps `lead` up to date."""
    moved = moved_rows(
        lead_ids=[lead.pk], reason=reason, at=at, stage=stage, place=place, actor=actor, wake_at=wake_at,
        new_cycle=new_cycle,
    )  # fmt: skip
    for _, *now in moved:
        lead.stage, lead.place, lead.place_reason, lead.wake_at, lead.cycle_no = now
        lead.updated_at = at
    return bool(moved)


def move_many(*, lead_ids, reason, at, stage=None, place=None, actor=None, wake_at=None, new_cycle=False):
    """Move all of `lead_ids` to `stage`, `place` or both; the set of ids that moved.

    `reason` is one text for all or a dict by lead id. A lead that is there already writes nothing.
    """
    rows = moved_rows(
        lead_ids=lead_ids, reason=reason, at=at, stage=stage, place=place, actor=actor, wake_at=wake_at,
        new_cycle=new_cycle,
    )  # fmt: skip
    return {row[0] for row in rows}


def moved_rows(*, lead_ids, reason, at, stage, place, actor, wake_at, new_cycle):
    """(id, stage, place, place_reason, wake_at, cycle_no) of each lead that moved."""
    if place == Place.PARKED and wake_at is None:
        raise ValueError("a parked lead needs wake_at, the date it comes back")
    return run_move(
        CHANGES_SOMETHING, lead_ids=lead_ids, reason=reason, at=at, stage=stage, place=place, actor=actor,
        wake_at=wake_at, cycles=int(new_cycle),
    )  # fmt: skip


def advance_many(*, lead_ids, stage, reason, at, actor=None):
    """Raise the lifecycle stage to `stage` where it is lower; never lowers, never revives a disqualified lead."""
    if stage not in ORDER:
        raise ValueError(f"{stage!r} is no stage to advance to")
    rows = run_move(
        GOES_FORWARD, lead_ids=lead_ids, reason=reason, at=at, stage=stage, place=None, actor=actor, wake_at=None,
        cycles=0,
    )  # fmt: skip
    return {row[0] for row in rows}


def run_move(condition, *, lead_ids, reason, at, stage, place, actor, wake_at, cycles):
    ids = list(lead_ids)
    reasons = [(reason[lead_id] if isinstance(reason, dict) else reason)[:200] for lead_id in ids]
    if not ids:
        return []
    if not all(reasons):
        raise ValueError("a move needs a reason")
    if stage is not None and stage not in Stage.values:
        raise ValueError(f"unknown stage {stage!r}")
    if place is not None and place not in Place.values:
        raise ValueError(f"unknown place {place!r}")
    params = {
        "ids": ids, "reasons": reasons, "stage": stage and str(stage), "place": place and str(place), "at": at,
        "actor": actor and actor.pk, "wake_at": wake_at, "cycles": cycles, "order": [str(s) for s in ORDER],
    }  # fmt: skip
    return fetch(MOVE.format(condition=condition), params)


def ask_route(*, lead_ids, at):
    """These leads have news that routing must look at, from `at` on."""
    ask("route_at", lead_ids, at)
    doorbell.ring("route")


def ask_rescore(*, lead_ids, at):
    """These leads' scores must be computed again, from `at` on."""
    ask("rescore_at", lead_ids, at)
    doorbell.ring("score")


def ask(due, lead_ids, at):
    fetch(ASK.format(due=due), {"ids": list(lead_ids), "at": at}, returns=False)
