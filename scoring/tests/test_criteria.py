"""Conditions about ratings and scores, as programs, routing and segments ask them."""

from datetime import UTC, datetime

import pytest

from leads.criteria import CRITERIA, BadCondition, matching
from leads.criteria.tree import check, sentence
from leads.models import Lead
from scoring.criteria import SCORED_CRITERIA
from scoring.models import ModelVersion, Scale, Score, ScoringModel

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
    return ada, bob


@pytest.mark.parametrize(
    ("tree", "matches", "words"),
    [
        ({"is": "rating", "one_of": ["A", "B"]}, True, "rating is A or B"),
        ({"is": "rating", "one_of": ["D"]}, False, "rating is D"),
        ({"is": "score", "of": "fit", "at_least": 40}, True, "fit is at least 40"),
        ({"is": "score", "of": "engagement", "at_least": 2.6}, False, "engagement is at least 2.6"),
        ({"is": "score", "of": "total", "at_least": 42.5}, True, "total score is at least 42.5"),
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
