"""What follows from routing's decisions, carried out for a whole batch at once.

Each outcome is a fixed number of statements. A decision that only repeats where the lead already is, writes nothing.
"""

from collections import defaultdict
from datetime import timedelta

from django.db import models

from distribution import handoff, notices
from distribution.assignment import Turns
from distribution.models import Handoff, OpportunityContact, RoutingDecision, RoutingRule, SalesQueue
from leads import places
from leads.criteria import BadCondition, matching
from leads.models import Place, Stage
from nurturing import enrollment
from scoring.criteria import SCORED_CRITERIA

NO_PROGRAM_DAYS = 30  # until a lead that no program takes is looked at again


class Outcome(models.TextChoices):
    KEPT = "kept", "Kept, not routed"
    NOT_CONTACTED = "not_contacted", "Not contacted"
    REFRESHED = "refreshed", "Fresh why now"
    SALES = "sales", "To sales"
    REVIEW = "review", "To review"
    CUSTOMER = "customer", "Customer"
    DISQUALIFIED = "disqualified", "Disqualified"
    NURTURE = "nurture", "Nurture"
    PARKED = "parked", "Parked"


PLACES = {
    Outcome.KEPT: Place.DISQUALIFIED,
    Outcome.NOT_CONTACTED: Place.DISQUALIFIED,
    Outcome.DISQUALIFIED: Place.DISQUALIFIED,
    Outcome.CUSTOMER: Place.CUSTOMER,
    Outcome.NURTURE: Place.NURTURE,
    Outcome.PARKED: Place.PARKED,
}


def carry_out(decided, *, at):
    """`decided`: pairs of facts.Facts and routing.Decision (None: nothing to do), the leads locked."""
    groups = defaultdict(list)
    for lead, decision in decided:
        if decision and is_news(lead, decision):
            groups[decision.outcome].append((lead, decision))
    to_sales(groups[Outcome.SALES] + groups[Outcome.REVIEW], at=at)
    refresh(groups[Outcome.REFRESHED], at=at)
    out = groups[Outcome.KEPT] + groups[Outcome.NOT_CONTACTED] + groups[Outcome.DISQUALIFIED]
    disqualify(out, at=at)
    stay_customers(groups[Outcome.CUSTOMER], at=at)
    park(groups[Outcome.PARKED], at=at)
    nurtured = nurture(groups.pop(Outcome.NURTURE, []), at=at)
    carried_out = [pair for group in groups.values() for pair in group] + nurtured
    RoutingDecision.objects.bulk_create(
        [
            RoutingDecision(
                lead_id=lead.lead.pk,
                at=at,
                step=decision.step,
                outcome=decision.outcome,
                reason=decision.reason[:200],
            )
            for lead, decision in carried_out
        ]
    )


def is_news(lead, decision):
    """False where the lead stands there already and nothing happened since."""
    if decision.outcome in (Outcome.SALES, Outcome.REVIEW):
        return True
    if decision.outcome == Outcome.REFRESHED:
        since = lead.open.why_now_at
        return lead.asked_since(since) or (lead.latest is not None and lead.latest.at > since)
    if lead.lead.place != PLACES[decision.outcome]:
        return True
    if decision.outcome == Outcome.PARKED:
        return lead.lead.wake_at <= lead.at
    if decision.outcome == Outcome.NURTURE:
        return False
    last = lead.decision
    return last is None or (last.step, last.outcome) != (decision.step, decision.outcome)


def to_sales(group, *, at):
    """Choose queue and rep for each in the order of the leads, then write all hand-offs."""
    if not group:
        return
    default, review = handoff.default_queue(), review_queue()
    unowned = [lead.lead.pk for lead, d in group if d.outcome == Outcome.SALES and d.owner is None]
    queues = queues_by_rule(unowned, at=at)
    turns = Turns([default.pk, *(queue.pk for queue in queues.values())], at=at)
    companies = {}  # colleagues in this very batch follow as well
    offers = []
    for lead, decision in group:
        queue, owner = queues.get(lead.lead.pk, default), decision.owner
        if decision.outcome == Outcome.REVIEW:
            queue = review
        elif owner is not None or (owner := companies.get(lead.lead.company_id)) is not None:
            turns.took(owner.pk)
        elif (owner := turns.next(queue.pk)) is None and queue != default:
            # Nobody is free there: better another rep now, and if there is none, one visible place to wait.
            queue, owner = default, turns.next(default.pk)
        if owner is not None and lead.lead.company_id:
            companies.setdefault(lead.lead.company_id, owner)
        offers.append(
            handoff.Offer(
                lead=lead.lead, queue=queue, owner=owner, reason=decision.reason, why_now=lead.why, why_now_at=lead.why_at,
                flags=decision.flags, rating=lead.rating, is_hand_raise=lead.raises_hand and not lead.is_bite,
                has_clock=decision.opportunity is None,
            )
        )  # fmt: skip
    turns.save()
    handoff.offer_many(offers, at=at)
    join_opportunities(group)


def queues_by_rule(lead_ids, *, at):
    """{lead id: queue} by the first routing rule that matches; one statement per rule."""
    found = {}
    if not lead_ids:
        return found
    for rule in RoutingRule.objects.filter(is_active=True).select_related("queue"):
        left = [pk for pk in lead_ids if pk not in found]
        try:
            matches = matching.ids(rule.condition, lead_ids=left, criteria=SCORED_CRITERIA, at=at)
        except BadCondition:
            continue  # written for criteria that exist no more; the admin shows it, the lead must not wait for it
        found |= dict.fromkeys(matches, rule.queue)
    return found


def review_queue():
    queue, _ = SalesQueue.objects.get_or_create(is_review=True, defaults={"name": "Review", "slug": "review"})
    return queue


def join_opportunities(group):
    rows = [
        OpportunityContact(opportunity=decision.opportunity, lead=lead.lead)
        for lead, decision in group
        if decision.opportunity is not None and decision.opportunity.lead_id != lead.lead.pk
    ]
    OpportunityContact.objects.bulk_create(rows, ignore_conflicts=True)


def refresh(group, *, at):
    news, bites = [], []
    for lead, _ in group:
        asks = lead.asked_since(lead.open.why_now_at)
        event = lead.asked if asks else lead.latest
        why = lead.why_asked if asks else str(lead.latest)
        # Dated by what happened: the lead may be looked at again for another reason, such as a new version.
        news.append((lead.open, why, event.at if event else at, asks and not lead.is_bite))
        bites += [lead.open] if asks and lead.is_bite and lead.open.owner_id else []
    handoff.refresh_many(news, at=at)
    notices.took_offer(bites, at=at)


def disqualify(group, *, at):
    for lead, decision in group:
        if lead.open is not None:  # objected, or found to be a test, while a rep had it: rare, so one by one
            handoff.close(
                lead.open, status=Handoff.Status.CLOSED, progress=Handoff.Progress.DISQUALIFIED,
                reason=decision.reason, at=at,
            )  # fmt: skip
    ids, reasons = leave_programs(group, at=at)
    places.move_many(lead_ids=ids, reason=reasons, at=at, place=Place.DISQUALIFIED, stage=Stage.DISQUALIFIED)


def stay_customers(group, *, at):
    ids, reasons = leave_programs(group, at=at)
    places.move_many(lead_ids=ids, reason=reasons, at=at, place=Place.CUSTOMER)


def nurture(group, *, at):
    """Into the first program whose entry matches, or the default; whom none takes is parked for a while, visibly.

    Returns the decisions that changed something.
    """
    if not group:
        return []
    revive(group, stage=Stage.MQL, at=at)
    programs = enrollment.enroll(
        lead_ids=[lead.lead.pk for lead, _ in group], at=at, reason="qualified, not ready"
    )
    entered = [(lead, decision) for lead, decision in group if programs.get(lead.lead.pk)]
    refused = [(lead, decision) for lead, decision in group if not programs.get(lead.lead.pk)]
    for lead, decision in refused:
        decision.outcome, decision.wake_at = Outcome.PARKED, at + timedelta(days=NO_PROGRAM_DAYS)
        decision.reason = programs.reasons.get(lead.lead.pk) or enrollment.NO_PROGRAM
    refused = [(lead, decision) for lead, decision in refused if is_news(lead, decision)]
    return entered + park(refused, at=at)


def park(group, *, at):
    """In one statement: within a group all dates are the same."""
    if not group:
        return []
    revive(group, stage=Stage.INQUIRY, at=at)
    ids, reasons = leave_programs(group, at=at)
    wake_at = max(decision.wake_at for _, decision in group)
    places.move_many(lead_ids=ids, reason=reasons, at=at, place=Place.PARKED, wake_at=wake_at)
    return group


def revive(group, *, stage, at):
    """Whom routing itself had disqualified, and whose reason is gone, begins again; the next score raises them further."""
    ids = [lead.lead.pk for lead, _ in group if lead.lead.stage == Stage.DISQUALIFIED]
    if ids:
        places.move_many(lead_ids=ids, reason="The reason for disqualifying is gone", at=at, stage=stage)
        places.ask_rescore(lead_ids=ids, at=at)


def leave_programs(group, *, at):
    ids = [lead.lead.pk for lead, _ in group]
    nurtured = [lead.lead.pk for lead, _ in group if lead.lead.place == Place.NURTURE]
    if nurtured:
        enrollment.leave(lead_ids=nurtured, at=at, reason=group[0][1].reason)
    return ids, {lead.lead.pk: decision.reason for lead, decision in group}
