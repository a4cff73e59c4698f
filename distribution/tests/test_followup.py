"""Calls, mails, meetings, notes and dated next actions; what is a touch and what is none."""

import pytest

from distribution import followup, undo
from distribution.handoff import HandoffError
from distribution.models import Action, FollowUp
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, NOW, reread
from leads.models import Activity

pytestmark = pytest.mark.django_db


def logged(kind):
    return Activity.objects.filter(touchpoint__kind=kind).select_related("touchpoint").latest("id")


def test_a_call_is_the_first_response_takes_the_lead_and_is_logged():
    rita = cast.rita()
    row = followup.log_call(
        handoff=cast.handed(), by=rita.user, result="voicemail", note="Back on Monday", at=NOW + MINUTE
    )
    assert (row.status, row.progress, row.attempts, row.first_response_at) == (
        "accepted",
        "attempting",
        1,
        NOW + MINUTE,
    )
    assert reread(row.lead).stage == "sal"
    entry = logged("call")
    assert (entry.touchpoint.asset, entry.engagement, entry.lead_id) == ("voicemail", False, row.lead_id)
    assert entry.properties == {"handoff": row.pk, "by": "Rita Us", "note": "Back on Monday"}


def test_the_score_does_not_move_by_what_a_rep_does():
    rita = cast.rita()
    row = cast.handed()
    followup.log_call(handoff=row, by=rita.user, result="connected", at=NOW + MINUTE)
    assert reread(row.lead).rescore_at is None


def test_progress_only_goes_on():
    rita = cast.rita()
    row = cast.handed()
    steps = [
        ("voicemail", "attempting"),
        ("gatekeeper", "attempting"),
        ("connected", "connected"),
        ("no_answer", "connected"),
    ]
    for n, (result, progress) in enumerate(steps, start=1):
        row = followup.log_call(handoff=row, by=rita.user, result=result, at=NOW + n * HOUR)
        assert (row.progress, row.attempts) == (progress, n)
    row = followup.log_meeting(handoff=row, by=rita.user, state="set", at=NOW + 5 * HOUR)
    assert row.progress == "meeting" and logged("meeting").touchpoint.asset == "set"
    assert row.first_response_at == NOW + HOUR


def test_a_mail_is_a_touch_a_note_and_a_date_are_none():
    rita = cast.rita()
    row = cast.handed()
    followup.note(handoff=row, by=rita.user, text=" Knows Tom ", at=NOW)
    followup.follow_up(handoff=row, by=rita.user, due_at=NOW + DAY, at=NOW)
    assert reread(row).first_response_at is None and logged("note").properties["note"] == "Knows Tom"
    row = followup.log_mail(handoff=row, by=rita.user, at=NOW + HOUR)
    assert row.first_response_at == NOW + HOUR


def test_a_wrong_number_warns():
    rita = cast.rita()
    row = followup.log_call(handoff=cast.handed(), by=rita.user, result="wrong_number", at=NOW)
    assert row.flags == ["Wrong number"]
    assert followup.log_call(handoff=row, by=rita.user, result="wrong_number", at=NOW + HOUR).flags == [
        "Wrong number"
    ]


def test_a_touch_ticks_off_what_was_due_and_sets_the_next_date():
    rita = cast.rita()
    row = cast.handed()
    today = followup.follow_up(handoff=row, by=rita.user, due_at=NOW + 8 * HOUR, at=NOW)
    later = followup.follow_up(handoff=row, by=rita.user, due_at=NOW + 9 * DAY, note="Budget?", at=NOW)
    followup.log_call(handoff=row, by=rita.user, result="connected", at=NOW + HOUR, next_at=NOW + 2 * DAY)
    assert reread(today).done_at == NOW + HOUR and reread(later).done_at is None
    assert FollowUp.objects.filter(done_at=None, due_at=NOW + 2 * DAY, owner=rita).exists()


def test_a_follow_up_is_ticked_off_by_hand():
    rita = cast.rita()
    item = followup.follow_up(handoff=cast.handed(), by=rita.user, due_at=NOW + DAY, at=NOW)
    followup.done(follow_up=item, by=rita.user, at=NOW + HOUR)
    assert reread(item).done_at == NOW + HOUR
    undo.undo(handoff=item.handoff, by=rita.user, at=NOW + HOUR)
    assert reread(item).done_at is None


def test_refusals():
    rita, ron = cast.rita(), cast.rep("Ron", queues=[])
    row = cast.handed()
    for verb, words in (
        (lambda: followup.log_call(handoff=row, by=rita.user, result="rang", at=NOW), "Choose a reason"),
        (lambda: followup.log_call(handoff=row, by=ron.user, result="connected", at=NOW), "Rita Us's"),
        (lambda: followup.note(handoff=row, by=ron.user, text="Mine", at=NOW), "Rita Us's"),
        (lambda: followup.note(handoff=row, by=rita.user, text="  ", at=NOW), "the note is empty"),
        (lambda: followup.follow_up(handoff=row, by=rita.user, due_at=NOW, at=NOW), "in the future"),
        (
            lambda: followup.log_call(
                handoff=row, by=rita.user, result="connected", at=NOW, next_at=NOW - DAY
            ),
            "future",
        ),
    ):
        with pytest.raises(HandoffError, match=words):
            verb()
    assert reread(row).attempts == 0 and not Action.objects.exists()


def test_a_manager_may_call_without_taking_the_lead_away():
    mia = cast.mia()
    rita = cast.rita(team=cast.team(mia))
    row = followup.log_call(handoff=cast.handed(), by=mia, result="connected", at=NOW)
    assert (row.owner, row.status, row.first_response_at) == (rita, "offered", NOW)


def test_undoing_a_call_restores_the_hand_off_and_corrects_the_log():
    rita = cast.rita()
    row = cast.handed()
    item = followup.follow_up(handoff=row, by=rita.user, due_at=NOW + HOUR, at=NOW)
    followup.log_call(handoff=row, by=rita.user, result="left_company", at=NOW + MINUTE, next_at=NOW + DAY)
    call = logged("call")
    undo.undo(handoff=row, by=rita.user, at=NOW + 2 * MINUTE)
    row = reread(row)
    assert (row.status, row.progress, row.attempts, row.first_response_at, row.flags) == (
        "offered",
        "new",
        0,
        None,
        [],
    )
    assert reread(row.lead).stage == "sales_ready"
    assert list(FollowUp.objects.filter(done_at=None)) == [item]
    assert Activity.objects.filter(pk=call.pk).exists(), "the log keeps what was said"
    assert logged("correction").properties["undoes"] == call.pk
