"""The marketer's pages in a real browser: sliders that move the lab at once, accessibility, phone and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.utils import timezone

from distribution import opportunities
from distribution.models import Rep
from distribution.tests import cast
from distribution.tests.cast import DAY
from distribution.tests.test_browser import DESKTOP, EVERYTHING, PHONE, Browser
from leads.models import CaptureForm, Source
from scoring.models import ModelVersion, ScoringModel
from scoring.publish import new_draft

CUT_OFF = "[...document.querySelectorAll('.table-wrap')].some((it) => it.scrollWidth > it.clientWidth + 1)"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def window(chromium, live_server):
    opened = []

    def open_window(**options):
        opened.append(Browser(chromium, live_server.url, **options))
        return opened[-1]

    yield open_window
    for browser in opened:
        browser.context.close()


@pytest.fixture
def draft(settings):
    """A draft of the starter model, a warm lead, a lead of which little is known, and a deal that was won."""
    cache.clear()
    cast.installation()
    now = timezone.now()
    ScoringModel.objects.update(ready_per_week=5)
    cast.rita()
    fair = Source.objects.create(name="Fair", slug="fair")
    CaptureForm.objects.create(name="Booth", slug="booth")
    cast.warms_up(cast.lead(created_at=now - 40 * DAY, source=fair), at=now - 2 * DAY)
    cast.lead("tom@acme.net", first_name="Tom", role="", timeline="", created_at=now - 40 * DAY, source=fair)
    row = cast.handed(
        cast.lead("won@firm.net", first_name="Won", created_at=now - 40 * DAY), at=now - 30 * DAY
    )
    deal = opportunities.open(handoff=row, by=Rep.objects.get().user, at=now - 20 * DAY)
    opportunities.win(opportunity=deal, by=Rep.objects.get().user, amount=1000, at=now - 10 * DAY)
    cast.flow(now)
    return new_draft(model=ScoringModel.objects.get(routes=True), by=None)


def test_a_slider_moves_all_of_it_and_the_draft_keeps_it(window, draft):
    browser = window()
    browser.sign_in(cast.max_())
    page = browser.page
    page.goto(f"/marketing/lab/{draft.pk}/")
    slider = page.get_by_role("slider", name="Sales-ready: engagement of at least, slider")
    before = page.locator(".lab-figures dd").nth(1).inner_text()
    slider.focus()
    slider.evaluate(
        "(it) => { it.max = 100; it.value = 60; it.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    page.get_by_role("button", name="Save these thresholds in the draft").wait_for()
    assert page.get_by_role("spinbutton", name="Sales-ready: engagement of at least").input_value() == "60"
    assert page.locator(".lab-figures dd").nth(1).inner_text() == str(int(before) - 1)
    assert "ready_engagement=60" in page.url
    page.get_by_role("button", name="Save these thresholds in the draft").click()
    page.get_by_text("Next: ask marketing and sales to review it.").wait_for()
    assert ModelVersion.objects.get(pk=draft.pk).ready_engagement == 60
    assert browser.problems == []


def test_the_numbers_do_without_scripts(window, draft):
    browser = window(java_script_enabled=False)
    browser.sign_in(cast.max_())
    page = browser.page
    page.goto(f"/marketing/lab/{draft.pk}/")
    page.get_by_label("Sales-ready: engagement of at least").fill("60")
    page.get_by_role("button", name="Recompute").click()
    page.get_by_role("button", name="Save these thresholds in the draft").click()
    assert ModelVersion.objects.get(pk=draft.pk).ready_engagement == 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(window, draft, scheme):
    browser = window(color_scheme=scheme)
    browser.sign_in(cast.max_())
    page, axe, found = browser.page, Axe(), {}
    lab = f"/marketing/lab/{draft.pk}/"
    pages = [
        "/marketing/", "/marketing/gaps/", "/marketing/leads/", "/marketing/leads/?lacks=lead_field.role",
        lab, f"{lab}?ready_engagement=60", f"{lab}?mql_fit=90", f"{lab}leads/?show=moved&old=0&new=0",
    ]  # fmt: skip
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        for address in pages:
            page.goto(address)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > size["width"] or page.evaluate(CUT_OFF):
                found[f"{address} {size['width']}"] = f"{wide} px wide, or a table is cut off"
            result = axe.run(page, options=EVERYTHING)
            if result.violations_count:
                found[f"{address} {size['width']}"] = result.generate_report()
    assert found == {}
    assert browser.problems == []
