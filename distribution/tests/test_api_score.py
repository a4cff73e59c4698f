from datetime import datetime

import pytest
from django.utils import timezone

from distribution.tests.test_api_read import URL, new_lead, with_scopes
from leads import capture
from leads.models import CaptureForm, Lead
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


def test_it_answers_with_the_models_the_history_and_the_evidence(api, lead, django_assert_max_num_queries):
    CaptureForm.objects.create(name="Request a demo", slug="demo-request")
    with django_assert_max_num_queries(20):
        body = api.get(f"{URL}{lead.pk}/score/").json()
    assert (body["model_slug"], body["routes"], body["is_past"]) == ("starter", True, False)
    assert [(row["model"], row["routes"], row["rating"]) for row in body["models"]] == [
        ("starter", True, body["rating"])
    ]
    assert body["history"]["moments"][-1]["rating"] == body["rating"] and body["history"]["is_whole"]
    evidence = [e for line in body["lines"] for e in line["evidence"] if e["at"]]
    assert {e["activity"] for e in evidence} == {None, lead.activities.get().pk}
    said = {e["what"]: e["at"] for e in evidence if e["activity"] is None}
    assert datetime.fromisoformat(said["buying role: decision maker"]) == lead.created_at
    asked = next(e for e in evidence if e["activity"])
    assert (asked["what"], asked["asset"]) == ("Asked for sales through “Request a demo”", "demo-request")
    assert body["because"].startswith(f"Fit {body['fit']:g} (") and body["because"].endswith(body["rating"])


def test_a_past_instant_is_replayed(api, lead):
    before = timezone.now()
    capture.submit(values={"email": "ada@acme.example"}, at=timezone.now(), kind="download", asset="/roi")
    rescore(lead_ids=[lead.pk], at=timezone.now())
    now = api.get(f"{URL}{lead.pk}/score/").json()
    then = api.get(f"{URL}{lead.pk}/score/", {"as_of": before.isoformat()}).json()
    assert (then["engagement"], now["engagement"], then["is_past"]) == (40, 50, True)
    assert [(row["rating"], row["total"]) for row in then["models"]] == [(then["rating"], then["total"])]
    assert then["as_of"].startswith(before.isoformat()[:19])


@pytest.mark.parametrize(
    ("query", "status", "name", "words"),
    [
        ("as_of=yesterday", 400, "as_of", "Not a time."),
        ("as_of=9999-12-31T23:59:59-23:59", 400, "as_of", ""),
        ("as_of=2999-01-01T00:00:00Z", 400, "as_of", "This is in the future."),
        ("as_of=1999-01-01T00:00:00Z", 404, None, "was not known yet"),
        ("as_of=0001-01-01T00:00:00%2B14:00", 400, "as_of", ""),
        ("as_of=%00", 400, "as_of", ""),
        ("model=nonsense", 400, "model", "Use starter."),
        ("model=%00", 400, "model", ""),
        ("model=' OR 1=1 --", 400, "model", "No such scoring model."),
        ("when=now", 400, "when", "Use as_of or model."),
    ],
)
def test_nonsense_is_refused_with_the_remedy(api, lead, query, status, name, words):
    response = api.get(f"{URL}{lead.pk}/score/?{query}")
    assert response.status_code == status, response.json()
    error = response.json()["errors"][0]
    assert error["attr"] == name and words in error["detail"]


def test_why_not_passed_follows_where_the_lead_is(api):
    who = new_lead()
    rescore(lead_ids=[who.pk], at=timezone.now())
    assert api.get(f"{URL}{who.pk}/score/").json()["not_passed"]
    Lead.objects.filter(pk=who.pk).update(place="customer", stage="customer")
    assert api.get(f"{URL}{who.pk}/score/").json()["not_passed"] == []
