"""The lead page: who, what to say first, what happened, why this score, and every action."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from distribution import briefing, handoff
from distribution.access import candidates, leads_for, may_assign, may_work
from distribution.actions import ACTIONS, PANELS, Action
from distribution.forms import AssignForm
from distribution.models import Feedback, Handoff, Opportunity
from distribution.timeline import moments, recent
from distribution.why import asked_for
from leads import content, custom_fields
from leads.models import Activity

ASSIGN = Action(
    "handoff-assign", "assign", "Give to a rep", "handoff", AssignForm, handoff.assign, "", "Give"
)
PER_PAGE = 50
HISTORY = 20


def lead_or_404(user, pk):
    leads = leads_for(user).select_related("company", "source", "latest_source", "campaign")
    return get_object_or_404(leads, pk=pk)


@require_safe
def lead_page(request, pk):
    lead = lead_or_404(request.user, pk)
    if request.GET.get("as_of"):  # this page is of now; the past has one of its own
        return redirect(f"{reverse('lead-score', args=[pk])}?{request.GET.urlencode()}")
    do = request.GET.get("do", "")
    if request.htmx.target == "action-panel":
        context = {"now": timezone.now(), "lead": lead} | panel(request, lead, latest_handoff(lead), do)
        return render(request, "distribution/_action_panel.html", context)
    return render_lead_page(request, lead, do=do)


@require_safe
def lead_timeline(request, pk):
    """What happened before: a part for htmx, a page of its own otherwise. `before`: "moment,id" of the last one shown;
    `at`: id of an activity, which is the first one shown."""
    lead = lead_or_404(request.user, pk)
    if "at" in request.GET:
        one = get_object_or_404(Activity.objects.filter(lead=lead), pk=number_or_404(request.GET["at"]))
        before = one.occurred_at, one.pk + 1
    else:
        one, before = None, place_or_404(request)
    context = {"lead": lead, "now": timezone.now(), "one": one} | timeline_part(lead, before=before)
    part = request.htmx.target == "older"
    return render(request, "distribution/_timeline.html" if part else "distribution/timeline.html", context)


def number_or_404(text):
    if not text.isdecimal() or len(text) > 18:
        raise Http404("No such entry in the timeline.")
    return int(text)


def place_or_404(request):
    moment, _, number = request.GET.get("before", "").rpartition(",")
    try:
        moment = parse_datetime(moment)
    except ValueError:
        moment = None
    if moment is None or timezone.is_naive(moment):
        raise Http404("No such place in the timeline.")
    return moment, number_or_404(number)


@require_safe
def lead_score(request, pk):
    """Why the score is what it is: by each model, at any past instant, with its history; `format=txt` as plain text."""
    lead = lead_or_404(request.user, pk)
    row = latest_handoff(lead)
    if row is not None and row.status in Handoff.OPEN and row.queue.is_review:
        raise PermissionDenied(briefing.WITHHELD)
    told = asked_for(request, lead)
    explanation = told.why.explanation
    if request.GET.get("format") == "txt":
        text = explanation.as_text() if explanation else "There is no score to explain.\n"
        return HttpResponse(f"{lead}\n{text}", content_type="text/plain; charset=utf-8")
    context = {"lead": lead, "now": told.why.at, "told": told, "explanation": explanation}
    if told.why.is_past:
        context["wants"] = wanted(lead, at=told.why.at)
    return render(request, "distribution/score.html", context)


def render_lead_page(request, lead, *, do="", form=None, subject=None, status=200):
    """The whole page; with `form`, the panel `do` shows what was typed and why it was refused."""
    now = timezone.now()
    brief = briefing.brief(lead, at=now)
    history = (
        Handoff.objects.filter(lead=lead)
        .select_related("owner__user", "queue")
        .order_by("-created_at")[:HISTORY]
    )
    told = None if brief.withheld else asked_for(request, lead)
    colleagues = [colleague.pk for colleague, *_ in brief.colleagues]
    context = {
        "lead": lead,
        "now": now,
        "brief": brief,
        "handoff": brief.handoff,
        "told": told,
        "wants": None if brief.withheld else wants(lead, at=now),
        "explanation": told and told.why.explanation,
        "visible": set(leads_for(request.user).filter(pk__in=colleagues).values_list("pk", flat=True)),
        "history": history,
        "bar": bar(request.user, brief),
        "verdicts": Feedback.Verdict.choices,
        "soon": now + timedelta(minutes=30),
    }
    context |= (
        brief.closed
        | timeline_part(lead)
        | panel(request, lead, brief.handoff, do, form=form, subject=subject)
    )
    return render(request, "distribution/lead.html", context, status=status)


def wants(lead, *, at):
    """`wanted`, and what else we know of them now; empty where nothing is known."""
    return wanted(lead, at=at) + [(label, value, "") for label, value in custom_fields.known_of(lead)]


def wanted(lead, *, at):
    """[(what, answer, why)] of what somebody wanted, as it stood at `at`."""
    stage = content.buying_stage_of(lead_ids=[lead.pk], at=at)[lead.pk]
    product = content.likely_product_of(lead_ids=[lead.pk], at=at)[lead.pk]
    lines = [("Buying stage", stage.label, content.because(stage))] if stage.stage else []
    return lines + ([("Likely product", product.label, content.because(product))] if product.slug else [])


def timeline_part(lead, before=None):
    activities = recent(lead, before=before, limit=PER_PAGE + 1)
    shown = activities[:PER_PAGE]
    return {
        "moments": moments(shown),
        "older": f"{shown[-1].occurred_at.isoformat()},{shown[-1].pk}" if len(activities) > PER_PAGE else "",
        "before": before[0] if before else None,
    }


def latest_handoff(lead):
    """The open hand-off, else the latest."""
    rows = (
        Handoff.objects.filter(lead=lead).select_related("queue", "owner__user").order_by("-created_at")[:5]
    )
    return next((row for row in rows if row.status in Handoff.OPEN), rows[0] if rows else None)


def bar(user, brief):
    """Which actions this lead offers this person now, main ones first: {"main": […], "more": […], …}."""
    row = brief.handoff
    if row is None or not may_work(user, row):
        return {}
    feedback = {"feedback": ACTIONS["give-feedback"]}
    if not brief.is_open:
        return feedback
    if row.queue.is_review:
        main, more = [], ["handoff-disqualify"]
    elif row.status == Handoff.Status.WAITING:
        main, more = ["handoff-accept"], ["add-note", "handoff-disqualify"]
    else:
        main = ["log-call", "add-note", "add-follow-up"]
        more = ["log-mail", "log-meeting", "opportunity-open", "recycle", "handoff-disqualify"]
        if row.status == Handoff.Status.OFFERED:
            main, more = ["handoff-accept", *main], [*more, "handoff-decline"]
    deals = [
        deal
        for deal in brief.opportunities
        if deal.status == Opportunity.Status.OPEN and deal.handoff_id == row.pk
    ]
    return feedback | {
        "main": [ACTIONS[route] for route in main],
        "more": [ACTIONS[route] for route in more],
        "deals": deals,
        "may_assign": may_assign(user, row),
    }


def panel(request, lead, row, do, *, form=None, subject=None):
    """The form that `?do=` asks for, for those who may use it; else nothing."""
    if do == ASSIGN.do:
        if row is None or row.status not in Handoff.OPEN or not may_assign(request.user, row):
            return {}
        return {
            "do": do,
            "action": ASSIGN,
            "subject": row,
            "form": AssignForm(reps=candidates(request.user, row)),
        }
    action = PANELS.get(do)
    if action is None or row is None or not may_work(request.user, row):
        return {}
    if action.subject == "opportunity" and subject is None:
        deals = Opportunity.objects.filter(handoff=row, status=Opportunity.Status.OPEN)
        number = request.GET.get("opportunity", "")
        subject = (
            deals.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else deals.first()
        )
        if subject is None:
            return {}
    subject = subject or row
    return {
        "do": do,
        "action": action,
        "subject": subject,
        "form": form or action.form(initial=initial(action, subject)),
    }


def initial(action, subject):
    """What is known already need not be typed again."""
    if action.do == "won":
        return {"amount": subject.amount}
    if action.do == "opportunity":
        return {"name": str(subject.lead.company or "")}
    if action.do == "feedback":
        given = Feedback.objects.filter(handoff=subject).first()
        return {"verdict": given.verdict, "note": given.note} if given else {}
    return {}
