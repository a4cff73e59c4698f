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

from distribution.access import leads_for
from distribution.lab import baseline, compared, labels, line, pasts, results, what_is_tried
from scoring import lab, trial
from scoring.approval import NotNow
from scoring.models import ModelVersion
from scoring.queries import routing_version
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
        "form": form,
        "study": study,
        "is_draft": is_draft(version),
        "moved": numbers(request),
        "baseline": baseline(version, old),
        "lede": what_is_tried(version, old),
    }
    if form.is_valid():
        context |= results(
            version=version, old=old, study=study, thresholds=form.thresholds, moved=numbers(request)
        )
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
        "version": version, "old": old, "baseline": baseline(version, old), "title": title, "rows": rows, "hidden": len(page) - len(rows),
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
    """The version and what it is held against: the one in force of its model, else of the model that decides, else
    itself."""
    version = get_object_or_404(
        ModelVersion.objects.select_related("model__current_version__scale", "scale"), pk=pk
    )
    current = version.model.current_version
    if current is not None:
        current.model = version.model
    return version, current or routing_version() or version


def worked_on(version, old, *, asked_at):
    """The study of these versions out of this process's memory, taken a step further where it is not done; a new one
    where that is older than `asked_at`, seconds since 1970."""
    key = f"lab:{lab.fingerprint(version)}:{old.pk}"
    study = cache.get(key)
    if study is None or study.at.timestamp() < asked_at:
        both = [version] if old.pk == version.pk else [version, old]
        study = lab.begin(at=timezone.now(), pasts=pasts(), versions=len(both))
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


# --- the leads of one figure ----------------------------------------------------------------------------


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
