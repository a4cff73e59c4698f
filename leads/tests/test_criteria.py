"""The criteria language: what it selects, what it says, and what it refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leads.criteria import CRITERIA, BadCondition, base, matching
from leads.criteria.base import LEAD, TOUCHPOINT
from leads.criteria.fields import FIELDS, OPERATORS
from leads.criteria.tree import MAX_DEPTH, MAX_LEAVES, changes, check, sentence, where
from leads.models import Activity, Company, CompanyDomain, Lead, Source, Touchpoint

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)  # the day after clocks went forward in Europe
DAY = timedelta(days=1)
BIG = {"name": "Big Works", "size": 300, "industry": "Software", "country": "DE", "relationship": "customer"}
SMALL = {"name": "Tiny %_ Ltd", "size": None, "industry": "", "country": "", "relationship": "prospect"}
# key: (lead fields, company, domains, source slug, known for, [(kind, asset, age, engagement)])
CAST = {
    "ada": (
        {"job_title": "VP Engineering", "country": "DE", "timeline": "within 30 days", "timeline_until": AT + DAY},
        BIG, ["big.example", "big-works.example"], "web", 100 * DAY,
        [("page_view", "/pricing", 1 * DAY, True), ("page_view", "/pricing/enterprise", 3 * DAY, True),
         ("download", "/white-papers/roi", 90 * DAY, True)],
    ),
    "bob": (
        {"job_title": "Student", "country": "FR", "company_size": 12, "industry": "Education",
         "timeline": "this year", "timeline_until": AT},
        SMALL, ["tiny.example"], "fair", 14 * DAY,
        [("page_view", "/pricing", 14 * DAY, True), ("mail_sent", "", 1 * DAY, False)],
    ),
    "cyd": ({"role": "decision maker", "company_size": 200}, None, [], None, timedelta(minutes=5), []),
    "dee": (
        {"job_title": "Director, 100% Growth_", "country": "de", "timeline": "no hurry"},
        BIG, ["big.example", "big-works.example"], "web", 30 * DAY,
        [("page_view", "/blog", 14 * DAY - timedelta(seconds=1), True), ("page_view", "/pricing", 2 * DAY, False),
         ("page_view", "/pricing", -1 * DAY, True)],
    ),
}  # fmt: skip


@pytest.fixture
def cast(db):
    """The four of CAST and an internal tester who must never be counted."""
    sources = {slug: Source.objects.create(name=slug, slug=slug) for slug in ("web", "fair")}
    companies, leads = {}, {}
    for key, (fields, company, domains, source, known_for, acts) in CAST.items():
        if company and company["name"] not in companies:
            made = Company.objects.create(**company, domain=domains[0], created_at=AT, updated_at=AT)
            CompanyDomain.objects.bulk_create([CompanyDomain(company=made, domain=d) for d in domains])
            companies[company["name"]] = made
        leads[key] = Lead.objects.create(
            email=f"{key}@example.com", company=companies[company["name"]] if company else None,
            source=sources.get(source), created_at=AT - known_for, updated_at=AT, **fields,
        )  # fmt: skip
        for kind, asset, age, engagement in acts:
            touchpoint, _ = Touchpoint.objects.get_or_create(kind=kind, asset=asset)
            Activity.objects.create(
                lead=leads[key],
                touchpoint=touchpoint,
                occurred_at=AT - age,
                received_at=AT,
                engagement=engagement,
            )
    Lead.objects.create(email="test@example.com", is_test=True, created_at=AT - DAY, updated_at=AT)
    return leads


def who(tree, criteria=CRITERIA, scope=LEAD, days=None):
    found = matching.queryset(tree, criteria=criteria, at=AT, scope=scope, days=days)
    return {lead.email.split("@")[0] for lead in found}


def lead(field, op, value=None):
    leaf = {"is": "lead_field", "field": field, "op": op}
    return leaf if value is None else leaf | {"value": value}


def company(field, op, value=None):
    return lead(field, op, value) | {"is": "company_field"}


WORKS = [
    ({}, "ada bob cyd dee", "everybody"),
    ({"all": []}, "ada bob cyd dee", "everybody"),
    (lead("job_title", "contains", "vp"), "ada", "job title contains “vp”"),
    (lead("job_title", "contains", "100% growth_"), "dee", None),
    (lead("job_title", "contains", "%"), "dee", None),
    (lead("country", "equals", "De"), "ada dee", "country is “De”"),
    (lead("country", "one_of", ["fr", "US"]), "bob", "country is one of “fr” or “US”"),
    (lead("country", "one_of", ["fr"]), "bob", "country is “fr”"),
    (lead("country", "unknown"), "cyd", "country is unknown"),
    (lead("country", "known"), "ada bob dee", "country is known"),
    (lead("company_size", "at_least", 12), "bob cyd", "company size as stated is at least 12"),
    (lead("timeline", "known"), "ada dee", None),
    (lead("timeline", "equals", "This Year"), "", None),
    (lead("timeline", "contains", "30"), "ada", None),
    (company("size", "at_least", 200), "ada cyd dee", "company size is at least 200"),
    (company("size", "at_most", 200), "bob cyd", None),
    (company("size", "equals", 300), "ada dee", None),
    (company("industry", "equals", "education"), "bob", None),
    (company("country", "equals", "DE"), "ada dee", None),
    (company("name", "contains", "%_"), "bob", None),
    (company("domain", "equals", "big-works.example"), "ada dee", None),
    (company("domain", "unknown"), "cyd", None),
    (company("relationship", "equals", "customer"), "ada dee", "relationship to us is Customer"),
    (company("relationship", "unknown"), "cyd", None),
    ({"is": "source", "one_of": ["web"]}, "ada dee", "lead source is “web”"),
    ({"is": "older_than", "days": 14}, "ada bob dee", "has been known for 14 days or more"),
    ({"is": "older_than", "days": 15}, "ada dee", None),
    ({"is": "did_nothing", "days": 14}, "bob", "did nothing for 14 days"),
    ({"is": "did_nothing", "days": 1}, "ada bob dee", "did nothing for 1 day"),
    ({"is": "did", "kind": "page_view", "asset": "/Pricing"}, "ada bob", "viewed pages under /Pricing"),
    ({"is": "did", "kind": "page_view", "asset": "/pricing", "days": 14}, "ada", None),
    ({"is": "did", "kind": "page_view", "days": 14}, "ada dee", "viewed a page in the last 14 days"),
    (
        {"is": "did", "kind": "page_view", "asset": "/pricing", "times": 2, "days": 14},
        "ada",
        "viewed pages under /pricing at least 2 times in the last 14 days",
    ),
    ({"is": "did", "kind": "page_view", "times": 2, "days": 3}, "", None),
    ({"is": "did", "kind": "mail_sent"}, "", "did “mail_sent”"),
    (
        {"all": [company("size", "at_least", 200), {"any": [lead("job_title", "contains", "VP"), lead("role", "known")]}]},
        "ada cyd",
        "company size is at least 200 and (job title contains “VP” or buying role is known)",
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


def test_a_condition_about_activities_matches_leads_with_at_least_one(cast):
    pricing = {"is": "touchpoint", "kind": "page_view", "asset": "/pricing"}
    assert who(pricing, scope=TOUCHPOINT) == {"ada", "bob"}
    assert who(pricing, scope=TOUCHPOINT, days=14) == {"ada"}
    assert who({"none": [pricing]}, scope=TOUCHPOINT) == {"ada", "dee"}
    assert who({}, scope=TOUCHPOINT) == {"ada", "bob", "dee"}
    assert sentence({}, scope=TOUCHPOINT) == "any activity"
    sql, bound = where(pricing, at=AT)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t.asset FROM leads_touchpoint t WHERE {sql} ORDER BY 1", bound)
        assert [row[0] for row in cursor.fetchall()] == ["/pricing", "/pricing/enterprise"]


def test_count_sample_and_ids(cast):
    everybody = matching.count({}, at=AT)
    assert (everybody.count, everybody.total, everybody.warning) == (4, 4, "everybody")
    nobody = matching.count(lead("role", "equals", "nobody's"), at=AT)
    assert (nobody.count, nobody.share, nobody.warning) == (0, 0.0, "nobody")
    assert [found.email for found in matching.sample({}, at=AT, n=2)] == [
        "cyd@example.com",
        "bob@example.com",
    ]
    asked = [cast["ada"].pk, cast["cyd"].pk]
    assert matching.ids(lead("country", "known"), lead_ids=asked, at=AT) == {cast["ada"].pk}


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
    ({"all": [{"is": "older_than", "days": "7"}]}, "all[0].days", "must be a whole number"),
    ({"is": "older_than", "days": True}, "days", "must be a whole number"),
    ({"is": "older_than", "days": 1.5}, "days", "must be a whole number"),
    ({"is": "older_than", "days": 0}, "days", "must be 1 or more"),
    ({"is": "older_than", "days": 10**30}, "days", "must be 36500 or less"),
    ({"is": "older_than", "days": 1, "hours": 1}, "hours", "is not asked here"),
    ({"is": "source", "one_of": "web"}, "one_of", "must be a list"),
    ({"is": "source", "one_of": ["web", 7]}, "one_of[1]", "must be text"),
    (lead("password", "equals", "x"), "field", "must be one of job_title"),
    (lead("country", "at_least", "x"), "op", "must be one of equals"),
    (lead("country", "equals"), "value", "is missing"),
    (lead("country", "known", "x"), "value", "is not asked"),
    (lead("country", "one_of", "x"), "value", "must be a list"),
    (lead("country", "one_of", ["x", " "]), "value[1]", "must not be empty"),
    (lead("country", "equals", "a\0b"), "value", "cannot be stored"),
    (lead("country", "equals", "\ud800"), "value", "cannot be stored"),
    (lead("country", "equals", "x" * 201), "value", "at most 200"),
    ({"all": [{}, {}]}, "all[0]", "exactly one of"),
    ({"any": [lead("country", "known"), company("size", "equals", "200")]}, "any[1].value", "must be a whole number"),
    (company("relationship", "equals", "enemy"), "value", "must be one of prospect"),
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
LEAF_NAMES = {
    "lead_field": ("field", "op", "value"),
    "company_field": ("field", "op", "value"),
    "did": ("kind", "asset", "times", "days"),
    "did_nothing": ("days",),
    "older_than": ("days",),
    "source": ("one_of",),
    "touchpoint": ("kind", "asset"),
}
WELL = {
    "lead_field": lead("job_title", "equals", "x"),
    "company_field": company("name", "contains", "x"),
    "did": {"is": "did", "kind": "page_view", "asset": "/x", "times": 2, "days": 3},
    "did_nothing": {"is": "did_nothing", "days": 3},
    "older_than": {"is": "older_than", "days": 3},
    "source": {"is": "source", "one_of": ["x"]},
    "touchpoint": {"is": "touchpoint", "kind": "page_view", "asset": "/x"},
}


def hostile_trees(key, value):
    yield from (WELL[key] | {name: value} for name in ("is", *LEAF_NAMES[key]))
    yield from (WELL[key] | {name: [value]} for name in LEAF_NAMES[key])
    if key.endswith("_field"):
        yield WELL[key] | {"op": "one_of", "value": [value]}
    if isinstance(value, str):
        yield WELL[key] | {value: value}
        yield {value: [WELL[key]]}


@pytest.mark.parametrize("key", LEAF_NAMES)
def test_hostile_values_are_refused_or_find_nobody(cast, key):
    """Every hostile value through every parameter, as name and as value: no SQL of theirs ever runs."""
    assert set(LEAF_NAMES) == set(CRITERIA) == set(WELL)
    before = Lead.objects.count()
    run = 0
    corpus = [(one, tree) for one in [*HOSTILE, *NOT_TEXT] for tree in hostile_trees(key, one)]
    for value, tree in corpus:
        try:
            sql, bound = where(tree, at=AT)
        except BadCondition:
            continue
        assert sql.count("%s") == len(bound)
        for text in (item for item in bound if isinstance(item, str) and len(item) > 3):
            assert text not in sql
        found = who(tree, scope=CRITERIA[tree["is"]].scope)
        assert sentence(tree)
        run += 1
        if key.endswith("_field") and value != "İ":  # which PostgreSQL folds to an i
            assert found <= {"bob", "dee"}, tree  # whose texts hold a literal % and _
    assert run or key in ("did_nothing", "older_than")
    assert Lead.objects.count() == before


def test_what_the_screen_offers_is_what_is_taken(cast):
    for key in ("lead_field", "company_field"):
        for item in CRITERIA[key].describe()["fields"]:
            for op in item["operators"]:
                value = 1 if item["type"] == "number" else next(iter(item["choices"]), "x")
                value = {"one_of": [value], "known": None, "unknown": None}.get(op, value)
                who({"is": key, "field": item["key"], "op": op, "value": value})
    for criterion in CRITERIA.values():
        assert criterion.describe()["label"]


# --- The same question asked of a deliberately plain evaluator ------------------------------------


def plainly(tree, key):
    """Does the member of the CAST match? Written without a look at the SQL."""
    if not tree:
        return True
    for group, combine in (("all", all), ("any", any), ("none", lambda found: not any(found))):
        if group in tree:
            return combine([plainly(item, key) for item in tree[group]])
    return PLAIN[tree["is"]](tree, key)


def plain_value(tree, key):
    fields, its_company, _, _, _, _ = CAST[key]
    name = tree["field"]
    if tree["is"] == "company_field":
        own = (its_company or {}).get(name)
        stated = {"size": "company_size", "industry": "industry", "country": "country"}.get(name)
        return own or (fields.get(stated) if stated else None)
    if name == "timeline" and fields.get("timeline_until") and fields["timeline_until"] <= AT:
        return None
    return f"{key}@example.com" if name == "email" else fields.get(name)


def plain_field(tree, key):
    if tree["field"] == "domain":
        return any(plain_compare(tree, domain) for domain in CAST[key][2] or [None])
    return plain_compare(tree, plain_value(tree, key))


def plain_compare(tree, have):
    fold = lambda value: value.lower() if isinstance(value, str) else value
    unknown = have is None or have == ""
    op, want = tree["op"], tree.get("value")
    if op in ("known", "unknown"):
        return unknown == (op == "unknown")
    if unknown:
        return False
    if op == "one_of":
        return fold(have) in [fold(item) for item in want]
    return {
        "equals": lambda: fold(have) == fold(want),
        "contains": lambda: fold(want) in fold(have),
        "at_least": lambda: have >= want,
        "at_most": lambda: have <= want,
    }[op]()


def plain_acts(key, days=None):
    return [
        (kind, asset)
        for kind, asset, age, engagement in CAST[key][5]
        if engagement and age >= 0 * DAY and (days is None or age < days * DAY)
    ]


def plain_did(tree, key):
    done = [
        act for act in plain_acts(key, tree.get("days"))
        if act[0] == tree["kind"] and act[1].startswith(tree.get("asset", "").lower())
    ]  # fmt: skip
    return len(done) >= tree.get("times", 1)


PLAIN = {
    "lead_field": plain_field,
    "company_field": plain_field,
    "did": plain_did,
    "did_nothing": lambda tree, key: CAST[key][4] >= tree["days"] * DAY and not plain_acts(key, tree["days"]),
    "older_than": lambda tree, key: CAST[key][4] >= tree["days"] * DAY,
    "source": lambda tree, key: CAST[key][3] in tree["one_of"],
}

WORDS = [
    "DE",
    "fr",
    "vp",
    "Student",
    "Software",
    "education",
    "30",
    "%",
    "_",
    "big.example",
    "Big Works",
    "a",
]
DAYS = st.sampled_from([1, 2, 3, 4, 13, 14, 15, 29, 30, 31, 89, 90, 91, 100, 101])


@st.composite
def field_leaves(draw):
    about = draw(st.sampled_from(["lead", "company"]))
    field = draw(st.sampled_from(list(FIELDS[about].values())))
    if field.key in ("lead_type", "origin"):
        field = FIELDS[about]["country"]
    op = draw(st.sampled_from(OPERATORS[field.type]))
    one = {
        "text": st.sampled_from(WORDS),
        "number": st.sampled_from([0, 11, 12, 13, 200, 300, 301]),
        "choice": st.sampled_from(list(field.choices) or ["x"]),
    }[field.type]
    leaf = {"is": f"{about}_field", "field": field.key, "op": op}
    if op in ("known", "unknown"):
        return leaf
    return leaf | {"value": draw(st.lists(one, min_size=1, max_size=3) if op == "one_of" else one)}


@st.composite
def did_leaves(draw):
    leaf = {"is": "did", "kind": draw(st.sampled_from(["page_view", "download", "mail_sent"]))}
    optional = {
        "asset": st.sampled_from(["/pricing", "/PRICING/", "/b", "/x"]),
        "times": st.integers(1, 3),
        "days": DAYS,
    }
    return leaf | {name: draw(values) for name, values in optional.items() if draw(st.booleans())}


LEAVES = st.one_of(
    field_leaves(),
    did_leaves(),
    st.builds(
        lambda key, days: {"is": key, "days": days}, st.sampled_from(["older_than", "did_nothing"]), DAYS
    ),
    st.builds(
        lambda slugs: {"is": "source", "one_of": slugs},
        st.lists(st.sampled_from(["web", "fair", "x"]), min_size=1),
    ),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda kind, items: {kind: items},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tree=TREES)
@example(tree={"none": [{"is": "did", "kind": "page_view", "times": 2, "days": 3}]})
def test_sql_and_the_plain_evaluator_agree(cast, tree):
    check(tree)
    assert who(tree) == {key for key in CAST if plainly(tree, key)}
    assert sentence(tree)


def test_an_instant_that_is_not_known_yet_is_bound_as_such(cast):
    """With AT the SQL is the same as with a datetime, and each bound instant says how far from AT it lies."""
    tree = {"all": [lead("timeline", "known"), {"is": "did", "kind": "page_view", "days": 7}]}
    sql, bound = where(tree, at=AT)
    sql_open, bound_open = where(tree, at=base.AT)
    assert sql_open == sql
    assert bound_open == [base.AT, "page_view", base.AT, base.AtMinus(7)]
    assert bound == [AT, "page_view", AT, AT - 7 * DAY]
    assert base.days_after(base.AT, 2) == base.AtPlus(2) and base.days_after(AT, 2) == AT + 2 * DAY


def test_a_stated_timeline_changes_by_time_alone(cast):
    asked = {"any": [lead("timeline", "known"), lead("country", "known")]}
    sql, bound = changes(asked, at=AT)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT l.email, {sql} FROM leads_lead l", bound)
        found = dict(cursor.fetchall())
    assert found["ada@example.com"] == AT + DAY
    assert found["bob@example.com"] is None  # passed
    assert found["dee@example.com"] is None  # no window
    assert changes(lead("country", "known"), at=AT) is None
