"""Reads of the sales pages: my leads, waiting, untouched, the brief, leads without a next step."""

from dataclasses import dataclass, field
from datetime import datetime

from distribution.models import FollowUp, Handoff


@dataclass
class LeadRow:
    """One line of a sales list."""

    handoff: Handoff  # with .lead, .lead.company, .owner, .owner.user, .queue loaded
    score: object  # scoring.queries.ScoreRow (fit, engagement, total, rating) or None
    urgency: str  # "overdue" | "hand_raise" | "due" | "fresh" | "normal"
    urgency_label: str  # "First response overdue", "Asks for sales", …
    why_now: str
    why_now_at: datetime
    next_step: str  # "First response", "Call back: budget", "Attempt 3 of 6", …
    next_due: datetime | None
    is_overdue: bool
    since: datetime  # sales-ready since
    follow_up: FollowUp | None


@dataclass
class Page:
    rows: list
    count: int
    number: int  # 1-based
    has_next: bool


def my_leads(user, *, at, page=1, size=50):
    """A rep's open hand-offs, most urgent first. Page of LeadRow."""
    raise NotImplementedError


def waiting(user, *, at, page=1, size=50):
    """Hand-offs that wait for a rep in the queues this user sees (review queue: marketers), oldest first."""
    raise NotImplementedError


def untouched(user, *, at, page=1, size=50):
    """Handed off, open, and no human touch yet; longest first. Page of LeadRow."""
    raise NotImplementedError


@dataclass
class Brief:
    """What a rep should know before the first word."""

    withheld: str = ""  # not empty: why everything below is kept back (a competitor in review)
    handoff: Handoff | None = None  # the open one, else the latest, else None
    is_open: bool = False
    score: object = None
    where_now: str = ""  # "Sales: Rita Rep", "Nurture: Welcome", "Parked until …"
    next_step: str = ""
    next_due: datetime | None = None
    flags: list = field(default_factory=list)  # warnings, in words
    colleagues: list = field(default_factory=list)  # (lead, where now, owner name)
    opening: str = ""  # one sentence to begin with
    questions: list = field(default_factory=list)  # what to ask, in order
    suggestion: str = ""  # "6 unanswered attempts: recycle as unresponsive."
    follow_ups: list = field(default_factory=list)  # open FollowUps, earliest first
    opportunities: list = field(default_factory=list)
    feedback: object = None
    owner_of_company: object = None  # Rep
    refusals: list = field(default_factory=list)  # "Do not call", "Unsubscribed from marketing mail"


def brief(lead, *, user, at):
    raise NotImplementedError


@dataclass
class Orphan:
    lead_id: int
    place: str
    problem: str


def orphans(*, at, limit=100):
    """Leads without a next step: those whose next dated action cannot happen. Must be empty. list[Orphan]"""
    raise NotImplementedError


def nobody_can_contact(*, at, limit=100):
    """Leads that no channel reaches: no usable address, no usable number. list of Lead with .why"""
    raise NotImplementedError
