from datetime import timedelta

import pytest

from leads import consent
from leads.models import Suppression
from leads.tests import cast
from leads.tests.cast import ADA, NOW

LATER = NOW + timedelta(days=1)


def refused(lead, channel="email", purpose="marketing"):
    return consent.refusals([lead.pk], channel=channel, purpose=purpose).get(lead.pk, "")


def allow(lead, at=NOW):
    consent.grant(
        lead=lead, channel="email", purpose="marketing", basis="consent", text_version="form:1", at=at
    )


@pytest.mark.django_db
def test_it_works():
    ada, bob = cast.ada(), cast.bob()
    allow(ada)
    assert consent.refusals([ada.pk, bob.pk], channel="email", purpose="marketing") == {bob.pk: "no consent"}
    assert consent.refusals([ada.pk, bob.pk], channel="email", purpose="sales") == {}
    assert consent.refusals([], channel="email", purpose="sales") == {}


@pytest.mark.django_db
def test_the_latest_word_counts():
    ada = cast.ada()
    allow(ada)
    consent.withdraw(lead=ada, channel="email", purpose="marketing", basis="consent", at=LATER)
    assert refused(ada) == "no consent"
    allow(ada, at=LATER)
    assert refused(ada) == ""


@pytest.mark.django_db
def test_unsubscribing_stops_marketing_and_not_sales():
    ada = cast.ada()
    allow(ada)
    stop = {
        "address": " ADA@Acme.example",
        "channel": "email",
        "purpose": "marketing",
        "reason": "unsubscribed",
    }
    assert consent.suppress(**stop, at=NOW)
    assert not consent.suppress(**stop, at=LATER)
    assert refused(ada) == "suppressed: unsubscribed"
    assert refused(ada, purpose="sales") == refused(ada, channel="phone", purpose="sales") == ""
    assert Suppression.objects.get().at == NOW
    assert consent.lift(address=ADA["email"], channel="email", purpose="marketing", at=LATER) == 1
    assert refused(ada) == ""
    assert consent.suppress(**stop, at=LATER)


@pytest.mark.django_db
def test_an_objection_stops_every_channel():
    ada = cast.ada()
    allow(ada)
    consent.suppress(address=ADA["email"], channel="all", purpose="all", reason="objected", at=NOW)
    for channel in ("email", "phone"):
        assert refused(ada, channel=channel, purpose="sales") == "suppressed: objected to all contact"


@pytest.mark.django_db
def test_do_not_call_is_about_the_number():
    ada, dora = cast.ada(), cast.dora()
    consent.suppress(address=dora.phone, channel="phone", purpose="all", reason="do_not_call", at=NOW)
    assert refused(dora, channel="phone", purpose="sales") == "suppressed: do not call"
    assert refused(ada, channel="phone", purpose="sales") == ""


@pytest.mark.django_db
def test_who_has_no_address_cannot_be_reached():
    assert refused(cast.dora(), purpose="sales") == "no e-mail address"
    assert refused(cast.bob(), channel="phone", purpose="sales") == "no phone number"


@pytest.mark.django_db
def test_nonsense_is_refused():
    with pytest.raises(ValueError):
        consent.refusals([1], channel="pigeon", purpose="sales")
    with pytest.raises(ValueError):
        consent.suppress(address=" ", channel="email", purpose="all", reason="objected", at=NOW)
