"""What a person does with a lead: the posts of `distribution.actions`."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from distribution import undo
from distribution.access import handoffs_for, may_work
from distribution.actions import ACTIONS, PANELS
from distribution.briefing import day
from distribution.handoff import HandoffError
from distribution.models import FollowUp, Handoff, Opportunity
from distribution.views.lead_page import render_lead_page
from leads.views import asked_next

SUBJECTS = {  # what a route's number names, and the way from there to the hand-off
    "handoff": (Handoff, lambda row: row),
    "follow_up": (FollowUp, lambda row: row.handoff),
    "opportunity": (Opportunity, lambda row: row.handoff),
}


def find(user, action, pk):
    """(subject, hand-off) that this user may act on; 404 for what they may not even see."""
    model, handoff_of = SUBJECTS[action.subject]
    subject = get_object_or_404(model, pk=pk)
    found = handoff_of(subject)
    if found is None:
        raise Http404
    row = get_object_or_404(
        handoffs_for(user).select_related("lead__company", "queue", "owner__user"), pk=found.pk
    )
    if not may_work(user, row):
        raise PermissionDenied("You may look at this lead, but it is not yours to work on.")
    return (row if subject == found else subject), row


@require_POST
def act(request, pk):
    action = ACTIONS[request.resolver_match.view_name]
    subject, row = find(request.user, action, pk)
    form = action.form(request.POST)
    at = timezone.now()
    if form.is_valid():
        try:
            done = action.verb(**{action.subject: subject}, by=request.user, at=at, **form.cleaned_data)
        except HandoffError as error:
            form.add_error(None, str(error))
        else:
            until = getattr(done, "recycle_until", None)
            until = f"; ask again on {day(until)}" if until else ""
            say(request, action.said.format(lead=row.lead, until=until), handoff=row, at=at)
            return redirect(way_back(request, "my-leads" if action.leaves else None, row))
    return refuse(request, action, row, form, subject)


def refuse(request, action, row, form, subject):
    """Show the form again with what was typed and what to do about it; a bare button says it in a toast."""
    if action.do in PANELS:
        return render_lead_page(request, row.lead, do=action.do, form=form, subject=subject, status=422)
    messages.error(request, " ".join(form.non_field_errors()))
    return redirect(way_back(request, None, row))


def say(request, text, *, handoff, at):
    """A toast on the next page, with Undo where what was done `at` this moment can be taken back."""
    action = undo.undoable(handoff=handoff, by=request.user, at=at)
    done_now = action is not None and action.at == at  # not the note before a verb that has no undo
    messages.success(request, text, extra_tags=f"undo={handoff.pk}" if done_now else "")


def way_back(request, default, row):
    return asked_next(request) or default or f"/leads/{row.lead_id}/"


@require_POST
def take_back(request):
    """Undo the latest action on a hand-off. The verb lets only its own doer take it back."""
    number = request.POST.get("undo", "")
    if not number.isdecimal() or len(number) > 18:
        raise Http404
    row = get_object_or_404(Handoff.objects.select_related("lead"), pk=number)
    try:
        undone = undo.undo(handoff=row, by=request.user, at=timezone.now())
    except HandoffError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Taken back: {undone}.")
    return redirect(way_back(request, "my-leads", row))
