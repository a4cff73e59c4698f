"""The pages in a real browser: a rep's morning by keyboard, accessibility, hostile text, nothing from elsewhere."""

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone

from distribution import followup
from distribution.models import FollowUp, Handoff
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, reread
from distribution.tests.hostile import PAYLOADS
from leads.models import CaptureForm, Lead, Question

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
EVERYTHING = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


class Browser:
    """A browser window that remembers what went wrong in it."""

    def __init__(self, chromium, base, **options):
        self.context = chromium.new_context(base_url=base, viewport=DESKTOP, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.problems, self.base = [], base
        self.page.on("console", lambda message: self.note(message.type in ("error", "warning"), message.text))
        self.page.on("pageerror", lambda error: self.note(True, str(error)))
        self.page.on(
            "dialog", lambda dialog: (self.note(True, f"dialog: {dialog.message}"), dialog.dismiss())
        )
        self.page.on(
            "request", lambda request: self.note(not self.is_ours(request.url), f"asked {request.url}")
        )

    def note(self, is_problem, text):
        if is_problem:
            self.problems.append(text)

    def is_ours(self, url):
        return url.startswith((self.base, "data:", "about:"))

    def sign_in(self, user):
        client = Client()  # its own: signing in as somebody else ends the session before
        client.force_login(user)
        cookie = client.cookies["sessionid"]
        self.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": self.base}])


@pytest.fixture
def floor(settings):
    """A team with leads of every kind; the tables were emptied after the test before."""
    cast.installation()
    now = timezone.now()
    mia = cast.mia()
    rita = cast.rita(team=cast.team(mia))
    made = [
        ("Late", {"job_title": "Chief Financial Officer"}, now - 2 * DAY),
        ("Soon", {"job_title": "Head of Operations", "phone": "+4930123"}, now - 50 * MINUTE),
        ("Fresh", {"job_title": "Buyer"}, now - MINUTE),
    ]
    for name, values, at in made:
        who = cast.lead(
            f"{name.lower()}@{name.lower()}.net",
            first_name=name,
            last_name="Lead",
            search_text=f"{name} Lead",
            company=cast.acme(name),
            **values,
        )
        cast.did(who, "page_view", "/pricing", at - MINUTE, times=2)
        cast.handed(who, at=at)
    planned = cast.handed(cast.lead("due@due.net", first_name="Due", last_name="Lead"), at=now - 5 * DAY)
    followup.log_call(
        handoff=planned,
        by=rita.user,
        result="connected",
        note="Wants prices",
        at=now - 2 * DAY,
        next_at=now + DAY,
    )
    FollowUp.objects.update(due_at=now - HOUR)
    return {"mia": mia, "rita": rita.user}


@pytest.fixture
def window(chromium, live_server):
    opened = []

    def open_window(**options):
        opened.append(Browser(chromium, live_server.url, **options))
        return opened[-1]

    yield open_window
    for browser in opened:
        browser.context.close()


def lead(name):
    return Lead.objects.get(first_name=name)


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


def test_a_reps_morning_by_keyboard(window, floor):
    browser = window()
    browser.sign_in(floor["rita"])
    page = browser.page
    page.goto("/sales/")
    assert page.locator("[data-row]").count() == 4
    page.keyboard.press("j")
    assert focused(page) == "Late Lead"
    page.keyboard.press("j")
    assert focused(page) == "Soon Lead"
    page.keyboard.press("k")

    page.keyboard.press("e")  # accept in place, then take it back
    page.get_by_text("Late Lead is yours.").wait_for()
    assert Handoff.objects.get(lead=lead("Late")).status == "accepted"
    assert focused(page) == "Late Lead", "the focus stays where the work is"
    page.keyboard.press("z")
    page.get_by_text("Taken back: Accepted.").wait_for()
    assert Handoff.objects.get(lead=lead("Late")).status == "offered"

    page.keyboard.press("/")
    page.keyboard.type("soon")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sales/?*q=soon*")
    assert page.locator("[data-row]").count() == 1
    page.locator("body").press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads/*/")

    page.keyboard.press("c")  # a call with its result and the next step
    page.get_by_role("heading", name="Log a call").wait_for()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Wants an offer; j and z are only letters here")
    page.get_by_role("button", name="Tomorrow 09:00").click()
    page.get_by_role("button", name="Log call").press("Enter")
    page.get_by_text("Call with Soon Lead logged.").wait_for()
    row = Handoff.objects.get(lead=lead("Soon"))
    assert (row.status, row.progress, row.attempts) == ("accepted", "connected", 1)
    assert FollowUp.objects.filter(handoff=row, done_at=None).count() == 1

    page.keyboard.press("n")
    page.get_by_role("textbox", name="Note").fill("Prefers mornings")
    page.get_by_role("button", name="Keep note").click()
    page.get_by_text("Note kept.").wait_for()
    page.get_by_role("button", name="Good lead").click()
    page.get_by_text("marketing sees your feedback").wait_for()

    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keyboard shortcuts").is_visible()
    page.keyboard.press("Escape")
    assert browser.problems == []


def test_j_and_k_walk_through_the_leads_of_the_list(window, floor):
    browser = window()
    browser.sign_in(floor["rita"])
    page = browser.page
    page.goto("/sales/")
    first, second = (page.locator("[data-row-link]").nth(n).get_attribute("href") for n in (0, 1))
    page.goto(first)
    page.keyboard.press("j")
    page.wait_for_url(f"**{second}")
    page.keyboard.press("k")
    page.wait_for_url(f"**{first}")


def test_single_keys_can_be_switched_off(window, floor):
    browser = window()
    browser.sign_in(floor["rita"])
    page = browser.page
    page.goto("/sales/")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('[data-row-link]')") is False


def test_the_list_looks_for_news_and_keeps_the_focus(window, floor):
    browser = window()
    browser.sign_in(floor["rita"])
    page = browser.page
    page.goto("/sales/")
    page.keyboard.press("j")
    cast.handed(cast.lead("new@new.net", first_name="Brand", last_name="New"), at=timezone.now())
    with page.expect_response("**/sales/"):
        page.evaluate("htmx.trigger('#lead-list', 'look')")
    page.get_by_role("link", name="Brand New", exact=True).wait_for()
    assert focused(page) == "Late Lead"
    page.wait_for_function("document.getElementById('announce').textContent === '1 more to do now'")
    assert browser.problems == []


def test_everything_works_without_javascript(window, floor):
    browser = window(java_script_enabled=False)
    browser.sign_in(floor["rita"])
    page = browser.page
    page.goto("/sales/")
    page.get_by_role("button", name="Accept Late Lead").click()
    assert page.get_by_text("Late Lead is yours.").is_visible()
    page.get_by_role("button", name="Undo").click()
    assert page.get_by_text("Taken back: Accepted.").is_visible()
    page.get_by_role("link", name="Soon Lead", exact=True).click()
    page.get_by_role("link", name="Log a call").click()
    page.get_by_label("No answer").check()
    page.get_by_role("button", name="Log call").click()
    assert page.get_by_text("Call with Soon Lead logged.").is_visible()
    assert browser.problems == []


def test_the_score_is_copied_as_text_and_replayed(window, floor):
    browser = window(permissions=["clipboard-read", "clipboard-write"])
    browser.sign_in(floor["rita"])
    page = browser.page
    page.goto(f"/leads/{lead('Soon').pk}/")
    page.get_by_role("link", name="Full breakdown").click()
    page.get_by_role("button", name="Copy as text").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    shown = page.request.get(page.get_by_role("link", name="Open as text").get_attribute("href")).text()
    assert copied.splitlines()[0] == "Soon Lead" and "Looked at prices" in copied
    assert [line for line in copied.splitlines() if "Looked at" in line] == [
        line for line in shown.splitlines() if "Looked at" in line
    ]
    page.get_by_label("As of").fill(f"{timezone.localtime(timezone.now() - DAY / 48):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("As it stood on").wait_for()
    page.get_by_role("link", name="Show it as it is now").click()
    assert page.get_by_text("As it stood on").count() == 0
    page.get_by_role("link", name="Hand-raise").first.click()
    assert "up to" in page.locator("h1").inner_text() and page.locator(".is-sought").count() == 1
    assert browser.problems == []


def test_the_theme_is_chosen_and_kept(window, floor):
    browser = window(color_scheme="light")
    browser.sign_in(floor["rita"])
    page = browser.page
    page.goto("/sales/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    toggle = page.get_by_role("button", name=re.compile("Change colours"))
    toggle.click()
    toggle.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark", (
        "the server writes it: nothing flashes"
    )
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def public_form():
    form = CaptureForm.objects.create(name="Request a demo", slug="demo-request", lead_type="hand_raise")
    Question.objects.create(form=form, name="email", field="email", label="E-mail", required=True)
    return f"/f/{form.slug}/"


def test_axe_finds_nothing_in_light_and_dark(window, floor):
    axe, found = Axe(), {}
    stranger, rep, manager = (
        window(color_scheme="light"),
        window(color_scheme="light"),
        window(color_scheme="light"),
    )
    rep.sign_in(floor["rita"])
    manager.sign_in(floor["mia"])
    soon = f"/leads/{lead('Soon').pk}/"
    yesterday = f"{timezone.now() - DAY:%Y-%m-%dT%H:%M}"
    pages = [
        (stranger, "/sign-in/", DESKTOP), (stranger, public_form(), DESKTOP), (rep, "/sales/", DESKTOP), (rep, "/sales/", PHONE),
        (rep, "/sales/?q=nobody", DESKTOP), (rep, soon, DESKTOP), (rep, f"{soon}?do=call", PHONE), (rep, f"{soon}?do=recycle", DESKTOP),
        (rep, f"{soon}score/", DESKTOP), (rep, f"{soon}score/", PHONE), (rep, f"{soon}score/?as_of={yesterday}", DESKTOP),
        (rep, "/sales/team/", DESKTOP), (manager, "/sales/team/", DESKTOP), (manager, "/sales/team/", PHONE),
    ]  # fmt: skip
    for browser, path, size in pages:
        browser.page.set_viewport_size(size)
        browser.page.goto(path)
        assert browser.page.url.endswith(path)
        for scheme, rules in (("light", EVERYTHING), ("dark", COLOURS)):
            # Without motion: a colour in transition is neither theme's.
            browser.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            violations = axe.run(browser.page, options=rules).response["violations"]
            found[path, size["width"], scheme] = [
                (each["id"], [node["html"][:160] for node in each["nodes"]]) for each in violations
            ]
        browser.page.emulate_media(color_scheme="light")
    assert {key: value for key, value in found.items() if value} == {}
    refused = [text for text in rep.problems if "403" in text]  # the team page, which a rep may not open
    assert len(refused) == 1 and [*stranger.problems, *rep.problems, *manager.problems] == refused


def test_nothing_sticks_out_on_a_phone_and_targets_fit_a_finger(window, floor):
    browser = window(has_touch=True, is_mobile=True)
    browser.sign_in(floor["rita"])
    page = browser.page
    page.set_viewport_size(PHONE)
    soon = f"/leads/{lead('Soon').pk}/"
    for path in ("/sales/", soon, f"{soon}?do=call", f"{soon}score/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, .button, .nav a, select, input:not([type=hidden], [type=radio], [type=checkbox])")]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
            .map(e => e.outerHTML.slice(0, 120))"""
        )
        assert small == [], path


def test_hostile_text_stays_text(window, floor):
    """Sixty payloads, spread over all fields that a stranger or a rep can fill, on every page that shows them."""
    now, rita = timezone.now(), floor["rita"]
    ids = []
    for first in range(0, len(PAYLOADS), 5):
        one, two, three, four, five = PAYLOADS[first : first + 5]
        who = cast.lead(
            f"h{first}@h{first}.net", first_name=one[:100], last_name=two[:100], job_title=three[:150], role=four[:60],
            phone=five[:40], timeline=one[:60], industry=two[:100], company=cast.acme(three[:200], domain=f"h{first}.net"),
        )  # fmt: skip
        cast.did(who, "page_view", four, now)
        cast.did(who, five[:40], one, now)
        row = cast.handed(who, at=now - DAY)
        Handoff.objects.filter(pk=row.pk).update(why_now=two, reason=three, flags=[four])
        followup.note(handoff=reread(row), by=rita, text=five, at=now)
        ids.append(who.pk)
    rep, manager = window(), window()
    rep.sign_in(rita)
    manager.sign_in(floor["mia"])
    for browser, path in [
        (rep, "/sales/"),
        (manager, "/sales/team/"),
        *((rep, f"/leads/{number}/") for number in ids),
        *((rep, f"/leads/{number}/score/") for number in ids[:4]),
    ]:
        browser.page.goto(path)
        assert "alert(1)" in browser.page.locator("main").inner_text(), path
    for payload in PAYLOADS[::10]:
        rep.page.goto("/sales/?q=" + quote(payload))
        assert rep.page.locator("#search").input_value() == payload.replace("\n", "")
    assert rep.problems == [] and manager.problems == []
