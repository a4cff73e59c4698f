"""The team page: what nobody has touched, what waits, who carries how much."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from distribution import handoff, limbo, queries, reports, triage
from distribution.access import candidates, handoffs_for, may_assign, reps_of
from distribution.forms import AssignForm
from distribution.handoff import HandoffError
from distribution.models import Rep
from distribution.views.actions import say, way_back
from distribution.words import span
from leads.criteria.base import counted
from leads.models import Lead

ORPHANS = 20


@require_safe
def team(request):
    now = timezone.now()
    untouched = triage.untouched_by_reps(request.user, at=now)
    waiting = queries.waiting(request.user, at=now)
    orphans = named(limbo.orphans(at=now, limit=ORPHANS))
    unreachable = limbo.nobody_can_contact(at=now, limit=ORPHANS)
    context = {
        "now": now,
        "untouched": untouched,
        "waiting": waiting,
        "load": reports.team_load(request.user, at=now),
        "reps": reps_of(request.user),
        "orphans": orphans,
        "unreachable": unreachable,
        "stranded": len(orphans) + len(unreachable),
        "finding": finding(untouched, waiting, now),
    }
    return render(request, "distribution/team.html", context)


def named(orphans):
    """(Lead, problem) of each orphan."""
    leads = Lead.objects.select_related("company").in_bulk([orphan.lead_id for orphan in orphans])
    return [(leads[orphan.lead_id], orphan.problem) for orphan in orphans if orphan.lead_id in leads]


def finding(untouched, waiting, now):
    """The one thing to see first, in words: {"text": …, "is_clear": bool}."""
    late = [row for row in untouched.rows + waiting.rows if row.is_overdue]
    if late:
        oldest = min(late, key=lambda row: row.since)
        whose = oldest.handoff.owner or oldest.handoff.queue
        text = f"{counted(len(late), 'lead')} {'is' if len(late) == 1 else 'are'} waiting longer than promised; oldest: {span((now - oldest.since).total_seconds())}, {whose}."
        return {"text": text, "is_clear": False}
    if waiting.count:
        return {
            "text": f"{counted(waiting.count, 'lead waits', 'leads wait')} for a free rep. Give them to somebody, or mark a rep as present.",
            "is_clear": False,
        }
    if untouched.count:
        return {
            "text": f"No promise is broken. {counted(untouched.count, 'lead waits', 'leads wait')} for a first touch, all within the promised time.",
            "is_clear": True,
        }
    return {"text": "Every lead has been touched by a person. No promise is broken.", "is_clear": True}


@require_POST
def assign(request, pk):
    row = get_object_or_404(handoffs_for(request.user).select_related("lead", "queue", "owner__user"), pk=pk)
    if not may_assign(request.user, row):
        raise PermissionDenied("Only the manager of the team may give this lead to somebody else.")
    form = AssignForm(request.POST, reps=candidates(request.user, row))
    at, back = timezone.now(), way_back(request, None, row)
    if not form.is_valid():
        messages.error(request, f"{row.lead}: {form.errors['rep'][0]}")
        return redirect(back)
    try:
        handoff.assign(handoff=row, rep=form.cleaned_data["rep"], by=request.user, at=at)
    except HandoffError as error:
        messages.error(request, str(error))
    else:
        say(request, f"{row.lead} given to {form.cleaned_data['rep']}.", handoff=row, at=at)
    return redirect(back)


@require_POST
def presence(request, pk):
    """Present reps get new leads by turn; an absent one keeps what they have."""
    rep = get_object_or_404(reps_of(request.user), pk=pk)
    is_present = request.POST.get("present") == "yes"
    Rep.objects.filter(pk=rep.pk).update(is_present=is_present, absent_until=None)
    messages.success(
        request,
        f"{rep} is marked as {'present and gets new leads' if is_present else 'absent and gets no new leads'}.",
    )
    return redirect("team")
