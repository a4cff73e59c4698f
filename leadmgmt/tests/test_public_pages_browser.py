"""The public form and the API's reference in a real browser: strict CSP holds, nothing from elsewhere, axe finds nothing."""

import pytest

from leads.models import CaptureForm, Lead, Submission

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def form():
    form = CaptureForm.objects.create(
        name="Request a demo", slug="demo", lead_type="hand_raise", basis_text="We answer by mail and phone."
    )
    questions = [
        ("email", "E-mail", True, []), ("first_name", "First name", True, []), ("company_size", "Employees", False, []),
        ("timeline", "When do you want to start?", False, ["immediately", "1-3 months", "later"]),
        ("consent", "You may write to me about news", False, []),
    ]  # fmt: skip
    for position, (name, label, required, choices) in enumerate(questions):
        form.questions.create(
            name=name, field=name, label=label, required=required, choices=choices, position=position
        )
    return form


def test_the_form_can_be_filled_in_and_sent(window, look, form):
    page = window(look=look)
    page.goto("/f/demo/")
    window.accessible(page, "form")
    page.get_by_label("E-mail").fill("ada@acme.example")
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("When do you want to start?").select_option("1-3 months")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    window.accessible(page, "form-thanks")
    assert Lead.objects.get().timeline == "1-3 months"


def test_what_is_wrong_is_shown_where_it_is(window, form):
    window.expect("400 (Bad Request)")
    page = window()
    page.goto("/f/demo/")
    page.get_by_label("E-mail").fill("ada@acme")
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Employees").fill("many")
    page.get_by_label("When do you want to start?").select_option("later")
    with page.expect_navigation():
        page.get_by_role("button", name="Send").click()
    assert page.get_by_text("Employees is not a whole number.").is_visible()
    assert page.get_by_label("First name").input_value() == "Ada"
    assert page.get_by_label("When do you want to start?").input_value() == "later"
    assert page.get_by_label("Employees").get_attribute("aria-invalid") == "true"
    window.accessible(page, "form-wrong")
    page.get_by_label("Employees").fill("120")
    page.get_by_label("E-mail").fill("ada@acme.example")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    assert Submission.objects.filter(status="invalid").count() == 1
    assert Lead.objects.get().company_size == 120


def test_it_works_without_javascript_and_by_keyboard(window, form):
    page = window(java_script_enabled=False)
    page.goto("/f/demo/")
    page.get_by_label("E-mail").focus()
    page.keyboard.type("ada@acme.example")
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()


def test_the_api_reference(window):
    page = window()
    page.goto("/api/docs/")
    page.get_by_text("/leads/{id}/score/").first.wait_for()
    window.picture(page, "api")  # its markup is Swagger UI's own
