"""Comparisons of fields of the lead and its company, custom fields, and how much is known."""

import pytest

from leads.criteria import CRITERIA, BadCondition
from leads.criteria.tree import changes, check, sentence, where
from leads.models import CustomField
from leads.tests.criteria_cast import AT, DAY, company, custom, holds_for, lead, next_change, refused_at, who

pytestmark = pytest.mark.django_db

WORKS = [
    (lead("job_title", "contains", "vp"), "ada", "job title contains “vp”"),
    (lead("job_title", "contains", "100% growth_"), "dee", None),
    (lead("job_title", "contains", "%"), "dee", None),
    (lead("job_title", "has_word", ["vp", "CTO"]), "ada", "job title has one of the words “vp” or “CTO”"),
    (lead("job_title", "has_word", ["vp eng"]), "", "job title has the word “vp eng”"),
    (lead("job_title", "has_word", ["%", "(", ".*", "growth"]), "", None),
    (lead("job_title", "has_word", ["100% growth_"]), "dee", None),
    (lead("job_title", "begins_with", "vp eng"), "ada", "job title begins with “vp eng”"),
    (lead("job_title", "begins_with", "%"), "", None),
    (lead("country", "equals", "De"), "ada dee", "country is “De”"),
    (lead("country", "is_not", "de"), "bob", "country is not “de”"),
    (lead("country", "none_of", ["de", "at"]), "bob", "country is none of “de” or “at”"),
    (lead("country", "none_of", ["fr"]), "ada dee", "country is not “fr”"),
    (lead("country", "one_of", ["fr", "US"]), "bob", "country is one of “fr” or “US”"),
    (lead("country", "one_of", ["fr"]), "bob", "country is “fr”"),
    (lead("country", "unknown"), "cyd", "country is unknown"),
    (lead("country", "known"), "ada bob dee", "country is known"),
    (lead("company_size", "at_least", 12), "bob cyd", "company size as stated is at least 12"),
    (lead("company_size", "between", [12, 199]), "bob", "company size as stated is between 12 and 199"),
    (lead("company_size", "is_not", 12), "cyd", "company size as stated is not 12"),
    (lead("email", "free_mail"), "cyd", "e-mail address is at a free-mail provider"),
    (lead("role", "equals", "Decision Maker"), "cyd", "buying role is “Decision Maker”"),
    (lead("timeline", "known"), "ada dee", None),
    (lead("timeline", "equals", "This Year"), "", None),
    (lead("timeline", "is_not", "x"), "ada dee", None),
    (lead("timeline", "contains", "30"), "ada", None),
    (company("size", "at_least", 200), "ada cyd dee", "company size is at least 200"),
    (company("size", "at_most", 200), "bob cyd", "company size is at most 200"),
    (company("size", "equals", 300), "ada dee", None),
    (company("size", "between", [200, 300]), "ada cyd dee", None),
    (company("industry", "equals", "education"), "bob", None),
    (company("country", "equals", "DE"), "ada dee", None),
    (company("name", "contains", "%_"), "bob", None),
    (company("domain", "equals", "big-works.example"), "ada dee", None),
    (company("domain", "is_not", "big-works.example"), "bob", "company domain is not “big-works.example”"),
    (company("domain", "unknown"), "cyd", None),
    (company("relationship", "equals", "customer"), "ada dee", "relationship to us is Customer"),
    (company("relationship", "is_not", "customer"), "bob", "relationship to us is not Customer"),
    (company("relationship", "unknown"), "cyd", None),
    # fields of one's own
    (custom("custom.erp", "equals", "sap"), "ada", "ERP system is “sap”"),
    (custom("erp", "is_not", "sap"), "bob", "ERP system is not “sap”"),
    (custom("custom.erp", "known"), "ada bob", "ERP system is known"),
    (custom("company.custom.erp", "equals", "baan"), "ada dee", "ERP of the company is “baan”"),
    (custom("company.custom.tier", "one_of", ["gold", "silver"]), "ada dee", "account tier is one of gold or silver"),
    (custom("company.custom.tier", "unknown"), "bob cyd", None),
    (custom("custom.size_band", "is_not", "small"), "ada", "size band is not small"),
    (custom("custom.seats", "at_least", 2.5), "ada bob", "seats is at least 2.5"),
    (custom("custom.seats", "between", [2, 3]), "bob", None),
    (custom("custom.seats", "unknown"), "cyd dee", None),
    (custom("custom.is_partner", "yes"), "ada", "is a partner is yes"),
    (custom("custom.is_partner", "no"), "bob", "is a partner is no"),
    (custom("custom.is_partner", "unknown"), "cyd dee", None),
    (custom("custom.renewal", "on", "2026-04-10"), "ada", "renewal date is on 10 April 2026"),
    (custom("custom.renewal", "before", "2026-04-10"), "bob", "renewal date is before 10 April 2026"),
    (custom("custom.renewal", "after", "2026-03-28"), "ada", "renewal date is after 28 March 2026"),
    (custom("custom.renewal", "next_days", 11), "ada", "renewal date is within the next 11 days"),
    (custom("custom.renewal", "next_days", 10), "", None),
    (custom("custom.renewal", "last_days", 2), "bob", "renewal date was within the last 2 days"),
    (custom("custom.renewal", "last_days", 1), "", None),
    (custom("custom.renewal", "unknown"), "cyd dee", None),
    # how much is known
    (
        {"is": "knows_fields", "at_least": 2, "fields": ["job_title", "company.size", "custom.erp"]},
        "ada bob dee",
        "at least 2 of job title, company size and ERP system are known",
    ),
    ({"is": "knows_fields", "at_least": 3, "fields": ["timeline", "country", "company.custom.tier"]}, "ada dee", None),
    ({"is": "knows_fields", "fields": ["role"]}, "cyd", "buying role is known"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "expected", "words"), WORKS)
def test_it_works(cast, tree, expected, words):
    holds_for(expected, tree, words)


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        (lead("password", "equals", "x"), "field", "must be one of job_title"),
        (lead("country", "at_least", "x"), "op", "must be one of equals"),
        (lead("job_title", "free_mail"), "op", "must be one of equals"),
        (lead("country", "equals"), "value", "is missing"),
        (lead("country", "known", "x"), "value", "is not asked"),
        (lead("country", "one_of", "x"), "value", "must be a list"),
        (lead("country", "none_of", ["x", " "]), "value[1]", "must not be empty"),
        (lead("country", "equals", "a\0b"), "value", "cannot be stored"),
        (lead("country", "equals", "\ud800"), "value", "cannot be stored"),
        (lead("country", "equals", "x" * 201), "value", "at most 200"),
        (lead("company_size", "between", [3]), "value", "must be two numbers"),
        (lead("company_size", "between", [3, 2]), "value", "the lower number first"),
        (lead("company_size", "between", [3, "4"]), "value[1]", "must be a whole number"),
        (company("relationship", "equals", "enemy"), "value", "must be one of prospect"),
        (custom("custom.nope", "equals", "x"), "field", "must be one of"),
        (custom("custom.seats", "contains", "4"), "op", "must be one of at_least"),
        (custom("custom.seats", "equals", "4"), "value", "must be a number"),
        (custom("custom.seats", "equals", float("nan")), "value", "must be a finite number"),
        (custom("custom.renewal", "on", "10.4.2026"), "value", "must be a date such as 2027-03-31"),
        (custom("custom.renewal", "next_days", 0), "value", "must be 1 or more"),
        (custom("company.custom.tier", "equals", "lead"), "value", "must be one of gold, silver"),
        (custom("company.custom.tier", "one_of", ["gold", "lead"]), "value[1]", "must be one of gold, silver"),
        ({"is": "knows_fields", "fields": ["job_title", "salary"]}, "fields[1]", "must be one of job_title"),
        ({"is": "knows_fields", "at_least": 2, "fields": ["role"]}, "at_least", "must be 1 or less"),
    ],
)  # fmt: skip
def test_a_fault_is_refused_with_its_path(cast, tree, path, message):
    refused_at(path, tree, message)


def test_a_field_that_was_deleted_is_unknown_and_stops_nobody(cast):
    asked = [
        custom("custom.erp", "equals", "sap"),
        custom("custom.seats", "between", [1, 99]),
        custom("custom.renewal", "next_days", 30),
        custom("custom.is_partner", "yes"),
        {"is": "knows_fields", "fields": ["custom.erp"]},
    ]
    CustomField.objects.all().delete()
    for tree in asked:
        assert who(tree) == set()
        assert sentence(tree)
        assert changes(tree, at=AT) is None
        with pytest.raises(BadCondition):
            check(tree)
    assert who(custom("custom.erp", "unknown")) == {"ada", "bob", "cyd", "dee"}
    assert sentence(asked[0]) == "“custom.erp” is “sap”"


def test_a_field_out_of_use_is_still_evaluated_but_not_offered(cast):
    CustomField.objects.filter(key="seats").update(is_active=False)
    assert who(custom("custom.seats", "at_least", 40)) == {"ada"}
    with pytest.raises(BadCondition):
        check(custom("custom.seats", "at_least", 40))
    assert "custom.seats" not in [item["key"] for item in CRITERIA["custom_field"].describe()["fields"]]


def test_the_key_of_a_custom_field_is_bound(cast):
    sql, bound = where(custom("custom.erp", "equals", "sap"), at=AT)
    assert "erp" not in sql
    assert bound == ["erp", "sap"]


def test_one_reading_asks_for_the_custom_fields_once(cast, django_assert_num_queries):
    tree = {"all": [custom("custom.erp", "known"), custom("custom.seats", "known"), custom("erp", "known")]}
    for ask in (lambda: sentence(tree), lambda: where(tree, at=AT), lambda: check(tree)):
        with django_assert_num_queries(1):
            ask()


def test_dates_and_timelines_say_when_they_change_by_themselves(cast):
    """From one change to the next the answer stays, and at each it flips: never late, never early."""
    assert next_change(lead("timeline", "known"), "ada", AT) == AT + DAY
    assert next_change(lead("timeline", "known"), "bob", AT) is None
    assert next_change({"is": "knows_fields", "fields": ["timeline"]}, "ada", AT) == AT + DAY
    assert changes(lead("country", "known"), at=AT) is None
    assert changes(custom("custom.renewal", "before", "2026-04-10"), at=AT) is None
    for tree, key in (
        (custom("custom.renewal", "next_days", 3), "ada"),
        (custom("custom.renewal", "last_days", 3), "ada"),
    ):
        at, flips = AT, []
        while (then := next_change(tree, key, at)) is not None:
            assert (key in who(tree, at=at)) == (key in who(tree, at=then - DAY / 86_400_000))
            assert (key in who(tree, at=at)) != (key in who(tree, at=then))
            at = then
            flips.append(then.date().isoformat())
        assert flips == (
            ["2026-04-07", "2026-04-11"] if tree["op"] == "next_days" else ["2026-04-10", "2026-04-14"]
        )


def test_what_the_screen_offers_is_what_is_taken(cast):
    for key in ("lead_field", "company_field", "custom_field"):
        for item in CRITERIA[key].describe()["fields"]:
            for op in item["operators"]:
                one = {"number": 1, "date": "2026-01-31"}.get(item["type"], next(iter(item["choices"]), "x"))
                value = {"one": one, "many": [one], "range": [1, 2], "days": 3, "none": None}[
                    item["operands"][op]
                ]
                leaf = {"is": key, "field": item["key"], "op": op, "value": value}
                check(leaf)
                who(leaf)
                assert sentence(leaf)
