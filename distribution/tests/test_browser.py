"""The pages in a real browser: a rep's morning by keyboard, accessibility, hostile text, nothing from elsewhere."""

import re
from urllib.parse import quote

import pytest
from django.utils import timezone

from distribution import followup
from distribution.models import FollowUp, Handoff
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, reread
from distribution.tests.hostile import PAYLOADS
from leads.models import CaptureForm, Lead, Question

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COLOURS = {"type": "rule", "values": ["color-contrast"]}


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


def lead(name):
    return Lead.objects.get(first_name=name)


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


def test_a_reps_morning_by_keyboard(window, floor):
    page = window(floor["rita"])
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

    page.evaluate("htmx.config.defaultSettleDelay = 2000")  # the keys below do not wait for it
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


def test_j_and_k_walk_through_the_leads_of_the_list(window, floor):
    page = window(floor["rita"])
    page.goto("/sales/")
    first, second = (page.locator("[data-row-link]").nth(n).get_attribute("href") for n in (0, 1))
    page.goto(first)
    page.keyboard.press("j")
    page.wait_for_url(f"**{second}")
    page.keyboard.press("k")
    page.wait_for_url(f"**{first}")


def test_single_keys_can_be_switched_off(window, floor):
    page = window(floor["rita"])
    page.goto("/sales/")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('[data-row-link]')") is False


def test_the_list_looks_for_news_and_keeps_the_focus(window, floor):
    page = window(floor["rita"])
    page.goto("/sales/")
    page.keyboard.press("j")
    cast.handed(cast.lead("new@new.net", first_name="Brand", last_name="New"), at=timezone.now())
    with page.expect_response("**/sales/"):
        page.evaluate("htmx.trigger('#lead-list', 'look')")
    page.get_by_role("link", name="Brand New", exact=True).wait_for()
    assert focused(page) == "Late Lead"
    page.wait_for_function("document.getElementById('announce').textContent === '1 more to do now'")


def test_everything_works_without_javascript(window, floor):
    page = window(floor["rita"], java_script_enabled=False)
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


def test_the_score_is_copied_as_text_and_replayed(window, floor):
    page = window(floor["rita"], permissions=["clipboard-read", "clipboard-write"])
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
    page.get_by_role("link", name="Asked for sales").first.click()
    assert "up to" in page.locator("h1").inner_text() and page.locator(".is-sought").count() == 1


def test_the_theme_is_chosen_and_kept(window, floor):
    page = window(floor["rita"], color_scheme="light")
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
    found, rita, mia = {}, floor["rita"], floor["mia"]
    soon = f"/leads/{lead('Soon').pk}/"
    yesterday = f"{timezone.now() - DAY:%Y-%m-%dT%H:%M}"
    still = {"reduced_motion": "reduce"}  # a colour in transition is neither theme's
    opened = {
        (user, look): window(user, look, **still) for user in (None, rita, mia) for look in ("wide", "phone")
    }
    window.expect("/sales/team/")  # which a rep may not open
    for user, path, look in [
        (None, "/sign-in/", "wide"), (None, public_form(), "wide"), (rita, "/sales/", "wide"), (rita, "/sales/", "phone"),
        (rita, "/sales/?q=nobody", "wide"), (rita, soon, "wide"), (rita, f"{soon}?do=call", "phone"), (rita, f"{soon}?do=recycle", "wide"),
        (rita, f"{soon}score/", "wide"), (rita, f"{soon}score/", "phone"), (rita, f"{soon}score/?as_of={yesterday}", "wide"),
        (rita, "/sales/team/", "wide"), (mia, "/sales/team/", "wide"), (mia, "/sales/team/", "phone"),
    ]:  # fmt: skip
        page = opened[user, look]
        page.goto(path)
        assert page.url.endswith(path)
        found[path, look] = window.violations(page)
        page.emulate_media(color_scheme="dark")
        found[path, look, "dark"] = window.violations(page, COLOURS)
        page.emulate_media(color_scheme="light")
    assert {key: value for key, value in found.items() if value} == {}


def test_nothing_sticks_out_on_a_phone_and_targets_fit_a_finger(window, floor):
    page = window(floor["rita"], "phone")
    soon = f"/leads/{lead('Soon').pk}/"
    for path in ("/sales/", soon, f"{soon}?do=call", f"{soon}score/", "/scoring/starter/"):
        page.goto(path)
        assert window.too_wide(page) == [], path
        cut = """() => [...document.querySelectorAll(".table-wrap")].filter(e => e.scrollWidth > e.clientWidth)
            .map(e => e.textContent.trim().slice(0, 60))"""
        assert page.evaluate(cut) == [], path
        out = """() => [...document.querySelectorAll(".card-head")].filter(e => e.checkVisibility()).flatMap(head => {
            const edge = head.getBoundingClientRect().right - parseFloat(getComputedStyle(head).paddingRight);
            return [...head.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > edge + 0.5)
                .map(e => e.outerHTML.slice(0, 120)); })"""
        assert page.evaluate(out) == [], path
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, .button, .nav a, .contact, select, input:not([type=hidden], [type=radio], [type=checkbox])")]
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
    rep, manager = window(rita), window(floor["mia"])
    for page, path in [
        (rep, "/sales/"),
        (manager, "/sales/team/"),
        *((rep, f"/leads/{number}/") for number in ids),
        *((rep, f"/leads/{number}/score/") for number in ids[:4]),
    ]:
        page.goto(path)
        assert "alert(1)" in page.locator("main").inner_text(), path
    for payload in PAYLOADS[::10]:
        rep.goto("/sales/?q=" + quote(payload))
        assert rep.locator("#search").input_value() == payload.replace("\n", "")
