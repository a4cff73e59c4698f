import pytest
from django.utils import timezone

from distribution.tests.test_api_read import URL, new_lead, with_scopes
from leads import capture
from leads.models import Lead
from scoring.models import ScoringModel
from scoring.rescore import rescore

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    return with_scopes("read")


@pytest.fixture
def lead():
    values = {"email": "ada@acme.example", "first_name": "Ada", "company_size": 300, "role": "decision maker"}
    lead = capture.submit(values=values, at=timezone.now(), kind="hand_raise", asset="demo-request").lead
    rescore(lead_ids=[lead.pk], at=timezone.now())
    return lead


def test_the_lines_add_up_to_the_score(api, lead):
    response = api.get(f"{URL}{lead.pk}/score/")
    assert response.status_code == 200, response.json()
    body = response.json()
    assert body["model"] == ScoringModel.objects.get(routes=True).name
    for part in ("fit", "engagement"):
        assert sum(line["points"] for line in body["lines"] if line["part"] == part) == pytest.approx(
            body[part], abs=0.001
        )
    assert body["total"] == pytest.approx(body["fit"] + body["engagement"])
    assert body["verdict"] == "hand_raise"
    assert body["not_passed"] == []
    assert body["lines"][0]["evidence"]
    assert "Ada" in body["text"] or body["rating"] in body["text"]


def test_it_is_the_score_that_the_lead_shows(api, lead):
    body = api.get(f"{URL}{lead.pk}/score/").json()
    shown = api.get(f"{URL}{lead.pk}/").json()["scores"][0]
    assert {name: shown[name] for name in ("fit", "engagement", "total", "rating")} == {
        name: body[name] for name in ("fit", "engagement", "total", "rating")
    }


def test_without_a_score_it_says_why(api):
    assert api.get(f"{URL}999999/score/").status_code == 404
    lead = new_lead()
    Lead.objects.update(is_test=True)
    response = api.get(f"{URL}{lead.pk}/score/")
    assert response.status_code == 404
    assert "test lead" in response.json()["errors"][0]["detail"]
