"""The last step of the routing order: who is not ready is nurtured, parked until a date, or waits for a channel."""

from datetime import timedelta

import pytest

from distribution import recycling, routing
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, NOW, decision
from leads import identity
from nurturing import enrollment
from nurturing.models import Enrollment

pytestmark = pytest.mark.django_db


def test_13_fit_alone_is_nurtured():
    cast.rita()
    who = cast.lead()
    cast.did(who, "download", "/white-papers/roi")
    cast.flow()
    who.refresh_from_db()
    assert (who.place, who.stage) == ("nurture", "mql") and Enrollment.objects.get(
        lead=who
    ).status == "active"
    assert decision(who).outcome == "nurture"


def test_13_the_unqualified_are_parked_until_a_date_and_come_back_by_themselves():
    who = cast.lead(role="", company_size=5)
    cast.did(who, "download", "/white-papers/roi")
    cast.flow()
    who.refresh_from_db()
    assert who.place == "parked" and who.wake_at == NOW + timedelta(days=routing.UNQUALIFIED_DAYS)
    assert who.place_reason == "Not qualified: fit −10 of 20"
    later = who.wake_at + HOUR
    assert recycling.wake_parked(at=later) == 1
    cast.flow(later)
    who.refresh_from_db()
    assert who.place == "parked" and who.wake_at > later


def test_13_without_a_usable_channel_the_lead_is_parked_visibly():
    who = cast.lead(None, phone="", company=cast.acme())
    cast.did(who, "event", "booth")
    cast.flow()
    who.refresh_from_db()
    assert who.place == "parked" and "no usable channel" in who.place_reason
    assert decision(who).outcome == "parked"


def test_13_after_its_program_a_lead_rests_until_its_date_unless_it_asks():
    cast.rita()
    who = cast.lead()
    cast.did(who, "download", "/a")
    cast.flow()
    enrollment.leave(lead_ids=[who.pk], at=NOW, reason="Finished")
    enrollment.rest(lead_ids=[who.pk], at=NOW, reason="Finished General nurture")
    cast.did(who, "page_view", "/pricing", NOW + DAY)
    cast.flow(NOW + DAY)
    routing.route(lead_ids=[who.pk], at=NOW + DAY)
    who.refresh_from_db()
    assert (who.place, who.place_reason, who.wake_at) == (
        "parked",
        "Finished General nurture",
        NOW + enrollment.REST,
    )
    cast.asks(who, NOW + 2 * DAY)
    cast.flow(NOW + 2 * DAY)
    who.refresh_from_db()
    assert who.place == "sales"


def test_13_parked_for_want_of_fit_ends_with_the_reason():
    who = cast.lead(role="", company_size=5)
    cast.did(who, "download", "/a")
    cast.flow()
    identity.set_fields(
        lead=who, values={"role": "decision maker", "company_size": 300}, origin="rep", at=NOW + DAY
    )
    cast.flow(NOW + DAY)
    who.refresh_from_db()
    assert who.place == "nurture"
