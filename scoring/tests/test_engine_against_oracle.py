"""The engine and the plain evaluator agree on generated rules, people, logs and instants."""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from leads.activities import record_many
from leads.models import Company, Lead
from scoring.explain import explain
from scoring.models import Score
from scoring.rescore import rescore
from scoring.tests import oracle
from scoring.tests.cast import NOW, current

MICROSECOND = timedelta(microseconds=1)
EXAMPLES = int(os.environ.get("SCORING_EXAMPLES", "200"))
generated = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking takes minutes here: add Phase.shrink while hunting a failure
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)

ROLES = ["", "Decision maker", "user", "Influencer"]
INDUSTRIES = ["", "Software", "Chemistry"]
KINDS = ["page_view", "download", "hand_raise"]
ASSETS = ["", "/pricing", "/pricing/enterprise", "/blog"]

# Few whole days and many odd ages: the edges themselves are met often, and so is what lies between.
DAYS = [1, 2, 7, 30]
ages = st.one_of(
    st.sampled_from([0, *DAYS, 45]).map(lambda n: timedelta(days=n)),
    st.integers(0, 60 * 86_400_000_000).map(lambda n: timedelta(microseconds=n)),
)
points = st.sampled_from([-20, -5, 0.005, 0.07, 1, 1.5, 3.33, 10, 25])
share_lists = st.lists(st.sampled_from([0, 0.25, 1 / 3, 0.5, 0.999, 1]), min_size=1, max_size=3)


@st.composite
def steps(draw):
    shares = sorted(draw(share_lists), reverse=True)
    upto = sorted(
        draw(
            st.lists(
                st.sampled_from([*DAYS, 50, 90]), min_size=len(shares), max_size=len(shares), unique=True
            )
        )
    )
    return [[age, share] for age, share in zip(upto, shares, strict=True)]


lead_leaves = st.one_of(
    st.builds(
        lambda v: {"is": "lead_field", "field": "role", "op": "equals", "value": v},
        st.sampled_from(ROLES[1:]),
    ),
    st.builds(
        lambda op: {"is": "lead_field", "field": "role", "op": op}, st.sampled_from(["known", "unknown"])
    ),
    st.builds(
        lambda v: {"is": "company_field", "field": "industry", "op": "one_of", "value": v},
        st.lists(st.sampled_from(["software", "Chemistry", "Mining"]), min_size=1, max_size=2),
    ),
    st.builds(
        lambda op, v: {"is": "company_field", "field": "size", "op": op, "value": v},
        st.sampled_from(["at_least", "at_most", "equals"]),
        st.sampled_from([10, 200]),
    ),
    st.just({"is": "company_field", "field": "relationship", "op": "equals", "value": "competitor"}),
)
touch_leaves = st.builds(
    lambda kind, asset: {"is": "touchpoint", "kind": kind} | ({"asset": asset} if asset else {}),
    st.sampled_from(KINDS),
    st.sampled_from(ASSETS),
)


def trees(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda kind, parts: {kind: parts},
            st.sampled_from(["all", "any", "none"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=4,
    )


rules = st.one_of(
    st.fixed_dictionaries({"kind": st.just("fit"), "points": points, "condition": trees(lead_leaves)}),
    st.fixed_dictionaries(
        {"kind": st.just("activity"), "points": points, "condition": trees(touch_leaves)},
        optional={
            "cap_count": st.integers(1, 4),
            "cap_points": st.sampled_from([0.01, 2, 7.5, 20]),
            "window_days": st.sampled_from(DAYS),
            "steps": steps(),
        },
    ),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["inactivity", "age"]), "points": points, "days": st.sampled_from(DAYS)}
    ),
    st.fixed_dictionaries({"kind": st.just("exclude"), "condition": trees(lead_leaves)}),
    st.fixed_dictionaries({"kind": st.just("hand_raise"), "condition": touch_leaves}),
)
people = st.fixed_dictionaries(
    {
        "created": ages,
        "role": st.sampled_from(ROLES),
        "industry": st.sampled_from(INDUSTRIES),
        "company_size": st.sampled_from([None, 10, 200]),
        "reachable": st.sampled_from([True, True, False]),
        "company": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {
                    "size": st.sampled_from([None, 9, 200]),
                    "industry": st.sampled_from(INDUSTRIES),
                    "relationship": st.sampled_from(["prospect", "competitor"]),
                }
            ),
        ),
        "log": st.lists(
            st.tuples(
                ages,
                st.one_of(st.sampled_from(KINDS), st.sampled_from([*KINDS, "engagement_since"])),
                st.sampled_from(ASSETS),
                st.sampled_from([True, True, True, False]),
            ),
            max_size=12,
        ),
    }
)


def make(person, number):
    """The lead in the database, and the same for the oracle."""
    created_at = NOW - person["created"]
    fields = {name: person[name] for name in ("role", "industry", "company_size")}
    told = person["company"]
    company = told and Company.objects.create(
        name="Acme", created_at=created_at, updated_at=created_at, **told
    )
    lead = Lead.objects.create(
        email=f"p{number}@acme.example" if person["reachable"] else None,
        last_name=f"P{number}", has_external_id=True, company=company, created_at=created_at, updated_at=created_at,
        **fields,
    )  # fmt: skip
    log = [
        (
            NOW - age,
            kind,
            "" if kind == "engagement_since" else asset,
            engagement and kind != "engagement_since",
        )
        for age, kind, asset, engagement in person["log"]
    ]
    plain = {"created_at": created_at, "fields": fields, "company": told, "reachable": person["reachable"]}
    return lead, plain, log


def assert_equal(lead, version, rows, plain, log, at):
    expected = oracle.evaluate(rows, version, version.scale, plain, log, at)
    score = Score.objects.get(lead=lead, model_version=version)
    assert score.fit == pytest.approx(expected["fit"], abs=0.0101)
    assert score.engagement == pytest.approx(expected["engagement"], abs=0.0101 * max(1, len(rows)))
    assert score.total == pytest.approx(score.fit + score.engagement)
    if abs(score.engagement - expected["engagement"]) < 1e-6 and abs(score.fit - expected["fit"]) < 1e-6:
        assert (score.rating, score.verdict) == (expected["rating"], expected["verdict"])
    return score, expected["lines"]


def assert_next_change(score, lines, of):
    """Nothing changes before `next_change_at`, and something does at it. Edges are where the oracle may move."""
    moves = next((at for at in of["edges"] if differs(of["lines"](at), lines)), None)
    if score.next_change_at is None or moves is None:
        assert (score.next_change_at, moves) == (None, None)
    else:
        assert score.next_change_at == moves


def differs(one, other):
    return any(abs(one[rule] - points) > 1e-6 for rule, points in other.items())


def edges_of(rows, plain, log):
    """Every instant after NOW at which any rule could change: all moments plus all ages that rules speak of."""
    bounds = {
        bound
        for rule in rows
        for bound in (rule.window_days, rule.days, *[s[0] for s in rule.steps])
        if bound
    }
    moments = {plain["created_at"], *[when for when, *_ in log]}
    return sorted({m + timedelta(days=b) for m in moments for b in bounds if m + timedelta(days=b) > NOW})


@pytest.mark.django_db
@generated
@given(st.lists(rules, min_size=1, max_size=6), st.lists(people, min_size=1, max_size=4))
def test_points_ratings_and_next_change(given_rules, given_people):
    Lead.objects.all().update(email=None)
    version = current(*given_rules)
    rows = list(version.rules.all())
    cast = [make(person, number) for number, person in enumerate(given_people)]
    record_many(
        [
            {"lead": lead, "kind": kind, "asset": asset, "at": when, "engagement": engagement}
            for lead, _, log in cast
            for when, kind, asset, engagement in log
        ],
        received_at=NOW,
    )
    lead_ids = [lead.pk for lead, _, _ in cast]
    rescore(lead_ids=lead_ids, at=NOW)
    changes = []
    for lead, plain, log in cast:
        score, lines = assert_equal(lead, version, rows, plain, log, NOW)

        def lines_at(at, plain=plain, log=log):
            return oracle.evaluate(rows, version, version.scale, plain, log, at)["lines"]

        assert_next_change(score, lines, {"edges": edges_of(rows, plain, log), "lines": lines_at})
        changes += [score.next_change_at] if score.next_change_at else []
    assert_explained(cast[0][0])
    # One by one, the scores are what they were in the batch: nothing is written.
    assert rescore(lead_ids=lead_ids[-1:], at=NOW) == 0
    for at in [min(changes) - MICROSECOND, min(changes)] if changes else []:
        rescore(lead_ids=lead_ids, at=at)
        for lead, plain, log in cast:
            assert_equal(lead, version, rows, plain, log, at)


def assert_explained(lead):
    why, score = explain(lead=lead, at=NOW), Score.objects.get(lead=lead, as_of=NOW)
    for part in ("fit", "engagement"):
        assert round(sum(line.points for line in why.lines if line.part == part), 2) == getattr(score, part)
    assert (why.rating, why.verdict, why.next_change_at) == (
        score.rating,
        score.verdict,
        score.next_change_at,
    )
