"""The pages around a mail in a real browser: hostile HTML does nothing, and axe finds nothing."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from nurturing import touches
from nurturing.enrollment import enroll
from nurturing.models import LocalMail, Touch
from nurturing.tests.cast import MONDAY, lead, program, template

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = """<html><body onload="top.document.title='owned'"><h1 id="here">Hello</h1><script>top.document.title = 'owned'; alert(1)</script>
<img src="http://127.0.0.1:9/pixel.png" onerror="alert(2)"><iframe src="javascript:alert(3)"></iframe>
<form action="/u/x/"><button>Win</button></form><meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/"></body></html>"""
MJML = """<mjml><mj-body><mj-section><mj-column><mj-text font-size="18px">Dear {{ lead.first_name }}, here is what others read.</mj-text>
<mj-button href="https://acme.example/roi" background-color="#1d4ed8">Read the paper</mj-button></mj-column></mj-section></mj-body></mjml>"""


@pytest.fixture
def page(chromium, live_server, request):
    user = User.objects.create_user("mia", first_name="Mia")
    user.groups.add(Group.objects.get_or_create(name="Marketer")[0])
    client = Client()
    client.force_login(user)
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.dialogs, page.foreign = [], []
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda req: req.url.startswith(live_server.url) or page.foreign.append(req))
    yield page
    context.close()


def picture(page, name):
    """Kept where PICTURES names a folder, for a person to look at."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def accessible(page):
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


def left_the_page(page):
    """Addresses elsewhere that were asked for; what the policy stopped is announced but never sent."""
    return [request.url for request in page.foreign if request.failure != "csp"]


def test_hostile_html_runs_nothing_and_loads_nothing(page, live_server):
    mail = LocalMail.objects.create(
        at=MONDAY,
        message_id="1",
        sender="a@b.test",
        recipients="x@y.test",
        subject="Nasty",
        html=HOSTILE,
        why="Test",
    )
    page.goto(live_server.url + reverse("mailbox-mail", args=[mail.pk]))
    page.frame_locator("iframe.mail-frame").locator("#here").wait_for()
    page.wait_for_timeout(500)
    assert page.title().startswith("Nasty")
    assert page.dialogs == [] and left_the_page(page) == []
    page.goto(live_server.url + reverse("mailbox-html", args=[mail.pk]))  # opened by itself
    page.wait_for_timeout(300)
    assert page.dialogs == [] and left_the_page(page) == []


def test_the_pages_are_accessible_on_desk_phone_and_in_the_dark(page, live_server):
    people = [lead(f"person{number}@buyer.net", first_name=f"Person {number}") for number in range(6)]
    made = program(steps=[template("paper", "A paper for {{ lead.first_name }}", MJML), 24, "mail"])
    enroll(lead_ids=[person.pk for person in people], at=MONDAY, program=made)
    touches.perform_due(at=MONDAY)
    token = Touch.objects.filter(status="sent").first().link_token
    urls = {
        "mailbox": reverse("mailbox"),
        "mailbox-mail": reverse("mailbox-mail", args=[LocalMail.objects.first().pk]),
        "unsubscribe": reverse("unsubscribe", args=[token]),
    }
    for width, scheme in ((1280, "light"), (390, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        for name, url in urls.items():
            page.goto(live_server.url + url)
            picture(page, f"{name}-{width}-{scheme}")
            accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.foreign == []


def test_unsubscribing_and_undoing_by_hand(page, live_server):
    enroll(lead_ids=[lead().pk], at=MONDAY, program=program())
    page.goto(live_server.url + reverse("unsubscribe", args=[Touch.objects.get().link_token]))
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You will get no more marketing mail").wait_for()
    picture(page, "unsubscribed")
    page.get_by_role("button", name="I did this by mistake").click()
    page.get_by_role("heading", name="You are subscribed again").wait_for()
