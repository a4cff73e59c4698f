"""What a rep does with a hand-off: calls, mails, meetings, notes, dated next actions.

A touch is a call attempt, a sent mail or a meeting; the first one is the first response. A note or a follow-up date
is no touch. Everything goes to the log as an internal activity, which never counts as engagement.
"""

from datetime import timedelta

from django.db import transaction

from distribution.handoff import (
    HandoffError,
    choose,
    locked,
    log_internal,
    refuse_ended,
    refuse_others,
    snapshot,
    take_up,
)
from distribution.models import Action, FollowUp, Handoff

EARLY = timedelta(hours=12)  # a touch in the morning does what was planned for the afternoon

# Call results: key → words on screen
CALL_RESULTS = {
    "connected": "Connected",
    "voicemail": "Voicemail",
    "no_answer": "No answer",
    "gatekeeper": "Gatekeeper",
    "wrong_number": "Wrong number",
    "left_company": "Left the company",
}
# Results after which the number, or the person, is of no more use: the rep sees it as a warning
WARNINGS = {"wrong_number": "Wrong number", "left_company": "Left the company"}
# Meetings: key → words on screen
MEETING_STATES = {"set": "Meeting set", "held": "Meeting held", "no_show": "No-show"}

ORDER = [Handoff.Progress.NEW, Handoff.Progress.ATTEMPTING, Handoff.Progress.CONNECTED, Handoff.Progress.MEETING,
         Handoff.Progress.OPPORTUNITY]  # fmt: skip


def log_call(*, handoff, by, result, note="", at, next_at=None):
    """A call attempt. `result` is a key of CALL_RESULTS; `next_at` sets a follow-up. Returns the Handoff.

    Calling takes the lead: one that was only offered, or waits, is accepted by it.
    """
    choose(CALL_RESULTS, result)
    progress = Handoff.Progress.CONNECTED if result == "connected" else Handoff.Progress.ATTEMPTING
    return touch(
        handoff, by=by, at=at, kind=Action.Kind.CALL, log="call", asset=result, note=note, progress=progress,
        next_at=next_at, attempts=1, warning=WARNINGS.get(result),
    )  # fmt: skip


def log_mail(*, handoff, by, note="", at, next_at=None):
    """The rep wrote a mail of their own."""
    return touch(
        handoff, by=by, at=at, kind=Action.Kind.MAIL, log="mail_by_rep", note=note,
        progress=Handoff.Progress.ATTEMPTING, next_at=next_at,
    )  # fmt: skip


def log_meeting(*, handoff, by, state, note="", at, next_at=None):
    """`state` is a key of MEETING_STATES."""
    choose(MEETING_STATES, state)
    return touch(
        handoff, by=by, at=at, kind=Action.Kind.MEETING, log="meeting", asset=state, note=note,
        progress=Handoff.Progress.MEETING, next_at=next_at,
    )  # fmt: skip


def touch(handoff, *, by, at, kind, log, progress, asset="", note="", next_at=None, attempts=0, warning=None):
    with transaction.atomic():
        row = locked(handoff)
        refuse_date(next_at, at)
        before = snapshot(row)
        take_up(row, by=by, at=at)
        row.first_response_at = row.first_response_at or at
        row.progress = further(row.progress, progress)
        row.attempts += attempts
        if warning and warning not in row.flags:
            row.flags = [*row.flags, warning]
        row.save(update_fields=["first_response_at", "progress", "attempts", "flags"])
        activity = log_internal(row, by=by, at=at, kind=log, asset=asset, note=note)
        before["done"] = finish_due(row, at=at)
        before["made"] = [plan(row, due_at=next_at, note="", at=at).pk] if next_at else []
        remember(row, by=by, kind=kind, at=at, before=before, activity=activity)
        return row


def note(*, handoff, by, text, at):
    """A note: kept in the log, also after the hand-off ended; not a touch. Returns the Handoff."""
    text = text.strip()
    if not text:
        raise HandoffError("Write something first: the note is empty.")
    with transaction.atomic():
        row = locked(handoff)
        refuse_others(row, by)
        activity = log_internal(row, by=by, at=at, kind="note", note=text[:2000])
        remember(row, by=by, kind=Action.Kind.NOTE, at=at, before={}, activity=activity)
        return row


def follow_up(*, handoff, by, due_at, note="", at):
    """A dated next action. Returns the FollowUp. Not a touch."""
    with transaction.atomic():
        row = locked(handoff)
        refuse_ended(row)
        refuse_others(row, by)
        refuse_date(due_at, at)
        if row.owner_id is None:
            raise HandoffError("Accept the lead first: a follow-up needs an owner.")
        item = plan(row, due_at=due_at, note=note, at=at)
        remember(row, by=by, kind=Action.Kind.FOLLOW_UP, at=at, before={"made": [item.pk]})
        return item


def done(*, follow_up, by, at):
    """Tick off a follow-up. Returns it."""
    with transaction.atomic():
        row = locked(follow_up.handoff)
        refuse_others(row, by)
        if row.follow_ups.filter(pk=follow_up.pk, done_at__isnull=True).update(done_at=at):
            remember(row, by=by, kind=Action.Kind.FOLLOW_UP_DONE, at=at, before={"done": [follow_up.pk]})
        follow_up.refresh_from_db()
        return follow_up


def further(now, then):
    """Progress only goes on: a later unanswered call does not take back that they talked."""
    return max(now, then, key=ORDER.index)


def plan(row, *, due_at, note, at):
    return FollowUp.objects.create(handoff=row, owner=row.owner, due_at=due_at, note=note.strip()[:200])


def finish_due(row, *, at):
    """A touch does what was due about now; the ids of those follow-ups."""
    due = row.follow_ups.filter(done_at__isnull=True, due_at__lte=at + EARLY)
    ids = list(due.values_list("pk", flat=True))
    due.filter(pk__in=ids).update(done_at=at)
    return ids


def refuse_date(due_at, at):
    if due_at is not None and due_at <= at:
        raise HandoffError("The date of the next action has passed: choose one in the future.")


def remember(row, *, by, kind, at, before, activity=None):
    Action.objects.create(handoff=row, by=by, kind=kind, at=at, before=before, activity=activity)
