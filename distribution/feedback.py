"""The rep's word on lead quality: good, too early or bad; one per hand-off, the latest counts."""

from django.db import transaction

from distribution.followup import remember
from distribution.handoff import choose, locked, log_internal, refuse_others
from distribution.models import Action, Feedback, Rep


def give(*, handoff, by, verdict, at, note=""):
    """`verdict`: a value of Feedback.Verdict. Replaces an earlier one; allowed after the end too. Returns the Feedback."""
    choose(dict(Feedback.Verdict.choices), verdict)
    with transaction.atomic():
        row = locked(handoff)
        refuse_others(row, by)
        # The lock on the hand-off makes this the only writer.
        given = Feedback.objects.filter(handoff=row).first() or Feedback(handoff=row)
        earlier = given.pk and {
            "rep_id": given.rep_id, "verdict": given.verdict, "note": given.note, "at": given.at.isoformat(),
        }  # fmt: skip
        owns = row.owner_id and row.owner.user_id == by.pk
        given.rep = row.owner if owns else Rep.objects.filter(user=by).first() or row.owner
        given.verdict, given.note, given.at = verdict, note.strip()[:200], at
        given.save()
        activity = log_internal(row, by=by, at=at, kind="feedback", asset=verdict, note=given.note)
        remember(
            row, by=by, kind=Action.Kind.FEEDBACK, at=at, before={"feedback": earlier}, activity=activity
        )
        return given
