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
from scoring.tests.cast import NOW, SECOND, current

MICROSECOND = timedelta(microseconds=1)
EXAMPLES = int(os.environ.get("SCORING_EXAMPLES", "200"))
generated = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="SCORING_RANDOM" not in os.environ,
    print_blob=True,
    phases=[Phase.generate],  # shrinking takes minutes here: add Phase.shrink while hunting a failure
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)

ROLES = ["", "Decision maker", "user", "Influencer"]
INDUSTRIES = ["", "Software", "Chemistry"]
KINDS = ["page_view", "download", "hand_raise", "mail_open"]
TIMELINES = ["", "this quarter", "next year"]
GROUPS = {"Who": 12, "What": 30, "Read": 8, "Seen": 25, "Free": None}  # the first two hold fit rules
PROFILES = ["Mid-size", "Enterprise"]
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
    st.sampled_from(
        [
            {"is": "lead_field", "field": "timeline", "op": "known"},
            {"is": "lead_field", "field": "timeline", "op": "equals", "value": "this quarter"},
        ]
    ),
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


who = trees(lead_leaves)
in_group = st.sampled_from([*GROUPS][2:])
caps = st.sampled_from([0.01, 2, 7.5, 20])
rules = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("fit"), "points": points, "condition": trees(lead_leaves)},
        optional={"profile": st.sampled_from(PROFILES), "group": st.sampled_from([*GROUPS][:2])},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("activity"), "points": points, "condition": trees(touch_leaves)},
        optional={
            "cap_count": st.integers(1, 4), "cap_points": caps, "window_days": st.sampled_from(DAYS), "steps": steps(),
            "who": who, "group": in_group,
        },
    ),
    st.fixed_dictionaries(
        {"kind": st.just("activity"), "points": points, "condition": trees(touch_leaves), "min_count": st.integers(1, 3)},
        optional={
            "cap_points": caps, "window_days": st.sampled_from(DAYS), "steps": steps(), "who": who, "group": in_group,
        },
    ),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["inactivity", "age"]), "points": points, "days": st.sampled_from(DAYS)},
        optional={"who": who, "group": in_group},
    ),
    st.fixed_dictionaries({"kind": st.just("exclude"), "condition": trees(lead_leaves)}),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["hand_raise", "bite"]), "condition": touch_leaves}, optional={"who": who}
    ),
)  # fmt: skip
fading = st.fixed_dictionaries(
    {
        "kind": st.just("activity"), "points": points, "condition": trees(touch_leaves),
        "half_life_days": st.sampled_from([0.5, 7, 30]), "cap_points": st.sampled_from([5, 20, 200]),
    },
    optional={"window_days": st.sampled_from(DAYS), "who": who, "group": in_group},
)  # fmt: skip
thresholds = st.fixed_dictionaries(
    {"profiles": st.sampled_from([[], PROFILES])},
    optional={"cap_fit": st.sampled_from([15, 40]), "cap_engagement": st.sampled_from([3.5, 20, 45])},
)


people = st.fixed_dictionaries(
    {
        "created": ages,
        "role": st.sampled_from(ROLES),
        "industry": st.sampled_from(INDUSTRIES),
        "company_size": st.sampled_from([None, 10, 200]),
        "reachable": st.sampled_from([True, True, False]),
        "timeline": st.sampled_from(TIMELINES),
        "timeline_until": st.one_of(st.none(), ages.map(lambda age: age - timedelta(days=20))),
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
    fields = {name: person[name] for name in ("role", "industry", "company_size", "timeline")}
    until = person["timeline_until"]
    until = until if until is None else NOW + until
    told = person["company"]
    company = told and Company.objects.create(
        name="Acme", created_at=created_at, updated_at=created_at, **told
    )
    lead = Lead.objects.create(
        email=f"p{number}@acme.example" if person["reachable"] else None, timeline_until=until,
        last_name=f"P{number}", has_external_id=True, company=company, created_at=created_at, updated_at=created_at,
        **fields,
    )  # fmt: skip
    log = [
        (
            NOW - age,
            kind,
            "" if kind == "engagement_since" else asset,
            engagement and kind not in ("engagement_since", "mail_open"),
        )
        for age, kind, asset, engagement in person["log"]
    ]
    plain = {
        "created_at": created_at, "fields": fields, "timeline_until": until, "company": told,
        "reachable": person["reachable"],
    }  # fmt: skip
    return lead, plain, log


class Case:
    """A version and a cast in the database, scored, and what the oracle says of each."""

    def __init__(self, given_rules, given_people, options):
        Lead.objects.all().update(email=None)
        profiles = options["profiles"]
        given_rules = [rule for rule in given_rules if rule.get("profile") in [None, *profiles]]
        self.version = current(*given_rules, groups=GROUPS, **options)
        self.rows = list(self.version.rules.all())
        self.version.given_groups = list(self.version.groups.all())
        self.version.given_profiles = list(self.version.profiles.all())
        self.cast = [make(person, number) for number, person in enumerate(given_people)]
        record_many(
            [
                {"lead": lead, "kind": kind, "asset": asset, "at": when, "engagement": engagement}
                for lead, _, log in self.cast
                for when, kind, asset, engagement in log
            ],
            received_at=NOW,
        )
        self.lead_ids = [lead.pk for lead, _, _ in self.cast]
        rescore(lead_ids=self.lead_ids, at=NOW)

    def expected(self, plain, log, at):
        return oracle.evaluate(self.rows, self.version, self.version.scale, plain, log, at)

    def score(self, lead):
        return Score.objects.get(lead=lead, model_version=self.version)

    def assert_equal(self, at):
        """Every stored score is what the oracle says at `at`; those of leads rescored then."""
        for lead, plain, log in self.cast:
            score, expected = self.score(lead), self.expected(plain, log, at)
            assert score.fit == pytest.approx(expected["fit"], abs=0.0101)
            assert score.engagement == pytest.approx(expected["engagement"], abs=0.0101)
            assert score.total == pytest.approx(score.fit + score.engagement)
            if (
                abs(score.engagement - expected["engagement"]) < 1e-6
                and abs(score.fit - expected["fit"]) < 1e-6
            ):
                assert (score.rating, score.verdict) == (expected["rating"], expected["verdict"])

    def edges(self, plain, log):
        """Every instant after NOW at which any rule could change: all moments plus all ages that rules speak of."""
        bounds = {
            bound
            for rule in self.rows
            for bound in (rule.window_days, rule.days, *[s[0] for s in rule.steps])
            if bound
        }
        moments = {plain["created_at"], *[when for when, *_ in log]}
        edges = {m + timedelta(days=b) for m in moments for b in bounds}
        return sorted(at for at in edges | {plain["timeline_until"] or NOW} if at > NOW)

    def assert_explained(self, lead):
        why, score = explain(lead=lead, at=NOW), Score.objects.get(lead=lead, as_of=NOW)
        for part in ("fit", "engagement"):
            assert round(sum(line.points for line in why.lines if line.part == part), 2) == getattr(
                score, part
            )
        assert (why.rating, why.verdict, why.next_change_at) == (
            score.rating,
            score.verdict,
            score.next_change_at,
        )


def seen(expected):
    """What a reader of a score sees of it."""
    return {name: expected[name] for name in ("fit", "parts", "rating", "verdict")}


def differ(one, other):
    if (one["fit"], one["rating"], one["verdict"]) != (other["fit"], other["rating"], other["verdict"]):
        return True
    ours, theirs = one["parts"], other["parts"]
    return any(abs(ours.get(part, 0) - theirs.get(part, 0)) > 1e-6 for part in ours.keys() | theirs.keys())


EARLY = {"scores": 0, "early": 0}


@pytest.fixture
def at_most_two_in_a_hundred_are_woken_early():
    yield
    assert EARLY["scores"] > 0 and EARLY["early"] <= 0.02 * EARLY["scores"]


@pytest.mark.django_db
@pytest.mark.usefixtures("at_most_two_in_a_hundred_are_woken_early")
@generated
@given(st.lists(rules, min_size=1, max_size=6), st.lists(people, min_size=1, max_size=4), thresholds)
def test_points_ratings_and_next_change(given_rules, given_people, options):
    case = Case(given_rules, given_people, options)
    case.assert_equal(NOW)
    changes = []
    for lead, plain, log in case.cast:
        now, score = case.expected(plain, log, NOW), case.score(lead)
        moves = next(
            (at for at in case.edges(plain, log) if differ(seen(case.expected(plain, log, at)), seen(now))),
            None,
        )
        EARLY["scores"] += 1
        if score.next_change_at != moves:
            # Never late. Early where conditions trade points, so that the sum of fit stays.
            assert score.next_change_at is not None
            assert moves is None or score.next_change_at < moves
            EARLY["early"] += 1
        changes += [score.next_change_at] if score.next_change_at else []
    case.assert_explained(case.cast[0][0])
    # One by one, the scores are what they were in the batch: nothing is written.
    assert rescore(lead_ids=case.lead_ids[-1:], at=NOW) == 0
    for at in [min(changes) - MICROSECOND, min(changes)] if changes else []:
        rescore(lead_ids=case.lead_ids, at=at)
        case.assert_equal(at)


def jumps(before, after):
    """Whether something other than a half-life moves between the two."""
    parts = [abs(after["parts"].get(part, 0) - points) for part, points in before["parts"].items()]
    return before["fit"] != after["fit"] or max(parts, default=0) > 0.02


DRIFTED = {"scores": 0, "early": 0}
few = settings(generated, max_examples=EXAMPLES // 4)


@pytest.mark.django_db
@few
@given(
    st.lists(fading, min_size=1, max_size=3),
    st.lists(rules, max_size=3),
    st.lists(people, min_size=1, max_size=4),
    thresholds,
)
def test_half_lives_drift_by_less_than_a_point(given_fading, given_rules, given_people, options):
    case = Case(given_fading + given_rules, given_people, options)
    case.assert_equal(NOW)
    changes = []
    for lead, plain, log in case.cast:
        now, score = case.expected(plain, log, NOW), case.score(lead)
        until = score.next_change_at or NOW + timedelta(days=4000)
        edges = [at for at in case.edges(plain, log) if at < until]
        for at in [*edges, *[NOW + (until - NOW) * part for part in (0.25, 0.5, 0.75)], until - SECOND]:
            then = case.expected(plain, log, max(at, NOW))
            assert abs(then["engagement"] - now["engagement"]) < 1, (lead, at)
            assert (then["fit"], then["rating"], then["verdict"]) == (
                now["fit"],
                now["rating"],
                now["verdict"],
            )
        if score.next_change_at:
            changes.append(score.next_change_at)
            before, after = (
                case.expected(plain, log, score.next_change_at + step) for step in (-SECOND, SECOND)
            )
            DRIFTED["scores"] += 1
            DRIFTED["early"] += not (
                abs(after["engagement"] - now["engagement"]) > 0.9
                or (after["rating"], after["verdict"]) != (now["rating"], now["verdict"])
                or jumps(before, after)
            )
    case.assert_explained(case.cast[0][0])
    assert rescore(lead_ids=case.lead_ids[-1:], at=NOW) == 0
    if changes:
        rescore(lead_ids=case.lead_ids, at=min(changes))
        case.assert_equal(min(changes))
