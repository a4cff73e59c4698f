"""Scoring what is due: one lead, a batch, thousands, ageing, and whom a model judges."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.activities import record_many
from leads.content import classify
from leads.models import Asset, Lead
from leads.places import ask_rescore
from leads.rows import fetch
from scoring.engine import bulk
from scoring.engine.sight import STATE
from scoring.explain import explain, why_none
from scoring.models import ModelVersion, Score, ScoreChange, ScoringModel
from scoring.queries import current_scores, routing_scores
from scoring.rescore import age_due, rescore, rescore_due
from scoring.tests.cast import (
    DAY,
    DECISION_MAKER,
    HAND_RAISE,
    NOW,
    PRICING,
    SECOND,
    activity,
    approved,
    current,
    did,
    draft,
    fit,
    lead,
    score_of,
    stage_of,
    test_model,
)

pytestmark = pytest.mark.django_db


def test_it_works():
    version = current(DECISION_MAKER, PRICING)
    sarah = lead(role="Decision maker")
    did(sarah, "page_view", "/pricing", ago=1 * DAY)
    did(sarah, "page_view", "/pricing", ago=10 * DAY)
    assert rescore_due(at=NOW) == 1
    score = score_of(sarah, version)
    assert (score.fit, score.engagement, score.total) == (25, 15, 40)
    assert (score.rating, score.verdict) == ("B", "mql")
    assert score.next_change_at == NOW + 6 * DAY
    assert rescore_due(at=NOW) == 0
    assert routing_scores([sarah.pk])[sarah.pk].total == 40
    assert [row.model for row in current_scores([sarah.pk])[sarah.pk]] == ["Test"]


def test_what_does_not_count_as_engagement_scores_nothing():
    version = current(PRICING)
    sarah = lead()
    did(sarah, "page_view", "/pricing", ago=SECOND, engagement=False)
    rescore_due(at=NOW)
    assert score_of(sarah, version).engagement == 0


def test_a_test_lead_is_never_scored():
    current(PRICING)
    sarah = lead()
    rescore_due(at=NOW)
    Lead.objects.filter(pk=sarah.pk).update(is_test=True)
    ask_rescore(lead_ids=[sarah.pk], at=NOW)
    assert rescore_due(at=NOW) == 1
    assert not Score.objects.filter(lead=sarah).exists()


def test_a_stated_timeline_runs_out_on_time():
    version = current(fit(10, field="timeline", op="contains", value="30 days"))
    sarah = lead(timeline="within 30 days", timeline_until=NOW + 5 * DAY)
    rescore_due(at=NOW)
    score = score_of(sarah, version)
    assert (score.fit, score.next_change_at) == (10, NOW + 5 * DAY)
    assert age_due(at=NOW + 5 * DAY - SECOND) == 0
    assert age_due(at=NOW + 5 * DAY) == 1
    rescore_due(at=NOW + 5 * DAY)
    score.refresh_from_db()
    assert (score.fit, score.next_change_at) == (0, None)


def test_who_waits_for_what_is_dated_later_ages_meanwhile():
    version = current(PRICING)
    sarah = lead()
    did(sarah, "page_view", "/pricing", ago=2 * DAY)
    did(sarah, "webinar", now=NOW + 30 * DAY, received_at=NOW)
    rescore_due(at=NOW)
    assert Lead.objects.get(pk=sarah.pk).rescore_at == NOW + 30 * DAY
    assert age_due(at=NOW + 5 * DAY) == 1 == rescore_due(at=NOW + 5 * DAY)
    assert score_of(sarah, version).engagement == 5
    assert Lead.objects.get(pk=sarah.pk).rescore_at == NOW + 30 * DAY


def test_what_is_dated_later_counts_when_its_time_comes():
    version = current(PRICING)
    sarah = lead()
    did(sarah, "page_view", "/pricing", now=NOW + SECOND, received_at=NOW)
    rescore_due(at=NOW)
    assert score_of(sarah, version).engagement == 0
    assert rescore_due(at=NOW) == 0
    assert rescore_due(at=NOW + SECOND) == 1
    assert score_of(sarah, version).engagement == 10


def test_nothing_is_written_where_nothing_changed():
    version = current(DECISION_MAKER, PRICING)
    sarah = lead()
    did(sarah, "page_view", "/pricing", ago=DAY)
    assert rescore(lead_ids=[sarah.pk], at=NOW) == 1
    before = score_of(sarah, version).as_of
    assert rescore(lead_ids=[sarah.pk], at=NOW + SECOND) == 0
    assert score_of(sarah, version).as_of == before


def test_the_newest_due_lead_comes_first():
    version = current(PRICING)
    backlog = [lead(f"old{n}@example.com", at=NOW - 20 * DAY) for n in range(3)]
    sarah = lead(at=NOW)
    assert rescore_due(at=NOW, limit=1) == 1
    assert [score.lead_id for score in Score.objects.filter(model_version=version)] == [sarah.pk]
    assert rescore_due(at=NOW, limit=10) == len(backlog)


def test_one_lead_takes_three_statements():
    current(DECISION_MAKER, PRICING, HAND_RAISE)
    sarah = lead()
    did(sarah, "page_view", "/pricing", ago=DAY)
    rescore_due(at=NOW)  # compiles the rules and learns the touchpoint
    did(sarah, "page_view", "/pricing", ago=SECOND)
    with CaptureQueriesContext(connection) as queries:
        rescore_due(at=NOW)
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 3, statements  # claim, sight, write


def test_a_batch_takes_no_more_statements_than_one():
    current(PRICING)
    many = [lead(f"p{n}@example.com") for n in range(20)]
    for who in many:
        did(who, "page_view", "/pricing", ago=SECOND)
    rescore_due(at=NOW)
    for who in many:
        did(who, "page_view", "/pricing", now=NOW)
    with CaptureQueriesContext(connection) as queries:
        assert rescore_due(at=NOW) == 20
    assert len([q for q in queries if "SAVEPOINT" not in q["sql"]]) == 3


def test_what_is_as_it_should_be_takes_one_look_and_no_lock():
    current(DECISION_MAKER, PRICING, HAND_RAISE)
    people = [lead(role="decision maker"), lead("p@example.com")]
    did(people[0], "page_view", "/pricing", ago=SECOND)
    ids = [who.pk for who in people]
    assert rescore(lead_ids=ids, at=NOW) == 2
    with CaptureQueriesContext(connection) as queries:
        assert rescore(lead_ids=ids, at=NOW) == 0
    assert len(queries) == 1, queries.captured_queries
    with CaptureQueriesContext(connection) as queries:
        assert rescore(lead_ids=ids[:1], at=NOW) == 0
    assert len(queries) == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        {"fit": 1}, {"engagement": 1}, {"rating": "D"}, {"verdict": "none"}, {"hand_raised_at": NOW},
        {"hand_raised_at": None}, {"next_change_at": NOW}, {"next_change_at": None},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_not_as_it_should_be_is_written(spoilt):
    version = current(DECISION_MAKER, PRICING, HAND_RAISE)
    sarah = lead(role="decision maker")
    did(sarah, "page_view", "/pricing", ago=DAY)
    did(sarah, "hand_raise", "quote", ago=SECOND)
    rescore(lead_ids=[sarah.pk], at=NOW)
    right = score_of(sarah, version)
    Score.objects.filter(pk=right.pk).update(**spoilt)
    assert rescore(lead_ids=[sarah.pk], at=NOW) == 1
    found = score_of(sarah, version)
    for name in ("fit", "engagement", "rating", "verdict", "hand_raised_at", "next_change_at"):
        assert getattr(found, name) == getattr(right, name)


def test_a_stage_that_lags_is_raised_though_the_score_stands():
    current(DECISION_MAKER, PRICING)
    sarah = lead(role="decision maker")
    rescore(lead_ids=[sarah.pk], at=NOW)
    Lead.objects.filter(pk=sarah.pk).update(stage="inquiry")
    assert rescore(lead_ids=[sarah.pk], at=NOW) == 0
    assert stage_of(sarah) == "mql"


def test_a_score_that_a_lead_should_not_have_any_more_goes():
    version = current(DECISION_MAKER)
    sarah = lead(role="decision maker")
    rescore(lead_ids=[sarah.pk], at=NOW)
    Lead.objects.filter(pk=sarah.pk).update(is_test=True)
    assert rescore(lead_ids=[sarah.pk], at=NOW) == 0
    assert not Score.objects.filter(lead=sarah, model_version=version).exists()


def test_thousands_are_scored_as_few_are():
    """Many leads travel as one message and by range; a test lead in between and one not asked for stay out of it."""
    version = current(DECISION_MAKER, PRICING, HAND_RAISE)
    at = NOW - DAY
    crowd = Lead.objects.bulk_create(
        Lead(
            email=f"p{n}@example.com",
            role="decision maker" if n % 3 else "",
            is_test=n == 50,
            created_at=at,
            updated_at=at,
        )
        for n in range(bulk.FROM + 200)
    )
    items = [
        {
            "lead": person,
            "kind": "hand_raise" if n % 97 == 5 else "page_view",
            "asset": "/pricing",
            "at": NOW - n * DAY / 40,
        }
        for n, person in enumerate(crowd)
    ]
    record_many(items, received_at=NOW)
    asked = [person.pk for n, person in enumerate(crowd) if n != 70]
    with CaptureQueriesContext(connection):  # with the cursor that DEBUG brings
        assert rescore(lead_ids=asked, at=NOW) == len(asked) - 1
    stored = Score.objects.filter(model_version=version)
    assert set(stored.values_list("lead", flat=True)) == set(asked) - {crowd[50].pk}
    assert rescore(lead_ids=asked, at=NOW) == 0
    for few in (asked[:300], asked[300:500], asked[-300:]):
        assert rescore(lead_ids=few, at=NOW) == 0
    # Updates go the same way as the first writing did.
    later = NOW + 5 * DAY
    moved = rescore(lead_ids=asked, at=later)
    assert 0 < moved < len(asked)
    assert stored.filter(as_of=later).count() == moved
    assert rescore(lead_ids=asked[:300], at=later) == 0 == rescore(lead_ids=asked[-300:], at=later)
    assert ScoreChange.objects.filter(model_version=version, old_rating="").count() == len(asked) - 1


def test_a_model_judges_only_whom_it_applies_to():
    version = current(PRICING)
    ScoringModel.objects.filter(pk=version.model_id).update(
        applies_to={"is": "lead_field", "field": "timeline", "op": "known"}
    )
    sarah = lead("sarah@x.example", timeline="this quarter", timeline_until=NOW + DAY)
    other = lead("other@x.example")
    for who in (sarah, other):
        did(who, "page_view", "/pricing", ago=SECOND)
    rescore_due(at=NOW)
    score = score_of(sarah, version)
    assert (score.engagement, score.next_change_at) == (10, NOW + DAY)
    assert not Score.objects.filter(lead=other).exists()
    assert explain(lead=other, at=NOW) is None
    assert (
        why_none(lead=other, at=NOW) == "Test judges only leads of whom this holds: buying timeline is known."
    )
    assert age_due(at=NOW + DAY) == 1
    rescore_due(at=NOW + DAY)
    assert not Score.objects.filter(lead=sarah).exists()


def test_whom_a_model_will_judge_by_time_alone_is_due_then():
    version = current(PRICING)
    tree = {"none": [{"is": "lead_field", "field": "timeline", "op": "known"}]}
    ScoringModel.objects.filter(pk=version.model_id).update(applies_to=tree)
    sarah = lead(timeline="this quarter", timeline_until=NOW + DAY)
    rescore_due(at=NOW)
    assert not Score.objects.filter(lead=sarah).exists()
    assert Lead.objects.get(pk=sarah.pk).rescore_at == NOW + DAY
    assert rescore_due(at=NOW + DAY) == 1
    assert score_of(sarah, version).engagement == 0


def test_opens_count_only_where_a_rule_names_them():
    version = current(
        activity(5, "mail_open", cap_points=12), {"kind": "activity", "points": 1, "condition": {}},
        {"kind": "inactivity", "points": -3, "days": 5},
    )  # fmt: skip
    sarah = lead()
    for days in (1, 2, 3):
        did(sarah, "mail_open", "/newsletter", ago=days * DAY)
    assert rescore_due(at=NOW) == 1
    assert score_of(sarah, version).engagement == 9  # 12 of 15, no engagement otherwise, and quiet
    assert [line.points for line in explain(lead=sarah, at=NOW).lines] == [15, -3, -3]


def test_what_an_asset_is_about_is_asked_as_it_is_now():
    version = current(
        {"kind": "activity", "points": 5, "condition": {"is": "content", "buying_stage": "decision"}}
    )
    asset = Asset.objects.create(path="/compare", title="Compare")
    sarah = lead()
    did(sarah, "page_view", "/compare", ago=2 * DAY)
    rescore_due(at=NOW - DAY)
    assert score_of(sarah, version).engagement == 0
    classify(asset=asset, buying_stage="decision", at=NOW)
    assert rescore_due(at=NOW) == 1
    assert score_of(sarah, version).engagement == 5
    assert explain(lead=sarah, at=NOW - DAY).engagement == 0


def test_which_versions_are_live_is_told_alike_by_any_plan():
    """Else whoever plans it one way would never find what the other told, and look for ever."""
    models = [test_model(), *(ScoringModel.objects.create(name=name, slug=name) for name in "bc")]
    for version in [approved(draft(PRICING, model=model)) for model in models][::-1]:
        ModelVersion.objects.filter(pk=version.pk).update(publish_asked_at=NOW)
    told = set()
    for plan in ("indexscan", "seqscan"):
        fetch(f"SET LOCAL enable_{plan} = off; SET LOCAL enable_bitmapscan = off", returns=False)
        told |= {row[0] for row in fetch(STATE)}
        fetch(f"SET LOCAL enable_{plan} = on", returns=False)
    assert len(told) == 1
