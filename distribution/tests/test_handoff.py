"""Offer, accept, decline, assign: and who is told."""

import pytest

from distribution import followup, handoff, opportunities, recycling, undo
from distribution.handoff import HandoffError
from distribution.models import Action, CompanyOwner, Handoff, Notice, QueueMember, Rep, SalesQueue
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, NOW, reread
from distribution.timeline import moments, recent
from leads.models import Activity, Lead, StageChange
from nurturing.models import Enrollment

pytestmark = pytest.mark.django_db


def test_an_offer_moves_the_lead_leaves_the_program_and_tells_the_rep():
    rita, who = (
        cast.rita(),
        cast.lead("sarah@acme.net", company=cast.acme(), job_title="Buyer\r\nBcc: all@x.net"),
    )
    cast.did(who, "download", "/a", NOW - DAY)
    cast.flow(NOW - DAY)
    assert Enrollment.objects.get(lead=who).status == "active"
    row = cast.handed(who)
    assert Enrollment.objects.get(lead=who).status == "exited"
    assert StageChange.objects.filter(lead=who, to_place="sales", to_stage="sales_ready").count() == 1
    assert Activity.objects.get(lead=who, touchpoint__kind="handoff").engagement is False
    notice = Notice.objects.get()
    assert (notice.rep, notice.handoff, notice.status) == (rita, row, "due")
    assert notice.subject == "New lead: Sarah Miller, Buyer Bcc: all@x.net, Acme"
    assert (
        f"https://leads.test/leads/{who.pk}/" in notice.text
        and "Asked for sales through demo request" in notice.text
    )


def test_an_offer_by_hand():
    rita, who = cast.rita(), cast.lead()
    row = handoff.offer(lead=who, reason="Met at the fair", owner=rita, at=NOW)
    assert (row.owner, row.status, reread(who).place) == (rita, "offered", "sales")
    with pytest.raises(HandoffError, match="with sales already: Rita Us has it"):
        handoff.offer(lead=who, reason="Again", at=NOW)


def test_accepting_raises_the_stage_and_is_idempotent():
    rita = cast.rita()
    row = cast.handed()
    for _ in range(2):
        row = handoff.accept(handoff=row, by=rita.user, at=NOW + MINUTE)
    assert (row.status, row.accepted_at, reread(row.lead).stage) == ("accepted", NOW + MINUTE, "sal")
    assert row.first_response_at is None, "accepting is no touch"
    assert Action.objects.count() == 1


def test_only_its_owner_accepts_and_the_refusal_names_them():
    cast.rita()
    row = cast.handed()
    ron = cast.ron()
    with pytest.raises(HandoffError, match="Sarah Miller is Rita Us's"):
        handoff.accept(handoff=row, by=ron.user, at=NOW)


def test_a_waiting_lead_is_taken_by_any_rep_of_its_queue_and_by_no_other():
    row = cast.handed(cast.lead(company=cast.acme()))
    assert row.status == "waiting"
    stranger = cast.rep("Tom", queues=[])
    with pytest.raises(HandoffError, match="not one of your queues"):
        handoff.accept(handoff=row, by=stranger.user, at=NOW)
    rita = cast.rita()
    assert handoff.accept(handoff=row, by=rita.user, at=NOW).owner == rita
    assert CompanyOwner.objects.get().rep == rita


def test_waiting_leads_are_given_out_when_somebody_is_there_again():
    acme = cast.acme()
    rita, ron = cast.rita(is_present=False), cast.ron(absent_until=NOW + HOUR)
    one, two = (cast.handed(cast.lead(f"{n}@acme.net", company=acme)) for n in "ab")
    other = cast.handed(cast.lead("c@c.net"))
    assert handoff.assign_waiting(at=NOW + MINUTE) == 0
    rita.is_present = True
    rita.save()
    assert handoff.assign_waiting(at=NOW + 2 * HOUR) == 3
    assert reread(one).owner == reread(two).owner, "two colleagues go to one rep"
    assert {reread(one).owner, reread(other).owner} == {rita, ron}
    assert Notice.objects.count() == 3 and handoff.assign_waiting(at=NOW + 2 * HOUR) == 0


def test_review_is_never_given_out_by_itself():
    cast.rita(queues=[cast.queue(), cast.review()])
    handoff.offer(lead=cast.lead(), queue=cast.review(), reason="Competitor", at=NOW)
    assert handoff.assign_waiting(at=NOW) == 0 and Handoff.objects.get().status == "waiting"


@pytest.mark.parametrize("reason", ["duplicate", "spam", "invalid"])
def test_declined_as_none_gives_the_turn_back(reason):
    rita, ron = cast.rita(), cast.ron()
    first = cast.handed(cast.lead("a@a.net"))
    assert first.owner == rita
    row = handoff.decline(handoff=first, by=rita.user, reason=reason, at=NOW + MINUTE)
    assert row.status == "closed" and row.progress == "disqualified"
    who = reread(row.lead)
    assert (who.place, who.stage, who.place_reason) == (
        "disqualified",
        "disqualified",
        handoff.DECLINE_REASONS[reason][0],
    )
    assert QueueMember.objects.get(rep=rita).assigned == 0
    assert cast.handed(cast.lead("b@b.net")).owner == rita
    assert cast.handed(cast.lead("c@c.net")).owner == ron


def test_declined_as_not_mine_goes_to_the_next_rep_and_waits_when_there_is_none():
    rita, ron = cast.rita(), cast.ron()
    row = handoff.decline(handoff=cast.handed(), by=rita.user, reason="not_mine", at=NOW + MINUTE)
    assert (row.owner, row.status) == (ron, "offered") and row.respond_by == NOW + HOUR
    rita.is_present = False
    rita.save()
    row = handoff.decline(handoff=row, by=ron.user, reason="no_time", at=NOW + 2 * MINUTE)
    assert (row.owner, row.status) == (None, "waiting")


def test_declining_needs_a_reason_from_the_list_and_an_open_offer():
    rita = cast.rita()
    row = cast.handed()
    with pytest.raises(HandoffError, match="Choose a reason"):
        handoff.decline(handoff=row, by=rita.user, reason="bored", at=NOW)
    handoff.accept(handoff=row, by=rita.user, at=NOW)
    with pytest.raises(HandoffError, match="accepted already"):
        handoff.decline(handoff=row, by=rita.user, reason="not_mine", at=NOW)


def test_spam_is_kept_out_even_when_it_asks_again_other_disqualified_leads_are_not():
    rita = cast.rita()
    spam, lost = cast.handed(cast.lead("a@a.net")), cast.handed(cast.lead("b@b.net"))
    handoff.decline(handoff=spam, by=rita.user, reason="spam", at=NOW + MINUTE)
    handoff.decline(handoff=lost, by=rita.user, reason="invalid", at=NOW + MINUTE)
    cast.flow(NOW + 2 * MINUTE)
    assert not Handoff.objects.filter(status__in=Handoff.OPEN).exists(), "the old hand-raise counts no more"
    for row in (spam, lost):
        cast.asks(row.lead, NOW + DAY)
    cast.flow(NOW + DAY)
    assert reread(spam.lead).place == "disqualified"
    assert reread(lost.lead).place == "sales"


def test_a_manager_assigns_within_their_teams_only():
    mia = cast.mia()
    north = cast.team(mia)
    cast.rita(team=north)
    row, ron = cast.handed(), cast.rep("Ron", team=north, queues=[])
    handoff.accept(handoff=row, by=row.owner.user, at=NOW)
    row = handoff.assign(handoff=row, rep=ron, by=mia, at=NOW + HOUR)
    assert (row.owner, row.status, row.accepted_at) == (ron, "offered", None)
    assert Notice.objects.filter(rep=ron).exists()
    stranger = cast.user("Moe", "Sales manager")
    with pytest.raises(HandoffError, match="Only a manager of the team"):
        handoff.assign(handoff=row, rep=ron, by=stranger, at=NOW)


def test_nobody_talks_to_a_competitor_before_they_are_released():
    """Not even who may release them, by an address that no button leads to."""
    ada = cast.ada()
    Rep.objects.create(user=ada)
    row = handoff.offer(lead=cast.lead(), queue=cast.review(), reason="Competitor", at=NOW)
    for verb, more in (
        (handoff.accept, {}), (followup.log_call, {"result": "connected"}), (opportunities.open, {}),
    ):  # fmt: skip
        with pytest.raises(HandoffError, match="waits in Review: give it to a rep, or disqualify it"):
            verb(handoff=row, by=ada, at=NOW, **more)
    assert (reread(row).owner, reread(row).status) == (None, "waiting")


def test_a_marketer_releases_a_competitor_from_review():
    rita = cast.rita()
    row = handoff.offer(lead=cast.lead(), queue=cast.review(), reason="Competitor", at=NOW)
    row = handoff.assign(handoff=row, rep=rita, by=cast.max_(), at=NOW)
    assert (row.owner, row.queue) == (rita, cast.queue())


def test_after_the_end_everything_is_refused_with_the_reason():
    rita = cast.rita()
    row = cast.handed()
    handoff.decline(handoff=row, by=rita.user, reason="spam", at=NOW)
    with pytest.raises(HandoffError, match="ended on 1 June 2026: Spam"):
        handoff.accept(handoff=row, by=rita.user, at=NOW)


def test_undoing_an_accept():
    rita = cast.rita()
    row = handoff.accept(handoff=cast.handed(), by=rita.user, at=NOW)
    undo.undo(handoff=row, by=rita.user, at=NOW + MINUTE)
    row = reread(row)
    assert (row.status, row.accepted_at, reread(row.lead).stage) == ("offered", None, "sales_ready")


def test_undo_is_for_ones_own_latest_action_and_not_for_ever():
    rita = cast.rita()
    row = handoff.accept(handoff=cast.handed(), by=rita.user, at=NOW)
    for by, at in ((cast.ada(), NOW), (rita.user, NOW + HOUR)):
        assert undo.undoable(handoff=row, by=by, at=at) is None
        with pytest.raises(HandoffError, match="Nothing to undo"):
            undo.undo(handoff=row, by=by, at=at)


def test_undo_does_not_take_a_lead_back_from_whom_a_manager_gave_it_to():
    rita, ada = cast.rita(), cast.ada()
    row = handoff.accept(handoff=cast.handed(), by=rita.user, at=NOW)
    handoff.assign(handoff=row, rep=cast.ron(), by=ada, at=NOW + MINUTE)
    with pytest.raises(HandoffError, match="Too late: Ron Us has been given"):
        undo.undo(handoff=row, by=rita.user, at=NOW + 2 * MINUTE)


def test_without_any_default_queue_one_is_made():
    SalesQueue.objects.filter(is_default=True).delete()
    row = cast.handed()
    assert row.status == "waiting" and row.queue.is_default
    assert Lead.objects.get().place == "sales"


def test_accepting_is_a_line_of_the_timeline_and_undoing_takes_it_back():
    rita = cast.rita()
    row = handoff.accept(handoff=cast.handed(), by=rita.user, at=NOW + MINUTE)
    assert row.progress_words == "Accepted, not contacted yet"
    (line,) = [m for m in moments(recent(row.lead)) if "accepted" in m.text]
    assert (line.text, line.tone, line.is_undone) == ("Rita Us accepted", "sales", False)
    undo.undo(handoff=row, by=rita.user, at=NOW + 2 * MINUTE)
    assert [m.is_undone for m in moments(recent(row.lead)) if "accepted" in m.text] == [True]


def test_who_declined_is_not_asked_again_in_this_cycle():
    rita, ron = cast.rita(), cast.ron()
    row = handoff.decline(handoff=cast.handed(), by=rita.user, reason="not_mine", at=NOW + MINUTE)
    row = handoff.decline(handoff=row, by=ron.user, reason="not_mine", at=NOW + 2 * MINUTE)
    assert (row.owner, row.status) == (None, "waiting"), "not back to Rita"
    assert handoff.assign_waiting(at=NOW + HOUR) == 0 and reread(row).status == "waiting"
    tom = cast.rep("Tom")
    assert handoff.assign_waiting(at=NOW + HOUR) == 1 and reread(row).owner == tom


def test_where_everybody_of_a_queue_declined_the_default_queue_has_it():
    north = SalesQueue.objects.create(name="North", slug="north")
    rita = cast.rita(queues=[north])
    row = handoff.offer(lead=cast.lead(), queue=north, reason="Asks", at=NOW)
    assert row.owner == rita
    row = handoff.decline(handoff=row, by=rita.user, reason="no_time", at=NOW + MINUTE)
    assert (row.owner, row.status, row.queue) == (None, "waiting", cast.queue())
    ron = cast.ron()
    other = handoff.offer(lead=cast.lead("o@o.net"), queue=north, reason="Asks", owner=rita, at=NOW)
    other = handoff.decline(handoff=other, by=rita.user, reason="no_time", at=NOW + MINUTE)
    assert (other.owner, other.status) == (ron, "offered"), "better another rep now"


def test_a_new_cycle_begins_with_everybody():
    rita = cast.rita()
    row = handoff.decline(handoff=cast.handed(), by=rita.user, reason="no_time", at=NOW + MINUTE)
    ron = cast.ron()
    handoff.assign_waiting(at=NOW + HOUR)
    recycling.recycle(handoff=reread(row), by=ron.user, reason="timing", at=NOW + 2 * HOUR)
    ron.is_present = False
    ron.save()
    again = handoff.offer(lead=reread(row.lead), reason="Asks", at=NOW + DAY)
    assert again.owner == rita
