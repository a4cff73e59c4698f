"""One lead through the whole product: posted, scored, nurtured, ready, handed off, won, and logged."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from distribution import routing
from distribution.access import Role
from distribution.models import Handoff, Opportunity, QueueMember, Rep, SalesQueue
from leads import activities
from leads.models import CaptureForm, Lead, Place, Question, Stage
from nurturing import touches
from nurturing.models import Enrollment, LocalMail
from scoring import rescore

pytestmark = pytest.mark.django_db

ANSWERS = {
    "email": " Ada.Lovelace@Acme.example ",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "company": "Acme",
    "company_size": "300",
    "role": "decision maker",
    "job_title": "VP Operations",
    "country": "DE",
}


@pytest.fixture
def form():
    form = CaptureForm.objects.create(
        name="White paper",
        slug="paper",
        asset="/white-papers/roi",
        marketing_basis="consent",
        basis_text="You may write to me.",
    )
    for position, name in enumerate(ANSWERS):
        Question.objects.create(form=form, name=name, field=name, label=name, position=position)
    return form


@pytest.fixture
def rita(client):
    user = User.objects.create_user("rita", "rita@seller.example", "secret", first_name="Rita")
    user.groups.add(Group.objects.get(name=Role.REP))
    rep = Rep.objects.create(user=user)
    QueueMember.objects.create(queue=SalesQueue.objects.get(is_default=True), rep=rep)
    return rep


def decide(at):
    while rescore.rescore_due(at=at):
        pass
    while routing.route_due(at=at):
        pass


def test_a_lead_from_first_post_to_won_deal(client, form, rita):
    posted = client.post(f"/api/v1/forms/{form.slug}/submissions/", ANSWERS, content_type="application/json")
    assert posted.status_code == 201
    lead = Lead.objects.get(email="ada.lovelace@acme.example")
    assert lead.company.domain == "acme.example"

    now = timezone.now()
    decide(now)
    lead.refresh_from_db()
    assert (lead.stage, lead.place) == (Stage.MQL, Place.NURTURE), "fit alone never passes"
    assert Enrollment.objects.get(lead=lead).status == "active"

    while touches.perform_due(at=now):
        pass
    mail = LocalMail.objects.get(recipients__contains=lead.email)
    assert "List-Unsubscribe" in mail.headers

    for minutes, (kind, asset) in enumerate(
        [("page_view", "/pricing"), ("download", "/case-studies/harbor"), ("webinar", "/webinars/roi")] * 3
    ):
        activities.record(lead=lead, kind=kind, asset=asset, at=now + timedelta(minutes=minutes))
    later = now + timedelta(hours=1)
    decide(later)
    lead.refresh_from_db()
    assert (lead.stage, lead.place) == (Stage.SALES_READY, Place.SALES)
    handoff = Handoff.objects.get(lead=lead)
    assert handoff.owner == rita
    assert not Enrollment.objects.filter(lead=lead, status="active").exists()

    client.force_login(rita.user)
    assert "Ada Lovelace" in client.get("/sales/").content.decode()
    assert client.get(f"/leads/{lead.pk}/").status_code == 200

    def act(verb, **values):
        answer = client.post(f"/handoffs/{handoff.pk}/{verb}/", values)
        assert answer.status_code in (200, 302, 303), answer.content[:500]

    act("accept")
    act("calls", result="connected", note="Wants an offer")
    act("feedback", verdict="good")
    act("opportunities", name="Acme: planning")
    lead.refresh_from_db()
    assert lead.stage == Stage.SQL
    deal = Opportunity.objects.get(lead=lead)
    won = client.post(f"/opportunities/{deal.pk}/won/", {"amount": "12500"})
    assert won.status_code in (302, 303)
    lead.refresh_from_db()
    deal.refresh_from_db()
    assert (lead.stage, lead.place, lead.company.relationship) == ("customer", "customer", "customer")
    assert (deal.status, deal.amount) == ("won", Decimal("12500"))

    kinds = list(lead.activities.order_by("occurred_at", "id").values_list("touchpoint__kind", flat=True))
    for kind in ("download", "mail_sent", "handoff", "call", "feedback", "opportunity_opened", "deal_won"):
        assert kind in kinds
