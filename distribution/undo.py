"""Take back the latest action of a hand-off: the fields return to what they were, the log gets a correction.

The log is append-only, so what was logged stays and a `correction` says that it is void. Recycling, disqualifying
and closing an opportunity are decisions with a form of their own and are not undone here.
"""

from datetime import timedelta

from django.db import transaction

from distribution.handoff import HandoffError, locked, log_internal
from distribution.models import Action, Feedback, FollowUp, Handoff
from leads import places

WINDOW = timedelta(minutes=10)


def undoable(*, handoff, by, at):
    """The Action that `undo` would take back (its str() is the name on screen), or None."""
    latest = Action.objects.filter(handoff=handoff, undone_at__isnull=True).order_by("-at", "-id").first()
    if latest is None or latest.by_id != by.pk or at - latest.at > WINDOW:
        return None
    return latest


def undo(*, handoff, by, at):
    """Take back the latest action, if it was `by`'s within the last ten minutes. Returns the Action."""
    with transaction.atomic():
        row = locked(handoff)
        action = undoable(handoff=row, by=by, at=at)
        if action is None:
            raise HandoffError("Nothing to undo: only your own latest action, for ten minutes.")
        if "handoff" in action.before:
            if row.status not in Handoff.OPEN:
                raise HandoffError("Too late: the hand-off has ended.")
            if row.offered_at and row.offered_at > action.at:
                raise HandoffError(f"Too late: {row.owner} has been given the lead since.")
            restore(row, action.before["handoff"])
            if row.lead.stage != action.before["stage"]:
                places.move(
                    lead=row.lead, stage=action.before["stage"], reason=f"Undone: {action}", at=at, actor=by
                )
        FollowUp.objects.filter(pk__in=action.before.get("made", [])).delete()
        FollowUp.objects.filter(pk__in=action.before.get("done", [])).update(done_at=None)
        if action.kind == Action.Kind.FEEDBACK:
            restore_feedback(row, action.before["feedback"])
        if action.activity_id:
            log_internal(row, by=by, at=at, kind="correction", asset=action.kind, undoes=action.activity_id)
        action.undone_at = at
        action.save(update_fields=["undone_at"])
        return action


def restore(row, values):
    for name, value in values.items():
        field = Handoff._meta.get_field(name)
        setattr(row, name, field.to_python(value) if isinstance(value, str) else value)
    row.save(update_fields=list(values))


def restore_feedback(row, earlier):
    Feedback.objects.filter(handoff=row).delete()
    if earlier:
        at = Feedback._meta.get_field("at").to_python(earlier.pop("at"))
        Feedback.objects.create(handoff=row, at=at, **earlier)
