"""Random trees of every criterion: they parse, they say something, they run, and the simple ones agree with a
deliberately plain evaluator, written without a look at the SQL."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leads.criteria import CRITERIA, LEAD, TOUCHPOINT
from leads.criteria.comparisons import OPERANDS, OPERATORS
from leads.criteria.fields import FIELDS
from leads.criteria.tree import changes, check, sentence, where
from leads.tests.criteria_cast import AT, CAST, CUSTOM, DAY, who

pytestmark = pytest.mark.django_db
QUICK = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# --- The plain evaluator --------------------------------------------------------------------------


def plainly(tree, key):
    """Does the member of the CAST match?"""
    if not tree:
        return True
    for group, combine in (("all", all), ("any", any), ("none", lambda found: not any(found))):
        if group in tree:
            return combine([plainly(item, key) for item in tree[group]])
    return PLAIN[tree["is"]](tree, key)


def plain_value(about, name, key):
    member = CAST[key]
    if about == "company_field":
        own = (member.company or {}).get(name)
        stated = {"size": "company_size", "industry": "industry", "country": "country"}.get(name)
        return own or (member.fields.get(stated) if stated else None)
    if name == "timeline" and member.fields.get("timeline_until") and member.fields["timeline_until"] <= AT:
        return None
    return member.email if name == "email" else member.fields.get(name)


def plain_custom(name, key):
    """The value where it has the type of its field."""
    of_company, _, own = name.rpartition("custom.")
    owner = (CAST[key].company or {}) if of_company else CAST[key].fields
    value = owner.get("custom", {}).get(own)
    of = "company" if of_company else "lead"
    kind = next(kind for owner_of, its_key, _, kind, _ in CUSTOM if (owner_of, its_key) == (of, own))
    fits = {"number": (int, float), "yes_no": bool}.get(kind, str)
    return value if isinstance(value, fits) and not (kind == "date" and value == "2026-02-30") else None


def plain_field(tree, key):
    if tree["is"] == "custom_field":
        return plain_compare(tree, plain_custom(tree["field"], key))
    if tree["field"] == "domain":
        return plain_among(tree, CAST[key].domains)
    return plain_compare(tree, plain_value(tree["is"], tree["field"], key))


def plain_among(tree, values):
    if tree["op"] in ("is_not", "none_of"):
        return bool(values) and all(plain_compare(tree, value) for value in values)
    return any(plain_compare(tree, value) for value in values or [None])


def plain_compare(tree, have):
    fold = lambda value: value.lower() if isinstance(value, str) else value
    unknown = have is None or have == ""
    op, want = tree["op"], tree.get("value")
    if op in ("known", "unknown"):
        return unknown == (op == "unknown")
    if unknown:
        return False
    today = AT.date().isoformat()
    days = lambda n: (AT + n * DAY).date().isoformat()
    return {
        "equals": lambda: fold(have) == fold(want),
        "is_not": lambda: fold(have) != fold(want),
        "one_of": lambda: fold(have) in [fold(item) for item in want],
        "none_of": lambda: fold(have) not in [fold(item) for item in want],
        "has_word": lambda: any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", have, re.I) for word in want),
        "contains": lambda: fold(want) in fold(have),
        "begins_with": lambda: fold(have).startswith(fold(want)),
        "at_least": lambda: have >= want,
        "at_most": lambda: have <= want,
        "between": lambda: want[0] <= have <= want[1],
        "on": lambda: have == want,
        "before": lambda: have < want,
        "after": lambda: have > want,
        "next_days": lambda: today <= have <= days(want),
        "last_days": lambda: days(-want) <= have <= today,
        "yes": lambda: have is True,
        "no": lambda: have is False,
        "free_mail": lambda: have.endswith("@gmail.com"),
    }[op]()


def plain_acts(key, tree):
    """Ages of the matching engagement of the member."""
    acts = [act for act in CAST[key].acts if act[3] and act[2] >= 0 * DAY]
    if tree.get("kind"):
        acts = [act for act in acts if act[0] == tree["kind"]]
    asset = tree.get("asset", "").lower()
    test = {
        "begins": lambda have: have.startswith(asset),
        "exactly": lambda have: have == asset,
        "contains": lambda have: asset in have,
    }[tree.get("match", "begins")]
    if tree.get("property"):
        said = lambda act: act[4].get(tree["property"]) if len(act) > 4 else None
        acts = [act for act in acts if said(act) in [value.lower() for value in tree["one_of"]]]
    return [act[2] for act in acts if not asset or test(act[1])]


def plain_did(tree, key):
    days, more = tree.get("days", 0) * DAY, tree.get("to_days", 0) * DAY
    inside = {
        "ever": lambda age: True,
        "within": lambda age: age < days,
        "before": lambda age: age >= days,
        "between": lambda age: days <= age < more,
    }[tree.get("when") or ("within" if days else "ever")]
    found, times = sum(1 for age in plain_acts(key, tree) if inside(age)), tree.get("times", 1)
    return {"at_least": found >= times, "at_most": found <= times, "exactly": found == times}[
        tree.get("op", "at_least")
    ]


def plain_first(tree, key):
    ages = plain_acts(key, tree)
    if not ages:
        return False
    age = max(ages) if tree["is"] == "first_time" else min(ages)
    return (age < tree["days"] * DAY) == (tree.get("when", "within") == "within")


PLAIN = {
    "lead_field": plain_field,
    "company_field": plain_field,
    "custom_field": plain_field,
    "did": plain_did,
    "interactions": plain_did,
    "first_time": plain_first,
    "last_time": plain_first,
    "recency": plain_first,
    "did_nothing": lambda tree, key: (
        CAST[key].known_for >= tree["days"] * DAY
        and not any(age < tree["days"] * DAY for age in plain_acts(key, {}))
    ),
    "older_than": lambda tree, key: CAST[key].known_for >= tree["days"] * DAY,
    "source": lambda tree, key: CAST[key].source in tree["one_of"],
    "campaign": lambda tree, key: CAST[key].campaign in tree["one_of"],
    "free_mail": lambda tree, key: CAST[key].email.endswith("@gmail.com"),
    "in_list": lambda tree, key: any(
        slug == tree["list"] and since <= AT and (until is None or until > AT)
        for slug, (since, until) in CAST[key].lists.items()
    ),
    "timeline_within": lambda tree, key: (
        AT < CAST[key].fields.get("timeline_until", AT) <= AT + tree["days"] * DAY
    ),
    "knows_fields": lambda tree, key: (
        tree["at_least"] <= sum(plain_known(name, key) for name in tree["fields"])
    ),
}


def plain_known(name, key):
    if "custom." in name:
        return plain_custom(name, key) not in (None, "")
    about = "company_field" if name.startswith("company.") else "lead_field"
    return plain_value(about, name.removeprefix("company."), key) not in (None, "")


# --- Random leaves and trees ----------------------------------------------------------------------

WORDS = [
    "DE",
    "fr",
    "vp",
    "Student",
    "Software",
    "30",
    "%",
    "_",
    "big.example",
    "Big Works",
    "a",
    "sap",
    "gold",
]
DAYS = st.sampled_from([1, 2, 3, 4, 13, 14, 15, 29, 30, 31, 89, 90, 91, 100, 101])
DATES = st.sampled_from(["2026-03-27", "2026-03-28", "2026-03-29", "2026-04-10", "2026-04-11"])
KNOWN = ["job_title", "country", "timeline", "company.size", "company.industry", "custom.erp", "custom.seats",
         "custom.renewal", "company.custom.tier"]  # fmt: skip


def several(values, most=3):
    return st.lists(values, min_size=1, max_size=most)


@st.composite
def field_leaves(draw):
    about = draw(st.sampled_from(["lead", "company", "custom"]))
    if about == "custom":
        owner, own, _, kind, choices = draw(st.sampled_from(CUSTOM))
        name, extra = ("company." if owner == "company" else "") + f"custom.{own}", ()
    else:
        item = draw(st.sampled_from(list(FIELDS[about].values())))
        if item.key in ("lead_type", "origin"):
            item = FIELDS[about]["country"]
        name, kind, choices, extra = item.key, item.type, list(item.choices), item.extra
    op = draw(st.sampled_from((*OPERATORS[kind], *extra)))
    leaf = {"is": f"{about}_field", "field": name, "op": op}
    one = {
        "text": st.sampled_from(WORDS),
        "number": st.sampled_from([0, 2, 11, 12, 13, 40, 200, 300, 301]),
        "choice": st.sampled_from(choices or ["x"]),
        "date": DATES,
        "yes_no": st.none(),
    }[kind]
    takes = {
        "none": st.none(),
        "many": several(one),
        "range": st.lists(one, min_size=2, max_size=2).map(sorted) if kind == "number" else one,
        "days": DAYS,
    }
    value = draw(takes.get(OPERANDS.get(op), one))
    return leaf if value is None else leaf | {"value": value}


WHAT = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["page_view", "download", "mail_sent", "search"]),
        "asset": st.sampled_from(["/pricing", "/PRICING", "/b", "/x", "roi"]),
        "match": st.sampled_from(["begins", "exactly", "contains"]),
    },
)
SAYS = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "property": st.just("language"),
            "kind": st.sampled_from(["", "download"]),
            "one_of": several(st.sampled_from(["DE", "en", "x"])),
        }
    ),
)
OFTEN = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={"times": st.integers(1, 3), "op": st.sampled_from(["at_least", "at_most", "exactly"])},
    ),
    st.fixed_dictionaries({"times": st.just(0), "op": st.sampled_from(["at_most", "exactly"])}),
)
WHEN = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"days": DAYS}),
    st.fixed_dictionaries({"when": st.just("before"), "days": DAYS}),
    st.builds(
        lambda days, more: {"when": "between", "days": days, "to_days": days + more}, DAYS, st.integers(1, 90)
    ),
)
CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "buying_stage": st.sampled_from(["awareness", "decision"]),
        "product": st.just("crm"),
        "tag": st.sampled_from(["roi", "Money"]),
    },
)
SINCE = st.fixed_dictionaries({"when": st.sampled_from(["within", "before"]), "days": DAYS})


def leaf(key, *parts):
    """(key, its leaves), for `trees`."""
    made = st.builds(lambda *found: {"is": key} | {k: v for part in found for k, v in part.items()}, *parts)
    return key, made


SIMPLE = [
    ("lead_field", field_leaves()),
    leaf("did", WHAT, SAYS, OFTEN, WHEN),
    leaf("interactions", OFTEN, st.fixed_dictionaries({}, optional={"days": DAYS})),
    leaf("first_time", WHAT, SAYS, SINCE),
    leaf("last_time", WHAT, SINCE),
    leaf("recency", SINCE),
    leaf("older_than", st.fixed_dictionaries({"days": DAYS})),
    leaf("did_nothing", st.fixed_dictionaries({"days": DAYS})),
    leaf("source", st.fixed_dictionaries({"one_of": several(st.sampled_from(["web", "fair", "x"]))})),
    leaf("campaign", st.fixed_dictionaries({"one_of": several(st.sampled_from(["spring", "autumn"]))})),
    leaf("free_mail"),
    leaf("in_list", st.fixed_dictionaries({"list": st.sampled_from(["booth", "vip"])})),
    leaf("timeline_within", st.fixed_dictionaries({"days": DAYS})),
    (
        "knows_fields",
        several(st.sampled_from(KNOWN), 5).map(
            lambda names: {
                "is": "knows_fields",
                "at_least": 1 + len(set(names)) // 2,
                "fields": sorted(set(names)),
            }
        ),
    ),
]
OTHERS = [
    leaf("did", WHAT, CONTENT, OFTEN, WHEN),
    leaf("did", st.just({"when": "dates"}), st.fixed_dictionaries({"since": DATES})),
    leaf("first_time", CONTENT, SINCE),
    leaf("last_time", CONTENT, SINCE),
    leaf("domain_in_list", st.fixed_dictionaries({"list": st.sampled_from(["rivals", "resellers"])})),
    leaf("offer", st.fixed_dictionaries({"one_of": several(st.sampled_from(["white-paper", "demo", "/x"]))})),
    leaf("product_stated", st.just({"product": "crm"})),
    leaf("product_interest", st.just({"product": "erp"}), st.fixed_dictionaries({}, optional={"days": DAYS})),
    leaf(
        "buying_stage", st.fixed_dictionaries({"one_of": several(st.sampled_from(["decision", "unknown"]))})
    ),
    leaf("monetary", st.fixed_dictionaries({"at_least": st.integers(1, 20000)}, optional={"days": DAYS})),
    leaf("active_people", st.fixed_dictionaries({"at_least": st.integers(1, 3), "days": DAYS})),
]
ABOUT_ACTIVITIES = [
    leaf("touchpoint", WHAT, SAYS),
    leaf("content", CONTENT.filter(bool)),
    leaf("keyword", st.fixed_dictionaries(
        {"one_of": several(st.sampled_from(["crm", "list crm", "Best", "-"]))},
        optional={"match": st.sampled_from(["exact", "all_words", "any_word"]), "searched": st.just("search")},
    )),
]  # fmt: skip


def trees(leaves):
    return st.recursive(
        st.one_of([made for _, made in leaves]),
        lambda inner: st.builds(
            lambda kind, items: {kind: items}, st.sampled_from(["all", "any", "none"]), several(inner)
        ),
        max_leaves=8,
    )


@QUICK
@given(tree=trees(SIMPLE))
@example(tree={"none": [{"is": "did", "kind": "page_view", "times": 2, "days": 3}]})
def test_sql_and_the_plain_evaluator_agree(cast, tree):
    check(tree)
    assert who(tree) == {key for key in CAST if plainly(tree, key)}
    assert sentence(tree)


@QUICK
@given(tree=trees(SIMPLE + OTHERS))
def test_any_tree_about_leads_parses_speaks_and_runs(cast, tree):
    check(tree)
    assert who({"none": [tree]}) == set(CAST) - who(tree)
    assert sentence(tree)[0] != " "
    change = changes(tree, at=AT)
    assert change is None or change[0].count("%s") == len(change[1])


@QUICK
@given(tree=trees(ABOUT_ACTIVITIES))
def test_any_tree_about_activities_parses_speaks_and_runs(cast, tree):
    check(tree, scope=TOUCHPOINT)
    who(tree, scope=TOUCHPOINT)
    hash((where(tree, at=AT)[0], *where(tree, at=AT)[1]))  # the engine remembers matches by it
    assert sentence(tree)


def test_every_criterion_takes_part():
    drawn = {key for leaves in (SIMPLE, OTHERS, ABOUT_ACTIVITIES) for key, _ in leaves}
    assert drawn | {"company_field", "custom_field"} == set(CRITERIA)
    assert {c.scope for c in CRITERIA.values()} == {LEAD, TOUCHPOINT}
