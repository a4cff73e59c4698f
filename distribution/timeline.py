"""The activity log in words, for people who sell: what each kind of activity looks like on a page."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.utils import timezone
from django.utils.text import Truncator, capfirst

from distribution.followup import CALL_RESULTS, MEETING_STATES
from distribution.models import Action, Feedback
from leads import content, kinds
from leads.models import Activity, Question, Submission
from leads.money import money

PERSON, SALES, SYSTEM = "person", "sales", "system"

# What a person did is called as everywhere (`leads.kinds`).
ICONS = {
    "form_submit": "form", "hand_raise": "hand", "page_view": "page", "search": "search", "search_visit": "search",
    "download": "download", "webinar": "event", "event": "event", "mail_click": "mail", "mail_open": "mail",
}  # fmt: skip
# The rest: kind, or kind and asset → icon, who did it, words; {…} are the asset and properties of the activity
KINDS = {
    "lead_posted": ("handoff", PERSON, "Sent in {source}"),
    "mail_unsubscribe": ("stop", PERSON, "Unsubscribed from marketing mail"),
    "mail_sent": ("nurture", SYSTEM, "We sent the mail {asset}"),
    "call": ("call", SALES, "Call: {asset}"),
    "mail_by_rep": ("mail", SALES, "Mail from sales"),
    "meeting": ("people", SALES, "{asset}"),
    "note": ("note", SALES, "Note"),
    "handoff": ("handoff", SYSTEM, "Handed to sales: {reason}"),
    "handoff accepted": ("accept", SALES, "{owner} accepted"),
    "handoff assigned": ("handoff", SALES, "{by} gave it to {owner}"),
    "handoff declined": ("close", SALES, "Declined: {reason}"),
    "handoff disqualified": ("stop", SALES, "Disqualified: {reason}"),
    "recycled": ("recycle", SALES, "Given back to marketing: {reason}"),
    "opportunity_opened": ("deal", SALES, "Opportunity opened: {name}"),
    "deal_won": ("deal", SALES, "Deal won: {amount}"),
    "deal_lost": ("close", SALES, "Deal lost: {reason}"),
    "feedback": ("feedback", SALES, "Lead feedback: {asset}"),
    "engagement_since": ("score", SYSTEM, "From here on, only new activity counts for the score"),
    "correction": ("undo", SALES, "Taken back: {asset}"),
}
RESULTS = CALL_RESULTS | MEETING_STATES | dict(Feedback.Verdict.choices) | dict(Action.Kind.choices)
OF_FORMS = ("form_submit", "hand_raise", "download", "event")
ANSWERS, LONGEST = 8, 300  # of one form, and characters of each
SAID = ("note", "text", "message")  # properties that hold somebody's words


@dataclass
class Moment:
    icon: str
    tone: str
    text: str
    said: str  # somebody's own words, or ""
    by: str
    at: datetime
    is_scored: bool
    activity_id: int
    path: str = ""  # where the text says the title of what it is about
    answers: list = field(
        default_factory=list
    )  # (question, answer as it was given, what is wrong with it or "")
    times: int = 1  # equal ones of the same day, the latest at `at`
    is_undone: bool = False  # its author took it back; the log keeps both


def recent(lead, *, before=None, limit=50):
    """Activities of a lead, newest first; `before`: (occurred_at, id) of the last one shown."""
    rows = Activity.objects.filter(lead=lead).select_related("touchpoint", "source")
    rows = rows.order_by("-occurred_at", "-id")
    if before:
        at, pk = before
        rows = rows.filter(occurred_at__lte=at).exclude(occurred_at=at, pk__gte=pk)
    return list(rows[:limit])


def moments(activities):
    """Moments from activities (newest first, touchpoint loaded); equal ones of a day in a row become one, "3×"."""
    undone = {row.properties.get("undoes") for row in activities if row.touchpoint.kind == "correction"}
    titles = content.titles_of({row.touchpoint_id for row in activities})
    answers = unread_answers(activities)
    result, keys = [], []
    for activity in activities:
        moment = moment_of(activity, titles.get(activity.touchpoint_id))
        moment.answers = answers.get(activity.pk, [])
        moment.is_undone = activity.pk in undone
        key = (
            moment.text,
            moment.said,
            moment.answers,
            moment.by,
            moment.is_undone,
            timezone.localtime(moment.at).date(),
        )
        if result and keys[-1] == key:
            result[-1].times += 1
        else:
            result.append(moment)
            keys.append(key)
    return result


def moment_of(activity, title=None):
    point, facts = activity.touchpoint, activity.properties or {}
    theirs = (ICONS.get(point.kind, "info"), PERSON if point.kind in ICONS else SYSTEM, "")
    icon, tone, words = KINDS.get(f"{point.kind} {point.asset}") or KINDS.get(point.kind) or theirs
    said = {key: facts.get(key) or "" for key in ("reason", "name", "owner")}
    said["amount"] = amount_words(facts.get("amount"))
    said["source"] = f"by {activity.source}" if activity.source else "through the API"
    said["by"] = str(facts.get("by") or "Sales")
    mail = facts.get("mail")
    title = title or (mail if point.kind == "mail_sent" else None)
    own = facts.get("title") or facts.get("subject") or RESULTS.get(point.asset)
    asset = kinds.named(point.kind, point.asset, title) if title or not own else str(own)
    text = words.format(asset=asset, **said) if words else capfirst(kinds.did(point.kind, asset))
    if mail and point.kind == "mail_click":
        text += f" “{mail}”"
    names_by = "{by}" in words or said["by"] == said["owner"]
    return Moment(
        icon=icon, tone=tone, text=text.strip(": "),
        said=next((str(facts[key]) for key in SAID if facts.get(key)), ""),
        by=str(facts.get("by") or "") if tone != PERSON and not names_by else "",
        at=activity.occurred_at,
        is_scored=activity.engagement or tone != PERSON,
        activity_id=activity.pk,
        path=point.asset if title and "/" in point.asset else "",
    )  # fmt: skip


def unread_answers(activities):
    """{activity id: [(question, answer, problem)]} of what was sent with a form and fills no field: answers that could
    not be read first. An activity of a form bears the instant of its submission."""
    sent = {(row.lead_id, row.received_at): row.pk for row in activities if row.touchpoint.kind in OF_FORMS}
    if not sent:
        return {}
    leads, instants = zip(*sent, strict=True)
    kept = Submission.objects.filter(lead__in=set(leads), received_at__in=instants).exclude(unmapped={})
    kept = list(kept.defer("body"))
    questions = Question.objects.filter(form__in={row.form_id for row in kept}) if kept else []
    labels = {(question.form_id, question.name): question.label for question in questions}
    found = {}
    for row in kept:
        problems = {error["field"]: error["detail"].split(".")[0] for error in row.errors}
        answered = [name for name, answer in row.unmapped.items() if answer not in (None, "", [])]
        found[sent.get((row.lead_id, row.received_at))] = [
            (
                labels.get((row.form_id, name)) or kinds.readable(name).capitalize(),
                answer_words(row.unmapped[name]),
                problems.get(name, ""),
            )
            for name in sorted(answered, key=lambda name: name not in problems)[:ANSWERS]
        ]
    return found


def answer_words(answer):
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return Truncator(text).chars(LONGEST)


def amount_words(text):
    try:
        return money(Decimal(text))
    except (TypeError, ValueError, InvalidOperation, OverflowError):  # whatever an import may have left
        return str(text or "")
