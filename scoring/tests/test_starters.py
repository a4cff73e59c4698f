"""Every starter can be published as it is, and a new model begins with a copy of it."""

import numpy as np
import pytest
from django.urls import reverse

from scoring import ratings, starters
from scoring.models import ModelVersion, ScoringModel
from scoring.publish import first_draft, problems, publish, table_of
from scoring.queries import current_scores
from scoring.rescore import rescore_due
from scoring.tests.cast import DAY, NOW, did, lead

pytestmark = pytest.mark.django_db
STARTERS = list(starters.STARTERS)


def begun(name):
    model = ScoringModel.objects.create(name=name.title(), slug=name)
    return first_draft(model=model, by=None, table=starters.STARTERS[name])


@pytest.mark.parametrize("name", STARTERS)
def test_it_can_be_published_as_it_is(name):
    draft = begun(name)
    table = starters.STARTERS[name]
    assert problems(draft) == []
    assert draft.rules.count() == len(table["rules"])
    assert draft.profiles.exists()
    assert draft.groups.exists()
    assert all(len(row) == 3 for row in draft.scale.ratings)
    vera = lead("vera@x.example", role="decision maker", job_title="Head of production", at=NOW - 3 * DAY,
                company={"size": 300, "industry": "Manufacturing"})  # fmt: skip
    did(vera, "download", "/spec-sheets/series-4", ago=DAY)
    publish(version=draft, by=None, at=NOW, approved=True)
    rescore_due(at=NOW)
    score = next(row for row in current_scores([vera.pk])[vera.pk] if row.slug == name)
    assert score.verdict != "none", score
    assert score.rating in [row[0] for row in table["scale"]["ratings"]]


@pytest.mark.parametrize("name", STARTERS)
def test_whoever_just_becomes_sales_ready_has_a_rating_that_calls(name):
    limits = starters.STARTERS[name]["thresholds"]
    table = ratings.table(begun(name).scale)
    fit, engagement = (np.array([limits[part] * 100]) for part in ("ready_fit", "ready_engagement"))
    assert "call" in table.actions[int(table.rate(fit, engagement)[0])].lower()


def test_a_draft_of_a_starter_leaves_its_table_alone():
    draft = begun("software")
    draft.scale.ratings[0][0] = "Z"
    draft.rules.first().condition["any"] = []
    assert starters.A_TO_D["ratings"][0][0] == "A"
    assert begun_again(draft).rules.first().condition["any"]


def begun_again(draft):
    return first_draft(model=draft.model, by=None, table=starters.STARTERS["software"])


def test_a_table_and_back_is_the_same():
    draft = begun("industrial")
    copy = first_draft(model=draft.model, by=None, table=table_of(draft))
    assert table_of(copy) == table_of(draft)


@pytest.mark.parametrize("begin", [*STARTERS, "copy-starter", "empty"])
def test_a_new_model_begins_with_what_is_chosen(client, marketer, begin):
    posted = {"name": "Partners", "slug": "partners", "begin": begin, "applies_to": "{}", "review_every_days": "365",
              "goals": "My own"}  # fmt: skip
    answer = client.post(reverse("admin:scoring_scoringmodel_add"), posted)
    draft = ModelVersion.objects.get(model__slug="partners")
    assert answer.url == reverse("admin:scoring_modelversion_change", args=[draft.pk])
    assert (draft.number, draft.status, draft.created_by) == (1, "draft", marketer)
    table = starters.STARTERS.get(begin)
    rules = ScoringModel.objects.get(slug="starter").current_version.rules.count() if "copy" in begin else 0
    assert draft.rules.count() == (len(table["rules"]) if table else rules)
    assert draft.model.goals == "My own"
    assert bool(draft.model.hypothesis) == (begin in STARTERS)


def test_what_is_offered_names_starters_and_models(client, marketer):
    page = client.get(reverse("admin:scoring_scoringmodel_add")).content.decode()
    for words in ("Software: subscriptions", "Event follow-up", "Starter model", "No rules yet"):
        assert words in page
    refused = client.post(
        reverse("admin:scoring_scoringmodel_add"), {"name": "X", "slug": "x", "begin": "copy-nothing"}
    )
    assert "begin" in refused.context["adminform"].form.errors
    assert not ScoringModel.objects.filter(slug="x").exists()
