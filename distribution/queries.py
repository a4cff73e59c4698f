"""The rows of the sales lists: what is urgent, and why now. How a rep's list is split: `triage`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    FloatField,
    IntegerField,
    Min,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest

from distribution.access import handoffs_for
from distribution.briefing import next_step
from distribution.facts import LATEST, events
from distribution.models import Action, FollowUp, Handoff
from scoring.models import Score, ScoringModel, Verdict
from scoring.queries import routing_scores, routing_version

FRESH = timedelta(days=3)

# The most urgent first: a first response overdue or promised, a follow-up due, something new
URGENCIES = ["overdue", "promised", "due", "fresh", "normal"]


@dataclass
class LeadRow:
    """One line of a sales list."""

    handoff: Handoff  # with .lead, .lead.company, .owner, .owner.user, .queue loaded
    score: object  # scoring.queries.ScoreRow (fit, engagement, total, rating) or None
    urgency: str  # one of URGENCIES
    why_now: str
    why_now_at: datetime
    next_step: str  # "First response", "Call back: budget", "Attempt 3 of 6", …
    next_due: datetime | None
    is_overdue: bool
    since: datetime  # sales-ready since
    follow_up: FollowUp | None

    @property
    def is_bite(self):
        """They took up an offer of a next step, and asked for nothing."""
        return self.score is not None and self.score.verdict == Verdict.BITE


@dataclass
class Page:
    rows: list
    count: int
    number: int  # 1-based
    has_next: bool


def waiting(user, *, at):
    """Hand-offs that wait for a rep in the queues that this user sees, longest first, as a Page."""
    rows = handoffs_for(user).filter(status=Handoff.Status.WAITING)
    return page_of(urgent(rows, at=at).order_by("created_at", "id"), at=at)


def mine(user, *, at):
    """Queryset of a rep's open hand-offs with `urgency` (rank), `due` and `fresh_at`, most urgent first."""
    return urgent(Handoff.objects.filter(owner__user=user, status__in=Handoff.OPEN), at=at).order_by(
        "urgency",
        F("ends").asc(nulls_last=True),
        "rating_rank",
        F("points").desc(nulls_last=True),
        "created_at",
        "id",
    )


def urgent(handoffs, *, at):
    """Annotate: what is due (`due`), when something last happened (`fresh_at`), `urgency` and, where that has a date,
    when it `ends`; rating and points now."""
    open_follow_ups = FollowUp.objects.filter(handoff=OuterRef("pk"), done_at__isnull=True).order_by()
    seen = Action.objects.filter(handoff=OuterRef("pk"), at__gte=OuterRef("fresh_at"), undone_at__isnull=True)
    current = ScoringModel.objects.filter(routes=True).values("current_version")
    score = Score.objects.filter(lead=OuterRef("lead_id"), model_version__in=current)
    untouched = Q(first_response_at__isnull=True, progress=Handoff.Progress.NEW)
    promised = untouched & (Q(respond_by__isnull=False) | Q(is_hand_raise=True))
    return handoffs.annotate(
        due=Subquery(
            open_follow_ups.values("handoff").annotate(first=Min("due_at")).values("first"),
            output_field=DateTimeField(),
        ),
        fresh_at=Greatest("why_now_at", Coalesce("lead__last_activity_at", "why_now_at")),
        points=Subquery(score.values("total")[:1], output_field=FloatField()),
        rating_now=Subquery(score.values("rating")[:1]),
        rating_rank=Case(
            *(When(rating_now=label, then=rank) for rank, label in enumerate(rating_order())),
            default=99,
            output_field=IntegerField(),
        ),
        urgency=Case(
            When(untouched & Q(respond_by__lt=at), then=0),
            When(promised, then=1),
            When(due__lte=at, then=2),
            When(
                Q(fresh_at__gt=Greatest("created_at", Value(at - FRESH, DateTimeField()))) & ~Exists(seen),
                then=3,
            ),
            default=4,
            output_field=IntegerField(),
        ),
        ends=Case(
            When(promised, then="respond_by"), When(due__lte=at, then="due"), output_field=DateTimeField()
        ),
    )


def rating_order():
    """Ratings of the model that routes, best first: labels are free, their order is not the alphabet's."""
    version = routing_version()
    return [label for label, *_ in version.scale.ratings] if version else []


def page_of(handoffs, *, at, page=1, size=50, count=None):
    """A Page of LeadRow out of a queryset made by `urgent`; `count`: how many there are, where that is known."""
    count = handoffs.count() if count is None else count
    number = min(max(page, 1), max(1, -(-count // size)))
    chosen = handoffs.select_related("lead__company", "owner__user", "queue")[
        (number - 1) * size : number * size
    ]
    return Page(rows=rows_of(list(chosen), at=at), count=count, number=number, has_next=number * size < count)


def rows_of(handoffs, *, at):
    """LeadRows in the order given, in three statements."""
    ids = [row.lead_id for row in handoffs]
    scores, latest = routing_scores(ids), events(LATEST, ids, at)
    follow_ups = {}
    for item in FollowUp.objects.filter(handoff__in=handoffs, done_at__isnull=True).order_by("due_at", "id"):
        follow_ups.setdefault(item.handoff_id, item)
    return [
        row_of(row, scores.get(row.lead_id), latest.get(row.lead_id), follow_ups.get(row.pk), at)
        for row in handoffs
    ]


def row_of(row, score, event, follow_up, at):
    has_news = event is not None and event.at > row.why_now_at
    step, due = next_step(row, follow_up)
    return LeadRow(
        handoff=row, score=score, urgency=URGENCIES[row.urgency],
        why_now=str(event) if has_news else row.why_now, why_now_at=event.at if has_news else row.why_now_at,
        next_step=step, next_due=due, is_overdue=due is not None and due < at, since=row.created_at,
        follow_up=follow_up,
    )  # fmt: skip
