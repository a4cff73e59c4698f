"""Scores of the past as they were written down, and what `explain` makes of the same instants today.

For tests and for `python -m bench replay`. Nothing here computes a score.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from scoring.explain import explain
from scoring.models import ScoreChange

POINTS = ("fit", "engagement", "total", "rating", "verdict")


class Moment(NamedTuple):
    """`stood`: what was written, by name, as far as it is known; None where the lead had no score by this model."""

    lead: Any
    model: Any
    at: datetime
    stood: dict | None


def moved(changes):
    """A Moment for each ScoreChange. Of several of one lead at one instant only the last stood afterwards."""
    last = {(row.lead_id, row.model_version.model_id, row.at): row.pk for row in rows_of(changes)}
    return [
        Moment(row.lead, row.model_version.model, row.at, {
            "version": str(row.model_version), "fit": row.fit, "engagement": row.engagement, "total": row.total,
            "rating": row.new_rating, "verdict": row.new_verdict,
        })
        for row in rows_of(changes) if last[row.lead_id, row.model_version.model_id, row.at] == row.pk
    ]  # fmt: skip


def stands(scores):
    """A Moment for each Score, at the instant at which it came to be what it is."""
    rows = scores.select_related("lead", "model_version__model").order_by("lead", "model_version")
    return [
        Moment(row.lead, row.model_version.model, row.as_of,
               {"version": str(row.model_version)} | {name: getattr(row, name) for name in POINTS})
        for row in rows
    ]  # fmt: skip


def before(moments, rests):
    """For each Moment the one before: rating and verdict that the last change until then had left.

    `rests`: {model id: instants, in order, at which nobody waited to be scored by it}, of which the latest one before is taken.
    """
    leads = {moment.lead.pk for moment in moments}
    written = defaultdict(list)
    for row in rows_of(ScoreChange.objects.filter(lead__in=leads)):
        left = {"rating": row.new_rating, "verdict": row.new_verdict}
        written[row.lead_id, row.model_version.model_id].append((row.at, left))
    found = []
    for lead, model, at, _ in moments:
        place = bisect_left(rests[model.pk], at)
        if place:
            rest, rows = rests[model.pk][place - 1], written[lead.pk, model.pk]
            known = bisect_right(rows, rest, key=lambda row: row[0])
            found.append(Moment(lead, model, rest, rows[known - 1][1] if known else None))
    return found


def rows_of(changes):
    return changes.select_related("lead", "model_version__model").order_by("at", "pk")


def differing(moments):
    """[(Moment, what is computed today: a dict or None)] where the two are not equal, to the last digit."""
    found = []
    for moment in moments:
        again = explain(lead=moment.lead, at=moment.at, model=moment.model)
        if again is not None:
            again = {name: getattr(again, name) for name in moment.stood or POINTS}
        if again != moment.stood:
            found.append((moment, again))
    return found
