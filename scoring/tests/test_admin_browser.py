"""The condition builder in a real browser: by keyboard alone, on a phone, in the dark, with hostile names about."""

import json

import pytest
from django.urls import reverse

from leads.models import Lead
from scoring.models import Rule
from scoring.tests import cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def version():
    for title in ("VP Sales", "VP Finance", "Student"):
        Lead.objects.create(
            email=f"{title[-3:].lower()}@example.com",
            first_name=HOSTILE,
            job_title=title,
            created_at=cast.NOW,
            updated_at=cast.NOW,
        )
    return cast.draft()


def says(page, name, text):
    page.locator(f"[data-{name}]", has_text=text).wait_for()


def test_a_rule_is_written_by_keyboard(window, admin_user, version):
    page = window(admin_user)
    page.goto(reverse("admin:scoring_rule_add") + f"?version={version.pk}")
    page.get_by_label("Reason").fill("Decides")
    page.get_by_role("button", name="+ Condition").focus()
    page.keyboard.press("Enter")  # the first choice of the new row has the focus now
    page.keyboard.type("Job title")
    page.keyboard.press("Tab")
    page.keyboard.type("contains")
    page.keyboard.press("Tab")
    page.keyboard.type("vp")
    says(page, "sentence", "Job title contains “vp”.")
    says(page, "count", "Matches 2 of 3 leads (66.7 %).")
    page.wait_for_function("document.querySelectorAll('datalist option').length === 2")
    assert page.locator("datalist option").first.text_content() == "VP Finance (1)"
    page.get_by_text("Some of them").first.click()
    assert HOSTILE in page.locator("[data-samples]").first.inner_text()
    window.accessible(page, "rule")
    page.locator("#id_points").fill("15")
    page.get_by_text("It changes the points of 2 of 3 leads looked at").wait_for()
    brief = page.get_by_role("link", name="Changes 2 leads; sales-ready +0 −0")
    assert brief.bounding_box()["y"] > page.locator("#submit-row").bounding_box()["y"], "beside the buttons"
    page.get_by_label("Try the draft on one lead").fill("les@example.com")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="fit 15, engagement 0").wait_for()
    tried, bar = (page.locator(place).bounding_box() for place in (".impact-tried", "#submit-row"))
    assert tried["y"] >= 0 and tried["y"] + tried["height"] <= bar["y"]
    window.accessible(page, "rule-impact")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Decides").wait_for()
    made = version.rules.get()
    assert made.condition == {
        "all": [{"is": "lead_field", "field": "job_title", "op": "contains", "value": "vp"}]
    }
    window.accessible(page, "version")


def test_a_fault_stands_at_its_row(window, admin_user, version):
    page = window(admin_user, "phone")
    page.goto(reverse("admin:scoring_rule_add") + f"?version={version.pk}")
    page.get_by_role("button", name="+ Group").click()
    row = page.locator("[data-row='all[0].any[0]']")
    row.get_by_label("What").select_option("company_field:size")
    row.get_by_label("Value").fill("many")
    row.locator("[data-error]", has_text="Value must be a whole number.").wait_for()
    window.accessible(page, "rule")
    row.get_by_label("Value").fill("200")
    says(page, "count", "Matches 0 of 3 leads")
    says(page, "warning", "Nobody matches now")
    page.get_by_label("Remove group 1").click()
    says(page, "count", "Matches 3 of 3 leads")
    assert page.get_by_role("button", name="+ Condition").evaluate("node => node === document.activeElement")


def test_what_is_stored_is_shown_and_kept(window, admin_user, version):
    tree = {"any": [
        {"is": "lead_field", "field": "role", "op": "one_of", "value": ["user", "buyer"]},
        {"none": [{"is": "company_field", "field": "relationship", "op": "one_of", "value": ["competitor"]}]},
        {"is": "source", "one_of": ["web", "fair"]},
    ]}  # fmt: skip
    rule = Rule.objects.create(version=version, kind="fit", name="Stored", points=1, condition=tree)
    page = window(admin_user, "dark")
    page.goto(reverse("admin:scoring_rule_change", args=[rule.pk]))
    says(
        page, "sentence", "Buying role is one of “user” or “buyer” or not (relationship to us is Competitor)"
    )
    window.accessible(page, "rule")
    page.locator("[data-row='any[1]']").get_by_label("Within this group").select_option("any")
    page.locator("[data-row='any[1]']").get_by_label("Within this group").select_option("none")
    assert json.loads(page.locator("#id_condition").input_value()) == tree
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Stored").wait_for()
    rule.refresh_from_db()
    assert rule.condition == tree


def test_another_kind_asks_other_things(window, admin_user, version):
    page = window(admin_user)
    page.goto(reverse("admin:scoring_rule_add") + f"?version={version.pk}")
    page.get_by_role("button", name="+ Condition").click()
    page.get_by_label("Kind").select_option("activity")
    page.get_by_text("No condition: any activity matches.").wait_for()
    page.get_by_label("At most this many points").wait_for()
    condition = page.get_by_role("group", name="Condition", exact=True)
    condition.get_by_role("button", name="+ Condition").click()
    condition.get_by_label("Page or asset", exact=True).fill("/pricing")
    says(page, "sentence", "Did something on pages under /pricing.")
    page.get_by_label("Kind").select_option("age")
    page.locator(".field-condition [data-builder]").wait_for(state="hidden")
    page.get_by_label("Kind").select_option("fit")
    assert page.locator("[data-row]").count() == 1  # what was begun for this kind is still there


def test_what_a_colleague_changed_meanwhile_stands_beside_what_was_typed(window, look, admin_user, version):
    rule = Rule.objects.create(version=version, kind="fit", name="Decides", points=10)
    page = window(admin_user, look)
    page.goto(reverse("admin:scoring_rule_change", args=[rule.pk]))
    Rule.objects.update(points=20, name="Decides alone")
    page.locator("#id_points").fill("30")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("This was changed after you opened it.").wait_for()
    page.get_by_text("Stored now: 20. Saving again puts yours in its place.").wait_for()
    assert page.locator("#id_points").input_value() == "30"
    assert page.locator("#id_name").input_value() == "Decides alone"
    window.accessible(page, "rule-meanwhile")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Decides alone").wait_for()
    rule.refresh_from_db()
    assert (rule.points, rule.name) == (30, "Decides alone")
