"""The panel below a rule in the admin: what it changes as typed, and one lead by the draft with it."""

import json
import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from leads.models import Lead
from scoring.models import Rule
from scoring.tests import cast

pytestmark = pytest.mark.django_db
CHIEF = {"is": "lead_field", "field": "job_title", "op": "contains", "value": "chief"}
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def draft():
    for number in range(3):
        lead = cast.lead(
            f"p{number}@northwind.example", job_title="Chief", role="decision maker", first_name=HOSTILE
        )
        for _ in range(3):
            cast.did(lead, "page_view", "/pricing")
    return cast.draft(cast.DECISION_MAKER, {**cast.PRICING, "steps": []}, ready_fit=30, ready_engagement=30)


@pytest.fixture
def ask(client):
    client.force_login(User.objects.create_superuser("ada"))

    def posted(version, *, rule="", **form):
        form = {"version": version.pk, "kind": "fit", "name": "Chief", "condition": json.dumps(CHIEF), "points": "10",
                "position": "0", "who": "{}", "steps": "", **form}  # fmt: skip
        url = reverse("admin:scoring_rule_impact") + (f"?rule={rule}" if rule else "")
        return client.post(url, form)

    return posted


def test_it_shows_what_the_rule_changes_and_writes_nothing(ask, draft):
    page = ask(draft).content.decode()
    assert "changes the points of 3 of 3 leads" in page
    assert "<strong>3</strong> become sales-ready" in page
    assert 'data-brief="Changes 3 leads; sales-ready +3 −0"' in page
    assert HOSTILE not in page and "&lt;img" in page
    assert Rule.objects.filter(version=draft).count() == 2


def test_it_tries_one_lead_by_the_draft_with_the_rule(ask, draft):
    page = ask(draft, **{"try": "p1@northwind.example"}).content.decode()
    assert "B, fit 35, engagement 30" in page
    assert "Chief" in page and "Looked" not in page
    number = Lead.objects.get(email="p1@northwind.example").pk
    assert f'<h3><a href="/leads/{number}/"' in page and page.count('<li><a href="/leads/') == 3


def test_it_says_how_many_are_needed_for_points_given_once(ask, draft):
    lead = Lead.objects.get(email="p1@northwind.example")
    page = ask(draft, kind="activity", condition=json.dumps(cast.touchpoint("page_view", "/pricing")), min_count="4",
               **{"try": lead.email}).content.decode()  # fmt: skip
    assert re.search(r"<td class=\"wrap\">3 of 4 needed", page)


@pytest.mark.parametrize(
    "asked", ["nobody@nowhere.example", "99999999999999999999", "%", "'; drop table x --"]
)
def test_a_lead_that_is_not_found_is_said_so(ask, draft, asked):
    assert "No lead found" in ask(draft, **{"try": asked}).content.decode()


def test_an_unfinished_rule_is_asked_to_be_completed(ask, draft):
    page = ask(draft, points="").content.decode()
    assert "Complete the rule to see what it changes: Points" in page


def test_a_threshold_out_of_reach_and_a_twin_are_warned_of(ask, draft):
    draft.ready_engagement = 500
    draft.save(update_fields=["ready_engagement"])
    Rule.objects.create(version=draft, kind="fit", name="Twin", condition=CHIEF, points=3)
    page = ask(draft).content.decode()
    assert "“Twin” matches 100 % of the same leads" in page
    assert "No lead can reach engagement 500" in page


def test_a_saved_rule_stands_for_itself(ask, draft):
    rule = draft.rules.get(kind="fit")
    page = ask(draft, rule=rule.pk, condition=json.dumps(rule.condition), points="35").content.decode()
    assert "<strong>3</strong> become sales-ready" in page


def test_it_is_for_who_may_change_rules(client, draft):
    client.force_login(User.objects.create_user("rep", is_staff=True))
    assert client.post(reverse("admin:scoring_rule_impact"), {}).status_code == 403


def test_it_is_asked_by_post(client):
    client.force_login(User.objects.create_superuser("ada"))
    assert client.get(reverse("admin:scoring_rule_impact")).status_code == 405


def test_the_whole_rule_is_said_and_that_it_changes_nobodys_points(ask, draft):
    page = ask(draft, kind="activity", condition=json.dumps(cast.touchpoint("page_view", "/pricing")), min_count="9",
               who=json.dumps({"all": [CHIEF]})).content.decode()  # fmt: skip
    assert "+10 once, from 9 matches on" in page and "only for: job title contains “chief”" in page
    assert "Nobody&#x27;s points change" in page and "of the same leads" not in page


def test_what_a_sample_shows_is_not_said_of_everybody(ask, draft, monkeypatch):
    monkeypatch.setattr("scoring.admin.impact.total_leads", lambda: 100_000)
    dreamer = json.dumps(CHIEF | {"value": "dreamer"})
    page = ask(draft, condition=dreamer).content.decode()
    assert "Of the leads looked at nobody" in page and "nobody meets it" not in page
    assert "This is a sample; the lab looks at everybody." in page
    assert "everybody&#x27;s points" not in ask(draft).content.decode()
    monkeypatch.undo()
    assert "everybody&#x27;s points" in ask(draft).content.decode()


def test_an_unfinished_condition_is_said_without_its_path(ask, draft):
    page = ask(draft, condition='{"all": [{"is": "lead_field"}]}').content.decode()
    assert "“Condition” is not finished" in page
