"""A lead is offered to sales; a rep takes it, declines it or is given it.

Locks, always in this order: lead, hand-off, seats of the queue, owner of the company. Every verb of this app begins
with `locked`, so a click, a batch of routing and a second click wait for each other and never in a circle.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from distribution import access, notices
from distribution.assignment import Turns, decliners, give_back, someone_is_free
from distribution.models import Action, Handoff, Rep, SalesQueue
from distribution.ownership import hand_over, take_companies
from leads import activities, places
from leads.models import Lead, Place, Stage
from leads.rows import fetch
from nurturing import enrollment

NEXT_REP = "next rep"
DISQUALIFY = "disqualify"
# Reasons for declining: key → (words on screen, what becomes of the lead)
DECLINE_REASONS = {
    "duplicate": ("Duplicate", DISQUALIFY),
    "spam": ("Spam", DISQUALIFY),
    "invalid": ("Invalid contact data", DISQUALIFY),
    "not_mine": ("Not my area", NEXT_REP),
    "no_time": ("No time", NEXT_REP),
}
BEFORE_SALES = [Stage.INQUIRY, Stage.MQL, Stage.DISQUALIFIED]


class HandoffError(Exception):
    """What was asked cannot be done now; the text says why and is meant for the screen."""


@dataclass
class Offer:
    """One lead about to be handed off."""

    lead: Lead
    queue: SalesQueue
    reason: str
    owner: Rep | None = None  # None: it waits in the queue
    why_now: str = ""
    why_now_at: datetime | None = None  # None: now
    flags: list = field(default_factory=list)
    rating: str = ""
    is_hand_raise: bool = False
    has_clock: bool = True  # False: joins a running opportunity, no first response is owed


def offer(*, lead, queue=None, reason, at, owner=None, flags=(), is_hand_raise=False, why_now="", rating=""):
    """Hand one lead to `owner`, or to whose turn it is in `queue` (the default queue), or let it wait there.

    Returns the Handoff. Raises HandoffError where the lead is with sales already.
    """
    with transaction.atomic():
        lead = (
            Lead.objects.select_for_update(no_key=True, of=("self",))
            .select_related("company")
            .get(pk=lead.pk)
        )
        if (there := open_handoff(lead)) is not None:
            raise HandoffError(f"{lead} is with sales already: {owner_words(there)}.")
        queue = queue or default_queue()
        if owner is None and not queue.is_review:
            turns = Turns([queue.pk], at=at)
            owner = turns.next(queue.pk)
            turns.save()
        wish = Offer(
            lead=lead, queue=queue, owner=owner, reason=reason, why_now=why_now, flags=list(flags), rating=rating,
            is_hand_raise=is_hand_raise,
        )  # fmt: skip
        return offer_many([wish], at=at)[0]


def offer_many(offers, *, at):
    """Write a batch of hand-offs whose leads the caller has locked and found without an open one. Returns them.

    A fixed number of statements: rows, places, programs left, log, company owners, notices.
    """
    if not offers:
        return []
    rows = Handoff.objects.bulk_create([new_row(wish, at) for wish in offers])
    reasons = {wish.lead.pk: wish.reason for wish in offers}
    late = [pk for pk, wish in zip(reasons, offers, strict=True) if wish.lead.stage not in BEFORE_SALES]
    early = [pk for pk in reasons if pk not in set(late)]
    places.move_many(lead_ids=early, reason=reasons, at=at, place=Place.SALES, stage=Stage.SALES_READY)
    places.move_many(lead_ids=late, reason=reasons, at=at, place=Place.SALES)
    enrollment.leave(lead_ids=list(reasons), at=at, reason="Handed to sales")
    activities.record_many(
        [
            {"lead_id": row.lead_id, "kind": "handoff", "at": at, "engagement": False,
             "properties": {"handoff": row.pk, "reason": row.reason, "owner": str(row.owner or "")}}
            for row in rows
        ],
        received_at=at,
    )  # fmt: skip
    take_companies([(wish.lead.company_id, wish.owner) for wish in offers], at=at)
    notices.handed_off([row for row in rows if row.owner_id], at=at)
    return rows


def new_row(wish, at):
    minutes = wish.queue.first_response_minutes
    return Handoff(
        lead=wish.lead,
        queue=wish.queue,
        owner=wish.owner,
        status=Handoff.Status.OFFERED if wish.owner else Handoff.Status.WAITING,
        cycle_no=wish.lead.cycle_no,
        reason=wish.reason[:200],
        flags=list(wish.flags),
        why_now=(wish.why_now or wish.reason)[:200],
        why_now_at=wish.why_now_at or at,
        rating=wish.rating,
        is_hand_raise=wish.is_hand_raise,
        is_demo=wish.lead.is_demo,
        created_at=at,
        respond_by=at + timedelta(minutes=minutes) if wish.has_clock else None,
        offered_at=at if wish.owner else None,
    )


def default_queue():
    queue = SalesQueue.objects.filter(is_default=True).first()
    if queue is None:  # somebody removed it; a lead must still have somewhere to wait
        queue, _ = SalesQueue.objects.update_or_create(
            slug="sales", defaults={"is_default": True}, create_defaults={"name": "Sales", "is_default": True}
        )
    return queue


def refresh_many(news, *, at):
    """`news`: (locked open Handoff, why, when it happened, is hand-raise). A hand-raise also sends its rep a notice."""
    for row, why, happened_at, is_hand_raise in news:
        row.why_now, row.why_now_at = why[:200], happened_at
        row.is_hand_raise = row.is_hand_raise or is_hand_raise
    Handoff.objects.bulk_update([row for row, *_ in news], ["why_now", "why_now_at", "is_hand_raise"])
    notices.asks_again([row for row, _, _, asks in news if asks and row.owner_id], at=at)


def accept(*, handoff, by, at):
    """`by` (a Django user) takes the lead: the rep it was offered to, or any of the queue where it waits.

    Returns the Handoff; twice is once. Raises HandoffError naming the owner where somebody was quicker.
    """
    with transaction.atomic():
        row = locked(handoff)
        if row.status == Handoff.Status.ACCEPTED and row.owner.user_id == by.pk:
            return row
        before = snapshot(row)
        take_up(row, by=by, at=at)
        activity = log_internal(row, by=by, at=at, asset="accepted", owner=str(row.owner))
        Action.objects.create(
            handoff=row, by=by, kind=Action.Kind.ACCEPT, at=at, before=before, activity=activity
        )
        return row


def take_up(row, *, by, at):
    """Make a locked hand-off `by`'s own, or raise. Nothing happens where it is already."""
    refuse_ended(row)
    if row.status == Handoff.Status.WAITING:
        refuse_others(row, by)
        if row.queue.is_review:
            raise HandoffError(f"{row.lead} waits in {row.queue}: give it to a rep, or disqualify it.")
        row.owner = rep_of(by)
        row.offered_at = at
        take_companies([(row.lead.company_id, row.owner)], at=at)
    elif row.owner.user_id != by.pk:
        if access.may_assign(by, row):
            return  # a manager works on a rep's lead without taking it away
        raise HandoffError(f"{row.lead} is {row.owner}'s: ask them, or have a manager reassign it.")
    if row.status == Handoff.Status.ACCEPTED:
        return
    row.status, row.accepted_at = Handoff.Status.ACCEPTED, at
    row.save(update_fields=["owner", "offered_at", "status", "accepted_at"])
    places.advance_many(
        lead_ids=[row.lead_id], stage=Stage.SAL, reason=f"Accepted by {row.owner}", at=at, actor=by
    )


def decline(*, handoff, by, reason, at, note=""):
    """The rep says no. `reason` is a key of DECLINE_REASONS: either the lead was none and they get the turn back,
    or it goes to the next rep of the queue (waits, where there is no other). Returns the Handoff."""
    words, consequence = choose(DECLINE_REASONS, reason)
    with transaction.atomic():
        row = locked(handoff)
        refuse_ended(row)
        refuse_others(row, by)
        if row.status == Handoff.Status.ACCEPTED:
            raise HandoffError("It is accepted already: give it back or disqualify it instead.")
        if consequence == DISQUALIFY:
            if row.owner_id:
                give_back(queue_id=row.queue_id, rep_id=row.owner_id)
            close(
                row, status=Handoff.Status.CLOSED, progress=Handoff.Progress.DISQUALIFIED, reason=words, at=at
            )
            disqualify_lead(row, reason=words, by=by, at=at, note=note)
            return row
        pass_on(row, reason=words, note=note, by=by, at=at)
        return row


def pass_on(row, *, reason, note, by, at):
    """To whose turn it is, in its queue or else in the default one where it waits; whoever declined it is left out."""
    declined, default = row.owner, default_queue()
    log_internal(
        row, by=by, at=at, asset="declined", reason=reason, note=note, owner=str(declined or ""),
        rep=row.owner_id, cycle=row.cycle_no,
    )  # fmt: skip
    refused = decliners([row])[row.pk]
    turns = Turns([row.queue_id, default.pk], at=at)
    row.owner = turns.next(row.queue_id, but=refused)
    if row.owner is None and row.queue_id != default.pk:
        row.queue, row.owner = default, turns.next(default.pk, but=refused)
    turns.save()
    row.status = Handoff.Status.OFFERED if row.owner else Handoff.Status.WAITING
    row.offered_at = at if row.owner else None
    row.save(update_fields=["owner", "queue", "status", "offered_at"])
    if row.owner:
        hand_over(row, giver=declined, at=at)
        notices.handed_off([row], at=at)


def assign(*, handoff, rep, by, at):
    """A manager (in review: a marketer) gives an open hand-off to `rep`. The promised first response stays; the company
    goes with its lead."""
    with transaction.atomic():
        row = locked(handoff)
        refuse_ended(row)
        if not access.may_assign(by, row):
            raise HandoffError("Only a manager of the team can assign it.")
        if not rep.user.is_active:
            raise HandoffError(f"{rep} has no active account: choose another rep.")
        if row.owner_id == rep.pk:
            return row
        if row.queue.is_review:
            row.queue = default_queue()
        giver = row.owner
        row.owner, row.status, row.offered_at, row.accepted_at = rep, Handoff.Status.OFFERED, at, None
        row.save(update_fields=["owner", "queue", "status", "offered_at", "accepted_at"])
        row.follow_ups.filter(done_at__isnull=True).update(owner=rep)
        hand_over(row, giver=giver, at=at)
        take_companies([(row.lead.company_id, rep)], at=at)
        log_internal(row, by=by, at=at, asset="assigned", owner=str(rep))
        notices.handed_off([row], at=at)
        return row


def assign_waiting(*, at, limit=200):
    """Give waiting hand-offs to reps who are free again, oldest first; how many found one."""
    queues = someone_is_free(at)
    if not queues:
        return 0
    with transaction.atomic():
        rows = list(
            Handoff.objects.filter(status=Handoff.Status.WAITING, queue__in=queues, queue__is_review=False)
            .select_for_update(skip_locked=True, no_key=True, of=("self",))
            .select_related("lead__company", "queue")
            .order_by("created_at", "id")[:limit]
        )
        if not rows:
            return 0
        turns = Turns([row.queue_id for row in rows], at=at)
        companies = {}  # two colleagues who waited go to one rep
        refused = decliners(rows)
        for row in rows:
            owner = companies.get(row.lead.company_id)
            if owner is None or owner.pk in refused[row.pk]:
                owner = turns.next(row.queue_id, but=refused[row.pk])
            row.owner = owner
            if row.owner and row.lead.company_id:
                companies[row.lead.company_id] = row.owner
        turns.save()
        given = [row for row in rows if row.owner]
        for row in given:
            row.status, row.offered_at = Handoff.Status.OFFERED, at
        Handoff.objects.bulk_update(given, ["owner", "status", "offered_at"])
        take_companies([(row.lead.company_id, row.owner) for row in given], at=at)
        notices.handed_off(given, at=at)
        return len(given)


# --- shared by the verbs of a hand-off --------------------------------------------------------------


def locked(handoff):
    """The hand-off as it is now, with its lead; both locked until the transaction ends, the lead first."""
    fetch("SELECT FROM leads_lead WHERE id = %s FOR NO KEY UPDATE", [handoff.lead_id], returns=False)
    return (
        Handoff.objects.select_for_update(no_key=True, of=("self",))
        .select_related("lead__company", "owner__user", "queue")
        .get(pk=handoff.pk)
    )


def open_handoff(lead):
    return (
        Handoff.objects.filter(lead=lead, status__in=Handoff.OPEN)
        .select_related("owner__user", "queue")
        .first()
    )


def refuse_ended(row):
    if row.status not in Handoff.OPEN:
        when = f"{row.ended_at:%-d %B %Y}" if row.ended_at else "earlier"
        raise HandoffError(f"This hand-off ended on {when}: {row.end_reason or row.get_status_display()}.")


def refuse_others(row, by):
    """Only the owner, or who may assign it, decides; where it waits, anybody who may see it."""
    if row.owner_id and row.owner.user_id != by.pk and not access.may_assign(by, row):
        raise HandoffError(f"{row.lead} is {row.owner}'s: ask them, or have a manager reassign it.")
    if not row.owner_id and not access.may_work(by, row):
        raise HandoffError(f"{row.lead} waits in {row.queue}, which is not one of your queues.")


def rep_of(user):
    rep = Rep.objects.filter(user=user).select_related("user").first()
    if rep is None:
        raise HandoffError(f"{user} is not a sales rep: assign the lead to one.")
    return rep


def choose(table, key):
    if key not in table:
        raise HandoffError(f"Choose a reason: {', '.join(table)}.")
    return table[key]


def owner_words(row):
    return f"{row.owner} has it" if row.owner else f"it waits in {row.queue}"


RESTORED = [
    "status", "owner_id", "progress", "attempts", "flags", "offered_at", "accepted_at", "first_response_at",
]  # fmt: skip


def snapshot(row):
    """What `undo` writes back: the fields that working on a hand-off changes, and the lead's stage."""
    values = {name: getattr(row, name) for name in RESTORED}
    plain = {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}
    return {"handoff": plain, "stage": row.lead.stage}


def close(row, *, status, progress, reason, at, recycle_until=None):
    """End a locked hand-off and the follow-ups that were open in it."""
    row.status, row.progress, row.ended_at, row.end_reason = status, progress, at, reason[:200]
    row.recycle_until = recycle_until
    row.save(update_fields=["status", "progress", "ended_at", "end_reason", "recycle_until"])
    row.follow_ups.filter(done_at__isnull=True).update(done_at=at)


def disqualify_lead(row, *, reason, by, at, note=""):
    """What a person said about a lead; reversible: a new hand-raise passes again (except after "Spam")."""
    places.move(
        lead=row.lead, reason=reason, at=at, stage=Stage.DISQUALIFIED, place=Place.DISQUALIFIED, actor=by
    )
    log_internal(row, by=by, at=at, asset="disqualified", reason=reason, note=note)
    start_anew(row.lead, at=at)


def start_anew(lead, *, at):
    """From here on only new engagement counts towards passing again."""
    activities.record(
        lead=lead, kind="engagement_since", at=at, engagement=False, properties={"mode": "restart"}
    )
    places.ask_rescore(lead_ids=[lead.pk], at=at)


def log_internal(row, *, by, at, kind="handoff", asset="", **properties):
    """What the product or its people did about a lead: in the log, never engagement."""
    return activities.record(
        lead=row.lead, kind=kind, asset=asset, at=at, engagement=False,
        properties={"handoff": row.pk, "by": str(by.get_full_name() or by.get_username()), **properties},
    )  # fmt: skip
