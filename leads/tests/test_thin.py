import pytest
from django.utils import timezone
from leads import capture, places, consent, activities
from leads.models import *
pytestmark = pytest.mark.django_db
def test_thin():
    now = timezone.now()
    got = capture.submit(values={"email": "a@b.example", "first_name": "A", "company_size": 300}, at=now)
    assert got.created and got.activity.pk
    assert places.move(lead=got.lead, place="nurture", reason="x", at=now)
    assert not places.move(lead=got.lead, place="nurture", reason="x", at=now)
    assert places.advance_many(lead_ids=[got.lead.pk], stage="mql", reason="y", at=now) == {got.lead.pk}
    assert places.advance_many(lead_ids=[got.lead.pk], stage="mql", reason="y", at=now) == set()
    places.ask_route(lead_ids=[got.lead.pk], at=now)
    assert consent.refusals([got.lead.pk], channel="email", purpose="marketing") == {got.lead.pk: "no consent"}
    consent.suppress(address="A@b.example", channel="email", purpose="marketing", reason="unsubscribed", at=now)
    assert consent.refusal_for_update(got.lead, channel="email", purpose="sales") == ""
    assert "unsub" in consent.refusal_for_update(got.lead, channel="email", purpose="marketing")
    assert activities.record(lead=got.lead, kind="page_view", asset="https://x.example/Pricing/?q=1", at=now, message_id="1")
    assert activities.record(lead=got.lead, kind="page_view", asset="/pricing", at=now, message_id="1") is None
    assert Touchpoint.objects.filter(asset="/pricing").count() == 1
    got.lead.refresh_from_db()
    assert got.lead.route_at == now and got.lead.last_activity_at == now
