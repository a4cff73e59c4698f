"""What rules may say: alone, together, and what a marketer is warned of."""

import pytest

from scoring import ratings
from scoring.models import Rule, ScoringModel
from scoring.publish import problems
from scoring.rules import problems_of, unreachable, warnings_of
from scoring.tests.cast import (
    BITE,
    DECISION_MAKER,
    HAND_RAISE,
    PRICING,
    activity,
    draft,
    fit,
    scale,
    touchpoint,
)

pytestmark = pytest.mark.django_db
VISIT = {"kind": "activity", "points": 5, "condition": touchpoint("page_view")}
OPENED = VISIT | {"condition": touchpoint("mail_open")}
FITS = {"is": "lead_field", "field": "role", "op": "known"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (VISIT | {"half_life_days": 7}, "needs a cap on points"),
        (VISIT | {"half_life_days": 7, "cap_points": 9, "cap_count": 2}, "not the number of matches"),
        (VISIT | {"half_life_days": 7, "cap_points": 9, "steps": [[7, 1]]}, "not both"),
        (VISIT | {"half_life_days": 7, "cap_points": 9, "min_count": 2}, "each match counts"),
        (VISIT | {"half_life_days": 0, "cap_points": 9}, "at least 0.1 days"),
        (VISIT | {"min_count": 2, "cap_count": 3}, "not both"),
        (VISIT | {"min_count": 0}, "at least one match"),
        (VISIT | {"who": {"is": "did", "kind": "page_view"}}, "who, is: must be one of"),
        ({"kind": "fit", "points": 5, "condition": FITS, "who": FITS}, "leave “who” empty"),
        (VISIT | {"profile_id": 1}, "only a fit rule"),
        (HAND_RAISE | {"group_id": 1}, "cannot be in a group"),
        ({"kind": "bite", "condition": {}}, "say which"),
        (OPENED, "cap the points of opens"),
        ({"kind": "hand_raise", "condition": touchpoint("mail_open")}, "no request"),
    ],
)
def test_what_is_refused(rule, words):
    found = problems_of(Rule(name="R", **rule))
    assert len(found) == 1, found
    assert words in found[0]


@pytest.mark.parametrize(
    "rule",
    [
        VISIT | {"half_life_days": 7, "cap_points": 9, "window_days": 90, "who": FITS},
        VISIT | {"min_count": 2, "steps": [[7, 1.0]], "cap_points": 3},
        BITE | {"who": FITS},
        OPENED | {"cap_count": 2},
    ],
)
def test_what_is_allowed(rule):
    assert problems_of(Rule(name="R", **rule)) == []


def test_opens_are_warned_of():
    assert "machines" in warnings_of(Rule(name="R", **OPENED))[0]
    assert warnings_of(Rule(name="R", **VISIT)) == warnings_of(Rule(name="R", **DECISION_MAKER)) == []


def test_rules_together():
    version = draft(
        DECISION_MAKER | {"group": "Mixed"}, PRICING | {"group": "Mixed"},
        groups={"Mixed": 10, "None": -1}, profiles=["Nobody"], cap_fit=0,
    )  # fmt: skip
    assert problems(version) == [
        "Group “Mixed” holds fit and engagement rules: make a group for each.",
        "Group “None”: cap the points at 0.01 or more, or leave the cap empty.",
        "Profile “Nobody” has no rules: give it one, or remove it.",
        "Cap fit at 0.01 or more, or leave the cap empty.",
    ]


def test_the_model_that_routes_judges_everybody():
    version = draft(PRICING)
    ScoringModel.objects.filter(pk=version.model_id).update(applies_to=FITS)
    version.model.refresh_from_db()
    assert problems(version) == [
        "Test decides what passes to sales and must judge everybody: clear “applies to”."
    ]


def test_a_rating_may_say_how_many_minutes_a_lead_is_worth():
    found = scale()
    found.ratings[0].append(30)
    assert ratings.problems(found) == []
    assert ratings.table(found).minutes == (30, None, None, None)
    found.ratings[1].append(-5)
    assert "whole minutes" in ratings.problems(found)[0]


def test_thresholds_out_of_reach():
    version = draft(
        fit(25, field="role", op="known"), fit(30, field="country", op="known") | {"profile": "A"},
        fit(9, field="phone", op="known") | {"profile": "B"},
        PRICING, activity(50, "webinar", cap_count=2) | {"group": "Web"}, groups={"Web": 5}, profiles=["A", "B"],
        mql_fit=60, ready_fit=60, ready_engagement=30,
    )  # fmt: skip
    assert unreachable(version) == [
        "No lead can reach fit 60: the rules add up to at most 55.",
        "No lead can reach engagement 40: the rules add up to at most 35.",
    ]
    version.cap_engagement = 20
    assert "engagement 30: the rules add up to at most 20." in unreachable(version)[1]
    assert unreachable(draft(fit(50, field="role", op="known"), activity(1, "page_view"))) == []
