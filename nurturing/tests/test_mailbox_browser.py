"""The pages around a mail in a real browser: hostile HTML does nothing, and axe finds nothing."""

import pytest
from django.urls import reverse

from leads.tests.cast import colleague
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
def mia():
    user = colleague("mia", "Marketer", first_name="Mia")
    return user


def test_hostile_html_runs_nothing_and_loads_nothing(window, mia):
    mail = LocalMail.objects.create(
        at=MONDAY,
        message_id="1",
        sender="a@b.test",
        recipients="x@y.test",
        subject="Nasty",
        html=HOSTILE,
        why="Test",
    )
    for stopped in (
        "Blocked script execution",
        "JavaScript URL",
        "http-equiv='refresh'",
        "pixel.png' violates",
    ):
        window.expect(stopped)
    page = window(mia)
    page.goto(reverse("mailbox-mail", args=[mail.pk]))
    page.frame_locator("iframe.mail-frame").locator("#here").wait_for()
    page.wait_for_timeout(500)
    assert page.title().startswith("Nasty")
    page.goto(reverse("mailbox-html", args=[mail.pk]))  # opened by itself
    page.wait_for_timeout(300)


def test_the_pages_are_accessible(window, look, mia):
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
    page = window(mia, look)
    for name, url in urls.items():
        page.goto(url)
        window.accessible(page, name)


def test_unsubscribing_and_undoing_by_hand(window):
    enroll(lead_ids=[lead().pk], at=MONDAY, program=program())
    page = window()
    page.goto(reverse("unsubscribe", args=[Touch.objects.get().link_token]))
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You will get no more marketing mail").wait_for()
    window.picture(page, "unsubscribed")
    page.get_by_role("button", name="I did this by mistake").click()
    page.get_by_role("heading", name="You are subscribed again").wait_for()
