"""Hostile values through every parameter of every criterion: refused, or bound and harmless."""

import pytest

from leads.criteria import CRITERIA, BadCondition
from leads.criteria.tree import sentence, where
from leads.models import Lead
from leads.tests.criteria_cast import AT, company, custom, lead, who

pytestmark = pytest.mark.django_db

HOSTILE = [
    *("'", '"', "\\", "';--", "' OR 1=1 --", "') OR ('1'='1", "'; DROP TABLE leads_lead; --", "\\'; SELECT pg_sleep(9)--"),
    *("%", "%s", "%(at)s", "%%", "%d", "%n", "{}", "{0}", "{x}", "{asset}", "{values}", "${jndi:ldap://x}", "{{7*7}}"),
    *("$1", "$$", "$$; SELECT 1; $$", "E'\\x27'", "U&'\\0027'", "/*", "*/", "--", "a--b", ";", "a;b", "\n", "a\nb", "a\rb", "a\tb"),
    *("\x1b[31m", "\x00", "a\x00b", "\ud800", "\udfff", "\u202e", "\ufeff", "\u2028", "İ", "ß", "ﬁ", "𝕊", "💥", "ﷺ", "Z͓͑ͫa", "\\x00"),
    *("lower(1)", "l.email", "pg_sleep(9)", "(SELECT 1)", "NULL", "null", "true", "NaN", "Infinity", "-1", "1e400", "0x10", "1_000"),
    *("../../etc/passwd", "<script>alert(1)</script>", "<img src=x onerror=1>", "javascript:1", "email\" FROM leads_lead --"),
    *("job_title OR 1=1", "job_title) OR (1=1", "__class__", "constructor", "l", "c", "t", "a.b", "*", "?", "[]", "()", "''", "\"\""),
    "x" * 200, "x" * 100_000, "'" * 200, "%" * 200, "\\" * 200,
]  # fmt: skip
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
OURS = {"NULL", "true", "l.email", "awareness", "consideration", "decision"}


def names_of(key):
    """What the criterion may be asked, by name."""
    return [parameter.name for parameter in CRITERIA[key].parameters] or [
        name for name in WELL[key] if name != "is"
    ]


def hostile_trees(key, value):
    yield from (WELL[key] | {name: value} for name in ("is", *names_of(key)))
    yield from (WELL[key] | {name: [value]} for name in names_of(key))
    if key.endswith("_field"):
        yield WELL[key] | {"op": "one_of", "value": [value]}
    if isinstance(value, str):
        yield WELL[key] | {value: value}
        yield {value: [WELL[key]]}


@pytest.mark.parametrize("key", CRITERIA)
def test_they_are_refused_or_bound(cast, key):
    """Every hostile value through every parameter, as name and as value: no SQL of theirs ever runs."""
    assert set(WELL) == set(CRITERIA)
    before = Lead.objects.count()
    sentences = 0
    for value, tree in [(one, tree) for one in [*HOSTILE, *NOT_TEXT] for tree in hostile_trees(key, one)]:
        try:
            sql, bound = where(tree, at=AT)
        except BadCondition:
            continue
        assert sql.count("%s") == len(bound)
        for text in (item for item in bound if isinstance(item, str) and len(item) > 3):
            assert text not in sql or text in OURS
        found = who(tree, scope=CRITERIA[tree["is"]].scope)
        assert sentence(tree)
        sentences += 1
        if key in ("lead_field", "company_field") and value != "İ":  # which PostgreSQL folds to an i
            assert found <= {"bob", "dee"}, tree  # whose texts hold a literal % and _
    assert sentences or key in (
        "did_nothing",
        "older_than",
        "timeline_within",
        "free_mail",
        "recency",
        "active_people",
        "interactions",
        "monetary",
    )
    assert Lead.objects.count() == before
