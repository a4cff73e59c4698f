"""The activity log in words, for people who sell: what each kind of activity looks like on a page."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from distribution.followup import CALL_RESULTS, MEETING_STATES
from distribution.models import Feedback

PERSON, SALES, SYSTEM = "person", "sales", "system"

# kind → icon, who did it, words; {asset} is what it was about, "?" stands for what is not known
KINDS = {
    "form_submit": ("form", PERSON, "Filled in the form {asset}"),
    "hand_raise": ("hand", PERSON, "Asked for sales: {asset}"),
    "page_view": ("page", PERSON, "Viewed {asset}"),
    "search": ("search", PERSON, "Searched for {asset}"),
    "download": ("download", PERSON, "Downloaded {asset}"),
    "webinar": ("event", PERSON, "Attended the webinar {asset}"),
    "event": ("event", PERSON, "Was at {asset}"),
    "mail_click": ("mail", PERSON, "Clicked in our mail {asset}"),
    "mail_unsubscribe": ("stop", PERSON, "Unsubscribed from marketing mail"),
    "mail_sent": ("nurture", SYSTEM, "We sent the mail {asset}"),
    "call": ("call", SALES, "Call"),
    "mail_by_rep": ("mail", SALES, "Mail from sales"),
    "meeting": ("people", SALES, "Meeting"),
    "note": ("note", SALES, "Note"),
    "handoff": ("handoff", SYSTEM, "Handed to sales"),
    "recycled": ("recycle", SALES, "Recycled to marketing"),
    "opportunity_opened": ("deal", SALES, "Opportunity opened"),
    "deal_won": ("deal", SALES, "Deal won"),
    "deal_lost": ("close", SALES, "Deal lost"),
    "feedback": ("feedback", SALES, "Lead feedback"),
    "engagement_since": ("score", SYSTEM, "From here on, only new activity counts for the score"),
}
RESULTS = CALL_RESULTS | MEETING_STATES | dict(Feedback.Verdict.choices)
SAID = ("note", "text", "reason", "message")  # properties that hold somebody's words


@dataclass
class Moment:
    icon: str
    tone: str
    text: str
    said: str  # somebody's own words, or ""
    by: str
    at: datetime
    first_at: datetime  # of several equal ones on a day
    times: int
    is_scored: bool


def moments(activities):
    """Moments from activities (newest first, touchpoint loaded); equal ones of a day in a row become one, "3×"."""
    result, keys = [], []
    for activity in activities:
        moment = moment_of(activity)
        key = (moment.text, moment.said, moment.by, timezone.localtime(moment.at).date())
        if result and keys[-1] == key:
            result[-1].times += 1
            result[-1].first_at = moment.at
        else:
            result.append(moment)
            keys.append(key)
    return result


def moment_of(activity):
    point, properties = activity.touchpoint, activity.properties or {}
    icon, tone, text = KINDS.get(point.kind, ("info", SYSTEM, point.kind.replace("_", " ").capitalize() + " {asset}"))
    asset = str(properties.get("title") or properties.get("subject") or readable(point.asset))
    result = str(properties.get("result") or properties.get("state") or properties.get("verdict") or "")
    text = text.format(asset=asset).strip(": ")
    if result:
        text += f": {RESULTS.get(result, result)}"
    if properties.get("amount"):
        text += f", {properties['amount']}"
    return Moment(
        icon=icon, tone=tone, text=text,
        said=next((str(properties[key]) for key in SAID if properties.get(key)), ""),
        by=str(properties.get("by") or ""),
        at=activity.occurred_at, first_at=activity.occurred_at, times=1,
        is_scored=activity.engagement or tone != PERSON,
    )  # fmt: skip


def readable(asset):
    """An asset as people say it: a path stays a path, a slug loses its dashes."""
    return asset if "/" in asset else asset.replace("-", " ").replace("_", " ")
