from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from leads import activities
from leads.activities import point
from leads.models import Activity, Lead, Touchpoint
from leads.tests import cast
from leads.tests.cast import NOW
from leads.tests.races import at_once

LATER = NOW + timedelta(days=1)


@pytest.fixture
def lead(db):
    lead = cast.ada()
    Lead.objects.update(rescore_at=None)
    return lead


def test_it_works(lead):
    activity = activities.record(
        lead=lead, kind="page_view", asset="/pricing", at=LATER, properties={"seconds": 9}
    )
    stored = Activity.objects.get(pk=activity.pk)
    assert (str(stored.touchpoint), stored.occurred_at, stored.properties) == (
        "page_view /pricing",
        LATER,
        {"seconds": 9},
    )
    lead.refresh_from_db()
    assert lead.rescore_at == lead.last_activity_at == LATER


def test_what_we_do_ourselves_is_no_engagement(lead):
    activities.record(lead=lead, kind="mail_sent", at=LATER, engagement=False)
    lead.refresh_from_db()
    assert (lead.rescore_at, lead.last_activity_at) == (None, NOW)


def test_an_open_is_no_engagement_but_a_rule_may_count_it(lead):
    opened = activities.record(lead=lead, kind="mail_open", asset="/newsletter", at=LATER)
    lead.refresh_from_db()
    assert (opened.engagement, lead.rescore_at, lead.last_activity_at) == (False, LATER, NOW)


def test_what_happened_before_does_not_make_anybody_more_recent(lead):
    activities.record(lead=lead, kind="webinar", at=NOW - timedelta(days=9), received_at=LATER)
    lead.refresh_from_db()
    assert (lead.rescore_at, lead.last_activity_at) == (LATER, NOW)


def test_a_message_is_logged_once_per_source(lead):
    web = cast.source()
    assert activities.record(lead=lead, kind="page_view", at=NOW, source=web, message_id="m")
    assert activities.record(lead=lead, kind="page_view", at=NOW, source=web, message_id="m") is None
    assert activities.record(lead=lead, kind="page_view", at=NOW, message_id="m")
    assert activities.record(lead=lead, kind="page_view", at=NOW, message_id="m") is None


def test_a_list(lead):
    items = [
        {"lead": lead, "kind": "page_view", "asset": f"/p/{n % 3}", "at": LATER, "message_id": f"m{n % 8}"}
        for n in range(10)
    ] + [{"lead_id": lead.pk, "kind": "download", "at": NOW, "properties": {"n": n}} for n in range(3)]
    assert activities.record_many(items, received_at=LATER) == 11
    assert activities.record_many(items[:10], received_at=LATER) == 0
    assert activities.record_many([], received_at=LATER) == 0
    downloads = Activity.objects.filter(touchpoint__kind="download").order_by("id")
    assert [a.properties["n"] for a in downloads] == [0, 1, 2]


def test_a_list_takes_a_fixed_number_of_statements(lead):
    def items(count):
        return [
            {"lead": lead, "kind": "page_view", "asset": f"/p/{n % 3}", "at": LATER} for n in range(count)
        ]

    activities.record_many(items(3), received_at=LATER)
    with CaptureQueriesContext(connection) as queries:
        activities.record_many(items(500), received_at=LATER)
    assert len([q for q in queries if "SAVEPOINT" not in q["sql"]]) <= 3


@pytest.mark.parametrize(
    ("asset", "normal"),
    [
        ("/Pricing/?utm_source=x#top", "/pricing"),
        ("https://www.acme.example/Docs/API/?q=1", "/docs/api"),
        ("https://www.acme.example", "/"),
        ("//cdn.example/a", "/a"),
        ("/", "/"),
        ("ROI White Paper", "roi white paper"),
        ("", ""),
        ("http://[broken", "http://[broken"),
        ("/nul\x00", "/nul"),
        ("x" * 999, "x" * 300),
    ],
)
def test_assets_are_normalised(asset, normal):
    assert activities.normal_asset(asset) == normal
    assert activities.normal_asset(normal) == normal


def test_touchpoints_are_interned(db):
    view, search = point("page_view", "/A?x=1"), point("search")
    first = activities.touchpoint_ids([view, point("page_view", "/a"), search])
    assert set(first) == {view, search}
    assert activities.touchpoint_ids([view]) == {view: first[view]}
    assert Touchpoint.objects.count() == 2


def test_nul_in_properties_is_dropped(lead):
    activity = activities.record(
        lead=lead, kind="search", at=NOW, properties={"q": "a\x00b", "path": "c:\\u0000"}
    )
    assert Activity.objects.get(pk=activity.pk).properties == {"q": "ab", "path": "c:\\u0000"}


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_touchpoint_is_not_remembered():
    with transaction.atomic():
        activities.touchpoint_ids([point("page_view", "/gone")])
        transaction.set_rollback(True)
    (number,) = activities.touchpoint_ids([point("page_view", "/gone")]).values()
    assert Touchpoint.objects.get(pk=number).asset == "/gone"


@pytest.mark.django_db(transaction=True)
def test_many_writers_lose_nothing_and_never_wait_for_each_other():
    leads = [cast.person({"email": f"p{n}@acme.example"}) for n in range(8)]

    def write(number):
        for turn in range(10):
            mine = leads if (number + turn) % 2 else leads[::-1]
            activities.record_many(
                [{"lead": lead, "kind": "page_view", "asset": f"/{turn}", "at": NOW} for lead in mine],
                received_at=NOW,
            )

    at_once(6, write)
    assert Activity.objects.filter(touchpoint__kind="page_view").count() == 6 * 10 * 8
    assert Touchpoint.objects.filter(kind="page_view").count() == 10


@pytest.mark.parametrize(
    ("kind", "words", "normal"),
    [
        ("search", "  What is C#?  Prices ", "what is c#? prices"),
        ("search_visit", "A/B\x00 Test", "a/b test"),
        ("search", "x" * 119 + " y", "x" * 119),
        ("page_view", "/Prices/?q=1", "/prices"),
    ],
)
def test_searches_keep_their_words(kind, words, normal):
    assert activities.normal(kind, words) == normal
    assert activities.normal(kind, normal) == normal
