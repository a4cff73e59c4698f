"""How a rep's list is split: what to do now, what is new, what waits in queues, what comes later."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, Value

from distribution.access import handoffs_for
from distribution.models import Handoff
from distribution.queries import mine, page_of, urgent
from leads.rows import fetch
from scoring.models import ModelVersion


@dataclass(frozen=True)
class Section:
    label: str
    icon: str
    empty: str  # nothing here: what that means …
    why_empty: str  # … and what happens next


SECTIONS = {
    "now": Section(
        "To do now", "allclear", "All clear",
        "Nothing is promised for now. New leads and follow-ups appear here by themselves when they are due.",
    ),
    "new": Section(
        "New", "hand", "No new leads",
        "A lead that is offered to you appears here at once, with the time by which you promised to respond.",
    ),
    "queues": Section(
        "Waiting in my queues", "people", "Nobody waits in your queues",
        "Leads wait here when no rep was free. Whoever accepts first has the lead.",
    ),
    "later": Section(
        "Follow-ups later", "calendar", "Nothing planned for later",
        "Follow-ups you plan for another day wait here and come back to “To do now” by themselves.",
    ),
    "back": Section(
        "Given back", "recycle", "You have given no lead back",
        "Leads you give back wait here until their date; a new request brings them back at once.",
    ),
    "all": Section(
        "All mine", "list", "You have no open leads",
        "Leads that are sales-ready are handed to you by turn while you are marked as present.",
    ),
}  # fmt: skip
FIRST = "now"
QUIET = 4  # the urgency of what is neither late, asked for, due nor new: see queries.URGENCIES


def later(at):
    """What is planned for another time, with nothing newer to react to."""
    return Q(urgency=QUIET, due__gt=at)


def now(at):
    return Q(urgency__lt=QUIET) | Q(due__isnull=True) | Q(due__lte=at)


def condition(show, at):
    return {"now": now(at), "new": Q(status=Handoff.Status.OFFERED), "later": later(at)}.get(show, Q())


def matching(handoffs, search):
    """Every word is part of name, company, e-mail or external id; the words in any order."""
    for word in search.split():
        handoffs = handoffs.filter(lead__search_text__icontains=word)
    return handoffs


def my_page(user, *, show, search="", at, page=1):
    """(Page of LeadRow for one section, {section: count}), with the scoring versions that are in review among the counts.
    Bounded queries, however many leads."""
    own = matching(mine(user, at=at), search)
    queued = matching(in_my_queues(user), search)
    counts = own.order_by().aggregate(
        now=Count("pk", filter=now(at)),
        new=Count("pk", filter=condition("new", at)),
        later=Count("pk", filter=later(at)),
        all=Count("pk"),
    )
    back = matching(given_back(user, at=at), search)
    in_review = ModelVersion.objects.filter(status=ModelVersion.Status.IN_REVIEW)
    beside = counted(queued, "queues").union(counted(back, "back"), counted(in_review, "in_review"), all=True)
    counts |= {"queues": 0, "back": 0, "in_review": 0} | dict(beside)
    if show == "queues":
        chosen = urgent(queued, at=at).order_by("created_at", "id")
    elif show == "back":
        chosen = urgent(back, at=at).order_by("recycle_until", "id")
    else:
        chosen = own.filter(condition(show, at))
    return page_of(chosen, at=at, page=page, count=counts[show]), counts


def in_my_queues(user):
    """Waiting hand-offs that this person may take: their own queues', not the one marketing reviews."""
    return handoffs_for(user).filter(status=Handoff.Status.WAITING, queue__is_review=False)


def counted(rows, name):
    """A queryset of one row, (name, how many), or of none: so that several counts are one query."""
    named = rows.order_by().annotate(name=Value(name)).values("name")
    return named.annotate(count=Count("pk")).values_list("name", "count")


def given_back(user, *, at):
    """What this rep recycled and whose date has not come, where nobody else has it since."""
    since = Handoff.objects.filter(lead=OuterRef("lead"), created_at__gt=OuterRef("created_at"))
    rows = Handoff.objects.filter(
        owner__user=user, status=Handoff.Status.RETURNED, recycle_until__gt=at, woken_at__isnull=True
    )
    return rows.exclude(Exists(since))


def untouched_by_reps(user, *, at):
    """Page of LeadRow: with a rep, and touched by no person yet; longest first. What waits in queues is apart."""
    rows = handoffs_for(user).filter(
        status__in=[Handoff.Status.OFFERED, Handoff.Status.ACCEPTED],
        first_response_at__isnull=True,
        respond_by__isnull=False,
    )
    return page_of(urgent(rows, at=at).order_by("created_at", "id"), at=at)


# `consent.refusals` for both channels in one statement: a list may ask twelve queries and no more.
CLOSED = """
SELECT l.id, bool_or(s.channel IN ('phone', 'all')), bool_or(s.channel IN ('email', 'all'))
FROM leads_lead l JOIN leads_suppression s ON s.address IN (l.email, nullif(lower(l.phone), ''))
WHERE l.id = ANY(%s) AND s.lifted_at IS NULL AND s.purpose IN ('sales', 'all')
GROUP BY l.id
"""


def closed_channels(rows):
    """(ids of leads not to be called, ids of leads not to be written to) among LeadRows."""
    found = fetch(CLOSED, [[row.handoff.lead_id for row in rows]]) if rows else []
    return {pk for pk, phone, _ in found if phone}, {pk for pk, _, email in found if email}
