"""Due touches are performed: mails go out, calls open, and each one settled schedules the next.

There is one touch per enrollment ahead, made when the one before it has settled: an edit, a pause
or an exit then has nothing to take back, and after an outage the distances between mails hold.
A settled touch that has not been followed up is due work itself (`followed_up`).
"""

import logging
from datetime import timedelta

from django.db import transaction

from leads import activities, consent, doorbell
from leads.models import Lead
from leads.rows import fetch
from nurturing import mail, sending
from nurturing.enrollment import NO_CHANNEL, end, lock, reachable, rest
from nurturing.mailbox import why_local
from nurturing.models import Enrollment, Program, Step, Touch
from nurturing.schedule import following, kinds_after, steps_of, touch
from nurturing.sending import Outcome, Parcel, Status

log = logging.getLogger(__name__)

CALL_WITHIN = timedelta(days=14)  # an open call holds its program up no longer than this
NO_POSTAL_ADDRESS = "no postal address: set POSTAL_ADDRESS, which the law asks marketing mail to carry"

NOT_PAUSED = """AND NOT EXISTS (SELECT 1 FROM nurturing_enrollment e
  WHERE e.id = d.enrollment_id AND e.program_id = ANY(%(paused)s))"""
RELATED = ("enrollment__program", "step__template", "lead__company")
LOCK_ADDRESS = "pg_advisory_xact_lock_shared(%s, hashtext(%s))"
LOCK_ADDRESSES = (
    "SELECT pg_advisory_xact_lock_shared(%s, hashtext(a)) FROM unnest(%s::text[]) AS a ORDER BY a"
)
# A scalar subquery, not EXISTS: it goes by the primary key whatever the planner believes of the tables.
MAY_LEAVE = f"""(
    SELECT e.status = 'active' AND NOT p.is_paused
    FROM nurturing_enrollment e JOIN nurturing_program p ON p.id = e.program_id WHERE e.id = d.enrollment_id
  ) AND EXISTS ({consent.ALLOWED}) AND NOT EXISTS ({consent.IN_FORCE})"""  # noqa: S608
STANDING = f"""
SELECT t.id, e.status, p.is_paused, l.email IS NOT NULL,
  l.id IN (SELECT id FROM ({consent.ALLOWED}) allowed),
  (SELECT reason FROM ({consent.IN_FORCE}) forbidden WHERE forbidden.id = l.id)
FROM nurturing_touch t
JOIN nurturing_enrollment e ON e.id = t.enrollment_id
JOIN nurturing_program p ON p.id = e.program_id
JOIN leads_lead l ON l.id = t.lead_id
WHERE t.id = ANY(%s)
"""  # noqa: S608 - constants of leads.consent, values are bound


ALREADY_SENT = """
SELECT t.id FROM nurturing_touch t JOIN nurturing_step s ON s.id = t.step_id
WHERE t.id = ANY(%s) AND EXISTS (
  SELECT 1 FROM nurturing_touch o JOIN nurturing_step os ON os.id = o.step_id
  WHERE o.lead_id = t.lead_id AND o.id <> t.id AND o.status IN ('sent', 'uncertain')
    AND os.template_id = s.template_id)
"""


def perform_due(*, at, limit=100):
    """Perform up to `limit` touches due at `at` → how many were claimed."""
    paused = list(Program.objects.filter(is_paused=True).values_list("pk", flat=True))
    rows = sending.claim(
        Touch, at=at, limit=limit, related=RELATED,
        condition=NOT_PAUSED if paused else "", params={"paused": paused} if paused else None,
    )  # fmt: skip
    open_calls([row for row in rows if row.kind == Step.Kind.CALL_TASK], at=at)
    mails = [row for row in rows if row.kind == Step.Kind.MAIL]
    if mails:
        sending.send(Touch, mails, compose=compose, guard=guard, on_unknown=bounced(at), at=at)
    follow_up(at=at)
    return len(rows)


def compose(rows):
    """{touch: Parcel, or the Outcome of one that cannot or may not leave}."""
    refused = consent.refusals([row.lead_id for row in rows], channel="email", purpose="marketing")
    # Who comes back into a program, or meets the same mail in another one, has read it.
    repeated = {pk for (pk,) in fetch(ALREADY_SENT, [[row.pk for row in rows]])}
    links = mail.Links([row for row in rows if row.pk not in repeated])
    composed = {}
    for row in rows:
        if row.lead_id in refused:
            composed[row] = Outcome(Status.SKIPPED, refused[row.lead_id])
        elif row.pk in repeated:
            composed[row] = Outcome(Status.SKIPPED, "this mail was sent to them before")
        else:
            composed[row] = composed_one(row, links)
    links.save()
    return composed


def composed_one(row, links):
    try:
        message = mail.render(row.step.template, row.lead, row, links=links)
    except mail.BadTemplate as error:
        return Outcome(Status.FAILED, str(error))
    except Exception as error:  # one poisoned row must not stop the queue
        log.exception("touch %s", row.pk)
        return Outcome(Status.FAILED, f"the mail could not be written: {type(error).__name__} {error}")
    if not mail.postal_address() and not why_local(message, is_demo=row.lead.is_demo):
        return Outcome(Status.DUE, NO_POSTAL_ADDRESS, hold=True)
    return Parcel(message, row.lead.is_demo)


def addresses(row):
    return [consent.fold(address) for address in (row.lead.email, row.lead.phone) if address]


class MarketingGuard(sending.Guard):
    """Who left, paused, unsubscribed or withdrew before the commit of `sending` gets no mail.

    The addresses are locked too, so that a suppression is either seen here or waits.
    """

    def lock(self, row):
        found = addresses(row)
        values = [value for address in found for value in (consent.LOCK_CLASS, address)]
        return ", ".join([LOCK_ADDRESS] * len(found)), values

    def condition(self, row):
        return MAY_LEAVE, ["email", "marketing", [row.lead_id], [row.lead_id], "email", "marketing"]

    def refusals(self, rows):
        found = sorted({address for row in rows for address in addresses(row)})
        fetch(LOCK_ADDRESSES, [consent.LOCK_CLASS, found])
        leads, channel = [row.lead_id for row in rows], ["email", "marketing"]
        standing = fetch(STANDING, [*channel, leads, leads, *channel, [row.pk for row in rows]])
        outcomes = {pk: verdict(*facts) for pk, *facts in standing}
        return {pk: outcome for pk, outcome in outcomes.items() if outcome}


guard = MarketingGuard()


def verdict(status, is_paused, has_email, is_allowed, suppression):
    if status != Enrollment.Status.ACTIVE:
        return Outcome(Status.CANCELLED, "left the program")
    if suppression:
        return Outcome(Status.SKIPPED, f"suppressed: {suppression}")
    if not has_email:
        return Outcome(Status.SKIPPED, "no e-mail address")
    if not is_allowed:
        return Outcome(Status.SKIPPED, "no consent")
    if is_paused:
        return Outcome(Status.DUE, "the program is paused")
    return None


def bounced(at):
    """What to do about an address that does not exist: never write to it again, for any purpose."""

    def suppress(row):
        consent.suppress(address=row.lead.email, channel="email", purpose="all", reason="bounced", at=at)

    return suppress


def open_calls(rows, *, at):
    """A call that is due becomes an open task, unless the person cannot or must not be called."""
    refused = consent.refusals([row.lead_id for row in rows], channel="phone", purpose="sales")
    sending.settle(
        Touch,
        {
            row: Outcome(Status.SKIPPED, refused[row.lead_id])
            if row.lead_id in refused
            else Outcome(Status.OPEN)
            for row in rows
        },
        at=at,
    )


def done(touch, *, by, at, note=""):
    """A person made the call of an open task → False where it was open no more."""
    return close(touch, by=by, at=at, status=Status.DONE, reason=note or "called")


def skip(touch, *, by, at, reason):
    """A person decides that this call is not to be made."""
    return close(touch, by=by, at=at, status=Status.SKIPPED, reason=reason)


def close(touch, *, by, at, status, reason):
    with transaction.atomic():
        lock([touch.lead_id])
        closed = Touch.objects.filter(pk=touch.pk, status=Status.OPEN).update(
            status=status, reason=reason[:300], settled_at=at
        )
        if closed and status == Status.DONE:
            activities.record(
                lead=touch.lead, kind="call", at=at, engagement=False, message_id=f"touch-{touch.pk}-call",
                properties={"by": str(by), "note": reason, "program": str(touch.enrollment.program)},
            )  # fmt: skip
        if closed:
            follow_up(at=at, lead_ids=[touch.lead_id])
    return bool(closed)


def give_up_calls(*, at):
    """Calls nobody made within two weeks are skipped, so that their programs go on."""
    return Touch.objects.filter(status=Status.OPEN, due_at__lt=at - CALL_WITHIN).update(
        status=Status.SKIPPED, reason=f"nobody called within {CALL_WITHIN.days} days", settled_at=at
    )


def reap(*, at):
    """Take back what dead workers held, give up old calls, follow up what they left → rows touched."""
    again, uncertain = sending.reap(Touch, at=at)
    given_up = give_up_calls(at=at)
    if again:
        doorbell.ring("touch")
    return again + uncertain + given_up + follow_up(at=at)


def follow_up(*, at, limit=500, lead_ids=None):
    """Log what was sent and schedule what comes next for settled touches → how many.

    Everything for a touch happens in one transaction with its mark, so a crash repeats or does it
    whole. Leads are locked first; those that are busy elsewhere wait for the next tick.
    """
    open_ends = Touch.objects.filter(status__in=Touch.SETTLED, followed_up=False)
    if lead_ids is not None:
        open_ends = open_ends.filter(lead__in=lead_ids)
    with transaction.atomic():
        wanted = set(open_ends.order_by("pk").values_list("lead_id", flat=True)[:limit])
        if not wanted:
            return 0
        free = (
            Lead.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True, skip_locked=True)
        )
        free = list(free.values_list("pk", flat=True))
        settled = list(
            open_ends.filter(lead__in=free).select_related("enrollment__program", "step__template")
        )
        log_sent(settled, at=at)
        go_on(settled, at=at)
        Touch.objects.filter(pk__in=[row.pk for row in settled]).update(followed_up=True)
    return len(settled)


def log_sent(settled, *, at):
    activities.record_many(
        [
            {
                "lead_id": row.lead_id, "kind": "mail_sent", "asset": row.step.template.slug, "at": row.settled_at,
                "engagement": False, "message_id": row.message_id,
                "properties": {"program": row.enrollment.program.name, "mail": row.step.template.name, "touch": row.pk},
            }
            for row in settled
            if row.status == Status.SENT
        ],
        received_at=at,
    )  # fmt: skip


def go_on(settled, *, at):
    """The next touch of each enrollment that is still active, or its end."""
    ids = {row.enrollment_id for row in settled}
    active = Enrollment.objects.filter(pk__in=ids, status=Enrollment.Status.ACTIVE).order_by("pk")
    active = set(active.select_for_update(no_key=True).values_list("pk", flat=True))
    settled = [row for row in settled if row.enrollment_id in active]
    steps = steps_of(row.enrollment.version_id for row in settled)
    mailable, callable_ = reachable(row.lead_id for row in settled)
    upcoming, finished, stranded = [], [], []
    for row in settled:
        ahead, position = steps[row.enrollment.version_id], row.step.position
        step, wait = following(ahead, position)
        kinds = kinds_after(ahead, position)
        if step is None:
            finished.append(row.enrollment)
        elif (Step.Kind.MAIL in kinds and row.lead_id in mailable) or (
            Step.Kind.CALL_TASK in kinds and row.lead_id in callable_
        ):
            upcoming.append(touch(row.enrollment, step, row.settled_at + wait))
        else:
            stranded.append(row.enrollment)
    Touch.objects.bulk_create(upcoming, ignore_conflicts=True)
    if any(row.due_at <= at for row in upcoming):
        doorbell.ring("touch")
    finish(finished, at=at, status=Enrollment.Status.FINISHED, reason="Finished {}")
    finish(stranded, at=at, status=Enrollment.Status.EXITED, reason="Left {}: " + NO_CHANNEL)


def finish(enrollments, *, at, status, reason):
    """End enrollments; the leads of a main program rest until routing looks at them again."""
    for program in {row.program for row in enrollments}:
        rows = [row for row in enrollments if row.program == program]
        words = reason.format(program)[:200]
        end(Enrollment.objects.filter(pk__in=[row.pk for row in rows]), at=at, reason=words, status=status)
        rest(lead_ids=[row.lead_id for row in rows if row.is_main], at=at, reason=words)
