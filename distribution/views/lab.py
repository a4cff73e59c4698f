"""The lab: a version tried on all real leads, and what other thresholds would make of them."""

import math
from functools import wraps

import numpy as np
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from distribution import lab as sales
from distribution.access import leads_for
from leads.criteria.base import counted
from scoring import bars, lab, trial
from scoring.approval import NotNow
from scoring.models import ModelVersion
from scoring.threshold_form import ThresholdForm

KEPT = 15 * 60  # seconds that a study is kept in this process
ASKED = "lab_asked_at"  # in the session, as the next page may come from another process with an older study
STEP = 1.0  # seconds of work before the page says how far it is
PAGE = 50


def with_study(view):
    """The view of a version gets the one in force and the finished study too; until there is one, how far it is."""

    @wraps(view)
    def looked(request, pk):
        version, old = versions(pk)
        try:
            study = worked_on(version, old, asked_at=request.session.get(ASKED, 0))
        except (LookupError, ValueError) as error:  # a rule or a scale that is not sound yet
            messages.error(request, f"{version} cannot be tried yet: {error}")
            return redirect("model-version", slug=version.model.slug, number=version.number)
        if not study.is_done:
            return progress(request, version, study)
        return in_place(request, view(request, version, old, study))

    return looked


@require_safe
@with_study
def show(request, version, old, study):
    form = form_of(request, version, study)
    context = {
        "version": version,
        "old": old,
        "form": form,
        "study": study,
        "is_draft": is_draft(version),
        "moved": numbers(request),
        "baseline": baseline(version),
    }
    if form.is_valid():
        context |= results(request, version, old, study, form)
    part = request.htmx.target == "lab-results"
    return render(request, "marketing/_lab_results.html" if part else "marketing/lab.html", context)


@require_safe
@with_study
def leads(request, version, old, study):
    """The leads of one cell, newest first, a page at a time by id."""
    form = form_of(request, version, study)
    if not form.is_valid():
        return redirect("lab", pk=version.pk)
    before, after = compared(study, old, form.thresholds)
    title, ids = asked_for(request, before, after, old, version)
    below = request.GET.get("below", "")
    if below.isdecimal() and len(below) < 19:
        ids = ids[ids < int(below)]
    page = ids[:PAGE].tolist()
    found = leads_for(request.user).select_related("company").in_bulk(page)
    place = np.searchsorted(after.ids, page)
    rows = [
        line(found[pk], row, before, after, old, version)
        for pk, row in zip(page, place, strict=True)
        if pk in found
    ]
    kept = {key: value for key, value in request.GET.items() if key != "below"}
    return render(request, "marketing/lab_leads.html", {
        "version": version, "baseline": baseline(version), "title": title, "rows": rows, "hidden": len(page) - len(rows),
        "back": address(request, version),
        "next_page": f"?{urlencode(kept | {'below': page[-1]})}" if len(ids) > PAGE else "",
    })  # fmt: skip


@require_POST
def save(request, pk):
    version, _ = versions(pk)
    if not request.user.has_perm("scoring.change_modelversion"):
        raise PermissionDenied("Thresholds are changed by marketers and administrators.")
    form = ThresholdForm(request.POST, version=version)
    back = address(request, version)
    if not form.is_valid():
        return redirect(back)
    try:
        lab.save_thresholds(version=version, thresholds=form.thresholds)
    except (NotNow, ValueError) as error:
        messages.error(request, str(error))
        return redirect(back)
    messages.success(request, f"Saved in {version}. Next: ask marketing and sales to review it.")
    return redirect("lab", pk=version.pk)


@require_POST
def again(request, pk):
    """Study anew: what leads have done since counts then."""
    version, _ = versions(pk)
    request.session[ASKED] = timezone.now().timestamp()
    return redirect(address(request, version))


# --- the study --------------------------------------------------------------------------------------


def versions(pk):
    """The version and the one in force of its model: the same one where there is no other."""
    version = get_object_or_404(
        ModelVersion.objects.select_related("model__current_version__scale", "scale"), pk=pk
    )
    current = version.model.current_version
    if current is not None:
        current.model = version.model
    return version, current or version


def worked_on(version, old, *, asked_at):
    """The study of these versions out of this process's memory, taken a step further where it is not done; a new one
    where that is older than `asked_at`, seconds since 1970."""
    key = f"lab:{lab.fingerprint(version)}:{old.pk}"
    study = cache.get(key)
    if study is None or study.at.timestamp() < asked_at:
        both = [version] if old.pk == version.pk else [version, old]
        study = lab.begin(at=timezone.now(), pasts=sales.pasts(), versions=len(both))
    if not study.is_done:
        lab.advance(study, [version, old][: len(study.halves)], seconds=STEP)
        keep(key, study)
    return study


def keep(key, study):
    """In this process's memory, beside at most one other: a study of a million leads takes some 90 MB."""
    before = cache.get("lab", [])
    kept = [*[other for other in before if other != key][-1:], key]
    cache.delete_many([other for other in before if other not in kept])
    cache.set("lab", kept, KEPT)
    cache.set(key, study, KEPT)


def progress(request, version, study):
    context = {
        "version": version,
        "study": study,
        "percent": math.floor(100 * study.share),
        "here": request.get_full_path(),
    }
    part = request.htmx.target == "lab-progress"
    response = render(
        request, "marketing/_lab_progress.html" if part else "marketing/lab_progress.html", context
    )
    response["Cache-Control"] = "no-store"
    return response


def in_place(request, response):
    """What progress was waiting for takes the place of the page, without another request: that might reach a process
    which has yet to make the study."""
    if request.htmx.target == "lab-progress":
        response["HX-Retarget"] = response["HX-Reselect"] = "main"
        response["HX-Reswap"] = "outerHTML"
    return response


def form_of(request, version, study):
    now = study.halves[0].trial
    reach = (now.fit.max(initial=0) / 100, now.engagement.max(initial=0) / 100)
    return ThresholdForm(request.GET, version=version, reach=reach)


def baseline(version):
    """What the other column is called: a model that has published nothing has only its draft, as it is saved."""
    return "In force" if version.model.current_version_id else "As saved"


def is_draft(version):
    return version.status == ModelVersion.Status.DRAFT


def numbers(request):
    """The thresholds among what was sent."""
    sent = request.POST if request.method == "POST" else request.GET
    return {
        k: v[:12]
        for k, v in sent.items()
        if k.startswith("band_") or k in ("mql_fit", "ready_fit", "ready_engagement")
    }


def address(request, version):
    """The lab at the thresholds that were sent."""
    sent = urlencode(numbers(request))
    return reverse("lab", args=[version.pk]) + (f"?{sent}" if sent else "")


def compared(study, old, thresholds):
    """(Trial by the version in force, Trial by the version at other thresholds)."""
    return (
        trial.thresholds(study.halves[-1].trial, old),
        trial.thresholds(study.halves[0].trial, thresholds),
    )


# --- what the page says -------------------------------------------------------------------------------


def results(request, version, old, study, form):
    """Everything below the sliders, from arrays alone but for what sales can take (two queries)."""
    before, after = compared(study, old, form.thresholds)
    moved = numbers(request)
    capacity = sales.capacity(version.model, at=study.at)
    ready = {
        "before": int(before.ready.sum()),
        "after": int(after.ready.sum()),
        "became": len(lab.became_ready(before, after)),
        "stopped": len(lab.stopped_ready(before, after)),
        "became_url": cell_url(version, moved, show="became"),
        "stopped_url": cell_url(version, moved, show="stopped"),
    }
    weeks = weeks_of(study, old, before, after, form.thresholds, capacity)
    outcomes = outcomes_of(study, old, version, form.thresholds)
    return {
        "ready": ready,
        "matrix": matrix_of(before, after, old, version, moved),
        "new_labels": labels(version),
        "weeks": weeks,
        "capacity": capacity,
        "outcomes": outcomes,
        "latest": sales.LATEST,
        "finding": finding(
            weeks, capacity, outcomes if version.model.routes else None, baseline(version).lower()
        ),
    }


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
                (baseline(version), old, before, passed[0]), ("This version", version, after, passed[1]),
            )
        ],
    }  # fmt: skip


def finding(weeks, capacity, outcomes, baseline):
    """The one thing to see first: {"text", "is_clear"}."""
    new, old = (f"{weeks[name]:.1f}" for name in ("new", "old"))
    change = f"{new} sales-ready leads a week, " + (
        f"as {baseline.removeprefix('as ')}" if new == old else f"{old} {baseline}"
    )
    if capacity.per_week:
        takes = f"sales can take {capacity.per_week:.0f}"
        is_clear = weeks["new"] <= capacity.per_week
        text = f"{change}; {takes}" + ("." if is_clear else ": raise a threshold.")
    else:
        is_clear, text = True, f"{change}."
    if outcomes and outcomes["decided"]:
        held = outcomes["passed"][1][1]
        text += (
            f" It would have held back {counted(held.many, 'past hand-off')}, of which {held.hits} won."
            if held.many
            else " It would have passed every past hand-off."
        )
    return {"text": text, "is_clear": is_clear}


def asked_for(request, before, after, old, version):
    """(title, ids) of the list that was asked for. Raises Http404."""
    show = request.GET.get("show")
    if show == "became":
        return "Leads that would become sales-ready", lab.became_ready(before, after)
    if show == "stopped":
        return "Leads that would no longer be sales-ready", lab.stopped_ready(before, after)
    ends = [rating(request.GET.get(name, ""), by) for name, by in (("old", old), ("new", version))]
    if show != "moved" or None in ends:
        raise Http404("There is no such list of leads.")
    names = [labels(by)[n] if n >= 0 else "not judged" for n, by in zip(ends, (old, version), strict=True)]
    return f"Leads that go from {names[0]} to {names[1]}", lab.moved(before, after, *ends)


def rating(text, version):
    """An index into the ratings of a version, NOT_JUDGED, or None for anything else."""
    numbers = range(trial.NOT_JUDGED, len(version.scale.ratings))
    return {str(number): number for number in numbers}.get(text)


def line(lead, row, before, after, old, version):
    def side(found, by):
        judged = found.rating[row] != trial.NOT_JUDGED
        return {
            "rating": labels(by)[found.rating[row]] if judged else "",
            "fit": found.fit[row] / 100,
            "engagement": found.engagement[row] / 100,
            "ready": bool(found.ready[row]),
        }

    return {"lead": lead, "old": side(before, old), "new": side(after, version)}
