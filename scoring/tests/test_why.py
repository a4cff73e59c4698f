"""Why, as a whole: by which model, at which instant, and how the score came to be."""

import pytest
from django.utils import timezone

from leads import places
from leads.models import Lead
from scoring.models import Publication, ScoringModel
from scoring.publish import publish
from scoring.rescore import rescore
from scoring.tests.cast import (
    DAY,
    DECISION_MAKER,
    HAND_RAISE,
    NOW,
    PRICING,
    approved,
    current,
    did,
    draft,
    fit,
    lead,
)
from scoring.why import UnknownModel, why

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def sarah():
    current(DECISION_MAKER, PRICING)
    sarah = lead(role="decision maker")
    rescore(lead_ids=[sarah.pk], at=NOW - 9 * DAY)
    return sarah


def test_the_history_has_what_moved_and_the_versions_between(sarah):
    did(sarah, "page_view", "/pricing", ago=5 * DAY)
    rescore(lead_ids=[sarah.pk], at=NOW - 5 * DAY)
    did(sarah, "page_view", "/pricing", ago=5 * DAY)
    rescore(lead_ids=[sarah.pk], at=NOW - 5 * DAY)
    publish(version=approved(draft(fit(1, field="email", op="known"))), by=None, at=NOW - 3 * DAY)
    told = why(lead=sarah).history
    assert [(m.at, m.rating, m.total, m.version) for m in told.moments] == [
        (NOW - 9 * DAY, "C", 25, 1),
        (NOW - 5 * DAY, "B", 45, 1),
        (NOW - 3 * DAY, "D", 1, 2),
    ]
    assert [(mark.at, mark.version) for mark in told.marks] == [(NOW - 3 * DAY, 2)] and told.is_whole
    then = why(lead=sarah, at=NOW - 4 * DAY)
    assert (then.is_past, then.explanation.version, then.explanation.total) == (True, "Test v1", 45)
    assert [m.rating for m in then.history.moments] == ["C", "B"] and not then.history.marks


def test_each_piece_of_evidence_is_found_in_the_log(sarah):
    activity = did(sarah, "page_view", "/pricing", ago=5 * DAY)
    (evidence,) = [e for line in why(lead=sarah).explanation.lines for e in line.evidence if e.at]
    assert (evidence.what, evidence.activity_id) == ("Viewed /pricing", activity.pk)


def test_another_model_judges_for_itself_and_says_nothing_of_passing(sarah):
    other = ScoringModel.objects.create(name="Second market", slug="second")
    current(fit(7, field="role", op="known"), model=other)
    rescore(lead_ids=[sarah.pk], at=NOW)
    told = why(lead=sarah, model="second")
    assert [(row.slug, row.routes) for row in told.scores] == [("test", True), ("second", False)]
    assert (told.explanation.total, told.explanation.not_passed) == (7, [])
    assert why(lead=sarah).explanation.not_passed == ["Engagement is 0; sales-ready needs 30"]
    with pytest.raises(UnknownModel, match="Use test, second"):
        why(lead=sarah, model="third")


def test_who_is_with_sales_has_been_passed_then_and_now(sarah):
    places.move(lead=sarah, place="sales", reason="Asked", at=NOW - 4 * DAY)
    assert why(lead=sarah).explanation.not_passed == []
    assert why(lead=sarah, at=NOW - 4 * DAY).explanation.not_passed == []
    assert why(lead=sarah, at=NOW - 5 * DAY).explanation.not_passed


def test_who_works_for_a_customer_has_been_passed_only_with_the_deal(sarah):
    places.move(lead=sarah, place="customer", reason="Northwind is a customer", at=NOW - 4 * DAY)
    lacks = ["Northwind is a customer", "Engagement is 0; sales-ready needs 30"]
    assert why(lead=sarah).explanation.not_passed == lacks
    places.move(lead=sarah, place="customer", stage="customer", reason="Won", at=NOW - 2 * DAY)
    assert why(lead=sarah).explanation.not_passed == []
    assert why(lead=sarah, at=NOW - 3 * DAY).explanation.not_passed == lacks


def recycled(sarah, ago, until=NOW + 30 * DAY):
    """As sales gives back: until a date, and only what comes from now on counts."""
    facts = {"until": until.isoformat(), "reason": "No budget yet"}
    did(sarah, "recycled", ago=ago, engagement=False, properties=facts)
    did(sarah, "engagement_since", ago=ago, engagement=False)


GIVEN_BACK = (
    "Sales gave it back until 1 July 2026 (No budget yet): before that only a request or a bite passes it"
)


def test_what_holds_back_whom_the_score_would_pass(sarah):
    recycled(sarah, DAY)
    for ago in (0.1, 0.2, 0.3):
        did(sarah, "page_view", "/pricing", ago=ago * DAY)
    then = why(lead=sarah).explanation
    assert (then.verdict, then.not_passed) == ("sales_ready", [GIVEN_BACK])
    Lead.objects.filter(pk=sarah.pk).update(place="disqualified", place_reason="No need")
    sarah.refresh_from_db()
    assert why(lead=sarah).explanation.not_passed == ["Disqualified: No need", GIVEN_BACK]


def test_every_reason_that_holds_is_named_what_to_act_on_first(sarah):
    recycled(sarah, 2 * DAY)
    lacks = "Engagement is 0, counted anew since 30 May 2026; sales-ready needs 30"
    assert why(lead=sarah).explanation.not_passed == [GIVEN_BACK, lacks]
    assert why(lead=sarah, at=NOW - 3 * DAY).explanation.not_passed == [
        "Engagement is 0; sales-ready needs 30"
    ]
    until = NOW + 30 * DAY
    places.move(lead=sarah, place="parked", reason="Recycled", wake_at=until, at=NOW - 2 * DAY)
    sarah.refresh_from_db()
    assert why(lead=sarah).explanation.not_passed == [GIVEN_BACK, lacks], "the same date is said once"
    places.move(lead=sarah, place="parked", reason="On leave", wake_at=until + 30 * DAY, at=NOW - DAY)
    sarah.refresh_from_db()
    assert why(lead=sarah).explanation.not_passed == [
        GIVEN_BACK,
        "Parked until 31 July 2026: On leave",
        lacks,
    ]


def test_where_it_stood_then_is_the_reason_then(sarah):
    places.move(lead=sarah, place="parked", reason="On leave", wake_at=NOW, at=NOW - 6 * DAY)
    places.move(lead=sarah, place="nurture", reason="Back", at=NOW - 2 * DAY)
    sarah.refresh_from_db()
    lacks = "Engagement is 0; sales-ready needs 30"
    assert why(lead=sarah, at=NOW - 4 * DAY).explanation.not_passed == ["Parked: On leave", lacks]
    assert why(lead=sarah).explanation.not_passed == [lacks]


def test_a_request_passes_who_was_given_back(sarah):
    current(DECISION_MAKER, HAND_RAISE)
    recycled(sarah, 2 * DAY)
    places.move(lead=sarah, place="parked", reason="Recycled", wake_at=NOW + 30 * DAY, at=NOW - 2 * DAY)
    did(sarah, "hand_raise", "quote", ago=DAY)
    sarah.refresh_from_db()
    assert why(lead=sarah).explanation.not_passed == []


def test_a_past_instant_has_the_models_and_ratings_of_then(sarah):
    other = ScoringModel.objects.create(name="Second market", slug="second")
    current(fit(7, field="role", op="known"), model=other)
    Publication.objects.filter(model=other).update(at=NOW - 3 * DAY)
    did(sarah, "page_view", "/pricing", ago=2 * DAY)
    rescore(lead_ids=[sarah.pk], at=NOW)
    rated = {
        days: [(row.slug, row.rating) for row in why(lead=sarah, at=NOW - days * DAY).scores]
        for days in (1, 4)
    }
    assert rated == {1: [("test", "C"), ("second", "D")], 4: [("test", "C")]}
    assert why(lead=sarah, at=NOW - 40 * DAY).scores == []


def test_nobody_to_judge(sarah):
    ScoringModel.objects.update(routes=False)
    told = why(lead=sarah)
    assert (told.model, told.explanation, told.history.moments) == (None, None, [])
