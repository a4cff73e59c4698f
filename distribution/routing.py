"""What becomes of a lead: sales, nurture, parked, customer, disqualified. The order below decides, first match wins.

    route_due ─▶ claim leads ─▶ facts.read ─▶ decide (ORDER) ─▶ outcomes.carry_out, in sets

The companies of the batch are locked first, ids ascending, so that two colleagues who come at once go to one rep.
Leads are then claimed without waiting: whoever holds a lead may wait for a company, never the other way round.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from distribution import facts, outcomes
from distribution.assignment import is_present
from distribution.models import Opportunity, Rep
from distribution.outcomes import Outcome
from leads.models import Company, Lead, Place, Relationship
from scoring.models import Verdict
from scoring.words import figure

UNQUALIFIED_DAYS = 180  # looked at again after this; any activity before brings them back at once
SPAM = "Spam"


@dataclass
class Decision:
    """The step of the order that matched a lead, and what follows."""

    step: int
    outcome: Outcome
    reason: str
    owner: Rep | None = None
    flags: list = field(default_factory=list)
    opportunity: Opportunity | None = None  # joins it as a contact, without a new clock
    wake_at: datetime | None = None


def kept_out(lead):
    if lead.lead.is_test:
        return Decision(1, Outcome.KEPT, "Internal or test: kept, not routed")
    if lead.lead.place == Place.DISQUALIFIED and lead.lead.place_reason == SPAM:
        return Decision(1, Outcome.KEPT, SPAM)
    return None


def objected(lead):
    if lead.objection:
        return Decision(2, Outcome.NOT_CONTACTED, "Objected to all contact")
    return None


def with_a_rep(lead):
    """No new hand-off, a fresh "why now" where something happened since; the score never takes a lead back."""
    if lead.open is None:
        return None
    where = f"with {lead.open.owner}" if lead.open.owner else f"waiting in {lead.open.queue}"
    return Decision(7, Outcome.REFRESHED, f"Already {where}")


def open_opportunity(lead):
    deal = lead.opportunity
    if deal is None or not lead.passes or not deal.owner.user.is_active:
        return None
    reason = f"{lead.lead.company} has an open opportunity: joins it"
    return Decision(4, Outcome.SALES, reason, owner=deal.owner, flags=lead.flags(), opportunity=deal)


def customer(lead):
    if not lead.is_customer:
        return None
    if not lead.passes:
        return Decision(5, Outcome.CUSTOMER, f"{lead.lead.company or 'The person'} is a customer")
    owner = lead.owner.rep if lead.owner else lead.previous_rep
    flags = ["Existing customer", *lead.flags()]
    if owner and is_present(owner, lead.at):
        return Decision(5, Outcome.SALES, f"Customer: account of {owner}", owner=owner, flags=flags)
    return Decision(5, Outcome.SALES, "Customer without an account owner who is here", flags=flags)


def owned(lead):
    """Named account, company owner, or the rep who had this very lead before; where absent, the queue decides."""
    if not lead.passes:
        return None
    for owner, reason in (
        (lead.company_rep, f"{lead.lead.company} is looked after by {lead.company_rep}"),
        (lead.previous_rep, f"{lead.previous_rep} had this lead before"),
    ):
        if owner and is_present(owner, lead.at):
            return Decision(
                7, Outcome.SALES, f"{pass_reason(lead)}; {reason}", owner=owner, flags=lead.flags()
            )
    return None


def competitor_asks(lead):
    if lead.raises_hand and lead.relationship == Relationship.COMPETITOR:
        return Decision(
            8, Outcome.REVIEW, "A competitor asks for sales", flags=["Competitor: brief withheld"]
        )
    return None


def doubtful_asks(lead):
    if lead.raises_hand and (flags := lead.flags()):
        return Decision(9, Outcome.SALES, pass_reason(lead), flags=flags)
    return None


def asks(lead):
    if lead.raises_hand:
        return Decision(10, Outcome.SALES, pass_reason(lead))
    return None


def excluded(lead):
    if lead.verdict == Verdict.EXCLUDED:
        return Decision(11, Outcome.DISQUALIFIED, f"Excluded: {lead.exclusion}")
    if lead.relationship == Relationship.COMPETITOR:
        return Decision(11, Outcome.DISQUALIFIED, "Excluded: works for a competitor")
    return None


def sales_ready(lead):
    if lead.passes:
        return Decision(12, Outcome.SALES, pass_reason(lead), flags=lead.flags())
    return None


def not_ready(lead):
    """Nurture for the qualified and for those of whom too little is known to judge; whose known facts
    speak against them are parked until a date: unknown is no mismatch, but nurture is not for everybody."""
    if lead.disqualified_by_person or lead.rests:
        return None  # stays where a person or a program put it
    if lead.qualified:
        return Decision(
            13, Outcome.NURTURE, f"Qualified, not ready: engagement {figure(lead.score.engagement)}"
        )
    if lead.score and lead.verdict != Verdict.EXCLUDED and lead.score.fit >= 0:
        reason = f"Not enough known to qualify: fit {figure(lead.score.fit)} of {figure(lead.mql_fit)}"
        return Decision(13, Outcome.NURTURE, reason)
    if lead.lead.place == Place.NURTURE:
        return Decision(13, Outcome.NURTURE, "Not ready")
    reason = (
        f"Not qualified: fit {figure(lead.score.fit)} of {figure(lead.mql_fit)}"
        if lead.score
        else "Not scored by any model"
    )
    return Decision(13, Outcome.PARKED, reason, wake_at=lead.at + timedelta(days=UNQUALIFIED_DAYS))


def pass_reason(lead):
    if lead.raises_hand:
        return lead.why
    if lead.score is None:
        return "Sales-ready"
    return f"Sales-ready: fit {figure(lead.score.fit)}, engagement {figure(lead.score.engagement)}"


# number, the rule in words, the function that decides; first match wins
ORDER = (
    (1, "Spam, test, internal staff: kept, badged, not routed", kept_out),
    (2, "Objected to all contact: not contacted", objected),
    # 3: a support, job or supplier request is forwarded and is no lead (later)
    (7, "Already with a rep: a fresh “why now”, no new hand-off", with_a_rep),
    (
        4,
        "Company has an open opportunity: to its owner, joins it as a contact, no new clock",
        open_opportunity,
    ),
    (5, "Customer: to the account owner", customer),
    # 6: registered by a partner goes to the partner manager (later)
    (7, "Named account or company owner: to that owner, colleagues within 90 days too", owned),
    (8, "Hand-raise from a listed competitor: review queue, brief withheld", competitor_asks),
    (9, "Hand-raise that looks like a student or free mail: sales, with a flag", doubtful_asks),
    (10, "Hand-raise: sales", asks),
    (11, "Exclusion rule: disqualified, with the reason", excluded),
    (12, "Sales-ready: sales", sales_ready),
    (13, "Else nurture; not qualified: parked until a date", not_ready),
)


def decide(lead):
    """The Decision about one lead (facts.Facts), or None: it stays where it is."""
    for _, _, step in ORDER:
        decision = step(lead)
        if decision is not None:
            return decision
    return None


def route_due(*, at, limit=200):
    """Decide about up to `limit` leads that are due, those who wait longest first; how many. Call until 0.

    A lead that waits for its score waits here too: deciding on the old one would be deciding twice.
    """
    due = Lead.objects.filter(scored(at), route_at__lte=at).order_by("route_at", "id")
    return route_claimed(due[:limit], at=at)


def scored(at):
    """Nothing waits to be counted; what is dated later is no reason to wait."""
    return Q(rescore_at__isnull=True) | Q(rescore_at__gt=at)


def route(*, lead_ids, at):
    """Decide about these leads now; how many. One that is held elsewhere, or waits for its score, stays due."""
    with transaction.atomic():
        held = Lead.objects.filter(pk__in=lead_ids).select_for_update(no_key=True, skip_locked=True)
        Lead.objects.filter(pk__in=list(held.values_list("pk", flat=True))).update(route_at=at)
    return route_claimed(Lead.objects.filter(pk__in=lead_ids, route_at__lte=at), at=at)


def route_claimed(candidates, *, at):
    with transaction.atomic():
        leads = claim(candidates, at=at)
        if leads:
            known = facts.read(leads, at=at)
            outcomes.carry_out([(lead, decide(lead)) for lead in known], at=at)
        return len(leads)


def claim(candidates, *, at):
    """Lock the companies, then those of the candidates that nobody else holds, and clear what made them due."""
    found = dict(candidates.values_list("pk", "company_id"))
    companies = sorted({company_id for company_id in found.values() if company_id})
    list(
        Company.objects.filter(pk__in=companies)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )
    # Asked again under the lock: a recycling that committed meanwhile made a new score due, and the old one
    # would pass the lead straight back.
    held = (
        Lead.objects.filter(scored(at), pk__in=found, route_at__lte=at)
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("company")
    )
    # Who changed company since, belongs to one that is not locked: the next call takes them.
    leads = [lead for lead in held if lead.company_id == found[lead.pk]]
    Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(route_at=None)
    return leads
