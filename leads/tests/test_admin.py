"""The marketers' pages about capture and leads: they open, they stay bounded, they escape, they refuse."""

import html
import re
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError
from django.urls import reverse
from django.utils import timezone
from psycopg2.errors import UniqueViolation

from leads.admin.capture import SourceAdmin
from leads.condition_form import preview, read_tree
from leads.criteria import CRITERIA
from leads.models import (
    ApiKey,
    CaptureForm,
    Company,
    FieldChange,
    Lead,
    Question,
    Source,
    Submission,
    Suppression,
)
from leads.tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def form():
    return CaptureForm.objects.create(name="White paper", slug="white-paper-x")


def leads(count):
    now = timezone.now()
    companies = Company.objects.bulk_create(
        Company(name=f"Company {n}", name_key=f"company {n}", created_at=now, updated_at=now)
        for n in range(count)
    )
    return Lead.objects.bulk_create(
        Lead(email=f"p{n}@example.com", company=company, created_at=now, updated_at=now, search_text=f"p{n}")
        for n, company in enumerate(companies)
    )


LISTS = [
    "leads_captureform", "leads_submission", "leads_source", "leads_campaign", "leads_apikey", "leads_lead",
    "leads_company", "leads_suppression",
]  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_says_what_to_do_next(client, marketer, name):
    Source.objects.all().delete()
    page = client.get(reverse(f"admin:{name}_changelist"))
    assert page.status_code == 200
    assert page.context["cl"].model_admin.empty_text in html.unescape(page.content.decode())
    steps = page.content.decode().count('class="admin-button primary"')
    assert steps == (
        0 if name == "leads_apikey" else 1
    )  # marketers look at API keys, administrators make them


def test_a_form_is_made_with_its_questions(client, marketer):
    answer = client.post(
        reverse("admin:leads_captureform_add"),
        {
            "name": "Demo", "slug": "demo-x", "lead_type": "hand_raise", "marketing_basis": "none", "basis_version": "1",
            "is_active": "on", "origins": "https://a.example\n\n https://b.example ", "thank_you_urls": "",
            "questions-TOTAL_FORMS": 2, "questions-INITIAL_FORMS": 0,
            "questions-0-position": 1, "questions-0-label": "E-mail", "questions-0-name": "email",
            "questions-0-field": "email", "questions-0-required": "on", "questions-0-choices": "",
            "questions-1-position": 2, "questions-1-label": "Role", "questions-1-name": "role",
            "questions-1-field": "role", "questions-1-choices": "user\ndecision maker",
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    made = CaptureForm.objects.get(slug="demo-x")
    assert made.origins == ["https://a.example", "https://b.example"]
    assert [(q.field, q.choices) for q in made.questions.all()] == [
        ("email", []),
        ("role", ["user", "decision maker"]),
    ]


def test_a_question_fills_only_fields_that_exist(client, marketer, form):
    Question.objects.create(form=form, name="x", field="email", label="E-mail")
    page = client.get(reverse("admin:leads_captureform_change", args=[form.pk])).content.decode()
    assert '<option value="email" selected>' in page
    assert ">Company size</option>" in page
    assert '<option value="message_id"' not in page
    assert 'aria-label="Fills lead field"' in page


def test_raw_bodies_are_escaped_and_invalid_ones_found(client, marketer, form):
    hostile = b'{"name": "<script>alert(1)</script>\xff"}'
    kept = Submission.objects.create(
        form=form, received_at=timezone.now(), body=hostile, status="invalid",
        errors=[["email", "is <b>missing</b>", "Add it."]], unmapped={"<i>": "<u>"},
    )  # fmt: skip
    Submission.objects.create(form=form, received_at=timezone.now(), body=b"{}", status="accepted")
    listed = client.get(reverse("admin:leads_submission_changelist"), {"status__exact": "invalid"})
    assert [row.pk for row in listed.context["cl"].result_list] == [kept.pk]
    assert "is &lt;b&gt;missing" in listed.content.decode()
    page = client.get(reverse("admin:leads_submission_change", args=[kept.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\xff" in page
    assert "<script>alert" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("name", "most"), [("leads_lead", 12), ("leads_company", 12), ("leads_submission", 12)]
)
def test_a_full_page_asks_few_questions(client, marketer, form, django_assert_max_num_queries, name, most):
    for lead in leads(60):
        Submission.objects.create(
            form=form, lead=lead, received_at=timezone.now(), body=b"{}", status="accepted"
        )
    client.get("/admin/")
    with django_assert_max_num_queries(most) as asked:
        page = client.get(reverse(f"admin:{name}_changelist"))
    assert len(page.context["cl"].result_list) == 50
    assert not [query for query in asked if "COUNT(" in query["sql"].upper() and "leads_" in query["sql"]]


def test_search_finds_by_word(client, marketer):
    leads(12)
    page = client.get(reverse("admin:leads_lead_changelist"), {"q": "P11"})
    assert [lead.email for lead in page.context["cl"].result_list] == ["p11@example.com"]


def test_a_correction_keeps_its_history(client, marketer):
    lead = leads(1)[0]
    url = reverse("admin:leads_lead_change", args=[lead.pk])
    fields = dict.fromkeys(
        ("first_name", "last_name", "role", "phone", "country", "industry", "company_size", "timeline"), ""
    )
    answer = client.post(url, fields | {"job_title": "Buyer", "email": "other@example.com", "place": "sales"})
    assert answer.status_code == 302, answer.context["errors"]
    lead.refresh_from_db()
    assert (lead.job_title, lead.email, lead.place) == ("Buyer", "p0@example.com", "scoring")
    change = FieldChange.objects.get(lead=lead, field="job_title")
    assert (change.new, change.origin, change.actor) == ("Buyer", "rep", marketer)


def test_an_api_key_is_shown_once(client, admin_client):
    answer = admin_client.post(
        reverse("admin:leads_apikey_add"), {"name": "Website", "scopes": ["capture"]}, follow=True
    )
    key = ApiKey.objects.get()
    assert key.scopes == ["capture"]
    shown = re.search(r"The key of Website is (\S+) –", answer.content.decode())[1]
    assert key.is_valid(shown)
    assert shown not in admin_client.get(reverse("admin:leads_apikey_change", args=[key.pk])).content.decode()


def test_an_objection_is_noted_and_lifted_never_deleted(client, marketer):
    add = reverse("admin:leads_suppression_add")
    posted = {"address": " Ada@Example.COM ", "channel": "all", "purpose": "all", "reason": "objected"}
    assert client.post(add, posted).status_code == 302
    noted = Suppression.objects.get()
    assert (noted.address, noted.lifted_at) == ("ada@example.com", None)
    again = client.post(add, posted)
    assert "on the list already" in str(again.context["adminform"].form.errors["address"])
    listed = reverse("admin:leads_suppression_changelist")
    client.post(listed, {"action": "lift", "_selected_action": [noted.pk]})
    noted.refresh_from_db()
    assert noted.lifted_at
    assert (
        client.post(reverse("admin:leads_suppression_delete", args=[noted.pk]), {"post": "yes"}).status_code
        == 403
    )


def test_outsiders_and_reps_stay_out(client, form):
    url = reverse("admin:leads_captureform_changelist")
    assert client.get(url).status_code == 302
    rep = cast.colleague("rita", "Sales rep")
    client.force_login(rep)
    assert client.get(url).status_code == 403


# --- The live count, as the builder asks for it ---------------------------------------------------


def asked(text, **more):
    return preview(
        **({"text": text, "criteria": CRITERIA, "scope": "lead", "days": None, "at": timezone.now()} | more)
    )


def test_the_live_count_in_words():
    leads(8)
    assert asked("")["count"] == "Matches 8 of 8 leads (100.0 %)."
    seen = asked('{"is": "lead_field", "field": "email", "op": "contains", "value": "P7"}')
    assert seen["sentence"] == "E-mail address contains “P7”."
    assert seen["count"] == "Matches 1 of 8 leads (12.5 %)."
    number = Lead.objects.get(email="p7@example.com").pk
    assert seen["samples"] == [{"words": "p7@example.com (Company 7)", "url": f"/leads/{number}/"}]
    assert asked('{"is": "lead_field", "field": "role", "op": "known"}')["warning"].startswith(
        "Nobody matches"
    )
    assert asked('{"is": "lead_field", "field": "email", "op": "known"}')["warning"].startswith(
        "Everybody matches"
    )


def test_no_leads_is_said_plainly():
    assert asked("{}")["count"] == "There are no leads yet to count."


@pytest.mark.parametrize(
    ("text", "path", "error"),
    [
        ('{"all": [{"is": "older_than", "days": "x"}]}', "all[0].days", "must be a whole number"),
        ("[1]", "", "The condition is not a JSON object"),
        ("{", "", "The condition is not JSON"),
        ('{"all": ' + "[" * 5000 + "]" * 5000 + "}", "", "nested more than"),
        ('{"is": "older_than", "days": 1e999}', "", "not a finite number"),
        ("\ud800", "", "not UTF-8"),
    ],
)
def test_a_bad_tree_is_answered_with_its_fault(text, path, error):
    answer = asked(text)
    assert answer["path"] == path
    assert error in answer["error"]
    assert "count" not in answer


def test_empty_text_is_everybody():
    assert read_tree("") == read_tree("  ") == {}


def test_the_admin_of_leads_is_extended_not_repeated():
    from django.contrib import admin

    from leads.admin import LeadAdmin

    registered = admin.site._registry[Lead]
    assert isinstance(registered, LeadAdmin)
    assert type(registered) is not LeadAdmin


def test_whoever_saves_the_same_second_is_told_so(admin_client, monkeypatch):
    def second(*_):
        raise IntegrityError from UniqueViolation()

    monkeypatch.setattr(SourceAdmin, "save_model", second)
    path = reverse("admin:leads_source_add")
    typed = {"name": "Fair", "slug": "fair", "origin": "marketing"}
    answer = admin_client.post(path, typed, follow=True)
    assert answer.redirect_chain == [(path, 302)]
    assert "somebody saved the same at this moment" in answer.content.decode()


def test_dates_are_written_one_way(admin_client):
    at = datetime(2026, 11, 2, 14, 5, tzinfo=UTC)
    lead = cast.ada(at=at)
    listed = admin_client.get(reverse("admin:leads_lead_changelist")).content.decode()
    shown = admin_client.get(reverse("admin:leads_lead_change", args=[lead.pk])).content.decode()
    assert "2 Nov 2026, 14:05" in listed
    assert "2 Nov 2026, 14:05" in shown
    assert "Nov. 2" not in listed + shown and "p.m." not in listed + shown
