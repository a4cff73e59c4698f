"""The marketer's pages in a real browser: sliders that move the lab at once, accessibility, phone and dark."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from distribution import opportunities, recycling
from distribution.models import Rep
from distribution.tests import cast
from distribution.tests.cast import DAY
from leads.models import CaptureForm, Source
from scoring.models import ModelVersion, ScoringModel
from scoring.publish import new_draft

CUT_OFF = "[...document.querySelectorAll('.table-wrap')].some((it) => it.scrollWidth > it.clientWidth + 1)"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def draft(settings):
    """A draft of the starter model, a warm lead, one of which little is known, one given back, and a deal won."""
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
    back = cast.handed(cast.lead("back@firm.net", created_at=now - 40 * DAY), at=now - 9 * DAY)
    note = "Their budget for the year is spent; the new one is decided in March, by the board."
    recycling.recycle(handoff=back, by=back.owner.user, reason="no_budget", note=note, at=now - 2 * DAY)
    cast.flow(now)
    return new_draft(model=ScoringModel.objects.get(routes=True), by=None)


def test_a_slider_moves_all_of_it_and_the_draft_keeps_it(window, draft):
    page = window(cast.max_())
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


def test_the_numbers_do_without_scripts(window, draft):
    page = window(cast.max_(), java_script_enabled=False)
    page.goto(f"/marketing/lab/{draft.pk}/")
    page.get_by_label("Sales-ready: engagement of at least").fill("60")
    page.get_by_role("button", name="Recompute").click()
    page.get_by_role("button", name="Save these thresholds in the draft").click()
    assert ModelVersion.objects.get(pk=draft.pk).ready_engagement == 60


def test_every_page_is_accessible_and_fits(window, look, draft):
    page, found = window(cast.max_(), look), {}
    lab = f"/marketing/lab/{draft.pk}/"
    pages = [
        "/marketing/", "/marketing/gaps/", "/marketing/leads/", "/marketing/leads/?lacks=lead_field.role",
        "/marketing/leads/?given_back=no_budget",
        lab, f"{lab}?ready_engagement=60", f"{lab}?mql_fit=90", f"{lab}leads/?show=moved&old=0&new=0",
    ]  # fmt: skip
    for number, address in enumerate(pages):
        page.goto(address)
        window.picture(page, f"marketing-{number}")
        problems = window.violations(page) + window.too_wide(page)
        if page.evaluate(CUT_OFF):
            problems.append("a table is cut off")
        if problems:
            found[address] = problems
    assert found == {}
