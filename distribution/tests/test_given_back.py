"""What sales gave back: its card on the marketer's home, and the lists behind it."""

import re

import pytest
from django.utils import timezone

from distribution import marketing, recycling
from distribution.models import Handoff
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR
from distribution.tests.pages import read
from leads.models import Lead

pytestmark = pytest.mark.django_db


def gives_back(rita, now, *, ago=DAY, reason="no_budget", note="", who=None):
    who = who or cast.lead(
        f"b{Lead.objects.count()}@firm{Lead.objects.count()}.net", created_at=now - 60 * DAY
    )
    row = cast.handed(who, at=now - ago - HOUR)
    return recycling.recycle(handoff=row, by=rita.user, reason=reason, note=note, at=now - ago)


def given_back_card(page):
    return re.search(r'<h2 id="back-title">(.*?)</section>', page)[1]


def test_what_sales_gave_back_is_on_the_home(client, max_, now):
    assert "Sales gave no lead back." in given_back_card(read(client, "/marketing/"))
    rita = cast.rita()
    late = gives_back(rita, now, note="Budget comes <b>in March</b>")
    gives_back(rita, now, ago=2 * DAY)
    lost = gives_back(rita, now, reason="timing")
    Handoff.objects.filter(pk=lost.pk).update(end_reason="Closed lost: Price")
    gives_back(rita, now, ago=29 * DAY)
    test = gives_back(rita, now)
    Lead.objects.filter(pk=test.lead_id).update(is_test=True)
    card = given_back_card(read(client, "/marketing/"))
    assert re.findall(
        r"<span>([^<]*)</span><span class=\"muted\"><a href=\"([^\"]*)\">(\d+)</a> leads?<", card
    ) == [
        ("No budget yet", "/marketing/leads/?given_back=no_budget", "2"),
        ("Closed lost: Price", "/marketing/leads/?given_back=lost_price", "1"),
    ]
    listed = read(client, "/marketing/leads/?given_back=no_budget")
    assert '<span class="count">2</span>' in listed
    assert "Given back by sales in the last 28 days: No budget yet." in listed
    assert "“Budget comes &lt;b&gt;in March&lt;/b&gt;”" in listed and "<b>in March" not in listed
    assert (
        f"ask again on {timezone.localtime(late.recycle_until):%-d %b %Y}" in listed and "Rita Us" in listed
    )
    assert '<span class="count">1</span>' in read(client, "/marketing/leads/?given_back=lost_price")
    assert '<span class="count">3</span>' in read(client, "/marketing/leads/?given_back=any")
    assert "No lead is so." in read(client, "/marketing/leads/?given_back=timing")
    assert 'data-label="Given back"' not in read(client, "/marketing/leads/")


def test_a_lead_given_back_twice_counts_once_with_its_latest_word(client, max_, now):
    rita = cast.rita()
    first = gives_back(rita, now, ago=3 * DAY, note="Old word")
    gives_back(rita, now, who=first.lead, note="New word")
    assert re.findall(r">(\d+)</a> leads?<", given_back_card(read(client, "/marketing/"))) == ["1"]
    listed = read(client, "/marketing/leads/?given_back=no_budget")
    assert "“New word”" in listed and "Old word" not in listed


def test_the_list_of_what_came_back_takes_as_many_queries_for_many(
    client, max_, now, django_assert_max_num_queries
):
    rita = cast.rita()
    for _ in range(6):
        gives_back(rita, now, note="Later")
    with django_assert_max_num_queries(12):
        assert read(client, "/marketing/leads/?given_back=any").count("“Later”") == 6


def test_reasons_in_use_have_an_address_each():
    """A hand-off keeps its reason in words; two of one wording would open each other's leads."""
    assert len(set(marketing.BACK_REASONS.values())) == len(marketing.BACK_REASONS)
