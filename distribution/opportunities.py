"""A possible deal with a company: opened, won with an amount, or lost with a reason."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.db.models import Q

from distribution import access
from distribution.handoff import (
    HandoffError,
    choose,
    close,
    disqualify_lead,
    locked,
    log_internal,
    start_anew,
    take_up,
)
from distribution.models import CompanyOwner, Handoff, Opportunity
from distribution.recycling import give_to_marketing
from leads import identity, places
from leads.models import Lead, Place, Relationship, Stage
from nurturing import enrollment

# Reasons for losing: key → (words on screen, days until the person is asked again; None: no fit, disqualified)
LOST_REASONS = {
    "price": ("Price", 90),
    "timing": ("Timing: later", 90),
    "no_decision": ("No decision", 90),
    "competitor": ("Lost to a competitor", 245),  # a year's contract less 120 days
    "no_fit": ("No fit", None),
}


def open(*, handoff, by, name="", at, amount=None, product="", expected_close=None):
    """Open an opportunity from a hand-off; takes the lead where it was only offered. Returns the Opportunity."""
    with transaction.atomic():
        row = locked(handoff)
        take_up(row, by=by, at=at)
        if row.owner_id is None:
            raise HandoffError("Accept the lead first: an opportunity needs an owner.")
        deal = Opportunity.objects.create(
            company=row.lead.company, lead=row.lead, handoff=row, owner=row.owner, product=product.strip()[:100],
            name=(name.strip() or str(row.lead.company or row.lead))[:150], amount=positive(amount) if amount else None,
            campaign_id=row.lead.campaign_id, is_demo=row.is_demo, opened_at=at, expected_close=expected_close,
        )  # fmt: skip
        row.progress = Handoff.Progress.OPPORTUNITY
        row.save(update_fields=["progress"])
        places.advance_many(
            lead_ids=[row.lead_id],
            stage=Stage.SQL,
            reason=f"Opportunity “{deal.name}” opened",
            at=at,
            actor=by,
        )
        log_internal(row, by=by, at=at, kind="opportunity_opened", opportunity=deal.pk, name=deal.name)
        return deal


def win(*, opportunity, by, amount, at):
    """Closed won for `amount` (more than 0). The company becomes a customer and its owner the account owner; colleagues
    are routed again, so that those who are nurtured leave the program. Returns the Opportunity."""
    amount = positive(amount)
    with transaction.atomic():
        # All people of the company will be asked about; in the order of ids, so that two wins there cannot deadlock.
        everybody = Q(pk=opportunity.lead_id) | Q(company=opportunity.company_id, company__isnull=False)
        list(Lead.objects.filter(everybody).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        deal, row = held(opportunity, by)
        deal.status, deal.amount, deal.closed_at = Opportunity.Status.WON, amount, at
        deal.save(update_fields=["status", "amount", "closed_at"])
        if row is not None:
            log_internal(row, by=by, at=at, kind="deal_won", opportunity=deal.pk, amount=str(amount))
            if not others_open(deal):
                close(
                    row,
                    status=Handoff.Status.CLOSED,
                    progress=Handoff.Progress.OPPORTUNITY,
                    reason="Won",
                    at=at,
                )
        places.advance_many(
            lead_ids=[deal.lead_id], stage=Stage.CUSTOMER, reason=f"Won “{deal}”", at=at, actor=by
        )
        if not with_sales(deal.lead):
            enrollment.leave(lead_ids=[deal.lead_id], at=at, reason="Became a customer")
            places.move(lead=deal.lead, place=Place.CUSTOMER, reason=f"Won “{deal}”", at=at, actor=by)
            start_anew(deal.lead, at=at)  # what led to this deal must not hand them over once more
        if deal.company_id:
            make_customer(deal, by=by, at=at)
        places.ask_rescore(
            lead_ids=[deal.lead_id], at=at
        )  # rules may ask for what was won; colleagues follow
        return deal


def make_customer(deal, *, by, at):
    identity.set_fields(
        company=deal.company,
        values={"relationship": Relationship.CUSTOMER.value},
        origin="rep",
        at=at,
        actor=by,
    )
    CompanyOwner.objects.update_or_create(
        company=deal.company,
        defaults={"is_named_account": True},
        create_defaults={"rep": deal.owner, "is_named_account": True, "since": at},
    )
    colleagues = Lead.objects.filter(company=deal.company).exclude(pk=deal.lead_id)
    places.ask_route(lead_ids=list(colleagues.values_list("pk", flat=True)), at=at)


def lose(*, opportunity, by, reason, at, competitor="", until=None):
    """Closed lost. `reason` is a key of LOST_REASONS; the person is recycled until a date by that reason (or `until`),
    or disqualified where there is no fit. Returns the Opportunity."""
    words, days = choose(LOST_REASONS, reason)
    with transaction.atomic():
        deal, row = held(opportunity, by)
        deal.status, deal.lost_reason, deal.closed_at = Opportunity.Status.LOST, words, at
        deal.competitor = competitor.strip()[:100]
        deal.save(update_fields=["status", "lost_reason", "competitor", "closed_at"])
        if row is None:
            return deal
        log_internal(
            row, by=by, at=at, kind="deal_lost", opportunity=deal.pk, reason=words, competitor=deal.competitor
        )
        if others_open(deal) or row.status not in Handoff.OPEN:
            return deal
        if days is None and until is None:
            close(
                row, status=Handoff.Status.CLOSED, progress=Handoff.Progress.DISQUALIFIED, reason=words, at=at
            )
            disqualify_lead(row, reason=words, by=by, at=at)
        else:
            give_to_marketing(
                row, words=f"Closed lost: {words}", until=until or at + timedelta(days=days), by=by, at=at
            )
        return deal


def held(opportunity, by):
    """The opportunity and its hand-off (or None), locked in the order of `handoff`; refused where it is closed."""
    row = locked(opportunity.handoff) if opportunity.handoff_id else None
    deal = (
        Opportunity.objects.select_for_update(no_key=True, of=("self",))
        .select_related("lead__company", "company", "owner__user__rep")
        .get(pk=opportunity.pk)
    )
    if deal.status != Opportunity.Status.OPEN:
        raise HandoffError(f"“{deal}” was closed on {deal.closed_at:%-d %B %Y}: {deal.get_status_display()}.")
    if deal.owner.user_id != by.pk and not (row and access.may_assign(by, row)):
        raise HandoffError(f"“{deal}” is {deal.owner}'s: ask them or a manager.")
    return deal, row


def others_open(deal):
    return Opportunity.objects.filter(handoff=deal.handoff_id, status=Opportunity.Status.OPEN).exists()


def with_sales(lead):
    return Handoff.objects.filter(lead=lead, status__in=Handoff.OPEN).exists()


def positive(amount):
    """A Decimal with two places, more than 0 and below 10 billion, or HandoffError."""
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise HandoffError("The amount must be a number, e.g. 12500.")
    if not Decimal("0.01") <= value < 10**10:
        raise HandoffError("The amount must be more than 0 and less than ten billion.")
    return value.quantize(Decimal("0.01"))
