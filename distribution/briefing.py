"""What a rep should know before the first word: where the lead stands, what to say, what to ask."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.formats import date_format

from distribution.facts import ASKED, LATEST, events
from distribution.followup import MAX_ATTEMPTS
from distribution.models import CompanyOwner, Feedback, Handoff, Opportunity
from leads import consent
from leads.models import Lead, Place
from nurturing.queries import positions
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
    where_now: str = ""  # "Sales: Rita Rep", "Nurture: Welcome, step 2 of 3, …", "Parked until …"
    next_step: str = ""
    next_due: datetime | None = None
    flags: list = field(default_factory=list)  # warnings, in words
    colleagues: list = field(default_factory=list)  # (lead, where now, name of the owner or "")
    opening: str = ""  # how to begin
    questions: list = field(default_factory=list)  # what to ask, in order
    suggestion: str = ""  # "6 unanswered attempts: recycle as unresponsive."
    follow_ups: list = field(default_factory=list)  # open FollowUps, earliest first
    opportunities: list = field(default_factory=list)  # of this lead and of its company, newest first
    feedback: object = None
    owner_of_company: object = None  # Rep or None
    refusals: list = field(default_factory=list)  # "No phone calls: …", "No mail: …", "No marketing mail: …"


def brief(lead, *, user, at):
    """The Brief of one lead. A bounded number of queries; colleagues at most 20."""
    rows = (
        Handoff.objects.filter(lead=lead)
        .select_related("queue", "owner__user", "owner__team")
        .order_by("-created_at")
    )
    rows = list(rows[:20])
    row = next((row for row in rows if row.status in Handoff.OPEN), rows[0] if rows else None)
    result = Brief(handoff=row, is_open=row is not None and row.status in Handoff.OPEN)
    result.where_now = where_now(lead, row, at)
    if result.is_open and row.queue.is_review:
        result.withheld = WITHHELD
        return result
    result.score = routing_scores([lead.pk]).get(lead.pk)
    result.refusals = refusals(lead)
    result.colleagues = colleagues(lead)
    result.opportunities = opportunities(lead)
    result.owner_of_company = owner_of(lead.company_id)
    result.opening, result.questions = what_to_say(lead, at)
    if row is not None:
        about_handoff(result, row)
    return result


def about_handoff(result, row):
    result.flags = list(row.flags)
    result.feedback = Feedback.objects.filter(handoff=row).first()
    if not result.is_open:
        return
    result.follow_ups = list(row.follow_ups.filter(done_at__isnull=True).order_by("due_at", "id"))
    result.next_step, result.next_due = next_step(row, result.follow_ups[0] if result.follow_ups else None)
    if row.attempts >= MAX_ATTEMPTS and row.progress == Handoff.Progress.ATTEMPTING:
        result.suggestion = f"{row.attempts} unanswered attempts: recycle as unresponsive."


def next_step(row, follow_up):
    """(words, due or None) of what its rep has to do next in an open hand-off."""
    if row.status == Handoff.Status.WAITING:
        return "Accept", row.respond_by
    if row.first_response_at is None and row.respond_by is not None:
        return "First response", row.respond_by
    if follow_up is not None:
        return follow_up.note or "Follow up", follow_up.due_at
    progress = Handoff.Progress
    if row.progress == progress.ATTEMPTING:
        left = row.attempts < MAX_ATTEMPTS
        return (f"Attempt {row.attempts + 1} of {MAX_ATTEMPTS}" if left else "Recycle as unresponsive?"), None
    words = {
        progress.MEETING: "Plan what follows the meeting",
        progress.OPPORTUNITY: "Opportunity: won or lost?",
    }
    return words.get(row.progress, "Plan the next step"), None


def where_now(lead, row, at):
    """The place with its owner, in words."""
    if lead.place == Place.SALES and row is not None:
        return f"Sales: {row.owner}" if row.owner else f"Sales: waiting in {row.queue}"
    if lead.place == Place.NURTURE:
        position = positions([lead.pk]).get(lead.pk)
        return f"Nurture: {position}" if position else "Nurture"
    if lead.place == Place.PARKED:
        return f"Parked until {date_format(lead.wake_at, 'j F Y')}: {lead.place_reason}"
    if lead.place == Place.DISQUALIFIED:
        return f"Disqualified: {lead.place_reason}"
    return lead.get_place_display()


def refusals(lead):
    """What must not be done with this person, in words. Sales contact and marketing mail are asked apart."""
    found = []
    for words, channel, purpose in (
        ("No phone calls", "phone", "sales"),
        ("No mail", "email", "sales"),
        ("No marketing mail", "email", "marketing"),
    ):
        reason = consent.refusals([lead.pk], channel=channel, purpose=purpose).get(lead.pk)
        if reason:
            found.append(f"{words}: {reason}")
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


def what_to_say(lead, at):
    """(opening, questions): begin with what they asked for; ask what is not known yet, at most five things."""
    asked = events(ASKED, [lead.pk], at).get(lead.pk)
    latest = events(LATEST, [lead.pk], at).get(lead.pk)
    topic = readable((asked or latest).asset) if asked or latest else ""
    if asked:
        opening = f"They asked for sales ({topic}) on {date_format(asked.at, 'j F')}: thank them and ask what prompted it."
    elif latest and latest.kind in {"download", "form_submit", "webinar", "event"}:
        opening = f"Refer to “{topic}”: was it useful, and what were they looking for?"
    else:
        # Page views are not mentioned: people do not like to hear that they were watched.
        opening = "Ask what they are working on, before speaking of us."
    return opening, list(questions(lead, at))[:5]


def questions(lead, at):
    if not lead.timeline or (lead.timeline_until and lead.timeline_until < at):
        yield (
            "When does it have to be in place?"
            if not lead.timeline
            else (f"They once said “{lead.timeline}”; that time has passed. When is it now?")
        )
    else:
        yield f"They said “{lead.timeline}”. What does that date depend on?"
    if not lead.role:
        yield "Who decides, and who else has a say?"
    if not (lead.company_size or (lead.company and lead.company.size)):
        yield "How many people would work with it?"
    yield "How do they solve it today, and what does that cost them?"
    if not lead.company_id:
        yield "Which company is it for?"
    elif not (lead.industry or lead.company.industry):
        yield "What does the company do, and for whom?"
    yield "Is there a budget, or what would it take to get one?"


def readable(asset):
    """`/white-papers/roi-guide` → `roi guide`."""
    return asset.rstrip("/").rpartition("/")[2].replace("-", " ").replace("_", " ")
