"""Into a program and out of it. Place and enrollment change in one transaction, always.

Locks are taken in one order everywhere: leads by id, then enrollments, then touches, then the
address (`consent.suppress`).
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Max

from leads import consent, doorbell, places
from leads.criteria import BadCondition, matching
from leads.models import Lead, Place
from nurturing.models import Enrollment, Program, Step, Touch
from nurturing.schedule import following, kinds_after, steps_of, touch
from scoring.criteria import SCORED_CRITERIA

log = logging.getLogger(__name__)

REST = timedelta(days=90)  # after a program a lead rests this long, then routing looks again
CANCELLABLE = ["due", "claimed", "open"]
ACTIVE = Enrollment.Status.ACTIVE

NO_PROGRAM = "no published program takes this lead"
NO_CHANNEL = "no usable channel: no e-mail that may be written to and no phone number for a call"
UNSUBSCRIBED = "Unsubscribed from marketing mail"


class Enrolled(dict):
    """{lead id: Program, or None for a lead without a next step}; `reasons` says why None."""

    def __init__(self):
        super().__init__()
        self.reasons = {}

    def refuse(self, lead_id, reason):
        self[lead_id] = None
        self.reasons[lead_id] = reason


def enroll(*, lead_ids, at, reason="", program=None):
    """Put leads into a main program and move them to nurture → Enrolled.

    `program` None: the first whose entry condition holds, else the default one. A lead that is in a
    main program already stays there. One that has no usable channel stays where it is, with None.
    `reason` is added to the reason of the move.
    """
    result = Enrolled()
    with transaction.atomic(savepoint=False):
        ids = lock(lead_ids)
        inside = Enrollment.objects.filter(lead__in=ids, status=ACTIVE, is_main=True).select_related(
            "program"
        )
        result |= {row.lead_id: row.program for row in inside}
        newcomers = [lead_id for lead_id in ids if lead_id not in result]
        if newcomers:
            steps = choose(result, newcomers, at=at, program=program)
            chosen = {lead_id: result[lead_id] for lead_id in newcomers if result[lead_id]}
            enter(chosen, steps, at=at, reason=reason)
    return result


def lock(lead_ids):
    rows = Lead.objects.filter(pk__in=list(lead_ids)).order_by("pk").select_for_update(no_key=True)
    return list(rows.values_list("pk", flat=True))


def choose(result, lead_ids, *, at, program=None):
    """Fill `result` with the program of each lead, or None and the reason; one statement a program. Returns the
    steps of the programs asked: {version id: [Step]}."""
    mailable, callable_ = reachable(lead_ids)
    left = set(lead_ids)
    programs = [program] if program else candidates()
    steps = steps_of([each.current_version_id for each in programs])
    met_one = set()
    been_through = set() if program else finished(lead_ids)
    for each in programs:
        by_condition = not (program or each.is_default)
        takes = who_enters(each, left, at=at) if by_condition else set(left)
        takes = {lead_id for lead_id in takes if (lead_id, each.pk) not in been_through}
        met_one |= takes
        kinds = kinds_after(steps[each.current_version_id])
        usable = (mailable if Step.Kind.MAIL in kinds else set()) | (
            callable_ if Step.Kind.CALL_TASK in kinds else set()
        )
        for lead_id in takes & usable:
            result[lead_id] = each
        left -= takes & usable
    for lead_id in left:
        result.refuse(lead_id, NO_CHANNEL if lead_id in met_one else NO_PROGRAM)
    return steps


def finished(lead_ids):
    """{(lead id, program id)} of those who were in a program to its end: it has nothing new for them."""
    rows = Enrollment.objects.filter(lead__in=list(lead_ids), status=Enrollment.Status.FINISHED)
    return set(rows.values_list("lead_id", "program_id"))


def candidates():
    """Published main programs in the order in which they are asked; the default one comes last."""
    rows = Program.objects.filter(is_main=True, current_version__isnull=False).order_by("position", "pk")
    return [row for row in rows if row.entry and not row.is_default] + [row for row in rows if row.is_default]


def who_enters(program, lead_ids, *, at):
    """Ids of the leads for which its entry condition holds; one that cannot be read holds for nobody."""
    try:
        return matching.ids(program.entry, lead_ids=lead_ids, criteria=SCORED_CRITERIA, at=at)
    except BadCondition as error:
        log.error("entry condition: %s", error)
        return set()


def reachable(lead_ids):
    """(ids that may get marketing mail, ids that may be called). A missing consent does not count
    here: it skips the mail, visibly, and may still be given."""
    ids = set(lead_ids)
    no_mail = consent.refusals(ids, channel="email", purpose="marketing")
    no_call = consent.refusals(ids, channel="phone", purpose="sales")
    return ids - {pk for pk, why in no_mail.items() if why != "no consent"}, ids - no_call.keys()


def enter(chosen, steps, *, at, reason=""):
    """Write enrollment, first touch and place of {lead id: program}; `steps` by version as `choose` returns them."""
    if not chosen:
        return
    cycles = dict(
        Enrollment.objects.filter(lead__in=chosen, is_main=True)
        .values("lead").annotate(last=Max("cycle_no")).values_list("lead", "last").order_by()
    )  # fmt: skip
    entered = Enrollment.objects.bulk_create(
        Enrollment(
            lead_id=lead_id, program=program, version_id=program.current_version_id, is_main=True,
            cycle_no=cycles.get(lead_id, 0) + 1, entered_at=at,
        )
        for lead_id, program in chosen.items()
    )  # fmt: skip
    first = [(row, *following(steps[row.version_id])) for row in entered]
    Touch.objects.bulk_create(touch(row, step, at + wait) for row, step, wait in first if step)
    reasons = {
        lead_id: f"Nurture: {program}" + (f" ({reason})" if reason else "")
        for lead_id, program in chosen.items()
    }
    places.move_many(lead_ids=list(chosen), place=Place.NURTURE, reason=reasons, at=at)
    if any(not wait for _, step, wait in first if step):
        doorbell.ring("touch")


def leave(*, lead_ids, at, reason):
    """End all active enrollments of these leads and cancel what was still to come → ids that were in one.

    The caller moves the place. A mail that is `sending` finishes: nobody can call it back.
    """
    with transaction.atomic(savepoint=False):
        ids = lock(lead_ids)
        ended = end(
            Enrollment.objects.filter(lead__in=ids), at=at, reason=reason, status=Enrollment.Status.EXITED
        )
    return {lead_id for _, lead_id in ended}


def end(enrollments, *, at, reason, status):
    """End those of `enrollments` that are active → [(enrollment id, lead id)]. Leads are locked by the caller."""
    active = enrollments.filter(status=ACTIVE).order_by("pk").select_for_update(no_key=True)
    ended = list(active.values_list("pk", "lead_id"))
    if ended:
        ids = [pk for pk, _ in ended]
        Enrollment.objects.filter(pk__in=ids).update(status=status, reason=reason[:200], ended_at=at)
        Touch.objects.filter(enrollment__in=ids, status__in=CANCELLABLE).update(
            status=Touch.Status.CANCELLED, reason=reason[:300], settled_at=at, followed_up=True,
            lease_until=None, token=None,
        )  # fmt: skip
    return ended


def rest(*, lead_ids, at, reason):
    """Leads whose program ended without a next place rest, with a date: then routing looks again.

    Only those that still stand in nurture; the caller holds their locks.
    """
    standing = Lead.objects.filter(pk__in=list(lead_ids), place=Place.NURTURE).values_list("pk", flat=True)
    return places.move_many(
        lead_ids=list(standing), place=Place.PARKED, wake_at=at + REST, reason=reason, at=at
    )


def resume(*, enrollment, at):
    """Undo an exit: the same enrollment goes on where it stopped. False where the lead has moved on."""
    with transaction.atomic():
        lock([enrollment.lead_id])
        row = Enrollment.objects.select_for_update(no_key=True).get(pk=enrollment.pk)
        busy = Enrollment.objects.filter(lead=row.lead_id, status=ACTIVE, is_main=True).exists()
        moved_on = not Lead.objects.filter(pk=row.lead_id, place=Place.PARKED).exists()
        if row.status != Enrollment.Status.EXITED or busy or moved_on:
            return False
        Touch.objects.filter(
            enrollment=row, status="cancelled", settled_at=row.ended_at, reason=row.reason
        ).update(status=Touch.Status.DUE, reason="", settled_at=None, followed_up=False)
        Enrollment.objects.filter(pk=row.pk).update(status=ACTIVE, reason="", ended_at=None)
        places.move_many(
            lead_ids=[row.lead_id], place=Place.NURTURE, reason=f"Nurture: {enrollment.program}", at=at
        )
        doorbell.ring("touch")
    return True
