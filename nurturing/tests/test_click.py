from datetime import timedelta

import pytest
from django.urls import reverse

from leads.models import Activity, Lead
from nurturing import touches
from nurturing.enrollment import enroll
from nurturing.models import Touch, TrackedLink
from nurturing.responses import click
from nurturing.tests.cast import MONDAY, program, sarah, template

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LATER = MONDAY + timedelta(minutes=10)
THREE = "https://acme.example/roi\n\nhttps://acme.example/Prices?a=1\n\nhttps://acme.example/team"


@pytest.fixture
def links():
    person = sarah()
    enroll(
        lead_ids=[person.pk], at=MONDAY, program=program(steps=[template("three", body=THREE), 24, "mail"])
    )
    touches.perform_due(at=MONDAY)
    Lead.objects.update(rescore_at=None)
    return list(TrackedLink.objects.order_by("pk"))


def clicks():
    return Activity.objects.filter(touchpoint__kind="mail_click")


def test_it_works(links):
    assert click(links[1].token, at=LATER, user_agent=FIREFOX) == "https://acme.example/Prices?a=1"
    activity = clicks().select_related("touchpoint").get()
    assert (activity.touchpoint.asset, activity.engagement) == ("/prices", True)
    assert activity.properties["mail"] == "Three"
    assert Lead.objects.get().rescore_at == LATER


def test_an_unknown_token_is_no_page(client, links):
    assert click("unknown", at=LATER) is None
    assert client.get(reverse("track-click", args=["unknown"])).status_code == 404
    assert not clicks().exists()


def test_the_page_goes_to_the_stored_address_only(client, links):
    answer = client.get(
        reverse("track-click", args=[links[0].token]) + "?next=https://evil.net&url=//evil.net",
        HTTP_USER_AGENT=FIREFOX,
    )
    assert (answer.status_code, answer["Location"]) == (302, "https://acme.example/roi")


@pytest.mark.parametrize(
    ("agent", "method", "seconds", "sign"),
    [
        ("Googlebot/2.1 (+http://www.google.com/bot.html)", "GET", 600, "a scanner by its name"),
        ("Mozilla/5.0 (Barracuda Sentinel; EE)", "GET", 600, "a scanner by its name"),
        ("", "GET", 600, "a scanner by its name"),
        (FIREFOX, "HEAD", 600, "asked for the headers only"),
        (FIREFOX, "GET", 1, "within two seconds of sending"),
    ],
)
def test_a_machine_is_kept_marked_and_not_counted(links, agent, method, seconds, sign):
    at = Touch.objects.filter(status="sent").get().settled_at + timedelta(seconds=seconds)
    assert click(links[0].token, at=at, user_agent=agent, method=method) == links[0].url
    activity = clicks().get()
    assert (activity.engagement, activity.properties["machine"]) == (False, sign)
    assert Lead.objects.get().rescore_at is None


def test_all_links_within_a_minute_count_for_nothing(links):
    for second, link in enumerate(links):
        click(link.token, at=LATER + timedelta(seconds=second), user_agent=FIREFOX)
    assert clicks().count() == 3
    assert not clicks().filter(engagement=True).exists()
    assert Lead.objects.get().rescore_at is not None  # what had counted for a moment is taken back


def test_all_links_in_their_own_time_count(links):
    for minute, link in enumerate(links):
        click(link.token, at=LATER + timedelta(minutes=2 * minute), user_agent=FIREFOX)
    assert clicks().filter(engagement=True).count() == 3


def test_a_reload_is_no_second_click(links):
    for _ in range(5):
        click(links[0].token, at=LATER, user_agent=FIREFOX)
    assert clicks().count() == 1
