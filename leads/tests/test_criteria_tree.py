"""A whole condition: nested, counted, in words, and refused with the path of the fault."""

import pytest

from leads.criteria import CRITERIA, BadCondition, base, matching
from leads.criteria.tree import MAX_DEPTH, MAX_LEAVES, check, denied, sentence, where
from leads.tests.criteria_cast import AT, DAY, company, lead, who

pytestmark = pytest.mark.django_db
SIZE, TITLE = company("size", "at_least", 200), lead("job_title", "contains", "VP")

WORKS = [
    ({}, "ada bob cyd dee", "everybody"),
    ({"all": []}, "ada bob cyd dee", "everybody"),
    (
        {"all": [company("size", "at_least", 200), {"any": [lead("job_title", "contains", "VP"), lead("role", "known")]}]},
        "ada cyd",
        "company size is at least 200 and (job title contains “VP” or buying role is known)",
    ),
    (
        {"all": [
            {"any": [lead("job_title", "contains", "VP"), lead("job_title", "contains", "chief")]},
            company("size", "at_least", 200),
            {"is": "did", "kind": "page_view", "asset": "/pricing", "times": 2, "days": 14},
        ]},
        "ada",
        "job title contains “VP” or “chief” and company size is at least 200 and viewed pages under /pricing at"
        " least twice in the last 14 days",
    ),
    (
        {"none": [lead("job_title", "equals", "student"), lead("country", "equals", "de")]},
        "cyd",
        "not (job title is “student” or country is “de”)",
    ),
    (
        {"any": [lead("job_title", "contains", "vp"), lead("job_title", "contains", "student"), lead("role", "known")]},
        "ada bob cyd",
        "job title contains “vp” or “student” or buying role is known",
    ),
    ({"all": [lead("job_title", "known"), {"none": [lead("job_title", "contains", "vp")]}]}, "bob dee", None),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "expected", "words"), WORKS)
def test_it_works(cast, tree, expected, words):
    assert who(tree) == set(expected.split())
    assert matching.count(tree, at=AT).count == len(expected.split())
    if words:
        assert sentence(tree) == words


def test_count_sample_and_ids(cast):
    everybody = matching.count({}, at=AT)
    assert (everybody.count, everybody.total, everybody.warning) == (4, 4, "everybody")
    nobody = matching.count(lead("role", "equals", "nobody's"), at=AT)
    assert (nobody.count, nobody.share, nobody.warning) == (0, 0.0, "nobody")
    assert [found.email for found in matching.sample({}, at=AT, n=2)] == [
        "cyd@gmail.com",
        "bob@mail.rival.example",
    ]
    asked = [cast["ada"].pk, cast["cyd"].pk]
    assert matching.ids(lead("country", "known"), lead_ids=asked, at=AT) == {cast["ada"].pk}


@pytest.mark.parametrize(
    ("tree", "fields"),
    [
        (SIZE, []),
        ({"none": [SIZE]}, [("company_field", "size")]),
        ({"none": [SIZE, {"any": [TITLE, SIZE]}]}, [("company_field", "size"), ("lead_field", "job_title")]),
        ({"none": [{"none": [SIZE]}, {"is": "timeline_within", "days": 9}]}, [("lead_field", "timeline")]),
        ({"none": [lead("job_title", "known"), {"is": "free_mail"}]}, []),
        ({"none": [{"is": "knows_fields", "fields": ["phone"]}, {"is": "did", "kind": "page_view"}]}, []),
    ],
)
def test_what_a_condition_denies_is_told_by_field(cast, tree, fields):
    assert denied(tree) == fields


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 9, "0.0 %"), (0, 0, "0.0 %"), (1, 3016, "under 0.1 %"), (1, 2000, "0.1 %"), (9, 9, "100.0 %")],
)
def test_a_few_among_many_are_not_nobody(part, whole, words):
    assert base.percent(part, whole) == words


def test_counting_gives_up_in_time_and_the_transaction_lives(cast, monkeypatch):
    monkeypatch.setattr(
        CRITERIA["older_than"], "sql", lambda params, at: ("pg_sleep(1) IS NOT NULL", []), raising=False
    )
    slow = matching.count({"is": "older_than", "days": 1}, at=AT, timeout_ms=50)
    assert (slow.count, slow.share, slow.total) == (None, None, 4)
    assert matching.count({}, at=AT, timeout_ms=1000).count == 4


TOO_DEEP = {"is": "older_than", "days": 1}
for _ in range(MAX_DEPTH):
    TOO_DEEP = {"all": [TOO_DEEP]}

REFUSED = [
    ([], "", "must be an object"),
    ("all", "", "must be an object"),
    ({"all": {}}, "all", "must be a list"),
    ({"any": []}, "any", "at least one condition"),
    ({"all": [{}]}, "all[0]", "exactly one of"),
    ({"all": [], "any": []}, "", "exactly one of"),
    ({"all": [], "colour": 1}, "colour", "does not belong"),
    ({"all": [{"none": []}]}, "all[0].none", "at least one condition"),
    (TOO_DEEP, ".".join(["all[0]"] * MAX_DEPTH), "nested too deeply"),
    ({"all": [{"is": "older_than", "days": 1}] * (MAX_LEAVES + 1)}, f"all[{MAX_LEAVES}]", "one too many"),
    ({"is": "owner"}, "is", "must be one of lead_field"),
    ({"is": ["did"]}, "is", "must be one of"),
    ({"is": "touchpoint", "kind": "page_view"}, "is", "asked of activities"),
    ({"all": [{"is": "older_than"}]}, "all[0].days", "is missing"),
    ({"all": [{}, {}]}, "all[0]", "exactly one of"),
    ({"any": [lead("country", "known"), company("size", "equals", "200")]}, "any[1].value", "must be a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "path", "message"), REFUSED)
def test_a_bad_tree_is_refused_with_the_path_of_the_fault(tree, path, message):
    for refuse in (check, sentence, lambda tree: where(tree, at=AT)):
        if refuse is not check and "asked of" in message:
            continue  # only a given scope can be the wrong one
        with pytest.raises(BadCondition) as caught:
            refuse(tree)
        assert caught.value.path == path
        assert message in caught.value.message


def test_an_instant_that_is_not_known_yet_is_bound_as_such(cast):
    """With AT the SQL is the same as with a datetime, and each bound instant says how far from AT it lies."""
    tree = {"all": [lead("timeline", "known"), {"is": "did", "kind": "page_view", "days": 7}]}
    sql, bound = where(tree, at=AT)
    sql_open, bound_open = where(tree, at=base.AT)
    assert sql_open == sql
    assert bound_open == [base.AT, "page_view", base.AtMinus(7), base.AT]
    assert bound == [AT, "page_view", AT - 7 * DAY, AT]
    assert base.days_after(base.AT, 2) == base.AtPlus(2) and base.days_after(AT, 2) == AT + 2 * DAY
    assert {base.AT, base.AtMinus(7)} == {
        base.AT,
        base.AtMinus(7),
    }  # a key, for whoever prepares the statement


def test_one_is_told_from_many():
    assert [base.counted(n, "lead") for n in (0, 1, 1200)] == ["0 leads", "1 lead", "1,200 leads"]
    assert base.counted(1, "lead waits", "leads wait") == "1 lead waits"
    assert [base.span("last", days) for days in (1, 30)] == ["last day", "last 30 days"]
