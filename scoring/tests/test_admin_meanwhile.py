"""Two marketers on one rule, version, scale or segment: the second to save sees what the first one changed."""

import json
import re
import threading
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from leads.tests.cast import colleague
from scoring.models import ModelVersion, Segment
from scoring.tests import cast

pytestmark = pytest.mark.django_db
VP = {"all": [{"is": "lead_field", "field": "job_title", "op": "contains", "value": "VP"}]}
CEO = {"all": [{"is": "lead_field", "field": "job_title", "op": "contains", "value": "CEO"}]}


def marketer(name):
    user = colleague(name, "Marketer", is_staff=True)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def mia(db):
    return marketer("mia")


@pytest.fixture
def tom(db):
    return marketer("tom")


@pytest.fixture
def version(db):
    return cast.draft(
        {"kind": "fit", "points": 10, "condition": VP}, groups={"Web": 20, "Fair": 5}, profiles=["Midmarket"]
    )


def token(page):
    return unescape(re.search(r'name="_opened" value="([^"]+)"', page.content.decode())[1])


def opened(client, url):
    """What a browser posts of the page as it is shown."""
    page = client.get(url)
    context, posted = page.context, {"_opened": token(page)}
    forms = [context["adminform"].form]
    for table in context["inline_admin_formsets"]:
        forms += [table.formset.management_form, *table.formset.initial_forms]
    for form in forms:
        for field in form:
            shown = field.field.widget.format_value(field.value())
            shown = shown[0] if isinstance(shown, list) and shown else shown
            if shown is not None and field.name != "DELETE":
                posted[field.html_name] = shown.replace("\n", "\r\n") if isinstance(shown, str) else shown
    return posted


def said(page):
    """What the page tells of the other's change, at its head and at its fields."""
    form, meanwhile = page.context["adminform"].form, page.context["meanwhile"]
    at_fields = [words for errors in form.errors.values() for words in errors]
    return " ".join([meanwhile.by, *meanwhile.sentences, *at_fields])


def test_a_rule(mia, tom, version):
    rule = version.rules.get()
    url = reverse("admin:scoring_rule_change", args=[rule.pk])
    hers, his = opened(mia, url), opened(tom, url)
    assert mia.post(url, hers | {"condition": json.dumps(CEO), "points": "20"}).status_code == 302
    refused = tom.post(url, his | {"points": "30", "name": "Chiefs"})
    rule.refresh_from_db()
    assert (rule.points, rule.name) == (20, "fit 0")
    assert "mia changed this on" in said(refused)
    assert "Condition (job title contains “CEO”)" in said(refused)
    form = refused.context["adminform"].form
    assert form.errors["points"] == ["Stored now: 20. Saving again puts yours in its place."]
    assert [json.loads(form["condition"].value()), form["points"].value(), form["name"].value()] == [
        CEO,
        "30",
        "Chiefs",
    ]
    again = his | {"points": "30", "name": "Chiefs", "condition": json.dumps(CEO), "_opened": token(refused)}
    assert tom.post(url, again).status_code == 302
    rule.refresh_from_db()
    assert (rule.points, rule.name, rule.condition) == (30, "Chiefs", CEO)


def test_one_person_in_two_tabs(mia, version):
    url = reverse("admin:scoring_rule_change", args=[version.rules.get().pk])
    first, second = opened(mia, url), opened(mia, url)
    mia.post(url, first | {"points": "20"})
    assert "You changed this on another page on" in said(mia.post(url, second | {"points": "30"}))


def test_the_same_change_twice_is_no_conflict(mia, tom, version):
    url = reverse("admin:scoring_rule_change", args=[version.rules.get().pk])
    hers, his = opened(mia, url), opened(tom, url)
    assert mia.post(url, hers | {"points": "20"}).status_code == 302
    assert tom.post(url, his | {"points": "20"}).status_code == 302


def test_what_was_seen_at_first_counts_also_after_a_typing_error(mia, tom, version):
    url = reverse("admin:scoring_rule_change", args=[version.rules.get().pk])
    hers, his = opened(mia, url), opened(tom, url)
    wrong = tom.post(url, his | {"points": "0"})
    assert token(wrong) == his["_opened"]
    mia.post(url, hers | {"points": "20"})
    assert "Stored now: 20" in said(tom.post(url, his | {"points": "30", "_opened": token(wrong)}))


def test_a_version(mia, tom, version):
    url = reverse("admin:scoring_modelversion_change", args=[version.pk])
    hers, his = opened(mia, url), opened(tom, url)
    assert mia.post(url, hers | {"note": "One\r\nTwo", "mql_fit": "25", "ready_fit": "25"}).status_code == 302
    refused = tom.post(url, his | {"cap_fit": "50"})
    assert "MQL from this fit (25)" in said(refused)
    assert "What changed, and why (One; Two)" in said(refused)
    version.refresh_from_db()
    assert version.cap_fit is None
    again = his | {
        "cap_fit": "50",
        "mql_fit": "25",
        "ready_fit": "25",
        "note": "One\r\nTwo",
        "_opened": token(refused),
    }
    assert tom.post(url, again).status_code == 302
    version.refresh_from_db()
    assert (version.mql_fit, version.cap_fit) == (25, 50)


def test_the_rows_of_a_version(mia, tom, version):
    """Changed by both, removed under the other's hands, added: each is told, and the next save keeps all of it."""
    url = reverse("admin:scoring_modelversion_change", args=[version.pk])
    hers, his = opened(mia, url), opened(tom, url)
    changed = hers | {
        "groups-0-cap_points": "30", "groups-1-DELETE": "on", "groups-TOTAL_FORMS": "3", "groups-2-name": "Mail",
        "groups-2-cap_points": "", "groups-2-position": "2", "profiles-0-description": "50 to 500 people",
    }  # fmt: skip
    assert mia.post(url, changed).status_code == 302
    refused = tom.post(url, his | {"groups-0-cap_points": "40", "groups-1-cap_points": "7"})
    words = said(refused)
    assert "“Web”: Points at most is stored as 30 now" in words
    assert "“Fair” was removed; as you changed it, it is a new row now" in words
    assert "was added" in words
    assert "Profile “Midmarket”: Description (50 to 500 people)" in words
    again = {"_opened": token(refused)} | his
    for table in refused.context["inline_admin_formsets"]:
        for form in [table.formset.management_form, *table.formset.forms]:
            again |= {
                field.html_name: field.value()
                for field in form
                if field.value() is not None and field.name != "DELETE"
            }
    again["_opened"] = token(refused)
    assert tom.post(url, again).status_code == 302
    assert sorted(version.groups.values_list("name", "cap_points")) == [
        ("Fair", 7),
        ("Mail", None),
        ("Web", 40),
    ]
    assert version.profiles.get().description == "50 to 500 people"


def test_a_scale(mia, tom, version):
    url = reverse("admin:scoring_scale_change", args=[version.scale_id])
    hers, his = opened(mia, url), opened(tom, url)
    assert mia.post(url, hers | {"ratings": hers["ratings"].replace("Nurture", "Wait")}).status_code == 302
    refused = tom.post(url, his | {"matrix": his["matrix"].replace("D, D", "C, D"), "name": "Ours"})
    assert "Ratings (A = Call within the hour; B = Call this week; C = Wait; D = Leave alone)" in said(
        refused
    )
    version.scale.refresh_from_db()
    assert version.scale.name == "A to D"
    again = his | {"name": "Ours", "ratings": refused.context["adminform"].form["ratings"].value()}
    assert tom.post(url, again | {"_opened": token(refused)}).status_code == 302
    version.scale.refresh_from_db()
    assert (version.scale.name, version.scale.ratings[2]) == ("Ours", ["C", "Wait"])


def test_a_segment(mia, tom):
    segment = Segment.objects.create(name="Chiefs", slug="chiefs", condition=VP)
    url = reverse("admin:scoring_segment_change", args=[segment.pk])
    hers, his = opened(mia, url), opened(tom, url)
    assert mia.post(url, hers | {"condition": json.dumps(CEO)}).status_code == 302
    refused = tom.post(url, his | {"condition": "{}"})
    assert "Stored now: job title contains “CEO”." in said(refused)
    assert tom.post(url, his | {"condition": "{}", "_opened": token(refused)}).status_code == 302
    segment.refresh_from_db()
    assert segment.condition == {}


@pytest.mark.parametrize("forged", ["", "nonsense", "e30:1vMabc:signature"])
def test_a_page_without_a_word_of_what_was_seen_is_saved(mia, version, forged):
    """Opened before the product was updated, or tampered with by whoever may save it anyway."""
    url = reverse("admin:scoring_rule_change", args=[version.rules.get().pk])
    assert mia.post(url, opened(mia, url) | {"_opened": forged, "points": "11"}).status_code == 302


def test_a_scale_whose_version_went_to_review_between_page_and_save(mia, version, monkeypatch):
    from scoring.admin.scales import ScaleAdmin

    save = ScaleAdmin.save_model

    def late(self, request, obj, form, change):
        ModelVersion.objects.filter(pk=version.pk).update(status="in_review")
        save(self, request, obj, form, change)

    monkeypatch.setattr(ScaleAdmin, "save_model", late)
    url = reverse("admin:scoring_scale_change", args=[version.scale_id])
    posted = opened(mia, url)
    answer = mia.post(url, posted | {"ratings": posted["ratings"].replace("Nurture", "Wait")}, follow=True)
    assert "not a draft any more, so nothing was saved" in answer.content.decode()
    version.scale.refresh_from_db()
    assert version.scale.ratings[2] == ["C", "Nurture"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_is_refused(mia, tom):
    version = cast.draft({"kind": "fit", "points": 10, "condition": VP})
    url = reverse("admin:scoring_rule_change", args=[version.rules.get().pk])
    together = threading.Barrier(2)
    answers = {}

    def save(name, client, posted):
        together.wait(10)
        answers[name] = client.post(url, posted).status_code
        connection.close()

    for round_ in range(5):
        threads = [
            threading.Thread(target=save, args=(name, client, opened(client, url) | {"points": str(20 + 10 * round_ + more)}))
            for name, client, more in (("mia", mia, 1), ("tom", tom, 2))
        ]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(answers.values()) == [200, 302]
