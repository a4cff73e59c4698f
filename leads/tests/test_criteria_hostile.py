"""Hostile values through every parameter of every criterion: refused, or bound and harmless."""

import json
import re
from functools import cache

import pytest
from django.db import connection

from leads.criteria import CRITERIA, BadCondition, matching
from leads.criteria.tree import sentence, where
from leads.models import Lead
from leads.tests.criteria_cast import AT, company, custom, lead
from leads.tests.hostile_strings import STRINGS

pytestmark = pytest.mark.django_db

HOSTILE = [*STRINGS, "{asset}", "job_title OR 1=1", "x" * 100_000]
NOT_TEXT = [None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**400, [], {}, [[]], [{}], {"$ne": 1}]
WELL = {
    "lead_field": lead("job_title", "equals", "x"),
    "company_field": company("name", "contains", "x"),
    "custom_field": custom("custom.erp", "equals", "x"),
    "knows_fields": {"is": "knows_fields", "at_least": 1, "fields": ["role"]},
    "free_mail": {"is": "free_mail"},
    "in_list": {"is": "in_list", "list": "booth"},
    "domain_in_list": {"is": "domain_in_list", "list": "rivals"},
    "source": {"is": "source", "one_of": ["x"]},
    "campaign": {"is": "campaign", "one_of": ["x"]},
    "offer": {"is": "offer", "one_of": ["x"]},
    "timeline_within": {"is": "timeline_within", "days": 3},
    "product_stated": {"is": "product_stated", "product": "crm"},
    "product_interest": {"is": "product_interest", "product": "crm", "times": 2, "days": 3},
    "buying_stage": {"is": "buying_stage", "one_of": ["decision"]},
    "did": {
        "is": "did",
        "kind": "page_view",
        "asset": "/x",
        "property": "medium",
        "one_of": ["x"],
        "times": 2,
        "days": 3,
    },
    "first_time": {"is": "first_time", "tag": "x", "days": 3},
    "last_time": {"is": "last_time", "product": "crm", "days": 3},
    "interactions": {"is": "interactions", "times": 2},
    "recency": {"is": "recency", "days": 2},
    "did_nothing": {"is": "did_nothing", "days": 3},
    "older_than": {"is": "older_than", "days": 3},
    "monetary": {"is": "monetary", "at_least": 3},
    "active_people": {"is": "active_people", "days": 3},
    "touchpoint": {
        "is": "touchpoint",
        "kind": "page_view",
        "asset": "/x",
        "property": "medium",
        "one_of": ["x"],
    },
    "keyword": {"is": "keyword", "one_of": ["x"]},
    "content": {"is": "content", "tag": "x"},
}


# Words that our own SQL holds too.
OURS = {"text", "NULL", "true", "l.email", "awareness", "consideration", "decision"}


ONLY_NUMBERS = {
    "did_nothing", "older_than", "timeline_within", "free_mail", "recency", "active_people", "interactions", "monetary",
}  # fmt: skip


def names_of(key):
    """What the criterion may be asked, by name."""
    return [parameter.name for parameter in CRITERIA[key].parameters] or [
        name for name in WELL[key] if name != "is"
    ]


def hostile_trees(key, value):
    """(the condition, the same with something harmless in place of the value; None where a name was put in)."""
    for name in ("is", *names_of(key)):
        yield WELL[key] | {name: value}, WELL[key] | {name: "x"}
        if name != "is":
            yield WELL[key] | {name: [value]}, WELL[key] | {name: ["x"]}
    if key.endswith("_field"):
        yield WELL[key] | {"op": "one_of", "value": [value]}, WELL[key] | {"op": "one_of", "value": ["x"]}
    if isinstance(value, str):
        yield WELL[key] | {value: value}, None
        yield {value: [WELL[key]]}, None


def compiled(tree):
    try:
        return where(tree, at=AT)
    except BadCondition:
        return None


def shape(sql):
    """How many words a text holds may show in the number of what is bound, and in nothing else."""
    return re.sub(r"%s(, %s)+", "%s", sql)


def found_by(trees):
    """[names of the leads that meet it] for each of the conditions, many in one statement."""
    found = []
    for some in (trees[start : start + 50] for start in range(0, len(trees), 50)):
        asked = [matching.matching_sql(tree, at=AT, scope=CRITERIA[tree["is"]].scope) for tree in some]
        with connection.cursor() as cursor:
            columns = ", ".join(f"ARRAY(SELECT l.email {sql})" for sql, _ in asked)
            cursor.execute(f"SELECT {columns}", [value for _, bound in asked for value in bound])
            found += [{email.split("@")[0] for email in emails} for emails in cursor.fetchone()]
    return found


@pytest.mark.parametrize("key", CRITERIA)
def test_they_are_refused_or_bound(cast, key):
    """Every hostile value through every parameter, as name and as value: no SQL of theirs ever runs."""
    assert set(WELL) == set(CRITERIA)
    before = Lead.objects.count()
    taken, harmless = [], cache(lambda text: (compiled(json.loads(text)) or [None])[0])
    for value, tree, twin in [
        (one, *both) for one in [*HOSTILE, *NOT_TEXT] for both in hostile_trees(key, one)
    ]:
        if (made := compiled(tree)) is None:
            continue
        sql, bound = made
        assert sql.count("%s") == len(bound)
        assert not [
            text
            for text in bound
            if isinstance(text, str) and len(text) > 3 and text in sql and text not in OURS
        ]
        assert sentence(tree)
        if isinstance(value, str) and (same := harmless(json.dumps(twin))):
            assert shape(sql) == shape(same), "the statement is the same whatever the text"
        taken.append((value, tree))
    for (value, tree), found in zip(taken, found_by([tree for _, tree in taken]), strict=True):
        if key in ("lead_field", "company_field") and value != "İ":  # which PostgreSQL folds to an i
            assert found <= {"bob", "dee"}, tree  # whose texts hold a literal % and _
    assert taken or key in ONLY_NUMBERS
    assert Lead.objects.count() == before
