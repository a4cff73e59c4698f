"""The pages of a version: who may read, comment, approve, publish and roll back; and what they say."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from leads.models import Lead, Product
from leads.tests.cast import colleague
from scoring.approval import approve, ask_review
from scoring.models import Rule, ScoringModel, VersionComment
from scoring.publish import fill_published, new_draft
from scoring.tests import cast
from scoring.tests.cast import DECISION_MAKER, NOW, PRICING

pytestmark = pytest.mark.django_db
ROLES = {"mia": "Marketer", "mona": "Sales manager", "rita": "Sales rep", "ada": "Administrator"}


@pytest.fixture
def team(db):
    return {name: colleague(name, role, is_staff=name in ("mia", "ada")) for name, role in ROLES.items()}


@pytest.fixture
def version():
    return cast.draft(DECISION_MAKER | {"name": "Decides"}, PRICING | {"name": "Prices"})


def page_of(version):
    return reverse("model-version", args=[version.model.slug, version.number])


def step(client, version, act, **posted):
    url = reverse("model-version-act", args=[version.model.slug, version.number, act])
    return client.post(url, posted)


def seen(version):
    version.refresh_from_db()
    return version.review_asked_at.isoformat() if version.review_asked_at else ""


def said(answer):
    return [str(message) for message in answer.wsgi_request._messages]


def test_it_works(client, team, version):
    """Mia asks, Rita comments, Mia and Mona sign, Mia publishes."""
    Lead.objects.create(email="vp@example.com", role="decision maker", created_at=NOW, updated_at=NOW)
    client.force_login(team["mia"])
    assert step(client, version, "ask-review").url == page_of(version)
    client.force_login(team["rita"])
    assert "Test v1" in client.get(page_of(version)).content.decode()
    step(client, version, "comment", text="Students read prices too.")
    client.force_login(team["mona"])
    assert "Students read prices too." in client.get(page_of(version)).content.decode()
    step(client, version, "approve-sales", seen=seen(version))
    client.force_login(team["mia"])
    step(client, version, "approve-marketing", seen=seen(version))
    version.refresh_from_db()
    assert (version.status, version.approved_by_sales, version.approved_by_marketing) == (
        "approved", team["mona"], team["mia"],
    )  # fmt: skip
    step(client, version, "publish")
    progress = reverse("model-version-progress", args=[version.model.slug, version.number])
    assert "0 of 1 lead scored" in client.get(page_of(version)).content.decode()
    assert "0 of 1 lead scored" in client.get(progress).content.decode()
    while fill_published(at=timezone.now()):
        pass
    done = client.get(progress)
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")
    assert "by mia" in client.get(page_of(version)).content.decode()


@pytest.mark.parametrize(
    ("act", "allowed"),
    [
        ("ask-review", {"mia", "ada"}),
        ("comment", {"mia", "mona", "rita", "ada"}),
        ("approve-marketing", {"mia", "ada"}),
        ("approve-sales", {"mona", "ada"}),
        ("reopen", {"mia", "mona", "ada"}),
        ("publish", {"mia", "ada"}),
        ("call-off", {"mia", "ada"}),
        ("take-over", {"mona", "ada"}),
    ],
)
def test_who_may_do_what(client, team, version, act, allowed):
    for name, person in team.items():
        client.force_login(person)
        answer = step(client, version, act, text="Fine", seen=seen(version))
        assert answer.status_code == (302 if name in allowed else 403), name
    client.logout()
    assert reverse("sign-in") in step(client, version, act).url


def test_the_buttons_are_those_that_work(client, team, version):
    ask_review(version=version, by=team["mia"], at=NOW)
    shown = {}
    for name, person in team.items():
        client.force_login(person)
        page = client.get(page_of(version)).content.decode()
        shown[name] = {
            words
            for words in ("Approve for marketing", "Approve for sales", "Send back to draft", "Comment")
            if f">{words}</button>" in page
        }
    assert shown == {
        "mia": {"Approve for marketing", "Send back to draft", "Comment"},
        "mona": {"Approve for sales", "Send back to draft", "Comment"},
        "rita": {"Comment"},
        "ada": {"Approve for marketing", "Approve for sales", "Send back to draft", "Comment"},
    }


def test_nobody_without_a_role_reads_it(client, version):
    client.force_login(User.objects.create_user("somebody"))
    assert client.get(page_of(version)).status_code == 403
    assert client.get(reverse("quality-lead", args=["test"])).status_code == 403


def test_what_was_changed_since_is_not_signed_unread(client, team, version):
    client.force_login(team["mona"])
    ask_review(version=version, by=None, at=NOW)
    read = seen(version)
    step(client, version, "reopen", why="Directors are missing")
    ask_review(version=version, by=None, at=NOW + cast.DAY)
    answer = step(client, version, "approve-sales", seen=read)
    assert "was changed since" in said(answer)[-1]
    assert "Open" in said(step(client, version, "approve-sales"))[-1]
    version.refresh_from_db()
    assert version.approved_by_sales is None


def test_refusals_come_back_in_words(client, team, version):
    client.force_login(team["mia"])
    assert "is a draft" in said(step(client, version, "publish"))[-1]
    assert said(step(client, version, "comment", text=" "))[-1] == "Write something first."
    version.rules.all().delete()
    assert "Add at least one rule." in said(step(client, version, "ask-review"))[-1]
    assert "Add at least one rule." in client.get(page_of(version)).content.decode()
    assert step(client, version, "delete").status_code == 404
    assert client.get(page_of(version).replace("/1/", "/9/")).status_code == 404
    assert client.get(reverse("model-version-act", args=["test", 1, "publish"])).status_code == 405


def test_a_step_leads_back_to_our_own_pages_only(client, team, version):
    client.force_login(team["rita"])
    assert step(client, version, "comment", text="Fine", next="/sales/").url == "/sales/"
    assert step(client, version, "comment", text="Fine", next="https://evil.example/").url == page_of(version)


def test_hostile_words_stay_words(client, team, version):
    client.force_login(team["rita"])
    step(client, version, "comment", text="<script>alert(1)</script>\0")
    assert VersionComment.objects.get().text == "<script>alert(1)</script>"
    assert "<script>alert(1)" not in client.get(page_of(version)).content.decode()


def test_it_shows_what_changes_against_the_one_in_force_or_any_other(client, team):
    first = cast.current(DECISION_MAKER | {"name": "Decides"})
    second = new_draft(model=first.model, by=None)
    second.rules.update(points=30)
    third = new_draft(model=first.model, by=None, of=second)
    Rule.objects.create(version=third, **PRICING | {"name": "Prices"})
    client.force_login(team["rita"])
    page = client.get(page_of(third)).content.decode()
    assert "the one in force" in page
    assert "“Decides”: +30 points (was: +25 points)." in page
    page = client.get(page_of(third) + "?against=2").content.decode()
    assert "“Prices” is new" in page
    assert "“Decides”:" not in page
    assert client.get(page_of(third) + "?against=99").status_code == 404
    assert client.get(page_of(third) + "?against=x'--").status_code == 200


def test_rolling_back_is_one_click(client, team):
    first = cast.current(PRICING | {"name": "Prices"})
    second = cast.current(DECISION_MAKER | {"name": "Decides"})
    first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "published")
    back = f'<a href="{page_of(first)}">Version 1</a> was in force before: open it to publish it again.'
    client.force_login(team["rita"])
    assert back not in client.get(page_of(second)).content.decode()
    client.force_login(team["mia"])
    assert back in client.get(page_of(second)).content.decode()
    assert "was in force before: open" not in client.get(page_of(first)).content.decode()
    assert ">Publish this one again</button>" in client.get(page_of(first)).content.decode()
    step(client, first, "publish")
    while fill_published(at=timezone.now()):
        pass
    first.refresh_from_db()
    assert first.status == "published"
    assert (
        back.replace("Version 1", "Version 2").replace("/1/", "/2/")
        in client.get(page_of(first)).content.decode()
    )
    history = client.get(reverse("quality-lead", args=["test"])).content.decode()
    assert history.count(">v1</a> from") == 2


def test_the_way_back_stays_open_where_a_name_is_gone(client, team):
    """What an old version names and is gone holds for nobody, here as in force; its page says so before."""
    crm = Product.objects.create(slug="crm", name="CRM")
    wants = {
        "kind": "fit",
        "name": "Wants it",
        "points": 9,
        "condition": {"is": "product_stated", "product": "crm"},
    }
    first, second = cast.current(wants, DECISION_MAKER), cast.current(DECISION_MAKER)
    first.refresh_from_db()
    crm.delete()
    client.force_login(team["mia"])
    page = client.get(page_of(first)).content.decode()
    assert "ceased to work" in page and "Wants it: product: there is no product “crm”" in page
    assert ">Publish this one again</button>" in page
    step(client, first, "publish")
    assert fill_published(at=timezone.now())
    first.refresh_from_db()
    assert first.status == "published"
    page = client.get(page_of(first)).content.decode()
    assert "ceased to work" in page and f'href="{page_of(second)}">Version 2</a> was in force before' in page
    approved = cast.approved(cast.draft(wants))
    step(client, approved, "publish")
    approved.refresh_from_db()
    assert approved.status == "approved", "what was never in force is mended first"


def test_the_signature_a_version_waits_for_stands_on_the_managers_page(client, team, version):
    client.force_login(team["mona"])
    assert "Waiting for your approval" not in client.get(reverse("team")).content.decode()
    ask_review(version=version, by=team["mia"], at=timezone.now())
    page = client.get(reverse("team")).content.decode()
    assert "Waiting for your approval" in page
    assert page_of(version) in page
    assert ">decides what passes to sales<" in page
    ScoringModel.objects.filter(pk=version.model_id).update(routes=False)
    page = client.get(reverse("team")).content.decode()
    assert ">informs<" in page
    approve(version=version, by=team["mona"], side="sales", at=NOW)
    assert "Waiting for your approval" not in client.get(reverse("team")).content.decode()


def test_it_says_who_decides_what_passes_to_sales(client, team, version):
    client.force_login(team["rita"])
    pages = page_of(version), reverse("quality-lead", args=[version.model.slug])

    def say(words):
        return all(words in client.get(page).content.decode() for page in pages)

    assert say("This model decides what passes to sales.")
    ScoringModel.objects.update(routes=False)
    assert say("This model informs; no model decides what passes to sales.")
    ScoringModel.objects.create(name="Partners", slug="partners", routes=True)
    assert say("This model informs; Partners decides what passes to sales.")


def test_the_pages_ask_few_questions(client, team, django_assert_max_num_queries):
    first = cast.current(DECISION_MAKER | {"name": "Decides"})
    version = new_draft(model=first.model, by=team["mia"])
    for number in range(40):
        Rule.objects.create(version=version, name=f"Rule {number}", **{**PRICING, "points": number + 1})
        VersionComment.objects.create(version=version, by=team["rita"], at=NOW, text="Hm")
    client.force_login(team["rita"])
    client.get(page_of(first))
    with django_assert_max_num_queries(25):
        client.get(page_of(version))
    with django_assert_max_num_queries(16):
        client.get(reverse("quality-lead", args=["test"]))


def test_whoever_signs_is_told_what_cannot_be_reached(client, team):
    version = cast.draft(DECISION_MAKER | {"name": "Decides"}, ready_fit=90)
    ask_review(version=version, by=None, at=NOW)
    client.force_login(team["mona"])
    page = client.get(page_of(version)).content.decode()
    assert "Worth a look before you sign" in page
    assert "90" in page.split("Worth a look")[1][:600]


def test_a_first_version_has_nothing_to_compare_with(client, team, version):
    client.force_login(team["rita"])
    assert "nothing to compare it with" in client.get(page_of(version)).content.decode()
