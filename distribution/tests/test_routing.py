"""The routing order, step by step, through the real log and the real score."""

import pytest

from distribution import handoff, routing
from distribution.models import (
    CompanyOwner,
    Handoff,
    Notice,
    Opportunity,
    RoutingDecision,
    RoutingRule,
    SalesQueue,
)
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, NOW, decision
from leads import consent, places
from leads.models import Company, CustomField, Lead, Relationship
from nurturing.models import Enrollment, Program
from scoring import publish
from scoring.models import Rule, ScoringModel
from scoring.queries import routing_scores
from scoring.rescore import age_due, rescore_due
from scoring.tests.cast import DECISION_MAKER, current

pytestmark = pytest.mark.django_db


def test_a_hand_raise_goes_to_sales():
    rita = cast.rita()
    row = cast.handed()
    assert (row.status, row.owner, row.lead.place, row.lead.stage) == (
        "offered",
        rita,
        "sales",
        "sales_ready",
    )
    assert row.why_now == "Asked for sales through demo request" and row.is_hand_raise
    assert row.rating == "A" and row.respond_by == NOW + HOUR and row.cycle_no == 1
    assert (decision(row.lead).step, decision(row.lead).outcome) == (10, "sales")


def test_the_order_is_numbered_as_the_field_numbers_it():
    numbers = [number for number, _, _ in routing.ORDER]
    assert sorted(set(numbers)) == [1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 13]
    assert numbers.index(4) < numbers.index(5) < numbers.index(8) < numbers.index(11) < numbers.index(13)


def test_1_test_leads_are_kept_and_not_routed():
    who = cast.lead(is_test=True)
    routing.route(lead_ids=[who.pk], at=NOW)
    who.refresh_from_db()
    assert who.place == "disqualified" and who.place_reason == "Internal or test: kept, not routed"
    assert not Handoff.objects.exists() and decision(who).step == 1


def test_2_who_objected_to_all_contact_is_not_contacted_even_when_asking():
    cast.rita()
    who = cast.lead()
    consent.suppress(address=who.email, channel="all", purpose="all", reason="objected", at=NOW)
    cast.asks(who)
    cast.flow()
    who.refresh_from_db()
    assert (who.place, who.place_reason) == ("disqualified", "Objected to all contact")
    assert decision(who).step == 2 and not Handoff.objects.exists()


def test_2_an_unsubscribed_person_who_asks_still_goes_to_sales():
    cast.rita()
    who = cast.lead()
    consent.suppress(address=who.email, channel="email", purpose="marketing", reason="unsubscribed", at=NOW)
    assert cast.handed(who).status == "offered"


def test_4_a_colleague_joins_an_open_opportunity_without_a_new_clock():
    cast.rita()
    ron = cast.rep("Ron", queues=[])
    acme = cast.acme()
    first = cast.lead("first@acme.net", company=acme)
    deal = Opportunity.objects.create(company=acme, lead=first, owner=ron, name="Acme", opened_at=NOW)
    row = cast.handed(cast.lead("second@acme.net", company=acme))
    assert row.owner == ron and row.respond_by is None and decision(row.lead).step == 4
    assert [contact.lead for contact in deal.contacts.all()] == [row.lead]


def test_5_a_customer_who_asks_goes_to_the_account_owner():
    cast.rita()
    ron = cast.rep("Ron", queues=[])
    acme = cast.acme(relationship=Relationship.CUSTOMER)
    CompanyOwner.objects.create(company=acme, rep=ron, is_named_account=True, since=NOW - 900 * DAY)
    row = cast.handed(cast.lead(company=acme))
    assert row.owner == ron and "Existing customer" in row.flags and decision(row.lead).step == 5


def test_5_a_customers_colleague_who_only_reads_is_a_customer_and_no_prospect():
    who = cast.lead(company=cast.acme(relationship=Relationship.CUSTOMER))
    cast.did(who, "download", "/white-papers/roi")
    cast.flow()
    who.refresh_from_db()
    assert who.place == "customer" and not Enrollment.objects.exists()


def test_7_colleagues_follow_to_the_same_rep_for_90_days_even_over_capacity():
    acme, rita = cast.acme(), cast.rita(capacity=1)
    cast.ron()
    first = cast.handed(cast.lead("one@acme.net", company=acme))
    assert first.owner == rita
    assert CompanyOwner.objects.get(company=acme).rep == rita
    second = cast.handed(cast.lead("two@acme.net", company=acme), NOW + 80 * DAY)
    assert second.owner == rita and decision(second.lead).step == 7
    third = cast.handed(cast.lead("three@acme.net", company=acme), NOW + 160 * DAY)
    assert third.owner == rita, "each hand-off renews the 90 days"
    late = cast.handed(cast.lead("late@acme.net", company=acme), NOW + 255 * DAY)
    assert late.owner.user.first_name == "Ron" and decision(late.lead).step == 10
    assert CompanyOwner.objects.get(company=acme).rep == late.owner


def test_7_colleagues_follow_whom_a_manager_gave_the_lead_to():
    acme, rita, ron = cast.acme(), cast.rita(), cast.ron()
    first = cast.handed(cast.lead("one@acme.net", company=acme))
    assert first.owner == rita
    handoff.assign(handoff=first, rep=ron, by=cast.ada(), at=NOW + DAY)
    owner = CompanyOwner.objects.get(company=acme)
    assert (owner.rep, owner.since, owner.last_handoff_at) == (ron, NOW + DAY, NOW + DAY)
    assert cast.handed(cast.lead("two@acme.net", company=acme), NOW + 2 * DAY).owner == ron


def test_7_a_company_stays_with_its_owner_when_another_reps_lead_or_a_named_account_is_given_away():
    rita, ron, tom = cast.rita(), cast.ron(), cast.rep("Tom", queues=[])
    acme, named, ada = cast.acme(), cast.acme("Named"), cast.ada()
    row = cast.handed(cast.lead("one@acme.net", company=acme))
    CompanyOwner.objects.filter(company=acme).update(rep=tom)
    CompanyOwner.objects.create(company=named, rep=rita, is_named_account=True, since=NOW)
    account = cast.handed(cast.lead("one@named.net", company=named))
    for one in (row, account):
        handoff.assign(handoff=one, rep=ron, by=ada, at=NOW + DAY)
    assert CompanyOwner.objects.get(company=acme).rep == tom
    assert CompanyOwner.objects.get(company=named).rep == rita


def test_7_colleagues_do_not_follow_to_a_rep_who_passed_the_lead_on():
    acme, rita, ron = cast.acme(), cast.rita(), cast.ron()
    first = cast.handed(cast.lead("one@acme.net", company=acme))
    handoff.decline(handoff=first, by=rita.user, reason="not_mine", at=NOW + DAY)
    assert cast.handed(cast.lead("two@acme.net", company=acme), NOW + 2 * DAY).owner == ron


def test_7_a_named_account_stays_with_its_owner_for_good():
    cast.rita()
    ron, acme = cast.rep("Ron", queues=[]), cast.acme()
    CompanyOwner.objects.create(company=acme, rep=ron, is_named_account=True, since=NOW - 900 * DAY)
    assert cast.handed(cast.lead(company=acme)).owner == ron


def test_7_an_absent_owner_does_not_keep_a_lead_waiting():
    rita, acme = cast.rita(), cast.acme()
    ron = cast.rep("Ron", queues=[], is_present=False)
    CompanyOwner.objects.create(company=acme, rep=ron, is_named_account=True, since=NOW)
    assert cast.handed(cast.lead(company=acme)).owner == rita
    assert CompanyOwner.objects.get(company=acme).rep == ron


def test_7_already_with_a_rep_means_a_fresh_why_now_and_no_new_hand_off():
    cast.rita()
    row = cast.handed()
    cast.asks(row.lead, NOW + HOUR)
    cast.flow(NOW + HOUR)
    fresh = cast.reread(row)
    assert Handoff.objects.count() == 1 and fresh.why_now_at == NOW + HOUR
    assert fresh.respond_by == row.respond_by, "no new clock"
    assert decision(row.lead).outcome == "refreshed"


def test_7_looked_at_for_another_reason_the_why_now_bears_the_time_of_what_happened():
    """A new version of the rules has everybody looked at again: nothing happened just now."""
    cast.rita()
    row = cast.handed()
    cast.did(row.lead, "page_view", "/pricing", at=NOW + HOUR)
    places.ask_route(lead_ids=[row.lead_id], at=NOW + DAY)
    cast.flow(NOW + DAY)
    fresh = cast.reread(row)
    assert (fresh.why_now, fresh.why_now_at) == ("Viewed /pricing", NOW + HOUR)


def test_8_a_competitor_who_asks_waits_in_review():
    cast.rita()
    row = cast.handed(cast.lead(company=cast.acme(relationship=Relationship.COMPETITOR)))
    assert (row.status, row.queue, row.owner) == ("waiting", cast.review(), None)
    assert decision(row.lead).step == 8 and not CompanyOwner.objects.exists()


def test_9_free_mail_and_students_go_to_sales_with_a_flag():
    cast.rita()
    free = cast.handed(cast.lead("sarah@gmail.com"))
    assert free.flags == ["Free-mail address"] and decision(free.lead).step == 9
    student = cast.handed(cast.lead("prof@physics.edu"))
    assert student.owner is not None and student.flags == ["May be a student"]


def test_11_who_is_excluded_is_disqualified_with_the_reason():
    cast.rita()
    who = cast.lead(company=cast.acme(relationship=Relationship.COMPETITOR))
    cast.warms_up(who)
    cast.flow()
    who.refresh_from_db()
    assert (who.place, who.stage) == ("disqualified", "disqualified")
    assert who.place_reason == "Excluded: Works for a competitor" and decision(who).step == 11


def test_11_an_exclusion_that_cannot_be_read_any_more_keeps_nobody_waiting():
    field = CustomField.objects.create(owner="lead", key="erp", label="ERP", type="text")
    erp = {"is": "custom_field", "field": "custom.erp", "op": "contains", "value": "own"}
    current(DECISION_MAKER, {"kind": "exclude", "name": "Wrote it themselves", "condition": erp})
    who = cast.lead(custom={"erp": "our own"})
    cast.asks(who)
    rescore_due(at=NOW)
    CustomField.objects.filter(pk=field.pk).update(type="number")
    cast.flow()
    assert decision(who).reason == "Excluded: by the scoring model"


def test_11_is_taken_back_when_its_reason_is_gone():
    acme = cast.acme(relationship=Relationship.COMPETITOR)
    who = cast.lead(company=acme)
    cast.did(who, "download", "/a")
    cast.flow()
    acme.relationship = Relationship.PROSPECT
    acme.save(update_fields=["relationship"])
    places.ask_rescore(lead_ids=[who.pk], at=NOW + HOUR)
    cast.flow(NOW + HOUR)
    who.refresh_from_db()
    assert (who.place, who.stage) == ("nurture", "mql")


def test_11_taken_back_raises_the_stage_without_a_program_too():
    Program.objects.update(is_default=False)
    acme = cast.acme(relationship=Relationship.COMPETITOR)
    who = cast.lead(company=acme)
    cast.did(who, "download", "/a")
    cast.flow()
    Company.objects.filter(pk=acme.pk).update(relationship=Relationship.PROSPECT)
    places.ask_rescore(lead_ids=[who.pk], at=NOW + HOUR)
    cast.flow(NOW + HOUR)
    cast.flow(NOW + HOUR)
    who.refresh_from_db()
    assert (who.place, who.stage) == ("parked", "mql")


def test_12_enough_fit_and_engagement_pass():
    rita = cast.rita()
    who = cast.lead()
    cast.warms_up(who)
    cast.flow()
    row = Handoff.objects.get(lead=who)
    assert row.owner == rita and not row.is_hand_raise and row.reason.startswith("Sales-ready: fit 45")
    assert decision(who).step == 12


def test_12_a_lead_that_moves_around_the_threshold_is_announced_once():
    """Warm, cold, warm again: the rep hears of the lead once; what they see is fresh only where something happened."""
    cast.rita()
    who = cast.lead()
    cast.warms_up(who)
    cast.flow()
    row = Handoff.objects.get(lead=who)
    cold, warm = NOW + 40 * DAY, NOW + 41 * DAY
    for again in range(3):
        at = cold + again * 60 * DAY
        before = cast.reread(row).why_now_at
        while age_due(at=at):
            cast.flow(at)
        cast.flow(at)
        assert routing_scores([who.pk])[who.pk].verdict == "mql"
        assert cast.reread(row).why_now_at == before
        cast.warms_up(who, warm + again * 60 * DAY)
        cast.flow(warm + again * 60 * DAY)
        assert routing_scores([who.pk])[who.pk].verdict == "sales_ready"
        assert cast.reread(row).why_now_at == warm + again * 60 * DAY
    assert Handoff.objects.filter(lead=who).count() == Notice.objects.filter(handoff__lead=who).count() == 1
    assert RoutingDecision.objects.filter(lead=who).exclude(outcome="refreshed").count() == 1


def test_12_why_now_tells_when_it_happened_and_not_when_it_was_noticed():
    cast.rita()
    who = cast.lead()
    cast.warms_up(who)
    cast.flow(NOW + 3 * HOUR)
    row = Handoff.objects.get(lead=who)
    latest = who.activities.exclude(touchpoint__kind="handoff").order_by("-occurred_at").first()
    assert row.why_now_at == latest.occurred_at < row.created_at


def test_10_who_takes_up_an_offer_goes_to_sales_also_before_the_recycle_until_date():
    rita = cast.rita()
    model = ScoringModel.objects.get(routes=True)
    version = publish.new_draft(model=model, by=None)
    Rule.objects.create(
        version=version, kind="bite", name="Books a demo",
        condition={"is": "touchpoint", "kind": "mail_click", "asset": "/book-a-demo"},
    )  # fmt: skip
    publish.publish(version=version, by=None, at=NOW, approved=True)
    who = cast.lead()
    Handoff.objects.create(
        lead=who, owner=rita, queue=SalesQueue.objects.first(), status="returned", cycle_no=1, created_at=NOW, offered_at=NOW, why_now_at=NOW,
        ended_at=NOW,
        recycle_until=NOW + 30 * DAY,
    )  # fmt: skip
    cast.did(who, "mail_click", "/book-a-demo", NOW + HOUR)
    cast.did(who, "page_view", "/blog", NOW + HOUR)
    cast.flow(NOW + 2 * HOUR)
    row = Handoff.objects.get(lead=who, status__in=Handoff.OPEN)
    assert (row.owner, row.is_hand_raise) == (rita, False), "an offer taken up is no request"
    assert (row.why_now, row.why_now_at) == ("Took up the offer /book-a-demo", NOW + HOUR)


def test_nobody_free_means_waiting_in_the_default_queue():
    emea = SalesQueue.objects.create(name="EMEA", slug="emea")
    cast.rita(queues=[emea], is_present=False)
    RoutingRule.objects.create(
        name="EMEA",
        queue=emea,
        condition={"is": "lead_field", "field": "country", "op": "equals", "value": "DE"},
    )
    row = cast.handed(cast.lead(country="DE"))
    assert (row.status, row.queue, row.owner) == ("waiting", cast.queue(), None)
    assert row.lead.place == "sales"


def test_rules_choose_the_queue_by_position():
    small = SalesQueue.objects.create(name="Small", slug="small")
    big = SalesQueue.objects.create(name="Big", slug="big")
    rita, ron = cast.rita(queues=[small]), cast.ron(queues=[big])
    size = {"is": "lead_field", "field": "company_size", "op": "at_least"}
    RoutingRule.objects.create(name="Big", position=1, queue=big, condition={**size, "value": 100})
    RoutingRule.objects.create(name="All", position=2, queue=small, condition={})
    RoutingRule.objects.create(name="Off", position=0, queue=small, condition={}, is_active=False)
    RoutingRule.objects.create(name="Broken", position=0, queue=small, condition={"is": "gone"})
    assert cast.handed(cast.lead("a@a.net", company_size=300)).owner == ron
    assert cast.handed(cast.lead("b@b.net", company_size=3)).owner == rita


def test_a_repeat_with_nothing_new_writes_nothing():
    cast.rita()
    ready, nurtured, parked = (
        cast.handed().lead,
        cast.lead("n@n.net"),
        cast.lead("p@p.net", role="", company_size=1),
    )
    for who in (nurtured, parked):
        cast.did(who, "download", "/a")
    cast.flow()
    before = RoutingDecision.objects.count(), Lead.objects.get(pk=parked.pk).wake_at
    routing.route(lead_ids=[ready.pk, nurtured.pk, parked.pk], at=NOW + HOUR)
    assert (RoutingDecision.objects.count(), Lead.objects.get(pk=parked.pk).wake_at) == before
    assert Handoff.objects.count() == 1 and Enrollment.objects.count() == 1


def test_a_lead_whose_score_is_due_waits_for_it():
    cast.rita()
    who = cast.lead()
    cast.asks(who)
    places.ask_route(lead_ids=[who.pk], at=NOW)
    assert routing.route_due(at=NOW) == 0
    cast.flow()
    assert Handoff.objects.filter(lead=who).exists()


def test_a_batch_takes_a_fixed_number_of_statements(django_assert_max_num_queries):
    for name in ("Rita", "Ron"):
        cast.rep(name)
    people = [cast.lead(f"p{n}@firm{n}.net", company=cast.acme(f"Firm{n}")) for n in range(30)]
    for n, who in enumerate(people):
        cast.asks(who) if n % 2 else cast.did(who, "download", "/a")

    while rescore_due(at=NOW):
        pass
    with django_assert_max_num_queries(60):
        assert routing.route_due(at=NOW) == 30
    assert Handoff.objects.count() == 15 and Enrollment.objects.count() == 15
