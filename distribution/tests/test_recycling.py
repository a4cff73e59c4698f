"""Back to marketing with a reason and a date, without ping-pong; disqualified; woken."""

import pytest

from distribution import followup, limbo, opportunities, recycling
from distribution.handoff import HandoffError
from distribution.models import Handoff
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, NOW, reread
from leads import consent
from leads.models import Activity, Relationship, StageChange
from nurturing.models import Enrollment

pytestmark = pytest.mark.django_db
UNTIL = NOW + 60 * DAY


def recycled(who=None, **values):
    row = cast.handed(who)
    values = {"reason": "no_budget", "until": UNTIL, "at": NOW + MINUTE} | values
    row = recycling.recycle(handoff=row, by=row.owner.user, **values)
    cast.flow(NOW + 2 * MINUTE)
    row.lead.refresh_from_db()
    return row


def test_it_returns_to_its_program_with_a_date():
    cast.rita()
    row = recycled(note="Board meets in Q3")
    who = row.lead
    assert (row.status, row.progress, row.recycle_until, row.end_reason) == (
        "returned",
        "recycled",
        UNTIL,
        "No budget yet",
    )
    assert (who.place, who.stage, who.cycle_no) == ("nurture", "mql", 2)
    assert Enrollment.objects.get(lead=who, status="active").program.name == "General nurture"
    assert "until 31 July 2026" in StageChange.objects.filter(lead=who, to_stage="mql").latest("id").reason
    entry = Activity.objects.get(touchpoint__kind="recycled")
    assert entry.properties["note"] == "Board meets in Q3" and entry.engagement is False
    assert Activity.objects.get(touchpoint__kind="engagement_since").occurred_at == NOW + MINUTE
    assert limbo.orphans(at=NOW + HOUR) == []


def test_the_reason_has_a_date_of_its_own():
    cast.rita()
    assert recycled(reason="unresponsive", until=None).recycle_until == NOW + MINUTE + 60 * DAY


def test_whom_no_program_reaches_is_parked_until_the_date():
    cast.rita()
    who = cast.lead()
    row = cast.handed(who)
    consent.suppress(address=who.email, channel="email", purpose="marketing", reason="unsubscribed", at=NOW)
    recycling.recycle(handoff=row, by=row.owner.user, reason="timing", until=UNTIL, at=NOW + MINUTE)
    cast.flow(NOW + 2 * MINUTE)
    who.refresh_from_db()
    assert (who.place, who.wake_at) == ("parked", UNTIL)


def test_before_the_date_only_a_hand_raise_passes_again():
    rita = cast.rita()
    who = recycled().lead
    cast.warms_up(who, NOW + DAY)
    cast.flow(NOW + DAY)
    assert Handoff.objects.filter(lead=who).count() == 1 and reread(who).place == "nurture"
    cast.asks(who, NOW + 2 * DAY)
    cast.flow(NOW + 2 * DAY)
    again = Handoff.objects.get(lead=who, status="offered")
    assert (again.cycle_no, again.owner) == (2, rita)
    assert "Rita Us had this lead before" in again.reason


def test_the_engagement_of_before_does_not_pass_again_after_the_date():
    cast.rita()
    who = cast.lead()
    cast.warms_up(who)
    row = recycled(who)
    later = UNTIL + HOUR
    assert recycling.wake_parked(at=later) >= 1
    cast.flow(later)
    assert Handoff.objects.filter(lead=who).count() == 1
    assert reread(row).woken_at == later
    assert recycling.wake_parked(at=later + MINUTE) == 0, "once is enough"


def test_woken_and_warm_again_it_passes():
    cast.rita()
    who = recycled().lead
    cast.warms_up(who, UNTIL + DAY)
    cast.flow(UNTIL + DAY)
    again = Handoff.objects.get(lead=who, status="offered")
    assert again.cycle_no == 2 and not again.is_hand_raise


def test_customers_stay_customers():
    cast.rita()
    who = cast.lead(company=cast.acme(relationship=Relationship.CUSTOMER))
    assert recycled(who).lead.place == "customer"


def test_a_customer_who_went_quiet_is_not_handed_over_again_at_the_date():
    cast.rita()
    who = recycled(cast.lead(company=cast.acme(relationship=Relationship.CUSTOMER))).lead
    assert who.stage == "mql"
    recycling.wake_parked(at=UNTIL)
    cast.flow(UNTIL + DAY)
    assert Handoff.objects.filter(lead=who).count() == 1


def test_refusals():
    rita = cast.rita()
    row = cast.handed()
    for values, words in (
        ({"reason": "whim"}, "Choose a reason"),
        ({"until": NOW}, "between tomorrow and three years"),
        ({"until": NOW + 9999 * DAY}, "between tomorrow and three years"),
        ({"by": cast.rep("Ron", queues=[]).user}, "Rita Us's"),
    ):
        with pytest.raises(HandoffError, match=words):
            recycling.recycle(**{"handoff": row, "by": rita.user, "reason": "timing", "at": NOW} | values)
    deal = opportunities.open(handoff=row, by=rita.user, at=NOW)
    for verb in (recycling.recycle, recycling.disqualify):
        with pytest.raises(HandoffError, match=f"Close the opportunity “{deal}” first"):
            verb(
                handoff=row, by=rita.user, reason="timing" if verb is recycling.recycle else "no_fit", at=NOW
            )


def test_disqualified_by_a_person_it_stays_so_until_it_asks():
    rita = cast.rita()
    row = cast.handed()
    followup.follow_up(handoff=row, by=rita.user, due_at=NOW + DAY, at=NOW)
    row = recycling.disqualify(handoff=row, by=rita.user, reason="no_need", at=NOW + MINUTE)
    cast.flow(NOW + 2 * MINUTE)
    who = reread(row.lead)
    assert (row.status, who.place, who.stage, who.place_reason) == (
        "closed",
        "disqualified",
        "disqualified",
        "No need",
    )
    assert not row.follow_ups.filter(done_at=None).exists()
    cast.warms_up(who, NOW + DAY)
    cast.flow(NOW + DAY)
    assert reread(who).place == "disqualified"
    cast.asks(who, NOW + 2 * DAY)
    cast.flow(NOW + 2 * DAY)
    assert reread(who).place == "sales"
