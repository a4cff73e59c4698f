"""What a rep should know before the first word: where the lead stands, what to say, what to ask."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from distribution.models import CompanyOwner, Feedback, Handoff, Opportunity
from distribution.opening import what_to_say
from leads import consent
from leads.models import Lead, Place
from nurturing.models import Step
from nurturing.queries import WORDS, positions
from scoring.queries import routing_scores

WITHHELD = (
    "A competitor asks for sales. The brief is withheld until it is decided whether sales may talk to them."
)
COLLEAGUES = 20


@dataclass
class Brief:
    withheld: str = ""  # not empty: why the rest is kept back (a competitor in review)
    handoff: Handoff | None = None  # the open one, else the latest, else None
    is_open: bool = False
    score: object = None  # scoring.queries.ScoreRow or None
    program: str = ""  # "Welcome, step 2 of 3, next mail Tue 3 Mar 09:00"; "" outside a program
    where_now: str = ""  # "Sales: Rita Rep", "Nurture: Welcome, step 2 of 3, …", "Parked until …"
    ask_again: datetime | None = None  # recycled: before this only a hand-raise passes to sales again
    next_step: str = ""
    next_due: datetime | None = None
    flags: list = field(default_factory=list)  # warnings, in words
    colleagues: list = field(default_factory=list)  # (lead, where now, name of the owner or "")
    opening: str = ""  # how to begin
    questions: list = field(default_factory=list)  # what to ask, in order
    suggestion: str = ""  # "6 unanswered attempts: give the lead back as unresponsive."
    follow_ups: list = field(default_factory=list)  # open FollowUps, earliest first
    opportunities: list = field(default_factory=list)  # of this lead and of its company, newest first
    feedback: object = None
    owner_of_company: object = None  # Rep or None
    closed: dict = field(default_factory=dict)  # of CLOSED: key → why not


def brief(lead, *, at):
    """The Brief of one lead. A bounded number of queries; colleagues at most 20."""
    rows = (
        Handoff.objects.filter(lead=lead)
        .select_related("queue", "owner__user", "owner__team")
        .order_by("-created_at")
    )
    rows = list(rows[:20])
    row = next((row for row in rows if row.status in Handoff.OPEN), rows[0] if rows else None)
    result = Brief(handoff=row, is_open=row is not None and row.status in Handoff.OPEN)
    result.closed = closed(lead)
    result.program = program_words(lead, result.closed)
    result.where_now = where_now(lead, row, result.program)
    if result.is_open and row.queue.is_review:
        result.withheld = WITHHELD
        return result
    result.score = routing_scores([lead.pk]).get(lead.pk)
    result.colleagues = colleagues(lead)
    result.opportunities = opportunities(lead)
    result.owner_of_company = owner_of(lead.company_id)
    if row is not None:
        about_handoff(result, row, at)
    result.opening, result.questions = what_to_say(lead, result, at)
    return result


def about_handoff(result, row, at):
    result.flags = list(row.flags)
    result.feedback = Feedback.objects.filter(handoff=row).first()
    if not result.is_open:
        if row.recycle_until and row.recycle_until > at:
            result.ask_again, result.next_due = row.recycle_until, row.recycle_until
            result.next_step = f"{back_words(row)}, ask again on {day(row.recycle_until)}"
        return
    result.follow_ups = list(row.follow_ups.filter(done_at__isnull=True).order_by("due_at", "id"))
    result.next_step, result.next_due = next_step(row, result.follow_ups[0] if result.follow_ups else None)
    if row.attempts >= row.MAX_ATTEMPTS and row.progress == Handoff.Progress.ATTEMPTING:
        result.suggestion = f"{row.attempts} unanswered attempts: give the lead back as unresponsive."


def next_step(row, follow_up):
    """(words, due or None) of what its rep has to do next in a hand-off."""
    if row.status not in Handoff.OPEN:
        return "Ask again", row.recycle_until
    if row.status == Handoff.Status.WAITING:
        return "Accept", row.respond_by
    progress = Handoff.Progress
    if row.progress == progress.NEW and row.first_response_at is None and row.respond_by is not None:
        return "First response", row.respond_by
    if follow_up is not None:
        return follow_up.note or "Follow up", follow_up.due_at
    if row.progress == progress.ATTEMPTING:
        left = row.attempts < row.MAX_ATTEMPTS
        return (
            f"Attempt {row.attempts + 1} of {row.MAX_ATTEMPTS}" if left else "Give back as unresponsive?"
        ), None
    words = {
        progress.NEW: "Make contact",
        progress.MEETING: "Plan what follows the meeting",
        progress.OPPORTUNITY: "Opportunity: won or lost?",
    }
    return words.get(row.progress, "Plan the next step"), None


def back_words(row):
    """Where a recycled lead went; its place may have changed since."""
    place = row.lead.place
    return {Place.NURTURE: "Back in nurture", Place.PARKED: "Parked"}.get(place, "Back with marketing")


def day(moment):
    return date_format(timezone.localtime(moment), "j M Y")


def where_now(lead, row, program):
    """The place with its owner, in words."""
    if lead.place == Place.SALES and row is not None:
        return f"Sales: {row.owner}" if row.owner else f"Sales: waiting in {row.queue}"
    if lead.place == Place.NURTURE:
        return f"Nurture: {program}" if program else "Nurture"
    if lead.place == Place.PARKED:
        return f"Parked until {date_format(lead.wake_at, 'j F Y')}: {lead.place_reason}"
    if lead.place == Place.DISQUALIFIED:
        return f"Disqualified: {lead.place_reason}"
    return lead.get_place_display()


def program_words(lead, closed):
    """Where the lead stands in its program. A mail that must not be sent is not announced."""
    position = positions([lead.pk]).get(lead.pk)
    if position is None:
        return ""
    touch, no_mail = position.touch, closed["no_marketing"] or ("" if lead.email else "no e-mail address")
    if touch is not None and touch.kind == Step.Kind.MAIL and no_mail:
        return f"{position.program}, step {position.number} of {position.of}, no {WORDS[touch.kind]} will go out: {no_mail}"
    return str(position)


# key, channel, purpose: what must not be done with a person. Sales contact and marketing mail are asked apart.
CLOSED = [
    ("no_call", "phone", "sales"),
    ("no_mail", "email", "sales"),
    ("no_marketing", "email", "marketing"),
]


def closed(lead):
    """Why this person must not be called, written to, or sent marketing, by key of CLOSED; a missing address is
    no refusal."""
    found = {}
    for key, channel, purpose in CLOSED:
        address = lead.phone if channel == "phone" else lead.email
        refused = consent.refusals([lead.pk], channel=channel, purpose=purpose) if address else {}
        found[key] = refused.get(lead.pk, "")
    return found


def colleagues(lead):
    """(lead, where now, owner) of others at the company, the latest active first."""
    if lead.company_id is None:
        return []
    others = Lead.objects.filter(company=lead.company_id, is_test=False).exclude(pk=lead.pk)
    others = list(others.order_by("-last_activity_at", "-id")[:COLLEAGUES])
    rows = Handoff.objects.filter(lead__in=others, status__in=Handoff.OPEN).select_related("owner__user")
    owners = {row.lead_id: str(row.owner or "") for row in rows}
    return [(other, other.get_place_display(), owners.get(other.pk, "")) for other in others]


def opportunities(lead):
    deals = Opportunity.objects.select_related("owner__user", "lead")
    own = deals.filter(lead=lead)
    found = own | deals.filter(company=lead.company_id) if lead.company_id else own
    return list(found.order_by("-opened_at", "-id")[:20])


def owner_of(company_id):
    row = (
        CompanyOwner.objects.filter(company=company_id).select_related("rep__user").first()
        if company_id
        else None
    )
    return row.rep if row else None
