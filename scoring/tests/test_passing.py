"""What a verdict calls for: who is raised to which stage, what passes at once, and what holds a lead back."""

from datetime import timedelta

import pytest

from leads.models import Lead, Place, StageChange
from scoring.models import Score, ScoreChange
from scoring.rescore import age_due, rescore, rescore_due
from scoring.tests.cast import (
    BITE,
    COMPETITOR,
    DAY,
    DECISION_MAKER,
    HAND_RAISE,
    NOW,
    PRICING,
    SECOND,
    current,
    did,
    fit,
    lead,
    score_of,
    stage_of,
)

pytestmark = pytest.mark.django_db


def asked_to_route(who):
    """Whether routing was asked for, and the slate wiped clean."""
    asked = Lead.objects.get(pk=who.pk).route_at is not None
    Lead.objects.filter(pk=who.pk).update(route_at=None)
    return asked


def test_fit_alone_never_passes():
    version = current(DECISION_MAKER, fit(500, field="email", op="known"), PRICING)
    sarah = lead(role="decision maker")
    rescore_due(at=NOW)
    assert score_of(sarah, version).verdict == "mql"
    assert stage_of(sarah) == "mql"


def test_a_lead_nobody_can_reach_is_no_mql():
    version = current(fit(500, field="last_name", op="known"), PRICING)
    somebody = lead(email=None, last_name="Ng", has_external_id=True)
    rescore_due(at=NOW)
    assert score_of(somebody, version).verdict == "none"


def test_the_stage_follows_with_the_reason_in_words():
    current(DECISION_MAKER, PRICING)
    sarah = lead(role="decision maker")
    rescore_due(at=NOW - DAY)
    assert asked_to_route(sarah)
    for minutes in (1, 2, 3):
        did(sarah, "page_view", "/pricing", ago=timedelta(minutes=minutes))
    rescore_due(at=NOW)
    assert stage_of(sarah) == "sales_ready"
    assert asked_to_route(sarah)
    reasons = StageChange.objects.filter(lead=sarah).order_by("pk").values_list("to_stage", "reason")
    assert list(reasons) == [("mql", "Fit 25 of 20"), ("sales_ready", "Fit 25 of 20, engagement 30 of 30")]


def test_cooling_takes_nothing_back():
    version = current(DECISION_MAKER, PRICING)
    sarah = lead(role="decision maker")
    for minutes in (1, 2, 3):
        did(sarah, "page_view", "/pricing", ago=timedelta(minutes=minutes))
    rescore_due(at=NOW)
    asked_to_route(sarah)
    assert age_due(at=NOW + 40 * DAY) == 1
    rescore_due(at=NOW + 40 * DAY)
    assert score_of(sarah, version).verdict == "mql"
    assert stage_of(sarah) == "sales_ready"
    assert asked_to_route(sarah)
    changes = ScoreChange.objects.filter(lead=sarah).order_by("at").values_list("new_rating", "new_verdict")
    assert list(changes) == [("B", "sales_ready"), ("C", "mql")]


def test_a_hand_raise_passes_whatever_the_points():
    version = current(DECISION_MAKER, HAND_RAISE)
    sarah = lead()
    did(sarah, "hand_raise", "quote", ago=SECOND)
    rescore_due(at=NOW)
    assert score_of(sarah, version).verdict == "hand_raise"
    assert stage_of(sarah) == "sales_ready"
    assert asked_to_route(sarah)


def test_only_a_hand_raised_anew_is_news():
    current(DECISION_MAKER, HAND_RAISE)
    sarah = lead()
    did(sarah, "hand_raise", "quote", ago=DAY)
    rescore_due(at=NOW)
    asked_to_route(sarah)
    did(sarah, "page_view", "/blog", ago=SECOND)
    rescore_due(at=NOW)
    assert not asked_to_route(sarah)
    did(sarah, "hand_raise", "quote", now=NOW + DAY)
    rescore_due(at=NOW + DAY)
    assert asked_to_route(sarah)


def test_a_competitor_is_excluded_and_rated_last():
    version = current(fit(50, field="email", op="known"), COMPETITOR, HAND_RAISE)
    spy = lead(company={"relationship": "competitor", "domain": "rival.example"})
    did(spy, "hand_raise", "quote", ago=SECOND)
    rescore_due(at=NOW)
    score = score_of(spy, version)
    assert (score.fit, score.rating, score.verdict) == (50, "D", "excluded")
    assert stage_of(spy) == "inquiry"


def recycled(who, until, *, ago=1 * DAY):
    did(who, "recycled", ago=ago, engagement=False, properties={"until": until.isoformat()})


def test_recycling_starts_engagement_afresh():
    version = current(DECISION_MAKER, PRICING, HAND_RAISE)
    sarah = lead(role="decision maker")
    did(sarah, "page_view", "/pricing", ago=2 * DAY)
    did(sarah, "hand_raise", "quote", ago=2 * DAY)
    did(sarah, "engagement_since", ago=DAY, engagement=False, properties={"mode": "restart"})
    did(sarah, "page_view", "/pricing", ago=SECOND)
    rescore_due(at=NOW)
    score = score_of(sarah, version)
    assert (score.engagement, score.verdict, score.hand_raised_at) == (10, "mql", None)


def test_before_the_recycle_until_date_only_a_hand_raise_passes():
    current(fit(50, field="email", op="known"), PRICING, HAND_RAISE)
    sarah = lead()
    Lead.objects.filter(pk=sarah.pk).update(place=Place.PARKED, wake_at=NOW + DAY, stage="mql")
    for minutes in (1, 2, 3):
        did(sarah, "page_view", "/pricing", ago=timedelta(minutes=minutes))
    rescore_due(at=NOW)
    assert stage_of(sarah) == "mql"
    rescore(lead_ids=[sarah.pk], at=NOW + 2 * DAY)
    assert stage_of(sarah) == "sales_ready"


@pytest.mark.parametrize("place", [Place.NURTURE, Place.PARKED, Place.SCORING])
def test_a_recycled_lead_keeps_its_stage_until_its_date_wherever_it_is(place):
    """Points alone do not raise it before; a request does, and so does the day itself."""
    current(DECISION_MAKER, PRICING, HAND_RAISE)
    sarah = lead(role="decision maker")
    Lead.objects.filter(pk=sarah.pk).update(
        place=place, wake_at=NOW if place == "parked" else None, stage="mql"
    )
    recycled(sarah, NOW - 30 * DAY, ago=90 * DAY)
    recycled(sarah, NOW + DAY)
    for days in (0, 0.1, 0.2):
        did(sarah, "page_view", "/pricing", ago=days * DAY)
    rescore(lead_ids=[sarah.pk], at=NOW)
    assert (Score.objects.get(lead=sarah).verdict, stage_of(sarah)) == ("sales_ready", "mql")
    rescore(lead_ids=[sarah.pk], at=NOW + DAY)
    assert stage_of(sarah) == "sales_ready"


def test_a_recycled_lead_that_asks_is_raised_at_once():
    current(DECISION_MAKER, PRICING, HAND_RAISE)
    sarah = lead(role="decision maker")
    recycled(sarah, NOW + DAY)
    did(sarah, "hand_raise", "quote")
    rescore(lead_ids=[sarah.pk], at=NOW)
    assert stage_of(sarah) == "sales_ready"


def test_a_bite_passes_whatever_the_points_also_before_the_recycle_until_date():
    version = current(DECISION_MAKER, PRICING, BITE)
    sarah = lead()
    recycled(sarah, NOW + DAY)
    did(sarah, "mail_click", "/book-a-demo", ago=SECOND)
    rescore_due(at=NOW)
    score = score_of(sarah, version)
    assert (score.verdict, score.hand_raised_at) == ("bite", NOW - SECOND)
    assert stage_of(sarah) == "sales_ready"
    assert StageChange.objects.get(lead=sarah).reason == "Took up an offer on 2026-06-01 11:59 UTC"
    assert asked_to_route(sarah)


def test_a_hand_raise_wins_over_a_bite_and_an_exclusion_over_both():
    version = current(HAND_RAISE, BITE, COMPETITOR)
    sarah = lead()
    spy = lead("spy@rival.example", company={"relationship": "competitor", "domain": "rival.example"})
    for who in (sarah, spy):
        did(who, "hand_raise", "quote", ago=DAY)
        did(who, "mail_click", "/book-a-demo", ago=SECOND)
    rescore_due(at=NOW)
    assert (score_of(sarah, version).verdict, score_of(spy, version).verdict) == ("hand_raise", "excluded")
    assert score_of(sarah, version).hand_raised_at == NOW - SECOND  # the latest of both is news
