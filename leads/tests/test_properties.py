"""Declared properties of activities: part of the touchpoint from when they are declared, and never anything else is."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads import activities, properties
from leads.models import Activity, Touchpoint
from leads.tests import cast
from leads.tests.cast import NOW, declare

DE, EN = {"language": "de"}, {"language": "en"}


@pytest.fixture
def lead(db):
    return cast.ada()


def points_of(kind):
    return list(Touchpoint.objects.filter(kind=kind).order_by("id").values_list("asset", "properties"))


def downloads(lead, *said):
    items = [
        {"lead": lead, "kind": "download", "asset": "/roi", "at": NOW, "properties": each} for each in said
    ]
    activities.record_many(items, received_at=NOW)


def test_it_works(lead, declared):
    declare("download", "language")
    downloads(lead, DE, EN, {"language": " DE ", "seconds": 9}, {}, None)
    assert points_of("download") == [("/roi", {}), ("/roi", DE), ("/roi", EN)]
    told = Activity.objects.filter(touchpoint__kind="download").order_by("id")
    assert [(row.touchpoint.properties, row.properties) for row in told] == [
        (DE, DE), (EN, EN), (DE, {"language": " DE ", "seconds": 9}), ({}, {}), ({}, {}),
    ]  # fmt: skip
    downloads(lead, DE)
    assert len(points_of("download")) == 3


def test_it_counts_from_when_it_is_declared(lead, declared):
    downloads(lead, DE)
    declare("download", "language")
    downloads(lead, DE)
    of = Activity.objects.filter(touchpoint__kind="download").order_by("id")
    assert [row.touchpoint.properties for row in of] == [{}, DE]
    declared.filter(key="language").update(is_active=False)
    properties.forget()
    downloads(lead, DE)
    assert [row.touchpoint.properties for row in of.all()] == [{}, DE, {}]


def test_only_of_its_kind_and_only_its_choices(lead, declared):
    declare("download", "language", choices=["de", "en"])
    downloads(lead, DE, {"language": "fr"})
    activities.record(lead=lead, kind="webinar", asset="/roi", at=NOW, properties=DE)
    assert points_of("download") == [("/roi", {}), ("/roi", DE)]
    assert points_of("webinar") == [("/roi", {})]


def test_a_post_carries_its_campaign_words(declared):
    declare("form_submit", "utm_medium")
    declare("form_submit", "plan")
    form = cast.form(slug="ask", name="Ask")
    cast.person(cast.ADA | {"utm_medium": "CPC", "utm_term": "crm"}, form=form, properties={"plan": "pro"})
    assert points_of("form_submit") == [("ask", {"plan": "pro", "utm_medium": "cpc"})]
    assert points_of("search_visit") == [("crm", {})]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (" De\n ", "de"), ("a  b", "a b"), (30, "30"), (30.0, "30"), (1.5, "1.5"), (Decimal("12.50"), "12.50"),
        (True, "true"), (False, "false"), ("x" * 60, "x" * 60), ("a\x00b", "a b"), (10**59, str(10**59)),
        ("x" * 61, None), (10**60, None), (10**4000, None), (1e300, None), (float("nan"), None),
        (float("inf"), None), (1 - 10**60, None), ("", None), (" ", None), ("\x00", None), (None, None), ([], None),
        (["de"], None), ({"a": 1}, None),
    ],
)  # fmt: skip
def test_values_are_short_texts(value, kept):
    assert properties.value_of(value) == kept
    assert kept is None or properties.value_of(kept) == kept


def test_the_longest_of_everything_fits_into_the_index(lead, declared):
    """Letters of four bytes that do not compress, in every place there is."""
    letters = [chr(0x10000 + 7919 * n % 0x8000) for n in range(1000)]
    for n in range(properties.MOST + 1):
        declare("k" * 40, f"{n}" * 40)
    said = {f"{n}" * 40: "".join(letters[60 * n + 300 : 60 * n + 360]) for n in range(properties.MOST + 1)}
    activities.record(lead=lead, kind="k" * 40, asset="".join(letters[:300]), at=NOW, properties=said)
    ((asset, kept),) = points_of("k" * 40)
    assert (
        len(asset) == 300
        and len(kept) == properties.MOST
        and all(len(value) == 60 for value in kept.values())
    )


def test_the_table_is_read_seldom_and_not_at_all_where_nothing_is_said(lead, declared, monkeypatch):
    downloads(lead, {}, DE)
    with CaptureQueriesContext(connection) as queries:
        properties.forget()
        for said in ({}, None):
            downloads(lead, said)
        assert not any("declaredproperty" in query["sql"] for query in queries)
        for said in (DE, EN, {"other": 1}):
            downloads(lead, said)
        assert sum("declaredproperty" in query["sql"] for query in queries) == 1
    declared.create(kind="download", key="language", label="language")  # by another process
    downloads(lead, DE)
    assert points_of("download") == [("/roi", {})]
    read_at, table = properties.memory
    monkeypatch.setattr(properties, "memory", (read_at - properties.FRESH_FOR - 1, table))
    downloads(lead, DE)
    assert points_of("download") == [("/roi", {}), ("/roi", DE)]


def test_what_occurs_and_is_not_declared_is_offered(lead, declared, monkeypatch):
    downloads(
        lead,
        DE,
        EN,
        DE,
        {"language": "x" * 61, "pages": [1]},
        {"session": 1},
        {"session": 2},
        {"plan": " Pro"},
    )
    activities.record(lead=lead, kind="mail_sent", at=NOW, engagement=False, properties={"program": "p"})
    monkeypatch.setattr(properties, "MANY", 1)
    declare("download", "plan")
    assert properties.occurring() == [
        ("download", "language", 3, 2, ["de", "en"]),
        ("download", "session", 2, 2, ["1", "2"]),
    ]
    monkeypatch.setattr(properties, "RECENT", 2)
    assert properties.occurring() == []
