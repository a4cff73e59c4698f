"""What somebody did, how often and when; and what others at the company did."""

import pytest

from leads.criteria.tree import sentence
from leads.models import Activity, Lead, Touchpoint
from leads.tests.criteria_cast import AT, DAY, holds_for, next_change, refused_at, who

pytestmark = pytest.mark.django_db
PRICING = {"is": "did", "kind": "page_view", "asset": "/pricing"}

WORKS = [
    ({"is": "older_than", "days": 14}, "ada bob dee", "has been known for 14 days or more"),
    ({"is": "older_than", "days": 15}, "ada dee", None),
    ({"is": "did_nothing", "days": 13}, "bob dee", "did nothing for 13 days"),
    ({"is": "did_nothing", "days": 1}, "ada bob dee", "did nothing for 1 day"),
    ({"is": "did", "kind": "page_view", "asset": "/Pricing"}, "ada bob", "viewed pages under /Pricing"),
    (PRICING | {"days": 14}, "ada", "viewed pages under /pricing in the last 14 days"),
    ({"is": "did", "kind": "page_view", "days": 14}, "ada dee", "viewed a page in the last 14 days"),
    (
        PRICING | {"times": 2, "days": 14},
        "ada",
        "viewed pages under /pricing at least twice in the last 14 days",
    ),
    ({"is": "did", "kind": "page_view", "times": 2, "days": 3}, "", None),
    ({"is": "did", "kind": "mail_sent"}, "", "did “mail_sent”"),
    ({"is": "did"}, "ada bob dee", "did anything"),
    (
        PRICING | {"match": "exactly", "asset": "https://www.acme.example/Pricing/?a=1"},
        "ada bob",
        None,
    ),
    (PRICING | {"match": "exactly", "times": 2}, "", "viewed exactly /pricing at least twice"),
    (
        {"is": "did", "asset": "roi", "match": "contains"},
        "ada",
        "did something on pages with “roi” in the name",
    ),
    (
        PRICING | {"op": "at_most", "times": 1},
        "bob cyd dee",
        "viewed pages under /pricing at most once",
    ),
    (PRICING | {"op": "exactly"}, "bob", "viewed pages under /pricing exactly once"),
    (PRICING | {"op": "exactly", "times": 2}, "ada", None),
    (
        PRICING | {"op": "exactly", "times": 3, "days": 9},
        "",
        "viewed pages under /pricing exactly 3 times in the last 9 days",
    ),
    (
        PRICING | {"op": "exactly", "times": 0, "days": 14},
        "bob cyd dee",
        "viewed pages under /pricing exactly 0 times in the last 14 days",
    ),
    (PRICING | {"op": "at_most", "times": 0}, "cyd dee", None),
    ({"is": "did", "op": "exactly", "times": 0}, "cyd", None),
    ({"is": "did", "op": "exactly", "times": 0, "buying_stage": "decision"}, "cyd dee", None),
    ({"is": "did", "when": "before", "days": 14}, "ada bob dee", "did anything more than 14 days ago"),
    ({"is": "did", "when": "before", "days": 29}, "ada dee", None),
    (
        {"is": "did", "when": "between", "days": 3, "to_days": 14},
        "ada bob dee",
        "did anything between 3 and 14 days ago",
    ),
    ({"is": "did", "when": "between", "days": 14, "to_days": 15}, "bob", None),
    (
        {"is": "did", "when": "dates", "since": "2026-03-16", "until": "2026-03-17"},
        "bob dee",
        "did anything between 16 March 2026 and 17 March 2026",
    ),
    ({"is": "did", "when": "dates", "since": "2026-03-27"}, "ada", "did anything since 27 March 2026"),
    ({"is": "did", "when": "dates", "until": "2026-02-28"}, "ada", "did anything until 28 February 2026"),
    ({"is": "did", "when": "dates", "until": "9999-12-31"}, "ada bob dee", "did anything until 31 December 9999"),
    (
        {"is": "did", "buying_stage": "decision", "times": 2},
        "ada",
        "consumed decision-stage content at least twice",
    ),
    (
        {"is": "did", "kind": "page_view", "product": "crm"},
        "ada bob",
        "viewed content about “Customer base”",
    ),
    ({"is": "did", "tag": "ROI"}, "dee", "consumed content tagged “ROI”"),
    (PRICING | {"tag": "money"}, "ada bob", "viewed pages under /pricing (content tagged “money”)"),
    ({"is": "did", "kind": "download", "buying_stage": "consideration"}, "", None),
    (
        PRICING | {"is": "first_time", "days": 4},
        "ada",
        "first viewed pages under /pricing in the last 4 days",
    ),
    (PRICING | {"is": "first_time", "when": "before", "days": 3}, "ada bob", None),
    (
        {"is": "first_time", "days": 15},
        "bob",
        "first did anything in the last 15 days",
    ),
    (
        PRICING | {"is": "last_time", "when": "before", "days": 2},
        "bob",
        "last viewed pages under /pricing more than 2 days ago",
    ),
    (PRICING | {"is": "last_time", "days": 2}, "ada", None),
    ({"is": "recency", "days": 14}, "ada bob dee", "was last active in the last 14 days"),
    ({"is": "recency", "when": "before", "days": 13}, "bob dee", "was last active more than 13 days ago"),
    ({"is": "interactions", "times": 2}, "ada bob dee", "had at least 2 interactions"),
    (
        {"is": "interactions", "op": "at_most", "times": 1, "days": 14},
        "bob cyd dee",
        "had at most 1 interaction in the last 14 days",
    ),
    (
        {"is": "interactions", "op": "exactly", "times": 0, "days": 13},
        "bob cyd dee",
        "had exactly 0 interactions in the last 13 days",
    ),
    ({"is": "interactions", "op": "exactly", "times": 4}, "ada", "had exactly 4 interactions"),
    (
        {"is": "monetary", "at_least": 12500},
        "ada dee",
        "deals worth at least 12,500 were won with the company",
    ),
    ({"is": "monetary", "at_least": 12500.01}, "", None),
    ({"is": "monetary", "of": "lead", "at_least": 1}, "ada", "deals worth at least 1 were won with this person"),
    (
        {"is": "monetary", "at_least": 1, "days": 20},
        "",
        "deals worth at least 1 were won with the company in the last 20 days",
    ),
    ({"is": "monetary", "at_least": 1, "days": 21}, "ada dee", None),
    (
        {"is": "active_people", "days": 14},
        "ada dee",
        "at least 2 people at the company were active in the last 14 days",
    ),
    ({"is": "active_people", "days": 13}, "", None),
    (
        {"is": "active_people", "at_least": 1, "days": 14},
        "ada bob dee",
        "at least 1 person at the company was active in the last 14 days",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "expected", "words"), WORKS)
def test_it_works(cast, tree, expected, words):
    holds_for(expected, tree, words)


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        ({"is": "older_than"}, "days", "is missing"),
        ({"is": "older_than", "days": "7"}, "days", "must be a whole number"),
        ({"is": "older_than", "days": True}, "days", "must be a whole number"),
        ({"is": "older_than", "days": 1.5}, "days", "must be a whole number"),
        ({"is": "older_than", "days": 0}, "days", "must be 1 or more"),
        ({"is": "older_than", "days": 10**30}, "days", "must be 36500 or less"),
        ({"is": "older_than", "days": 1, "hours": 1}, "hours", "is not asked here"),
        (PRICING | {"when": "ever", "days": 3}, "days", "is not asked with when “ever”; leave it out"),
        (PRICING | {"when": "within"}, "days", "is missing"),
        (PRICING | {"when": "between", "days": 3}, "to_days", "is missing"),
        (PRICING | {"when": "between", "days": 3, "to_days": 3}, "to_days", "must be more than days"),
        (PRICING | {"when": "dates"}, "since", "is missing"),
        (PRICING | {"when": "dates", "since": "2026-3-1"}, "since", "must be a date"),
        (
            PRICING | {"when": "dates", "since": "2026-03-02", "until": "2026-03-01"},
            "until",
            "must not be before",
        ),
        (PRICING | {"op": "more_than"}, "op", "must be one of at_least, at_most, exactly"),
        (PRICING | {"times": 0}, "times", "must be 1 or more"),
        ({"is": "interactions", "times": 0}, "times", "met by “exactly” 0"),
        (PRICING | {"match": "like"}, "match", "must be one of begins"),
        (PRICING | {"buying_stage": "late"}, "buying_stage", "must be one of awareness"),
        (PRICING | {"product": "nope"}, "product", "there is no product “nope”"),
        ({"is": "first_time", "days": 3, "when": "ever"}, "when", "must be one of within, before"),
        ({"is": "interactions", "times": 1, "kind": "x"}, "kind", "is not asked here"),
        ({"is": "monetary", "at_least": 0}, "at_least", "must be 0.01 or more"),
        ({"is": "monetary", "at_least": 1, "of": "me"}, "of", "must be one of company, lead"),
        ({"is": "active_people", "at_least": 2}, "days", "is missing"),
    ],
)
def test_a_fault_is_refused_with_its_path(cast, tree, path, message):
    refused_at(path, tree, message)


def test_test_leads_are_no_people_of_the_company(cast):
    tess = Lead.objects.get(is_test=True)
    Lead.objects.filter(pk=tess.pk).update(company=cast["bob"].company)
    view = Touchpoint.objects.get(kind="page_view", asset="/pricing")
    Activity.objects.create(lead=tess, touchpoint=view, occurred_at=AT - DAY, received_at=AT)
    assert who({"is": "active_people", "at_least": 2, "days": 30}) == {"ada", "dee"}


@pytest.mark.parametrize(
    "tree",
    [
        {"is": "active_people", "at_least": 2, "days": 20},
        {"is": "active_people", "at_least": 1, "days": 3},
        {"is": "monetary", "at_least": 100, "days": 40},
        {"is": "timeline_within", "days": 30},
    ],
)
def test_it_says_in_time_when_it_changes_by_itself(cast, tree):
    """Walked from long ago to long hence: between two such instants nothing changes, and every change is one."""
    tick = DAY / 86_400_000
    for key in cast:
        at, seen = AT - 500 * DAY, 0
        while at is not None:
            then = next_change(tree, key, at)
            until = then - tick if then else AT + 500 * DAY
            assert (key in who(tree, at=at)) == (key in who(tree, at=until)), (key, at)
            seen += 1
            assert seen < 20
            at = then


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"is": "did", "kind": "page_view", "days": 1}, "viewed a page in the last day"),
        ({"is": "interactions", "times": 1, "days": 1}, "had at least 1 interaction in the last day"),
        ({"is": "last_time", "days": 1, "when": "before"}, "last did anything more than 1 day ago"),
        ({"is": "active_people", "at_least": 1, "days": 1}, "at least 1 person at the company was active in the last day"),
        ({"is": "monetary", "at_least": 1, "days": 1}, "deals worth at least 1 were won with the company in the last day"),
    ],
)  # fmt: skip
def test_one_reads_like_english(tree, words):
    assert sentence(tree) == words
