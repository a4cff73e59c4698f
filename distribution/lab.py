"""What the lab holds a version against: what sales can take in a week, and what became of the leads it was given."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from distribution.models import Rep
from leads.criteria.base import counted
from leads.rows import fetch
from scoring.lab import WEEKS, Pasts

LATEST = 1_000  # hand-offs that are looked back at: each takes some 5 ms, as each has an instant of its own
# A hand-off is decided when its deal is closed, or when it ended without one. A deal without a hand-off counts from
# the day it was opened.
OUTCOMES = """
SELECT lead_id, at, won, good FROM (
  SELECT h.lead_id, h.created_at AS at,
    CASE WHEN o.won THEN 1 WHEN o.open THEN -1 WHEN o.lost OR h.status IN ('returned', 'closed') THEN 0 ELSE -1 END AS won,
    CASE WHEN f.verdict IS NULL THEN -1 WHEN f.verdict = 'good' THEN 1 ELSE 0 END AS good
  FROM distribution_handoff h
  LEFT JOIN (
    SELECT handoff_id, bool_or(status = 'won') AS won, bool_or(status = 'open') AS open, bool_or(status = 'lost') AS lost
    FROM distribution_opportunity WHERE handoff_id IS NOT NULL GROUP BY handoff_id
  ) o ON o.handoff_id = h.id
  LEFT JOIN distribution_feedback f ON f.handoff_id = h.id
  UNION ALL
  SELECT lead_id, opened_at, CASE status WHEN 'won' THEN 1 ELSE 0 END, -1
  FROM distribution_opportunity WHERE handoff_id IS NULL AND status <> 'open'
) past
WHERE (won >= 0 OR good >= 0) AND EXISTS (SELECT 1 FROM leads_lead l WHERE l.id = lead_id AND NOT l.is_test)
ORDER BY at DESC, lead_id LIMIT %s
"""
STAYS = """
SELECT avg(extract(epoch FROM ended_at - created_at)) / 86400 FROM distribution_handoff WHERE ended_at > %s
"""


def pasts():
    """Pasts: the LATEST hand-offs that sales has decided or spoken about."""
    rows = fetch(OUTCOMES, [LATEST])
    return Pasts(
        [(lead_id, at) for lead_id, at, _, _ in rows],
        np.array([row[2] for row in rows], np.int8),
        np.array([row[3] for row in rows], np.int8),
    )


@dataclass(frozen=True)
class Capacity:
    """Sales-ready leads that sales can take in a week, and how that is known; None where nobody said."""

    per_week: float | None
    words: str


def capacity(model, *, at):
    """The target of the model; else what the reps' limits allow, as long as hand-offs stay open. A model that does not
    route takes nothing of it."""
    if not model.routes:
        return Capacity(None, "")
    if model.ready_per_week:
        return Capacity(model.ready_per_week, "the target set for this model")
    limits = list(
        Rep.objects.filter(user__is_active=True, is_present=True).values_list("capacity", flat=True)
    )
    if not limits or None in limits:
        return Capacity(None, "")
    since = at - timedelta(weeks=WEEKS)
    days = fetch(STAYS, [since])[0][0]
    if days is None:
        return Capacity(None, "")
    days = max(float(days), 1.0)
    reps, open_at_once = counted(len(limits), "rep"), counted(sum(limits), "open hand-off")
    stays = counted(round(days), "day")
    return Capacity(
        sum(limits) * 7 / days, f"{reps} may have {open_at_once}, and one stays open for {stays} on average"
    )
