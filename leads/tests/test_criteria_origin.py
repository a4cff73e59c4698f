"""Where somebody came from, the lists they are on, and what they want."""

import pytest

from leads.criteria import BadCondition
from leads.criteria.tree import check, sentence, where
from leads.models import DomainList, LeadList
from leads.tests.criteria_cast import AT, DAY, holds_for, refused_at, who

pytestmark = pytest.mark.django_db

WORKS = [
    ({"is": "source", "one_of": ["web"]}, "ada dee", "lead source is “web”"),
    ({"is": "source", "one_of": ["web", "fair"]}, "ada bob dee", "lead source is “web” or “fair”"),
    ({"is": "campaign", "one_of": ["spring"]}, "ada dee", "campaign is “spring”"),
    ({"is": "offer", "one_of": ["white-paper"]}, "ada", "came by “white-paper”"),
    ({"is": "offer", "one_of": ["/white-papers/ROI", "demo"]}, "ada dee", None),
    ({"is": "offer", "one_of": ["/pricing"]}, "", None),
    ({"is": "free_mail"}, "cyd", "writes from a free-mail address"),
    ({"is": "in_list", "list": "booth"}, "ada", "is on the list “Booth”"),
    ({"is": "in_list", "list": "vip"}, "dee", "is on the list “Vip”"),
    ({"is": "domain_in_list", "list": "rivals"}, "bob", "has a domain on the list “Rivals”"),
    ({"is": "domain_in_list", "list": "resellers"}, "ada dee", None),
    ({"is": "timeline_within", "days": 1}, "ada", "wants to buy within 1 day"),
    ({"is": "product_stated", "product": "crm"}, "ada", "asked for “Customer base”"),
    ({"is": "product_stated", "product": "erp"}, "", None),
    (
        {"is": "product_interest", "product": "crm", "times": 1, "days": 15},
        "ada bob",
        "is interested in “Customer base” (asked for it, or consumed its content at least once in the last 15 days)",
    ),
    ({"is": "product_interest", "product": "erp", "times": 1}, "", None),
    ({"is": "product_interest", "product": "erp", "times": 1, "days": 91}, "ada", None),
    ({"is": "buying_stage", "one_of": ["decision"]}, "ada", "buying stage is decision"),
    ({"is": "buying_stage", "one_of": ["awareness", "consideration"]}, "bob dee", None),
    ({"is": "buying_stage", "one_of": ["unknown", "decision"]}, "ada cyd", "buying stage is unknown or decision"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "expected", "words"), WORKS)
def test_it_works(cast, tree, expected, words):
    holds_for(expected, tree, words)


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        ({"is": "source", "one_of": "web"}, "one_of", "must be a list"),
        ({"is": "source", "one_of": ["web", 7]}, "one_of[1]", "must be text"),
        ({"is": "campaign"}, "one_of", "is missing"),
        ({"is": "offer", "one_of": []}, "one_of", "at least one value"),
        ({"is": "free_mail", "domain": "x"}, "domain", "is not asked here; leave it out"),
        ({"is": "in_list", "list": "nope"}, "list", "there is no list of leads “nope”"),
        ({"is": "domain_in_list", "list": "booth"}, "list", "there is no list of domains “booth”"),
        ({"is": "timeline_within", "days": 0}, "days", "must be 1 or more"),
        ({"is": "product_stated", "product": "nope"}, "product", "there is no product “nope”"),
        ({"is": "product_interest", "product": "crm", "times": 0}, "times", "must be 1 or more"),
        ({"is": "buying_stage", "one_of": ["late"]}, "one_of[0]", "must be one of awareness"),
    ],
)
def test_a_fault_is_refused_with_its_path(cast, tree, path, message):
    refused_at(path, tree, message)


def test_a_list_is_asked_as_it_stood(cast):
    booth, rivals = {"is": "in_list", "list": "booth"}, {"is": "domain_in_list", "list": "rivals"}
    assert who(booth, at=AT - DAY) == {"ada", "bob"}
    assert who(booth, at=AT - 9 * DAY) == {"ada", "bob"}
    assert who(booth, at=AT - 10 * DAY) == set()
    assert who(booth, at=AT + DAY) == {"ada", "dee"}
    assert who(rivals, at=AT - 2 * DAY) == {"ada", "dee"}
    assert who(rivals, at=AT + DAY) == {"bob", "cyd"}


def test_a_list_that_was_deleted_holds_nobody_and_stops_nobody(cast):
    LeadList.objects.all().delete()
    DomainList.objects.all().delete()
    for tree in ({"is": "in_list", "list": "booth"}, {"is": "domain_in_list", "list": "rivals"}):
        assert who(tree) == set()
        assert f"“{tree['list']}”" in sentence(tree)
        with pytest.raises(BadCondition):
            check(tree)


@pytest.mark.parametrize(
    ("email", "found"),
    [
        ("x@rival.example", True), ("x@a.rival.example", True), ("x@a.b.c.rival.example", True),
        ("x@notrival.example", False), ("x@rival.example.com", False), ("x@example", False),
    ],
)  # fmt: skip
def test_a_domain_stands_for_its_subdomains(cast, email, found):
    bob = cast["bob"]
    bob.email = email
    bob.save(update_fields=["email"])
    assert (who({"is": "domain_in_list", "list": "rivals"}) == {"x"}) == found


def test_what_an_asset_is_about_is_asked_as_it_stood(cast):
    read = {"is": "did", "kind": "download", "buying_stage": "consideration"}
    assert who(read, at=AT - DAY) == {"ada"}
    assert who(read) == set()
    assert who(read | {"buying_stage": "awareness"}) == {"ada"}


def test_conditions_bind_every_name(cast):
    for tree in (trees for trees, _, _ in WORKS):
        sql, bound = where(tree, at=AT)
        assert sql.count("%s") == len(bound)
        for value in ("booth", "rivals", "crm", "web", "spring", "/white-papers/ROI"):
            assert value not in sql
