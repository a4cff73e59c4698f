"""Queues, reps, routing rules, people and roles in the admin; and the leads' list with rating and owner."""

import json

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone

from distribution.access import Role
from distribution.models import Handoff, QueueMember, RoutingRule, SalesQueue
from distribution.tests import cast
from leads import identity
from leads.models import Campaign, CaptureForm, CustomField, Lead, Submission
from scoring.models import Score, ScoringModel

pytestmark = pytest.mark.django_db
BIG = {"all": [{"is": "company_field", "field": "size", "op": "at_least", "value": 200}]}


@pytest.fixture
def marketer(client):
    user = cast.user("Max", Role.MARKETER, is_staff=True)
    client.force_login(user)
    return user


@pytest.fixture
def manager(client):
    user = cast.user("Mia", Role.MANAGER, is_staff=True)
    client.force_login(user)
    return user


def test_a_routing_rule_reads_as_a_sentence(client, marketer):
    queue = SalesQueue.objects.get(is_default=True)
    posted = {
        "name": "Big ones",
        "condition": json.dumps(BIG),
        "queue": queue.pk,
        "position": 1,
        "is_active": "on",
    }
    assert client.post(reverse("admin:distribution_routingrule_add"), posted).status_code == 302
    assert RoutingRule.objects.get().condition == BIG
    page = client.get(reverse("admin:distribution_routingrule_changelist")).content.decode()
    assert "company size is at least 200" in page
    count = client.post(reverse("admin:distribution_routingrule_condition"), {"tree": json.dumps(BIG)})
    assert count.json()["count"] == "There are no leads yet to count."
    bad = client.post(
        reverse("admin:distribution_routingrule_add"), posted | {"condition": '{"all": [{"is": "owner"}]}'}
    )
    assert "all[0].is: must be one of" in str(bad.context["adminform"].form.errors["condition"])


def test_a_condition_nobody_can_read_is_shown_as_such(client, marketer):
    RoutingRule.objects.create(name="Old", condition={"is": "gone"}, queue=SalesQueue.objects.first())
    page = client.get(reverse("admin:distribution_routingrule_changelist")).content.decode()
    assert "cannot be read: is: must be one of" in page


def test_a_queue_and_its_reps(client, manager):
    ron = cast.user("Ron", Role.REP)
    made = client.post(
        reverse("admin:distribution_rep_add"), {"user": ron.pk, "is_present": "on", "phone": ""}
    )
    assert made.status_code == 302, made.context["errors"]
    posted = {
        "name": "North", "slug": "north", "first_response_minutes": 30,
        "members-TOTAL_FORMS": 1, "members-INITIAL_FORMS": 0, "members-0-rep": ron.rep.pk,
    }  # fmt: skip
    assert client.post(reverse("admin:distribution_salesqueue_add"), posted).status_code == 302
    assert QueueMember.objects.get(queue__slug="north").rep == ron.rep
    second = client.post(
        reverse("admin:distribution_salesqueue_add"), posted | {"name": "S", "slug": "s", "is_default": "on"}
    )
    assert "is the default queue now" in str(second.context["adminform"].form.errors["is_default"])


def test_the_leads_list_shows_rating_and_owner(client, marketer, django_assert_max_num_queries):
    now = timezone.now()
    queue = SalesQueue.objects.get(is_default=True)
    version = ScoringModel.objects.get(routes=True).current_version
    leads = Lead.objects.bulk_create(
        Lead(email=f"p{n}@example.com", created_at=now, updated_at=now) for n in range(60)
    )
    Score.objects.bulk_create(
        Score(model_version=version, lead=lead, fit=40, engagement=2.5, total=42.5, rating="B", as_of=now)
        for lead in leads
    )
    Handoff.objects.bulk_create(
        Handoff(
            lead=lead,
            queue=queue,
            status="waiting",
            cycle_no=1,
            reason="r",
            why_now="w",
            why_now_at=now,
            created_at=now,
        )
        for lead in leads[:55]
    )
    client.get("/admin/")
    with django_assert_max_num_queries(12):
        page = client.get(reverse("admin:leads_lead_changelist")).content.decode()
    assert page.count(">B</a> (fit 40, engagement 2.5)") == 50
    assert "waiting in Sales" in page


@pytest.mark.parametrize("name", ["team", "rep", "salesqueue", "routingrule", "companyowner", "notice"])
def test_lists_open_and_ask_few_questions(client, manager, name, django_assert_max_num_queries):
    client.get("/admin/")
    with django_assert_max_num_queries(12):
        assert client.get(reverse(f"admin:distribution_{name}_changelist")).status_code == 200


def test_administrators_give_roles_but_no_superpowers(client):
    boss = cast.user("Ada", Role.ADMIN, is_staff=True)
    client.force_login(boss)
    rita = cast.user("Rita", Role.REP)
    group = Group.objects.get(name=Role.MARKETER)
    posted = {
        "username": "rita",
        "first_name": "Rita",
        "groups": [group.pk],
        "is_staff": "on",
        "is_active": "on",
        "is_superuser": "on",
    }
    answer = client.post(reverse("admin:auth_user_change", args=[rita.pk]), posted)
    assert answer.status_code == 302, answer.context["errors"]
    rita.refresh_from_db()
    assert (rita.is_staff, rita.is_superuser) == (True, False)
    assert list(rita.groups.all()) == [group]
    assert client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "x"}).status_code == 403


def test_nobody_gets_at_the_account_of_a_superuser_but_a_superuser(client):
    root = User.objects.create_superuser("root", password="first horse")
    change = reverse("admin:auth_user_change", args=[root.pk])
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    new = {"password1": "Correct-horse-7", "password2": "Correct-horse-7", "usable_password": "true"}
    client.force_login(cast.user("Ada", Role.ADMIN, is_staff=True))
    assert client.get(password).status_code == client.post(password, new).status_code == 403
    assert client.post(change, {"username": "root", "email": "me@evil.test"}).status_code == 403
    assert client.post(reverse("admin:auth_user_delete", args=[root.pk]), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    client.post(reverse("admin:auth_user_changelist"), chosen)
    root.refresh_from_db()
    assert root.check_password("first horse") and (root.email, root.is_active) == ("", True)
    client.force_login(root)
    assert client.post(password, new).status_code == 302


def test_a_manager_finds_the_leads_of_their_teams_only(client, manager):
    cast.rep("Rita", team=cast.team(manager))
    ours, other = cast.handed().lead, cast.lead("other@elsewhere.net")
    listed = client.get(reverse("admin:leads_lead_changelist")).context["cl"].result_list
    assert list(listed) == [ours]
    assert client.get(reverse("admin:leads_lead_change", args=[ours.pk])).status_code == 200
    assert client.get(reverse("admin:leads_lead_change", args=[other.pk])).status_code == 302
    assert client.get(reverse("admin:leads_lead_history", args=[other.pk])).status_code == 302


def test_who_may_only_look_sees_the_values_of_custom_fields(client, manager):
    CustomField.objects.create(key="seats", label="Seats", type="number")
    cast.rep("Rita", team=cast.team(manager))
    who = cast.handed().lead
    identity.set_fields(lead=who, values={"custom.seats": 1200}, origin="rep", at=cast.NOW)
    page = client.get(reverse("admin:leads_lead_change", args=[who.pk])).content.decode()
    assert "Seats: 1,200" in page and 'name="custom.seats"' not in page


def test_the_sidebar_shows_what_a_role_may_open(client, marketer):
    page = client.get("/admin/").content.decode()
    assert "Scoring models" in page and page.index('href="/marketing/"') < page.index("Capture forms")
    assert reverse("admin:auth_user_changelist") not in page
    client.force_login(cast.user("Ada", Role.ADMIN, is_staff=True))
    assert reverse("admin:auth_user_changelist") in client.get("/admin/").content.decode()


def test_every_page_of_the_admin_has_its_next_step():
    """A list that can be empty says why, and leads on."""
    for model, page in admin.site._registry.items():
        if model not in (User, Group):
            assert page.empty_text, model
            assert page.list_per_page <= 50


def test_every_foreign_key_in_a_list_is_read_with_it():
    for model, page in admin.site._registry.items():
        if model in (User, Group):
            continue
        shown = {name for name in page.list_display if hasattr(model, name)}
        keys = {field.name for field in model._meta.fields if field.many_to_one} & shown
        read = {name.split("__")[0] for name in page.list_select_related or []}
        assert keys <= read, model


def test_a_lead_is_described_in_plain_words(client):
    who = cast.lead()
    type(who).objects.filter(pk=who.pk).update(
        place="parked", place_reason="No program", wake_at=cast.NOW, cycle_no=3
    )
    client.force_login(cast.user("Root", Role.ADMIN, is_staff=True, is_superuser=True))
    page = client.get(f"/admin/leads/lead/{who.pk}/change/").content.decode()
    for words in ("Parked until", "Why it is there", "No program", "Times given back by sales"):
        assert words in page, words
    assert "Cycle no" not in page and "Wake at" not in page


def test_an_answer_that_could_not_be_read_stands_on_its_submission(client):
    form = CaptureForm.objects.create(name="Paper", slug="paper")
    for name, required in (("email", True), ("company_size", False)):
        form.questions.create(name=name, field=name, label=name, required=required)
    answer = {"email": "ada@acme.example", "company_size": "about 300"}
    assert (
        client.post("/api/v1/forms/paper/submissions/", answer, content_type="application/json").status_code
        == 201
    )
    client.force_login(cast.user("Root", Role.ADMIN, is_staff=True, is_superuser=True))
    page = client.get(f"/admin/leads/submission/{Submission.objects.get().pk}/change/").content.decode()
    assert "company_size: is not a whole number." in page and "about 300" in page


def test_a_campaign_says_its_cost_in_the_currency(client, settings):
    Campaign.objects.create(name="Fair", slug="fair", cost=12500)
    client.force_login(cast.user("Root", Role.ADMIN, is_staff=True, is_superuser=True))
    assert "EUR 12,500" in client.get("/admin/leads/campaign/").content.decode()
