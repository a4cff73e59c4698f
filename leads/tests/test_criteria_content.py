"""Conditions about activities: their kind and asset, what was searched for, and what the content was about."""

import pytest
from django.db import connection

from leads.criteria import BadCondition
from leads.criteria.base import TOUCHPOINT
from leads.criteria.tree import check, sentence, where
from leads.models import Touchpoint
from leads.tests.criteria_cast import AT, DAY, who

pytestmark = pytest.mark.django_db
PRICING = {"is": "touchpoint", "kind": "page_view", "asset": "/pricing"}

# What matches, as "kind asset" of the touchpoints that ever happened.
SEEN = [
    "download /white-papers/roi", "page_view /blog/first", "page_view /pricing", "page_view /pricing/enterprise",
    "search crm price-list", "search_visit best crm",
]  # fmt: skip
WORKS = [
    (PRICING, SEEN[2:4], "viewed pages under /pricing"),
    (PRICING | {"match": "exactly"}, SEEN[2:3], "viewed exactly /pricing"),
    (PRICING | {"match": "contains", "asset": "Enter"}, SEEN[3:4], "viewed pages with “Enter” in the name"),
    ({"is": "touchpoint", "kind": "page_view"}, SEEN[1:4], "viewed a page"),
    ({"is": "touchpoint", "asset": "/"}, SEEN[:4], "did something on pages under /"),
    ({"is": "touchpoint", "kind": "search_visit"}, SEEN[5:], "came from a search engine"),
    ({"is": "touchpoint", "kind": "search", "asset": "crm"}, SEEN[4:5], "searched for crm"),
    ({"is": "keyword", "one_of": ["Price List CRM"]}, SEEN[4:5], "searched for “Price List CRM”"),
    ({"is": "keyword", "one_of": ["crm"]}, SEEN[4:], "searched for “crm”"),
    ({"is": "keyword", "one_of": ["cr"]}, [], None),
    ({"is": "keyword", "one_of": ["crm, price  list"], "match": "exact"}, SEEN[4:5], None),
    ({"is": "keyword", "one_of": ["list crm"], "match": "exact"}, [], "searched for exactly “list crm”"),
    (
        {"is": "keyword", "one_of": ["best list"], "match": "any_word"},
        SEEN[4:],
        "searched for any word of “best list”",
    ),
    (
        {"is": "keyword", "one_of": ["crm", "erp"], "searched": "search_visit"},
        SEEN[5:],
        "searched with a search engine for “crm” or “erp”",
    ),
    ({"is": "keyword", "one_of": ["crm"], "searched": "search"}, SEEN[4:5], "searched on the site for “crm”"),
    ({"is": "keyword", "one_of": ["..."]}, [], None),
    ({"is": "content", "buying_stage": "decision"}, SEEN[2:4], "consumed decision-stage content"),
    ({"is": "content", "buying_stage": "awareness"}, SEEN[:2], None),
    ({"is": "content", "product": "crm"}, SEEN[2:4], "consumed content about “Customer base”"),
    (
        {"is": "content", "buying_stage": "decision", "product": "crm", "tag": "MONEY"},
        SEEN[2:4],
        "consumed decision-stage content about “Customer base” tagged “MONEY”",
    ),
    ({"is": "content", "buying_stage": "decision", "tag": "roi"}, [], None),
    ({"any": [PRICING, {"is": "content", "tag": "roi"}]}, SEEN[1:4], None),
]  # fmt: skip


def matched(tree, at=AT):
    sql, bound = where(tree, at=at, scope=TOUCHPOINT)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.kind || ' ' || t.asset FROM leads_touchpoint t WHERE ({sql}) AND t.asset <> 'demo' ORDER BY 1",
            bound,
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize(("tree", "expected", "words"), WORKS)
def test_it_works(cast, tree, expected, words):
    check(tree, scope=TOUCHPOINT)
    Touchpoint.objects.filter(kind__in=("mail_sent", "deal_won")).update(asset="demo")
    assert matched(tree) == expected
    assert matched({"none": [tree]}) == [one for one in SEEN if one not in expected]  # never NULL
    if words:
        assert sentence(tree, scope=TOUCHPOINT) == words


def test_leads_match_with_at_least_one_such_activity(cast):
    assert who(PRICING, scope=TOUCHPOINT) == {"ada", "bob"}
    assert who(PRICING, scope=TOUCHPOINT, days=14) == {"ada"}
    assert who({"none": [PRICING]}, scope=TOUCHPOINT) == {"ada", "bob", "dee"}
    assert who({}, scope=TOUCHPOINT) == {"ada", "bob", "dee"}
    assert who({"is": "keyword", "one_of": ["crm"]}, scope=TOUCHPOINT) == {"ada", "bob"}
    assert sentence({}, scope=TOUCHPOINT) == "any activity"


def test_what_an_asset_is_about_is_asked_as_it_stood(cast):
    considered = {"is": "content", "buying_stage": "consideration"}
    assert matched(considered, at=AT - DAY) == ["download /white-papers/roi"]
    assert matched(considered) == []
    assert matched(considered, at=AT - 301 * DAY) == []


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        ({"is": "content"}, "buying_stage", "say the stage, the product or the tag"),
        ({"is": "content", "buying_stage": "late"}, "buying_stage", "must be one of awareness"),
        ({"is": "content", "product": "nope"}, "product", "there is no product “nope”"),
        ({"is": "content", "tag": 3}, "tag", "must be text"),
        ({"is": "keyword"}, "one_of", "is missing"),
        ({"is": "keyword", "one_of": ["a", ""]}, "one_of[1]", "must not be empty"),
        ({"is": "keyword", "one_of": ["a"], "match": "like"}, "match", "must be one of exact"),
        ({"is": "keyword", "one_of": ["a"], "searched": "x"}, "searched", "must be one of anywhere"),
        ({"is": "touchpoint", "kind": "x" * 41}, "kind", "at most 40"),
        ({"is": "touchpoint", "asset": "/x", "match": "ends"}, "match", "must be one of begins"),
        ({"is": "did", "kind": "search"}, "is", "asked of leads"),
    ],
)
def test_a_fault_is_refused_with_its_path(cast, tree, path, message):
    with pytest.raises(BadCondition) as caught:
        check({"any": [tree]}, scope=TOUCHPOINT)
    assert caught.value.path == f"any[0].{path}"
    assert message in caught.value.message
