"""Every kind of parameter in the condition builder, in a real browser, by keyboard."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from leads.models import BuyingStage, Company, CustomField, DeclaredProperty, DomainList, Lead, Product
from scoring.criteria import SCORED_CRITERIA
from scoring.models import Segment
from scoring.tests import cast
from scoring.tests.test_admin_browser import says

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tables():
    CustomField.objects.create(owner="lead", key="renewal", label="renewal date", type="date")
    CustomField.objects.create(owner="lead", key="seats", label="seats", type="number")
    DomainList.objects.create(name="Competitors", slug="competitors")
    Product.objects.create(name="CRM", slug="crm")
    Lead.objects.create(email="ada@acme.example", created_at=cast.NOW, updated_at=cast.NOW)


def press(page, *keys):
    for key in keys:
        if key in ("Tab", "Enter", "Space", "Shift+Tab"):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)


def test_a_nested_condition_is_built_by_keyboard(window, admin_user, tables):
    """A date field, fields that must be known, and a history with a window, in a group of their own."""
    page = window(admin_user)
    page.goto(reverse("admin:scoring_segment_add"))
    page.get_by_label("Name").fill("Soon")
    page.get_by_role("button", name="+ Condition").focus()
    press(page, "Enter", "Renewal date", "Tab", "is within the next", "Tab", "Shift+Tab")
    assert page.evaluate("document.activeElement.value") == "next_days"
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    press(page, "90")
    page.get_by_role("button", name="+ Group").focus()
    press(page, "Enter", "How many fields")
    row = page.locator("[data-row='all[1].any[0]']")
    row.get_by_label("At least so many").focus()
    page.keyboard.press("Control+A")
    press(page, "2")
    for label in ("job title", "phone", "seats"):
        row.get_by_label(label, exact=True).focus()
        press(page, "Space")
    row.locator("xpath=..").locator("xpath=..").get_by_role("button", name="+ Condition").focus()
    press(page, "Enter", "Did something")
    row = page.locator("[data-row='all[1].any[1]']")
    row.get_by_label("Activity").focus()
    press(page, "Page view", "Tab")
    row.get_by_label("When").focus()
    press(page, "between …")  # the days that this asks for appear, and the focus stays
    assert page.evaluate("document.activeElement.value") == "between"
    press(page, "Tab")
    page.keyboard.press("Control+A")
    press(page, "7", "Tab", "30")
    says(
        page,
        "sentence",
        "Renewal date is within the next 90 days and (at least 2 of job title, phone and seats are known or viewed"
        " a page between 7 and 30 days ago).",
    )
    says(page, "count", "Matches 0 of 1 lead")
    window.accessible(page, "segment-nested")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/segment/**")
    page.get_by_text("Soon").first.wait_for()
    assert Segment.objects.get(name="Soon").condition == {
        "all": [
            {"is": "custom_field", "field": "custom.renewal", "op": "next_days", "value": 90},
            {
                "any": [
                    {"is": "knows_fields", "at_least": 2, "fields": ["job_title", "phone", "custom.seats"]},
                    {"is": "did", "kind": "page_view", "when": "between", "days": 7, "to_days": 30},
                ]
            },
        ]
    }


def test_every_criterion_can_be_begun_and_shows_its_parameters(window, admin_user, tables):
    Segment.objects.create(name="Other", slug="other", condition={})
    page = window(admin_user)
    page.goto(reverse("admin:scoring_segment_add"))
    page.get_by_role("button", name="+ Condition").click()
    for key, criterion in SCORED_CRITERIA.items():
        if criterion.scope != "lead":
            continue
        described = criterion.describe()
        what = page.locator("[data-row='all[0]']").get_by_label("What")
        if "fields" in described:
            for field in described["fields"]:
                what.select_option(f"{key}:{field['key']}")
                operator = page.locator("[data-row='all[0]']").get_by_label("Operator")
                for op in field["operators"]:
                    operator.select_option(op)
                    operator = page.locator("[data-row='all[0]']").get_by_label("Operator")
            continue
        what.select_option(key)
        shown = page.locator("[data-row='all[0]'] [data-parameter]").count()
        asked = [one for one in described["parameters"] if not one["shown_when"]]
        assert shown >= len(asked), key
    assert json.loads(page.locator("#id_condition").input_value())["all"][0]["is"] == key


def test_an_unfinished_condition_is_refused_in_words_alone(window, admin_user, tables):
    page = window(admin_user)
    page.goto(reverse("admin:scoring_segment_add"))
    page.get_by_text("No condition: everybody matches.").wait_for()
    assert "condition-warning" in page.get_by_text("No condition: everybody").get_attribute("class")
    page.get_by_label("Name").fill("Hot")
    page.get_by_role("button", name="+ Condition").click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Please correct the error").wait_for()
    page.locator("[data-error]", has_text="Value is missing.").wait_for()
    assert "all[0]" not in page.locator("main").inner_text()
    page.locator("[data-row='all[0]']").get_by_label("Value").fill("ada")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Hot").first.wait_for()


def test_what_was_stored_is_shown_and_kept(window, admin_user, tables):
    tree = {"all": [
        {"is": "did", "kind": "page_view", "times": 2, "days": 14},
        {"is": "did", "kind": "own_event", "when": "dates", "since": "2026-01-31"},
        {"is": "custom_field", "field": "custom.seats", "op": "between", "value": [2, 40]},
        {"is": "buying_stage", "one_of": [BuyingStage.DECISION, "unknown"]},
        {"is": "domain_in_list", "list": "competitors"},
        {"is": "product_interest", "product": "crm"},
    ]}  # fmt: skip
    made = Segment.objects.create(name="Kept", slug="kept", condition=tree)
    page = window(admin_user)
    page.goto(reverse("admin:scoring_segment_change", args=[made.pk]))
    says(
        page,
        "sentence",
        "Viewed a page at least twice in the last 14 days and did “own_event” since 31 January 2026",
    )
    first = page.locator("[data-row='all[0]']")
    assert first.get_by_label("When").input_value() == "within"
    assert first.get_by_label("Days").input_value() == "14"
    assert page.locator("[data-row='all[2]']").get_by_label("To", exact=True).input_value() == "40"
    assert page.locator("[data-row='all[3]'] input:checked").count() == 2
    first.get_by_label("When").select_option("ever")
    assert first.get_by_label("Days").count() == 0
    window.accessible(page, "segment-kept")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Kept").first.wait_for()
    made.refresh_from_db()
    tree["all"][0] = {"is": "did", "kind": "page_view", "times": 2, "when": "ever"}
    assert made.condition == tree


def test_a_property_is_asked_with_the_values_that_occur(window, admin_user, tables):
    DeclaredProperty.objects.create(kind="download", key="language", label="language", choices=["de", "en"])
    page = window(admin_user)
    page.goto(reverse("admin:scoring_segment_add"))
    page.get_by_label("Name").fill("German")
    page.get_by_role("button", name="+ Condition").click()
    row = page.locator("[data-row='all[0]']")
    row.get_by_label("What").select_option("did")
    row.get_by_label("Activity").select_option("download")
    assert row.get_by_label("One of these values").count() == 0
    row.get_by_label("With the property").select_option("language")
    row.get_by_label("Add a value").click()
    page.wait_for_selector("datalist option[value=en]", state="attached")
    press(page, "de", "Enter")
    says(page, "sentence", "Downloaded something with language “de”.")
    window.accessible(page, "segment-property")
    row.get_by_label("Activity").select_option("webinar")
    says(page, "count", "Complete the condition to see how many match.")
    assert "no property “language” of “webinar”" in row.inner_text()
    row.get_by_label("With the property").select_option("")
    assert row.get_by_label("One of these values").count() == 0
    assert json.loads(page.locator("#id_condition").input_value()) == {
        "all": [{"is": "did", "kind": "webinar"}]
    }


def test_a_choice_of_dates_asks_for_days_of_the_calendar(window, admin_user, tables):
    page = window(admin_user)
    page.goto(reverse("admin:scoring_segment_add"))
    page.get_by_role("button", name="+ Condition").click()
    row = page.locator("[data-row='all[0]']")
    row.get_by_label("What").select_option("did")
    row.get_by_label("When").select_option("dates")
    row.get_by_label("From", exact=True).fill((cast.NOW - timedelta(days=3)).date().isoformat())
    says(page, "sentence", "Did anything since")


def test_what_may_be_asked_stands_in_groups_and_tells_twins_apart(window, admin_user, tables):
    page = window(admin_user)
    page.goto(reverse("admin:scoring_segment_add"))
    page.get_by_role("button", name="+ Condition").click()
    what = page.locator("[data-row='all[0]']").get_by_label("What")
    groups = what.locator("optgroup").evaluate_all("all => all.map((one) => one.label)")
    assert groups == [
        "About the person", "What they want", "Where they come from", "About the company", "Custom fields",
        "Lists and segments", "What they did", "Score",
    ]  # fmt: skip
    labels = what.locator("option").all_inner_texts()
    assert len(labels) == len(set(labels))
    what.select_option("lead_field:company_size")
    assert "“Company size” takes what is known of the company" in what.locator("xpath=..").inner_text()
    what.select_option("rating")
    model = page.locator("[data-row='all[0]']").get_by_label("Scoring model")
    assert model.locator("option").first.inner_text() == "The one that decides"
    what.select_option("lead_field:email")
    assert what.locator("xpath=..").locator(".condition-hint").inner_text().strip() == ""
    window.accessible(page, "segment-groups")


def test_several_values_are_separated_alike_wherever_they_are_typed(window, admin_user, tables):
    Company.objects.create(name="Acme, Inc.", created_at=cast.NOW, updated_at=cast.NOW)
    page = window(admin_user)
    page.goto(reverse("admin:scoring_segment_add"))
    page.get_by_role("button", name="+ Condition").click()
    row = page.locator("[data-row='all[0]']")
    row.get_by_label("What").select_option("company_field:name")
    row.get_by_label("Operator").select_option("one_of")

    def values():
        return json.loads(page.locator("#id_condition").input_value())["all"][0]["value"]

    row.get_by_label("Values").fill('Alpha, Beta\n"Gamma, Ltd.",24" Screens')
    assert values() == ["Alpha", "Beta", "Gamma, Ltd.", '24" Screens']
    row.get_by_label("Values").fill("")
    row.get_by_label("Add a value").fill('Alpha, Beta, "Gamma, Ltd."')
    page.keyboard.press("Enter")
    assert values() == ["Alpha", "Beta", "Gamma, Ltd."]
    row.get_by_label("Add a value").fill("Acme, Inc.")
    page.wait_for_selector("datalist option[value='Acme, Inc.']", state="attached")
    page.keyboard.press("Enter")  # one that was offered is one, comma or not
    assert values() == ["Alpha", "Beta", "Gamma, Ltd.", "Acme, Inc."]
    assert row.get_by_label("Values").input_value() == 'Alpha\nBeta\n"Gamma, Ltd."\n"Acme, Inc."'
    window.accessible(page, "segment-values")
