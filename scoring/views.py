"""What counts as a quality lead, and a version under review: pages for everybody who is signed in."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from leads.criteria.base import counted
from leads.criteria.reading import reading
from leads.views import asked_next
from scoring import approval, diff, documents, publish, rules
from scoring.models import ModelVersion, ScoringModel
from scoring.queries import deciding

EDIT = "scoring.change_modelversion"
# act → permissions of which one is needed; an empty list: whoever may open the page
ACTS = {
    "ask-review": [EDIT],
    "comment": [],
    "approve-marketing": [approval.SIDES["marketing"]],
    "approve-sales": [approval.SIDES["sales"]],
    "reopen": [EDIT, *approval.SIDES.values()],
    "publish": [EDIT],
    "call-off": [EDIT],
    "take-over": [approval.SIDES["sales"]],
}
SHOWN = 50  # versions and publications on a page


@require_safe
@reading()
def quality_lead(request, slug):
    """One page that marketing and sales agreed on, generated from the version in force."""
    model = get_object_or_404(
        ScoringModel.objects.select_related("current_version__scale", "reviewed_by", *signers("current_version")),
        slug=slug,
    )  # fmt: skip
    version = model.current_version
    context = {
        "model": model,
        "version": version,
        "products": documents.product_names(model),
        "whom": documents.whom_in_words(model),
        "others": ScoringModel.objects.exclude(pk=model.pk).order_by("name")[:20],
        "versions": model.versions.select_related("created_by").order_by("-number")[:SHOWN],
        "publications": model.publications.select_related("version__model", "by").order_by("-at", "-pk")[
            :SHOWN
        ],
    }
    if version:
        context |= documents.what_counts(version)
    return render(request, "scoring/quality_lead.html", context)


@require_safe
@reading()
def model_version(request, slug, number, would_pass):
    """A version as it is reviewed: what changes, who has signed, what was said, and all of its rules.

    `would_pass(version, at=…)`: how many leads sales would get at once if its model decided, or None.
    """
    version = find(slug, number)
    others = version.model.versions.exclude(pk=version.pk).order_by("-number")[:SHOWN]
    against = compared(request, version, list(others))
    context = {
        "version": version,
        "model": version.model,
        "others": others,
        "against": against,
        "changes": diff.changes(against, version) if against else [],
        "comments": version.comments.select_related("by"),
        "publications": version.publications.select_related("by").order_by("-at", "-pk")[:SHOWN],
        "signatures": signatures(version, request.user),
        "faults": publish.problems(version),
        "warnings": warnings(version) if version.status in approval.OPEN else [],
        "may": {act.replace("-", "_"): may(request.user, act) for act in ACTS},
    }
    if context["may"]["publish"]:
        context["before"] = before(version)
    if context["may"]["publish"] or context["may"]["take_over"]:
        number = would_pass(version, at=timezone.now())
        context["would_pass"] = None if number is None else counted(number, "more lead")
        context["deciding"] = deciding()
    context |= documents.what_counts(version) | state_of(version)
    return render(request, "scoring/version.html", context)


@require_POST
def act(request, slug, number, act):
    """One step in the life of a version. Refusals come back as a message on the page it was asked from."""
    version = find(slug, number)
    if act not in ACTS:
        raise Http404("No such step.")
    if not may(request.user, act):
        raise PermissionDenied(f"Your account may not do this to {version}.")
    try:
        said = do(act, version, request, timezone.now())
    except ValueError as refused:  # NotPublishable, NotNow, an empty comment
        messages.error(request, str(refused))
    else:
        messages.success(request, said)
    return redirect(way_back(request, version))


def do(act, version, request, at):
    """Call the verb; what to say then."""
    by = request.user
    if act == "ask-review":
        approval.ask_review(version=version, by=by, at=at)
        return f"{version} waits for marketing and sales. Nobody can edit it meanwhile."
    if act == "comment":
        approval.comment(version=version, by=by, text=request.POST.get("text", ""), at=at)
        return "Your comment is here for everybody to read."
    if act in ("approve-marketing", "approve-sales"):
        side = act.removeprefix("approve-")
        seen = parse_datetime(request.POST.get("seen", "")[:40])
        if seen is None:
            raise ValueError(f"Open {version} and read it, then approve it there.")
        approval.approve(version=version, by=by, side=side, at=at, seen=seen)
        waits = " and ".join(approval.missing(version))
        return f"Approved for {side}." + (
            f" It still waits for {waits}." if waits else " It can be published now."
        )
    if act == "reopen":
        approval.reopen(version=version, by=by, at=at, why=request.POST.get("why", ""))
        return f"{version} is a draft again. Its approvals are taken back."
    if act == "publish":
        publish.ask_publish(version=version, by=by, at=at)
        return f"{version} is being published. Everybody sees the scores of before until it is complete."
    if act == "take-over":
        instead = publish.take_over(version=version, by=by, at=at)
        back = f" {instead} informs; the page of its version in force takes it back." if instead else ""
        return f"{version.model} decides what passes to sales from now on.{back}"
    called_off = publish.call_off(version=version)
    return (
        "Publishing is called off. Everybody keeps the scores they have."
        if called_off
        else "It was not being published any more."
    )


@require_safe
def progress(request, slug, number):
    """The part of a page that shows how far publishing is; the whole page again once it is done."""
    version = find(slug, number)
    state = state_of(version)
    if not state["is_filling"]:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "scoring/_progress.html", {"version": version, "may_call_off": may(request.user, "call-off")} | state)  # fmt: skip


def warnings(version):
    """What may go wrong although it can be published: for those who are asked to sign it."""
    rows = list(version.rules.all())
    found = [f"{rule.name}: {warning}" for rule in rows for warning in rules.warnings_of(rule)]
    return found + rules.unreachable(version, rows)


def state_of(version):
    """What a page says about publishing: whether it is filling, and how far in percent."""
    filling = version.publish_asked_at is not None and version.status != ModelVersion.Status.PUBLISHED
    share = min(100, 100 * version.filled // version.to_fill) if version.to_fill else 0
    done = f"{version.filled:,} of {counted(version.to_fill, 'lead')} scored"
    return {"is_filling": filling, "share": share, "done": done}


def find(slug, number):
    versions = ModelVersion.objects.select_related(
        "model__current_version", "scale", "created_by", "review_asked_by", "published_by", *signers()
    )
    return get_object_or_404(versions, model__slug=slug, number=number)


def signers(of=""):
    return [f"{of}__approved_by_{side}".removeprefix("__") for side in approval.SIDES]


def compared(request, version, others):
    """The version to compare with: as asked, else the one in force, else the one before; None if there is none."""
    asked = request.GET.get("against", "")
    if asked.isdecimal() and len(asked) < 10:
        found = next((other for other in others if other.number == int(asked)), None)
        if found is None:
            raise Http404("No such version to compare with.")
        return found
    in_force = next((other for other in others if other.pk == version.model.current_version_id), None)
    return in_force or next((other for other in others if other.number < version.number), None)


def before(version):
    """The version that was in force before this one, which is; None where there was none."""
    if version.pk != version.model.current_version_id:
        return None
    others = version.model.publications.exclude(version=version).select_related("version")
    latest = others.order_by("-at", "-pk").first()
    return latest and latest.version


def signatures(version, user):
    """Per side: who signed when, and whether this person may sign now."""
    return [
        {
            "side": side,
            "by": getattr(version, f"approved_by_{side}"),
            "at": getattr(version, f"approved_by_{side}_at"),
            "may": may(user, f"approve-{side}") and version.status == ModelVersion.Status.IN_REVIEW,
        }
        for side in approval.SIDES
    ]


def may(user, act):
    return not ACTS[act] or any(user.has_perm(permission) for permission in ACTS[act])


def way_back(request, version):
    return asked_next(request) or reverse("model-version", args=[version.model.slug, version.number])
