"""Back from sales: recycled with a reason and a date, or disqualified; and woken when the date has come."""

from datetime import timedelta

from django.db import transaction

from distribution.handoff import (
    HandoffError,
    choose,
    close,
    disqualify_lead,
    locked,
    log_internal,
    refuse_ended,
    refuse_others,
    start_anew,
)
from distribution.models import Handoff, Opportunity
from leads import places
from leads.models import Lead, Place, Relationship, Stage
from nurturing import enrollment
from scoring.models import Verdict
from scoring.queries import routing_scores

# Reasons for recycling: key → (words on screen, days until it is worth asking again)
RECYCLE_REASONS = {
    "timing": ("Not now: a later project", 90),
    "no_budget": ("No budget yet", 90),
    "unresponsive": ("Unresponsive", 60),
    "too_early": ("Too early: still learning", 60),
    "other_contact": ("Not the right person", 120),
    "under_contract": ("Under contract with a competitor", 245),
}
# Reasons for disqualifying: key → words on screen
DISQUALIFY_REASONS = {
    "no_need": "No need",
    "no_fit": "No fit",
    "competitor": "Competitor",
    "student": "Student or private person",
    "supplier": "Supplier or job seeker",
    "left_company": "Left the company",
    "duplicate": "Duplicate",
    "spam": "Spam",
    "invalid": "Invalid contact data",
}
FARTHEST = timedelta(days=3 * 365)


def recycle(*, handoff, by, reason, until=None, at, note=""):
    """Back to marketing until a date. `reason` is a key of RECYCLE_REASONS; `until` an aware datetime, by default
    the reason's days from now. Returns the Handoff.

    Until then only a hand-raise passes to sales again, and of the engagement only what comes from now on counts.
    """
    words, days = choose(RECYCLE_REASONS, reason)
    until = until or at + timedelta(days=days)
    with transaction.atomic():
        row = locked(handoff)
        refuse_ended(row)
        refuse_others(row, by)
        refuse_open_opportunity(row)
        give_to_marketing(row, words=words, until=until, by=by, at=at, note=note)
        return row


def disqualify(*, handoff, by, reason, at, note=""):
    """No lead at all. `reason` is a key of DISQUALIFY_REASONS. Returns the Handoff."""
    words = choose(DISQUALIFY_REASONS, reason)
    with transaction.atomic():
        row = locked(handoff)
        refuse_ended(row)
        refuse_others(row, by)
        refuse_open_opportunity(row)
        close(row, status=Handoff.Status.CLOSED, progress=Handoff.Progress.DISQUALIFIED, reason=words, at=at)
        disqualify_lead(row, reason=words, by=by, at=at, note=note)
        return row


def give_to_marketing(row, *, words, until, by, at, note=""):
    """End a locked hand-off and put its lead where marketing takes over: its nurture program, or parked till the date;
    people of a customer stay customers."""
    if not at < until <= at + FARTHEST:
        raise HandoffError("Choose a date between tomorrow and three years from now.")
    close(
        row, status=Handoff.Status.RETURNED, progress=Handoff.Progress.RECYCLED, reason=words, at=at,
        recycle_until=until,
    )  # fmt: skip
    log_internal(row, by=by, at=at, kind="recycled", reason=words, until=until.isoformat(), note=note)
    lead = row.lead
    reason = f"Given back: {words}, until {until:%-d %B %Y}"
    stage = (
        None if lead.stage == Stage.CUSTOMER else stage_back(lead)
    )  # else the stage alone would pass it again
    if is_customer(lead):
        places.move(
            lead=lead, reason=reason, at=at, stage=stage, place=Place.CUSTOMER, actor=by, new_cycle=True
        )
    else:
        places.move(lead=lead, reason=reason, at=at, stage=stage, actor=by, new_cycle=True)
        if enrollment.enroll(lead_ids=[lead.pk], at=at, reason=reason).get(lead.pk) is None:
            places.move(lead=lead, reason=reason, at=at, place=Place.PARKED, wake_at=until, actor=by)
    start_anew(lead, at=at)


def stage_back(lead):
    """MQL where the fit still says so, else inquiry."""
    score = routing_scores([lead.pk]).get(lead.pk)
    qualified = score is not None and score.verdict not in (Verdict.NONE, Verdict.EXCLUDED)
    return Stage.MQL if qualified else Stage.INQUIRY


def is_customer(lead):
    company = lead.company
    return lead.stage == Stage.CUSTOMER or (
        company is not None and company.relationship == Relationship.CUSTOMER
    )


def refuse_open_opportunity(row):
    deal = Opportunity.objects.filter(handoff=row, status=Opportunity.Status.OPEN).first()
    if deal is not None:
        raise HandoffError(f"Close the opportunity “{deal}” first, as won or lost.")


def wake_parked(*, at, limit=500):
    """Those whose date has come are scored and routed again: parked leads, and recycled ones wherever they are.

    Returns how many; call again until 0. What becomes of them is routing's decision, with a row of its own.
    """
    with transaction.atomic():
        parked = list(
            Lead.objects.filter(place=Place.PARKED, wake_at__lte=at, route_at__isnull=True)
            .order_by("wake_at", "id")
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("id", flat=True)[:limit]
        )
        recycled = list(
            Handoff.objects.filter(recycle_until__lte=at, woken_at__isnull=True)
            .order_by("recycle_until", "id")
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("id", "lead_id")[:limit]
        )
        Handoff.objects.filter(pk__in=[pk for pk, _ in recycled]).update(woken_at=at)
        due = sorted({*parked, *(lead_id for _, lead_id in recycled)})
        if due:
            places.ask_rescore(lead_ids=due, at=at)
            places.ask_route(lead_ids=due, at=at)
        return len(due)
