"""Conditions about ratings and scores, as programs, routing and segments ask them."""

from datetime import UTC, datetime

import pytest

from leads.criteria import CRITERIA, BadCondition, matching
from leads.criteria.tree import check, sentence, where
from leads.models import Lead
from scoring.criteria import MAX_SEGMENTS, SCORED_CRITERIA, check_segment
from scoring.models import ModelVersion, Scale, Score, ScoringModel, Segment

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def scored(db):
    """Ada is an A under the version in force and a D under the one before; Bob is not scored."""
    ScoringModel.objects.filter(routes=True).update(routes=False)
    scale = Scale.objects.create(name="s", ratings=[], fit_bands=[], engagement_bands=[], cells={})
    model = ScoringModel.objects.create(name="In force", slug="in-force", routes=True)
    old, new = (
        ModelVersion.objects.create(model=model, number=n, scale=scale, status=status)
        for n, status in ((1, "superseded"), (2, "published"))
    )
    ScoringModel.objects.filter(pk=model.pk).update(current_version=new)
    ada, bob = (
        Lead.objects.create(email=f"{name}@example.com", created_at=AT, updated_at=AT)
        for name in ("ada", "bob")
    )
    Score.objects.create(model_version=old, lead=ada, fit=0, engagement=0, total=0, rating="D", as_of=AT)
    Score.objects.create(
        model_version=new, lead=ada, fit=40, engagement=2.5, total=42.5, rating="A", as_of=AT
    )
    other = ScoringModel.objects.create(name="Other", slug="other")
    version = ModelVersion.objects.create(model=other, number=1, scale=scale, status="published")
    ScoringModel.objects.filter(pk=other.pk).update(current_version=version)
    Score.objects.create(model_version=version, lead=ada, fit=1, engagement=0, total=1, rating="C", as_of=AT)
    segment("hot", {"is": "rating", "one_of": ["A"]})
    segment(
        "hot-here",
        {"all": [{"is": "segment", "segment": "hot"}, {"is": "lead_field", "field": "email", "op": "known"}]},
    )
    segment(
        "cold",
        {
            "none": [
                {
                    "any": [
                        {"is": "segment", "segment": "hot-here"},
                        {"is": "lead_field", "field": "email", "op": "contains", "value": "bob"},
                    ]
                }
            ]
        },
    )
    return ada, bob


def segment(slug, condition):
    return Segment.objects.create(slug=slug, name=slug.title(), condition=condition)


def refusal(tree, ask=check):
    with pytest.raises(BadCondition) as caught:
        ask(tree, criteria=SCORED_CRITERIA)
    return caught.value.path, caught.value.message


@pytest.mark.parametrize(
    ("tree", "matches", "words"),
    [
        ({"is": "rating", "one_of": ["A", "B"]}, True, "rating is A or B"),
        ({"is": "rating", "one_of": ["D"]}, False, "rating is D"),
        ({"is": "score", "of": "fit", "at_least": 40}, True, "fit is at least 40"),
        ({"is": "score", "of": "engagement", "at_least": 2.6}, False, "engagement is at least 2.6"),
        ({"is": "score", "of": "total", "at_least": 42.5}, True, "total score is at least 42.5"),
        ({"is": "rating", "one_of": ["A"], "model": "in-force"}, True, "rating is A by the model “In force”"),
        ({"is": "rating", "one_of": ["A"], "model": "other"}, False, "rating is A by the model “Other”"),
        (
            {"is": "score", "of": "fit", "at_least": 1, "model": "other"},
            True,
            "fit is at least 1 by the model “Other”",
        ),
        ({"is": "segment", "segment": "hot"}, True, "is in the segment “Hot”"),
        ({"is": "segment", "segment": "hot-here"}, True, "is in the segment “Hot-Here”"),
        ({"is": "segment", "segment": "cold"}, False, "is in the segment “Cold”"),
    ],
)
def test_it_works(scored, tree, matches, words):
    ada, _ = scored
    found = matching.ids(tree, lead_ids=[lead.pk for lead in scored], criteria=SCORED_CRITERIA, at=AT)
    assert found == ({ada.pk} if matches else set())
    assert sentence(tree, criteria=SCORED_CRITERIA) == words


def test_only_the_model_that_routes_is_asked(scored):
    ScoringModel.objects.filter(routes=True).update(routes=False)
    tree = {"is": "rating", "one_of": ["A"]}
    assert not matching.ids(tree, lead_ids=[scored[0].pk], criteria=SCORED_CRITERIA, at=AT)


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ({"is": "rating", "one_of": ["A'--", "\0"]}, "one_of[1]"),
        ({"is": "score", "of": "fit; DROP TABLE", "at_least": 1}, "of"),
        ({"is": "score", "of": "fit", "at_least": float("nan")}, "at_least"),
        ({"is": "score", "of": "fit", "at_least": "1"}, "at_least"),
    ],
)
def test_refusals_name_the_path(tree, path):
    with pytest.raises(BadCondition) as caught:
        check(tree, criteria=SCORED_CRITERIA)
    assert caught.value.path == path


def test_rules_cannot_ask_about_scores():
    with pytest.raises(BadCondition):
        check({"is": "rating", "one_of": ["A"]}, criteria=CRITERIA)


def test_a_segment_that_is_not_there_is_refused_wherever_it_is_asked(scored):
    tree = {"any": [{"is": "rating", "one_of": ["A"]}, {"is": "segment", "segment": "hot-here"}]}
    Segment.objects.get(slug="hot").delete()
    for ask in (check, sentence, lambda tree, criteria: where(tree, criteria=criteria, at=AT)):
        path, message = refusal(tree, ask)
        assert path == "any[1].segment"
        assert message == (
            "cannot be used, “hot-here” has a fault at all[0].segment: there is no segment “hot”"
        )
    assert refusal({"is": "segment", "segment": "hot"}) == ("segment", "there is no segment “hot”")


def test_segments_do_not_go_in_circles(scored):
    Segment.objects.filter(slug="hot").update(condition={"is": "segment", "segment": "hot-here"})
    path, message = refusal({"all": [{"is": "segment", "segment": "hot"}]})
    assert path == "all[0].segment"
    assert "goes in a circle: hot → hot-here → hot" in message
    for condition in ({"is": "segment", "segment": "new"}, {"none": [{"is": "segment", "segment": "back"}]}):
        segment("back", {"is": "segment", "segment": "new"})
        with pytest.raises(BadCondition, match=r"there is no segment “new”|goes in a circle"):
            check_segment(slug="new", condition=condition)
        Segment.objects.filter(slug="back").delete()
    check_segment(slug="new", condition={"is": "rating", "one_of": ["A"]})


def test_segments_within_segments_stay_bounded(scored):
    before = "s0"
    segment(before, {"all": [{"is": "rating", "one_of": ["A"]}] * 20})
    for number in range(1, MAX_SEGMENTS + 2):
        segment(f"s{number}", {"all": [{"is": "segment", "segment": before}] * 3})
        before = f"s{number}"
    assert "are the limit" in refusal({"is": "segment", "segment": "s3"})[1]
    for number in range(1, MAX_SEGMENTS + 2):
        Segment.objects.filter(slug=f"s{number}").update(
            condition={"is": "segment", "segment": f"s{number - 1}"}
        )
    check({"is": "segment", "segment": f"s{MAX_SEGMENTS - 1}"}, criteria=SCORED_CRITERIA)
    assert "nested too deeply" in refusal({"is": "segment", "segment": f"s{MAX_SEGMENTS}"})[1]


def test_a_model_that_is_not_there_is_refused_where_it_is_written(scored):
    tree = {"is": "rating", "one_of": ["A"], "model": "nope"}
    assert refusal(tree) == ("model", "there is no scoring model “nope”")
    assert not matching.ids(tree, lead_ids=[scored[0].pk], criteria=SCORED_CRITERIA, at=AT)
