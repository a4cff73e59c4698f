"""What to say first and what to ask, by how far a rep has come with the lead."""

from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format

from distribution.facts import ASKED, asked, events
from distribution.followup import CALL_RESULTS, MEETING_STATES
from distribution.models import Action, Handoff, Opportunity
from leads import kinds
from leads.models import Place, Stage
from leads.money import money
from scoring.models import Verdict

TOUCHES = [Action.Kind.CALL, Action.Kind.MAIL, Action.Kind.MEETING]
# The latest that gave them something to speak of: page views are not mentioned, people do not like to be watched.
TOOK = ASKED.replace("kind = 'hand_raise'", "kind IN ('download', 'form_submit', 'webinar', 'event')")
QUESTIONS = 5  # at most so many


def what_to_say(lead, brief, at):
    """(opening, questions in order) of a Brief whose hand-off and opportunities are known."""
    row = brief.handoff
    if brief.is_open:
        return in_sales(lead, brief, at)
    if lead.place == Place.CUSTOMER or lead.stage == Stage.CUSTOMER:
        return customer(brief), [
            "What works well for them, and what does not?",
            "What has changed since, and who is new?",
        ]
    if lead.place == Place.DISQUALIFIED:
        return f"Disqualified: {lead.place_reason}. There is nothing to say.", []
    if brief.ask_again:
        return (
            f"Given back on {date(row.ended_at)}: {row.end_reason}. {ASK_LATER.format(date(brief.ask_again))}",
            [],
        )
    if row is not None and row.status == Handoff.Status.RETURNED:
        return (
            f"Given back on {date(row.ended_at)}: {row.end_reason}. Ask whether that has changed.",
            questions(lead, at),
        )
    return first_words(lead, brief, at), questions(lead, at)


ASK_LATER = "Leave it to marketing until {}; then ask whether that has changed."


def in_sales(lead, brief, at):
    """An open hand-off: not contacted, tried, talked to, met, or with a deal."""
    row, progress = brief.handoff, Handoff.Progress
    last = last_touch(row)
    request = events(ASKED, [lead.pk], at).get(lead.pk)
    asks_again = last is not None and request is not None and request.at > last.at
    if last is None and row.progress == progress.NEW:
        return first_words(lead, brief, at), questions(lead, at)
    if asks_again:
        opening = f"They asked for sales again ({named(request)}) on {date(request.at)}: thank them and ask what has changed."
    elif row.progress == progress.OPPORTUNITY:
        opening = deal_words(brief)
    elif row.progress == progress.ATTEMPTING:
        opening = f"{tried(row, last)} Say in one sentence why you call: {row.why_now}."
    else:
        opening = f"{talked(last)} Begin where that ended, not from the start."
    return opening, DEAL_QUESTIONS if row.progress == progress.OPPORTUNITY else questions(lead, at)


DEAL_QUESTIONS = [
    "What still has to happen before they decide, and by when?",
    "Who has to agree, and have we spoken to each of them?",
    "What speaks against it, and which other offers are they looking at?",
]


def last_touch(row):
    """The latest call, mail or meeting of a hand-off that was not taken back, or None."""
    touches = Action.objects.filter(handoff=row, kind__in=TOUCHES, undone_at__isnull=True)
    return touches.select_related("activity__touchpoint").order_by("-at", "-id").first()


def tried(row, last):
    times = {0: "Not reached yet", 1: "Tried once"}.get(row.attempts, f"Tried {row.attempts} times")
    if last is None:
        return f"{times}."
    return f"{times}, last on {date(last.at)} ({result(last).lower()})."


def talked(last):
    if last is None:
        return "You know them already."
    note = (last.activity.properties or {}).get("note", "") if last.activity else ""
    return f"{result(last)} on {date(last.at)}" + (f": “{note}”." if note else ".")


def result(action):
    asset = action.activity.touchpoint.asset if action.activity else ""
    words = CALL_RESULTS.get(asset) or MEETING_STATES.get(asset)
    return words or {Action.Kind.MAIL: "You wrote"}.get(action.kind, "You were in touch")


def deal_words(brief):
    deal = next((deal for deal in brief.opportunities if deal.status == Opportunity.Status.OPEN), None)
    if deal is None:
        return "The opportunity is closed: say what comes next, or give the lead back."
    worth = f", {money(deal.amount)}" if deal.amount else ""
    return f"The opportunity “{deal.name}”{worth} has been open since {date(deal.opened_at)}: ask what stands between them and a decision."


def customer(brief):
    won = next((deal for deal in brief.opportunities if deal.status == Opportunity.Status.WON), None)
    since = f" since {date(won.closed_at)} (“{won.name}”, {money(won.amount or Decimal(0))})" if won else ""
    return f"A customer{since}: ask how it goes before speaking of anything new."


def first_words(lead, brief, at):
    """Nobody has spoken with them yet: begin with what they asked for, or took."""
    request = events(ASKED, [lead.pk], at).get(lead.pk)
    if request:
        return f"They asked for sales ({named(request)}) on {date(request.at)}: thank them and ask what prompted it."
    is_bite = brief.score is not None and brief.score.verdict == Verdict.BITE
    if is_bite and (bite := asked({lead.pk: brief.score}).get(lead.pk)):
        return f"They took up the offer “{named(bite)}” on {date(bite.at)}: ask what they hope to do with it."
    took = events(TOOK, [lead.pk], at).get(lead.pk)
    if took and took.asset:
        return f"Refer to “{named(took)}”: was it useful, and what were they looking for?"
    return "Ask what they are working on, before speaking of us."


def questions(lead, at):
    return list(unknown(lead, at))[:QUESTIONS]


def unknown(lead, at):
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


def date(moment):
    """The day in the reader's zone, with the year where it is not this one."""
    local = timezone.localtime(moment)
    return date_format(local, "j F" if local.year == timezone.localtime().year else "j F Y")


def named(event):
    """By its title; else as the path says it: `/white-papers/roi-guide` → `roi guide`."""
    return event.title or kinds.readable(event.asset.rstrip("/").rpartition("/")[2])
