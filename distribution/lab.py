"""What the lab holds a version against: what sales can take in a week, and what became of the leads it was given; and
what its page says of a study at any thresholds."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from distribution.models import Rep
from leads.criteria.base import counted
from leads.rows import fetch
from scoring import bars, lab, trial
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


# --- what the page says -------------------------------------------------------------------------------


def baseline(version, old):
    """What the other column is called: "As saved" where there is nothing to compare with but the version itself."""
    if old.model_id != version.model_id:
        return f"In force: {old}"
    return "In force" if version.model.current_version_id else "As saved"


def in_a_sentence(version, old):
    return f"by {old}, which decides" if old.model_id != version.model_id else baseline(version, old).lower()


def what_is_tried(version, old):
    """What stands beside the version, and what that is good for, in sentences."""
    move = "move a threshold to see what would change."
    if old.model_id != version.model_id:
        beside = f", against {old}, which decides, as no version of its own model is in force yet."
    elif old.pk != version.pk:
        beside = f", against {old}, which is in force."
    elif version.pk == version.model.current_version_id:
        beside = f". It is the version in force: {move}"
    else:
        beside = f". No version is in force yet to compare it with: {move}"
    informs = (
        "" if version.model.routes else " This model informs and passes nobody to sales until it decides."
    )
    return f"{version.get_status_display()}, tried on all leads{beside} Nothing is written.{informs}"


def compared(study, old, thresholds):
    """(Trial by the version in force, Trial by the version at other thresholds)."""
    return (
        trial.thresholds(study.halves[-1].trial, old),
        trial.thresholds(study.halves[0].trial, thresholds),
    )


def results(*, version, old, study, thresholds, moved):
    """Everything below the sliders, from arrays alone but for what sales can take (two queries).

    `moved`: the thresholds as the address says them, for the links to the leads of each figure.
    """
    before, after = compared(study, old, thresholds)
    takes = capacity(version.model, at=study.at)
    ready = {
        "before": int(before.ready.sum()),
        "after": int(after.ready.sum()),
        "became": len(lab.became_ready(before, after)),
        "stopped": len(lab.stopped_ready(before, after)),
        "became_url": cell_url(version, moved, show="became"),
        "stopped_url": cell_url(version, moved, show="stopped"),
    }
    weeks = weeks_of(study, old, before, after, thresholds, takes)
    outcomes = outcomes_of(study, old, version, thresholds)
    return {
        "ready": ready,
        "matrix": matrix_of(before, after, old, version, moved) if share_labels(version, old) else None,
        "weeks": weeks,
        "capacity": takes,
        "outcomes": outcomes,
        "latest": LATEST,
        "finding": finding(weeks, takes, outcomes, version, old),
    }


def share_labels(version, old):
    """Whether leads can be said to move: the ratings of two models with other labels are other things."""
    return old.model_id == version.model_id or labels(old) == labels(version)


def labels(version):
    return [label for label, *_ in version.scale.ratings]


def cell_url(version, moved, **what):
    return f"{reverse('lab-leads', args=[version.pk])}?{urlencode(moved | what)}"


def matrix_of(before, after, old, version, moved):
    """Rows of the matrix: {label, cells: [{count, url, way}], total}; leads that are not judged only where there are any."""
    rows, columns = labels(old), labels(version)
    counts = lab.matrix(before, after, rows, columns)
    names = [*rows, "Not judged"], [*columns, "Not judged"]
    inside = [name for axis, name in ((1, "rows"), (0, "columns")) if counts.sum(axis=axis)[-1]]
    found = []
    for r, label in enumerate(names[0]):
        if r == len(rows) and "rows" not in inside:
            continue
        cells = [
            {
                "to": name, "count": int(counts[r, c]), "way": way(label, name, rows, columns),
                "url": cell_url(version, moved, show="moved", old=index(r, rows), new=index(c, columns)),
            }
            for c, name in enumerate(names[1]) if c < len(columns) or "columns" in inside
        ]  # fmt: skip
        found.append({"label": label, "cells": cells, "total": int(counts[r].sum())})
    return {
        "rows": found,
        "columns": [cell["to"] for cell in found[0]["cells"]] if found else [],
        "moved": int(sum(cell["count"] for row in found for cell in row["cells"] if cell["way"] != "same")),
        "total": int(counts.sum()),
    }


def index(place, labels):
    return place if place < len(labels) else trial.NOT_JUDGED


def way(old, new, rows, columns):
    """Whether that is the same rating, a better or a worse one; "other" where the scales have other labels."""
    if old == new:
        return "same"
    if rows != columns or old not in rows or new not in rows:
        return "other"
    return "up" if rows.index(new) < rows.index(old) else "down"


def weeks_of(study, old, before, after, thresholds, capacity):
    counts = [
        lab.ready_per_week(now, half.crossings[0], by)
        for now, half, by in ((before, study.halves[-1], old), (after, study.halves[0], thresholds))
    ]
    edges = [timezone.localtime(study.at - (lab.WEEKS - n) * lab.WEEK) for n in range(lab.WEEKS + 1)]
    rows = [
        {"until": edges[n + 1], "counts": (int(counts[0][n]), int(counts[1][n]))} for n in range(lab.WEEKS)
    ]
    means = [float(count.mean()) for count in counts]
    chart = bars.columns([row["counts"] for row in rows], line=capacity.per_week)
    return {"rows": rows, "chart": chart, "old": means[0], "new": means[1]}


def outcomes_of(study, old, version, thresholds):
    pasts = study.pasts
    before, after = (
        trial.thresholds(half.past, by)
        for half, by in ((study.halves[-1], old), (study.halves[0], thresholds))
    )
    if not len(pasts):
        return None
    passed = [lab.rates(lab.by_pass(past), pasts.won) for past in (before, after)]
    return {
        "decided": int((pasts.won >= 0).sum()),
        "won": int((pasts.won == 1).sum()),
        "spoken": int((pasts.good >= 0).sum()),
        "passed": passed,
        "tables": [
            {
                "title": title, "version": by, "won": lab.rates(lab.by_rating(past, labels(by)), pasts.won),
                "good": lab.rates(lab.by_rating(past, labels(by)), pasts.good), "passed": passes,
            }
            for title, by, past, passes in (
                (baseline(version, old).partition(":")[0], old, before, passed[0]), ("This version", version, after, passed[1]),
            )
        ],
    }  # fmt: skip


def finding(weeks, capacity, outcomes, version, old):
    """The one thing to see first: {"text", "more", "icon"}. All clear only by a version that decides, held against another one
    or against what is in force."""
    new, before = (floatformat(weeks[name], 1) for name in ("new", "old"))
    beside = in_a_sentence(version, old)
    text = f"{new} sales-ready leads a week, " + (
        f"as {beside.removeprefix('as ')}" if new == before else f"{before} {beside}"
    )
    if not version.model.routes:
        return {"text": f"{text}. This model passes nobody to sales until it decides.", "icon": "info"}
    icon = "allclear" if version.model.current_version_id else "info"
    if capacity.per_week:
        text += f"; sales can take {floatformat(capacity.per_week, 0)}"
        if weeks["new"] > capacity.per_week:
            text, icon = f"{text}: raise a threshold", "warning"
    text, more = f"{text}.", ""
    if outcomes and outcomes["decided"]:
        was, now = (passed for passed, _ in outcomes["passed"])
        more = looking_back(was, now, beside)
        if icon == "allclear" and now.hits < was.hits:
            icon = "info"
    return {"text": text, "more": more, "icon": icon}


def looking_back(was, now, beside):
    """What the past hand-offs say for and against, in sentences; `was` and `now`: Rate of those that each side passes."""
    if not now.many:
        return "It would have passed none of the past hand-offs."
    text = f"Of the past hand-offs it would have passed {now.many:,}, and {now.hits:,} won"
    if (was.many, was.hits) == (now.many, now.hits):
        return f"{text}, as {beside.removeprefix('as ')}."
    apart = (difference(now.many - was.many, "hand-off"), difference(now.hits - was.hits, "deal"))
    return f"{text}; {was.many:,} and {was.hits:,} {beside}. That is {apart[0]} and {apart[1]}."


def difference(number, thing):
    if not number:
        return f"as many {thing}s"
    return f"{counted(abs(number), thing)} {'more' if number > 0 else 'fewer'}"


def line(lead, row, before, after, old, version):
    def side(found, by):
        judged = found.rating[row] != trial.NOT_JUDGED
        return {
            "rating": labels(by)[found.rating[row]] if judged else "",
            "labels": labels(by),
            "fit": found.fit[row] / 100,
            "engagement": found.engagement[row] / 100,
            "ready": bool(found.ready[row]),
        }

    return {"lead": lead, "old": side(before, old), "new": side(after, version)}
