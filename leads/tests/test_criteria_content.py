"""Conditions about activities: their kind and asset, what was searched for, and what the content was about."""

import pytest
from django.db import connection

from leads.criteria import BadCondition
from leads.criteria.base import TOUCHPOINT
from leads.criteria.tree import check, sentence, where
from leads.models import DeclaredProperty, Touchpoint
from leads.tests.criteria_cast import AT, DAY, refused_at, who

pytestmark = pytest.mark.django_db
PRICING = {"is": "touchpoint", "kind": "page_view", "asset": "/pricing"}
DOWNLOADED = {"is": "touchpoint", "kind": "download", "property": "language"}

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
    (DOWNLOADED | {"one_of": ["DE "]}, SEEN[:1], "downloaded something with language “DE”"),
    (DOWNLOADED | {"one_of": ["fr", "de"]}, SEEN[:1], "downloaded something with language “fr” or “de”"),
    (DOWNLOADED | {"one_of": ["d"]}, [], None),
    (
        DOWNLOADED | {"one_of": ["de"], "asset": "/white-papers"},
        SEEN[:1],
        "downloaded /white-papers with language “de”",
    ),
    ({"is": "touchpoint", "property": "language", "one_of": ["de"]}, SEEN[:1], "did anything with language “de”"),
    ({"is": "touchpoint", "kind": "page_view", "property": "medium", "one_of": ["cpc"]}, [], "viewed a page with medium “cpc”"),
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


def test_what_somebody_did_is_asked_by_its_properties(cast):
    did = {"is": "did", "property": "language", "one_of": ["de", "en"]}
    assert who(did) == {"ada", "dee"}
    assert who(did | {"one_of": ["EN"]}) == {"dee"}
    assert who({"none": [did]}) == {"bob", "cyd"}
    assert who(did | {"days": 30}) == {"dee"}
    assert who({**did, "is": "first_time", "when": "before", "days": 30}) == {"ada"}
    assert sentence(did | {"kind": "download", "days": 30}) == (
        "downloaded something with language “de” or “en” in the last 30 days"
    )
    assert sentence(did | {"kind": "hand_raise", "times": 2}) == (
        "asked for sales with language of the form “de” or “en” at least twice"
    )


def test_what_is_in_force_goes_on_where_a_property_is_taken_out_of_use(cast):
    DeclaredProperty.objects.filter(kind="download").update(is_active=False)
    tree = DOWNLOADED | {"one_of": ["de"]}
    assert matched(tree) == SEEN[:1]
    assert sentence(tree, scope=TOUCHPOINT) == "downloaded something with “language” “de”"
    with pytest.raises(BadCondition, match="property: there is no property “language” of “download”"):
        check(tree, scope=TOUCHPOINT)


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
        (DOWNLOADED, "one_of", "is missing"),
        (DOWNLOADED | {"one_of": []}, "one_of", "at least one value"),
        (DOWNLOADED | {"one_of": [30]}, "one_of[0]", "must be text"),
        (DOWNLOADED | {"one_of": ["de", "x" * 61]}, "one_of[1]", "at most 60"),
        (
            DOWNLOADED | {"property": "pages", "one_of": ["9"]},
            "property",
            "no property “pages” of “download”; declare it",
        ),
        (
            DOWNLOADED | {"kind": "webinar", "one_of": ["de"]},
            "property",
            "no property “language” of “webinar”",
        ),
        (DOWNLOADED | {"kind": "hand_raise", "one_of": ["en", "de"]}, "one_of[1]", "must be one of en, fr"),
        ({"is": "touchpoint", "one_of": ["de"]}, "one_of", "is not asked without property; leave it out"),
        ({"is": "did", "kind": "search"}, "is", "asked of leads"),
    ],
)
def test_a_fault_is_refused_with_its_path(cast, tree, path, message):
    refused_at(path, tree, message, scope=TOUCHPOINT)
