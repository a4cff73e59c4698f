"""Good, too early or bad: one per hand-off."""

import pytest

from distribution import feedback, recycling, undo
from distribution.handoff import HandoffError
from distribution.models import Feedback
from distribution.tests import cast
from distribution.tests.cast import MINUTE, NOW
from leads.models import Activity

pytestmark = pytest.mark.django_db


def test_a_change_of_mind_replaces_and_both_stand_in_the_log():
    rita = cast.rita()
    row = cast.handed()
    feedback.give(handoff=row, by=rita.user, verdict="bad", at=NOW)
    feedback.give(handoff=row, by=rita.user, verdict="good", note="They called back", at=NOW + MINUTE)
    given = Feedback.objects.get()
    assert (given.verdict, given.note, given.rep) == ("good", "They called back", rita)
    log = Activity.objects.filter(touchpoint__kind="feedback").order_by("id")
    assert [entry.touchpoint.asset for entry in log] == ["bad", "good"] and not log[0].engagement
    undo.undo(handoff=row, by=rita.user, at=NOW + MINUTE)
    assert Feedback.objects.get().verdict == "bad" and Feedback.objects.get().at == NOW
    undo.undo(handoff=row, by=rita.user, at=NOW + MINUTE)
    assert not Feedback.objects.exists()


def test_it_may_come_after_the_end():
    rita = cast.rita()
    row = recycling.recycle(handoff=cast.handed(), by=rita.user, reason="timing", at=NOW)
    assert feedback.give(handoff=row, by=rita.user, verdict="too_early", at=NOW).verdict == "too_early"


def test_refusals():
    cast.rita()
    row = cast.handed()
    with pytest.raises(HandoffError, match="Choose a reason: good, too_early, bad"):
        feedback.give(handoff=row, by=row.owner.user, verdict="meh", at=NOW)
    with pytest.raises(HandoffError, match="Rita Us's"):
        feedback.give(handoff=row, by=cast.rep("Ron", queues=[]).user, verdict="good", at=NOW)
