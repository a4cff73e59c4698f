"""The public form and the API's reference in a real browser: strict CSP holds, nothing from elsewhere, axe finds nothing."""

import os
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from leads.models import CaptureForm, Lead, Submission

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


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


@pytest.fixture
def tab(chromium, live_server):
    """A page that notes what went wrong in it."""
    page = chromium.new_page(viewport=DESKTOP)
    page.trouble, page.hosts = [], set()
    page.on(
        "console", lambda message: message.type in ("error", "warning") and page.trouble.append(message.text)
    )
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("request", lambda request: page.hosts.add(urlsplit(request.url).netloc))
    yield page
    page.close()


def check(page, live_server, *, axe=True):
    assert page.trouble == []
    assert page.hosts <= {urlsplit(live_server.url).netloc, ""}
    if axe:
        found = Axe().run(page).response["violations"]
        assert not found, [(violation["id"], violation["nodes"][0]["html"]) for violation in found]
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{len(os.listdir(folder)):02}.png", full_page=True)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_can_be_filled_in_and_sent(tab, live_server, form, size, scheme):
    tab.set_viewport_size(size)
    tab.emulate_media(color_scheme=scheme)
    tab.goto(f"{live_server.url}/f/demo/")
    check(tab, live_server)
    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
    tab.get_by_label("E-mail").fill("ada@acme.example")
    tab.get_by_label("First name").fill("Ada")
    tab.get_by_label("When do you want to start?").select_option("1-3 months")
    tab.get_by_role("button", name="Send").click()
    tab.get_by_role("heading", name="Thank you").wait_for()
    check(tab, live_server)
    assert Lead.objects.get().timeline == "1-3 months"


def test_what_is_wrong_is_shown_where_it_is(tab, live_server, form):
    tab.goto(f"{live_server.url}/f/demo/")
    tab.get_by_label("E-mail").fill("ada@acme")
    tab.get_by_label("First name").fill("Ada")
    tab.get_by_label("Employees").fill("many")
    tab.get_by_label("When do you want to start?").select_option("later")
    with tab.expect_navigation():
        tab.get_by_role("button", name="Send").click()
    assert tab.get_by_text("Employees is not a whole number.").is_visible()
    assert tab.get_by_label("First name").input_value() == "Ada"
    assert tab.get_by_label("When do you want to start?").input_value() == "later"
    assert tab.get_by_label("Employees").get_attribute("aria-invalid") == "true"
    tab.trouble.clear()  # Chromium notes the 400 of the page itself
    check(tab, live_server)
    tab.get_by_label("Employees").fill("120")
    tab.get_by_label("E-mail").fill("ada@acme.example")
    tab.get_by_role("button", name="Send").click()
    tab.get_by_role("heading", name="Thank you").wait_for()
    assert Submission.objects.filter(status="invalid").count() == 1
    assert Lead.objects.get().company_size == 120


def test_it_works_without_javascript_and_by_keyboard(chromium, live_server, form):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/f/demo/")
    page.get_by_label("E-mail").focus()
    page.keyboard.type("ada@acme.example")
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    context.close()


def test_the_api_reference(tab, live_server):
    tab.goto(f"{live_server.url}/api/docs/")
    tab.get_by_text("/leads/{id}/score/").first.wait_for()
    check(tab, live_server, axe=False)  # Swagger UI's own markup
