"""Opened, won with an amount, lost with a reason."""

from decimal import Decimal

import pytest

from distribution import limbo, opportunities
from distribution.handoff import HandoffError
from distribution.models import CompanyOwner, Handoff
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, NOW, reread
from leads import places
from leads.models import Activity, Company, FieldChange

pytestmark = pytest.mark.django_db


def opened(who=None, **values):
    row = cast.handed(who or cast.lead(company=cast.acme()))
    return opportunities.open(handoff=row, by=row.owner.user, at=NOW + HOUR, **values)


def kinds(who):
    return set(Activity.objects.filter(lead=who).values_list("touchpoint__kind", flat=True))


def test_opening_takes_the_lead_and_raises_the_stage():
    rita = cast.rita()
    deal = opened(name="Pilot", amount="1200", product="Suite")
    who = reread(deal.lead)
    assert (deal.owner, deal.amount, deal.company, deal.status) == (
        rita,
        Decimal("1200.00"),
        who.company,
        "open",
    )
    assert (who.stage, who.place, deal.handoff.progress, deal.handoff.status) == (
        "sql",
        "sales",
        "opportunity",
        "accepted",
    )
    assert "opportunity_opened" in kinds(who)


def test_won_makes_the_company_a_customer_and_its_colleagues_too():
    rita = cast.rita()
    acme = cast.acme()
    colleague = cast.lead("colleague@acme.net", company=acme)
    cast.did(colleague, "download", "/a")
    deal = opened(cast.lead(company=acme))
    assert reread(colleague).place == "nurture"
    deal = opportunities.win(opportunity=deal, by=rita.user, amount="48000", at=NOW + DAY)
    cast.flow(NOW + DAY)
    who = reread(deal.lead)
    assert (deal.status, deal.amount, deal.closed_at) == ("won", Decimal("48000"), NOW + DAY)
    assert (who.stage, who.place, reread(deal.handoff).status) == ("customer", "customer", "closed")
    assert reread(acme).relationship == "customer"
    assert FieldChange.objects.filter(
        company=acme, field="relationship", new="customer", actor=rita.user
    ).exists()
    assert (reread(colleague).place, reread(colleague).stage) == ("customer", "mql")
    owner = CompanyOwner.objects.get(company=acme)
    assert (owner.rep, owner.is_named_account) == (rita, True)
    assert "deal_won" in kinds(who) and limbo.orphans(at=NOW + DAY) == []


def test_a_deal_won_asks_for_a_new_score_also_while_another_is_open():
    """Rules may ask for what was won."""
    rita = cast.rita()
    first = opened()
    opportunities.open(handoff=first.handoff, by=rita.user, name="More", at=NOW)
    Company.objects.update(relationship="customer")  # so that only the deal is news
    cast.flow(NOW)
    assert reread(first.lead).rescore_at is None
    opportunities.win(opportunity=first, by=rita.user, amount="48000", at=NOW + DAY)
    assert reread(first.lead).place == "sales"
    assert reread(first.lead).rescore_at == NOW + DAY


def test_a_customer_is_handed_over_again_only_when_they_ask_again():
    rita = cast.rita()
    who = opportunities.win(opportunity=opened(), by=rita.user, amount=1, at=NOW + DAY).lead
    places.ask_route(lead_ids=[who.pk], at=NOW + DAY)
    cast.flow(NOW + DAY)
    assert Handoff.objects.count() == 1 and reread(who).place == "customer"
    cast.asks(who, NOW + 2 * DAY)
    cast.flow(NOW + 2 * DAY)
    again = Handoff.objects.get(status="offered")
    assert (again.owner, again.lead, reread(who).stage, reread(who).place) == (rita, who, "customer", "sales")


def test_won_without_a_company_concerns_the_person_only():
    rita = cast.rita()
    deal = opportunities.win(
        opportunity=opened(cast.lead("s@gmail.com")), by=rita.user, amount=1, at=NOW + DAY
    )
    assert reread(deal.lead).place == "customer"


def test_lost_is_recycled_with_a_date_by_the_reason():
    rita = cast.rita()
    deal = opportunities.lose(
        opportunity=opened(), by=rita.user, reason="competitor", competitor="Initech", at=NOW + DAY
    )
    row, who = reread(deal.handoff), reread(deal.lead)
    assert (deal.status, deal.lost_reason, deal.competitor) == ("lost", "Lost to a competitor", "Initech")
    assert (row.status, row.recycle_until) == ("returned", NOW + DAY + 245 * DAY)
    assert (who.place, who.stage, who.cycle_no) == ("nurture", "mql", 2)
    assert {"deal_lost", "recycled", "engagement_since"} <= kinds(who)


def test_lost_without_fit_is_disqualified():
    rita = cast.rita()
    deal = opportunities.lose(opportunity=opened(), by=rita.user, reason="no_fit", at=NOW + DAY)
    assert (reread(deal.handoff).status, reread(deal.lead).place) == ("closed", "disqualified")


def test_with_a_second_opportunity_open_the_lead_stays_with_sales():
    rita = cast.rita()
    first = opened()
    second = opportunities.open(handoff=first.handoff, by=rita.user, name="Second", at=NOW + HOUR)
    opportunities.lose(opportunity=first, by=rita.user, reason="price", at=NOW + DAY)
    assert reread(first.lead).place == "sales" and limbo.orphans(at=NOW + DAY) == []
    opportunities.win(opportunity=second, by=rita.user, amount=5, at=NOW + 2 * DAY)
    assert reread(first.lead).place == "customer"


def test_refusals():
    rita = cast.rita()
    deal = opened()
    stranger = cast.rep("Ron", queues=[]).user
    for amount in ("", "much", "-5", 0, "NaN", "1e30"):
        with pytest.raises(HandoffError, match="amount"):
            opportunities.win(opportunity=deal, by=rita.user, amount=amount, at=NOW)
    with pytest.raises(HandoffError, match="Rita Us's"):
        opportunities.win(opportunity=deal, by=stranger, amount=1, at=NOW)
    with pytest.raises(HandoffError, match="Choose a reason"):
        opportunities.lose(opportunity=deal, by=rita.user, reason="bad luck", at=NOW)
    opportunities.win(opportunity=deal, by=rita.user, amount=1, at=NOW + DAY)
    with pytest.raises(HandoffError, match="was closed on 2 June 2026: Closed won"):
        opportunities.lose(opportunity=deal, by=rita.user, reason="price", at=NOW + DAY)
