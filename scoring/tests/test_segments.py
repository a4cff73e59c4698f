"""Segments: who is in them, who asks for them, and the pages and filters that use them."""

import json

import pytest
from django.urls import reverse
from django.utils.html import strip_tags
from rest_framework.test import APIClient

from leads.models import ApiKey, Lead
from leads.tests.cast import colleague
from scoring import segments
from scoring.models import Segment
from scoring.rescore import rescore
from scoring.tests import cast
from scoring.tests.cast import NOW

pytestmark = pytest.mark.django_db
DECIDES = {"all": [{"is": "lead_field", "field": "role", "op": "equals", "value": "decision maker"}]}


@pytest.fixture
def segment():
    return Segment.objects.create(name="Decision makers", slug="decides", condition=DECIDES)


@pytest.fixture
def people():
    return [cast.lead(f"p{n}@x.example", role="decision maker" if n % 2 else "") for n in range(5)]


def asking(slug, condition):
    return Segment.objects.create(name=slug, slug=slug, condition=condition)


def test_it_works(segment, people):
    found = segments.narrow(Lead.objects.all(), segment, at=NOW)
    assert {lead.pk for lead in found} == {people[1].pk, people[3].pk}
    people[0].role = "Decision maker"
    people[0].save(update_fields=["role"])
    assert segments.narrow(Lead.objects.all(), segment, at=NOW).count() == 3  # whoever meets it now
    assert segments.in_words(segment) == "buying role is “decision maker”"


def test_it_may_ask_for_the_rating(people):
    cast.current(cast.DECISION_MAKER)
    rescore(lead_ids=[lead.pk for lead in people], at=NOW)
    for rating, found in (("C", 2), ("A", 0)):
        rated = asking(f"rated-{rating}", {"is": "rating", "one_of": [rating]})
        assert segments.narrow(Lead.objects.all(), rated, at=NOW).count() == found


def test_what_cannot_be_read_any_more_holds_nobody(people):
    bad = asking("bad", {"is": "no_longer_known"})
    assert not segments.narrow(Lead.objects.all(), bad, at=NOW).exists()
    assert "cannot be read" in segments.in_words(bad)


def test_what_asks_for_it_is_named(segment):
    assert segments.uses(segment) == []
    nested = {"all": [{"any": [{"is": "segment", "segment": "decides"}]}, DECIDES]}
    one = asking("nested", nested)
    asking("other", {"is": "segment", "segment": "others"})
    asking("text", {"is": "lead_field", "field": "role", "op": "equals", "value": "decides"})
    assert [(use.what, use.id, str(use)) for use in segments.uses(segment)] == [
        ("segment", one.pk, "segment “nested”")
    ]


@pytest.mark.parametrize(
    ("slug", "path"), [("a", ["b", "c", "a"]), ("c", ["a", "b", "c"]), ("free", []), ("b", ["c", "a", "b"])]
)
def test_a_circle_is_found(slug, path):
    asking("a", {"is": "segment", "segment": "b"})
    asking("b", {"none": [{"is": "segment", "segment": "c"}]})
    asking("c", {"any": [{"is": "segment", "segment": "a"}]})
    tree = {"is": "segment", "segment": path[0]} if path else {"is": "segment", "segment": "a"}
    assert segments.circle(slug, tree) == path


# --- The admin -------------------------------------------------------------------------------------


def test_a_marketer_makes_changes_and_deletes_one(client, marketer):
    posted = {
        "name": "Decision makers",
        "slug": "decides",
        "condition": json.dumps(DECIDES),
        "note": "For calls",
    }
    assert client.post(reverse("admin:scoring_segment_add"), posted).status_code == 302
    segment = Segment.objects.get()
    assert (segment.created_by, segment.condition) == (marketer, DECIDES)
    here = reverse("admin:scoring_segment_change", args=[segment.pk])
    assert client.post(here, posted | {"slug": "other", "note": "New"}).status_code == 302
    segment.refresh_from_db()
    assert (segment.slug, segment.note) == ("decides", "New")
    listed = client.get(reverse("admin:scoring_segment_changelist")).content.decode()
    assert "Buying role is “decision maker”" in listed
    assert f'href="{reverse("admin:leads_lead_changelist")}?segment=decides">0</a>' in listed
    assert (
        client.post(reverse("admin:scoring_segment_delete", args=[segment.pk]), {"post": "yes"}).status_code
        == 302
    )
    assert not Segment.objects.exists()


def test_one_that_is_asked_for_is_not_deleted(client, marketer, segment):
    user = asking("nested", {"is": "segment", "segment": "decides"})
    page = client.get(reverse("admin:scoring_segment_change", args=[segment.pk])).content.decode()
    assert "segment “nested”" in page
    assert reverse("admin:scoring_segment_change", args=[user.pk]) in page
    gone = reverse("admin:scoring_segment_delete", args=[segment.pk])
    assert "segment “nested”" in client.get(gone).content.decode()
    client.post(gone, {"post": "yes"})
    assert Segment.objects.filter(pk=segment.pk).exists()
    client.post(
        reverse("admin:scoring_segment_changelist"),
        {"action": "delete_selected", "_selected_action": [segment.pk], "post": "yes"},
    )
    assert Segment.objects.filter(pk=segment.pk).exists()


def test_a_bad_condition_is_refused_by_its_field(client, marketer, segment):
    here = reverse("admin:scoring_segment_change", args=[segment.pk])
    answer = client.post(here, {"name": "X", "condition": '{"is": "shoe_size"}'})
    assert "must be one of" in answer.context["adminform"].form.errors["condition"][0]


def test_one_that_would_ask_for_itself_is_refused(client, marketer, segment):
    asking("nested", {"is": "segment", "segment": "decides"})
    here = reverse("admin:scoring_segment_change", args=[segment.pk])
    posted = {"name": "X", "condition": '{"none": [{"is": "segment", "segment": "nested"}]}'}
    found = client.post(here, posted).context["adminform"].form.errors["condition"]
    assert "decides → nested → decides" in found[0]
    segment.refresh_from_db()
    assert segment.condition == DECIDES


def test_the_live_count_and_the_list_of_leads(client, marketer, segment, people):
    url = reverse("admin:scoring_segment_condition")
    assert client.post(url, {"tree": json.dumps(DECIDES)}).json()["count"] == "Matches 2 of 5 leads (40.0 %)."
    page = client.get(reverse("admin:leads_lead_changelist"), {"segment": "decides"})
    assert {lead.pk for lead in page.context["cl"].result_list} == {people[1].pk, people[3].pk}
    words = strip_tags(page.content.decode())
    assert f"Leads in the segment {segment.name}: buying role is “decision maker”" in " ".join(words.split())
    link = reverse("admin:leads_lead_changelist") + "?segment=decides"
    assert link in client.get(reverse("admin:scoring_segment_change", args=[segment.pk])).content.decode()


def test_others_read_but_do_not_edit(client, segment):
    ron = colleague("ron", "Sales manager", is_staff=True)
    client.force_login(ron)
    here = reverse("admin:scoring_segment_change", args=[segment.pk])
    assert client.get(here).status_code == 200
    assert client.post(here, {"name": "X"}).status_code == 403
    assert (
        client.post(reverse("admin:scoring_segment_delete", args=[segment.pk]), {"post": "yes"}).status_code
        == 403
    )


# --- The API ---------------------------------------------------------------------------------------


def test_the_api_lists_the_leads_of_a_segment(segment, people):
    api = APIClient(raise_request_exception=False)
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {ApiKey.objects.create_key(name='t', scopes=['read'])[1]}")
    found = api.get("/api/v1/leads/", {"segment": "decides"}).json()["results"]
    assert {row["id"] for row in found} == {people[1].pk, people[3].pk}
    assert api.get("/api/v1/leads/", {"segment": "x' OR 1=1 --"}).status_code == 400
