"""Leads without a next step: nobody in a consistent database, each kind of inconsistency found."""

import pytest

from distribution import limbo
from distribution.models import Handoff
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, NOW
from leads import consent
from leads.models import Lead
from nurturing.models import Enrollment, Touch

pytestmark = pytest.mark.django_db


def problems(at=NOW + 2 * HOUR):
    return {(orphan.lead_id, orphan.problem) for orphan in limbo.orphans(at=at)}


def everybody():
    """One lead in each place, brought there by the verbs."""
    cast.rita()
    ready, nurtured, parked = (
        cast.handed(cast.lead("a@a.net")).lead,
        cast.lead("n@n.net"),
        cast.lead("p@p.net", role="", company_size=1),
    )
    gone = cast.lead("x@x.net", company=cast.acme("X", relationship="competitor"))
    customer = cast.lead("c@c.net", company=cast.acme("C", relationship="customer"))
    for who in (nurtured, parked, gone, customer):
        cast.did(who, "download", "/a")
    cast.flow()
    cast.lead("test@us.test", is_test=True)
    return ready, nurtured, parked, gone, customer


def test_nobody_is_in_limbo():
    people = everybody()
    assert [Lead.objects.get(pk=who.pk).place for who in people] == [
        "sales",
        "nurture",
        "parked",
        "disqualified",
        "customer",
    ]
    assert limbo.orphans(at=NOW + 2 * HOUR) == []


def test_each_kind_of_limbo_is_found():
    ready, nurtured, parked, gone, _ = everybody()
    scored = cast.lead("s@s.net")
    assert problems() == {(scored.pk, "Waits for a score that nobody asked for")}
    scored.delete()
    Handoff.objects.update(status="closed")
    Touch.objects.update(status="cancelled", followed_up=True)
    Lead.objects.filter(pk=gone.pk).update(route_at=NOW, place="scoring")
    assert problems() == {
        (ready.pk, "No open hand-off"),
        (nurtured.pk, "In a program with no touch ahead"),
        (gone.pk, "Due for scoring or routing for over an hour"),
    }
    assert (parked.pk, "Its date passed over an hour ago") in problems(NOW + 200 * DAY)
    Enrollment.objects.update(status="finished")
    assert (nurtured.pk, "In no program") in problems()
    Lead.objects.filter(pk=ready.pk).update(place="nurture")
    Handoff.objects.update(status="offered")
    assert (ready.pk, "Nurtured with an open hand-off") in problems()
    Enrollment.objects.update(status="active")
    Lead.objects.filter(pk=nurtured.pk).update(place="customer")
    assert (nurtured.pk, "Customer and still in a program") in problems()
    assert len(limbo.orphans(at=NOW + 2 * HOUR, limit=1)) == 1


def test_whom_no_channel_reaches_is_listed_with_the_reason():
    acme = cast.acme()
    nothing = cast.lead(None, company=acme)
    silent = cast.lead("silent@a.net")
    bounced = cast.lead("bounced@a.net", phone="+4930123")
    cast.lead("fine@a.net")
    consent.suppress(address=silent.email, channel="email", purpose="all", reason="bounced", at=NOW)
    consent.suppress(address=bounced.email, channel="email", purpose="all", reason="bounced", at=NOW)
    found = {lead.pk: lead.why for lead in limbo.nobody_can_contact(at=NOW)}
    assert found == {
        nothing.pk: "Neither e-mail address nor phone number",
        silent.pk: "No phone number; mail is suppressed or bounced",
    }
    consent.suppress(address=bounced.phone, channel="phone", purpose="sales", reason="do_not_call", at=NOW)
    assert bounced.pk in {lead.pk for lead in limbo.nobody_can_contact(at=NOW)}
