"""Why, as a whole: by which model, at which instant, and how the score came to be."""

import pytest
from django.utils import timezone

from leads import places
from leads.models import Lead
from scoring.models import ScoringModel
from scoring.publish import publish
from scoring.rescore import rescore
from scoring.tests.cast import DAY, DECISION_MAKER, NOW, PRICING, approved, current, did, draft, fit, lead
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
    assert (evidence.what, evidence.activity_id) == ("Page view /pricing", activity.pk)


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


def test_what_holds_back_whom_the_score_would_pass(sarah):
    did(sarah, "recycled", ago=DAY, engagement=False, properties={"until": "2999-01-01T00:00:00+00:00"})
    for ago in (0.1, 0.2, 0.3):
        did(sarah, "page_view", "/pricing", ago=ago * DAY)
    then = why(lead=sarah).explanation
    assert then.verdict == "sales_ready" and "Sales gave it back until a date" in then.not_passed[0]
    Lead.objects.filter(pk=sarah.pk).update(place="disqualified", place_reason="No need")
    sarah.refresh_from_db()
    assert why(lead=sarah).explanation.not_passed[-1] == "Disqualified: No need"


def test_nobody_to_judge(sarah):
    ScoringModel.objects.update(routes=False)
    told = why(lead=sarah)
    assert (told.model, told.explanation, told.history.moments) == (None, None, [])
