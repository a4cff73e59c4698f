"""What a rule of each kind may and must say, checked before publishing and while it is edited."""

import math

from leads.criteria import LEAD, TOUCHPOINT, BadCondition
from leads.criteria.tree import check, leaves
from scoring.engine.rulebook import LEAD_CRITERIA, TOUCHPOINT_CRITERIA
from scoring.models import Rule

Kind = Rule.Kind
# kind: (scope of its condition, the arithmetic it may use)
KINDS = {
    Kind.FIT: (LEAD, {"points"}),
    Kind.EXCLUDE: (LEAD, set()),
    Kind.ACTIVITY: (TOUCHPOINT, {"points", "cap_count", "cap_points", "window_days", "steps"}),
    Kind.HAND_RAISE: (TOUCHPOINT, set()),
    Kind.INACTIVITY: (None, {"points", "days"}),
    Kind.AGE: (None, {"points", "days"}),
}
CRITERIA_OF = {LEAD: LEAD_CRITERIA, TOUCHPOINT: TOUCHPOINT_CRITERIA}
MAX_POINTS = 10_000
MAX_DAYS = 36_500


def problems_of(rule):
    """What is wrong with one rule, a sentence each; an empty list when it can be published."""
    scope, arithmetic = KINDS[rule.kind]
    found = _condition_problems(rule, scope)
    if "points" in arithmetic and not (_is_number(rule.points) and 0.01 <= abs(rule.points) <= MAX_POINTS):
        found.append(f"give it points between 0.01 and {MAX_POINTS:,}, or minus as many.")
    if "days" in arithmetic and not (rule.days and rule.days <= MAX_DAYS):
        found.append("say after how many days.")
    if "steps" in arithmetic:
        found += _arithmetic_problems(rule)
    return found


def _condition_problems(rule, scope):
    if scope is None:
        return ["needs no condition; it looks at time only."] if rule.condition else []
    try:
        check(rule.condition or {}, criteria=CRITERIA_OF[scope], scope=scope)
    except BadCondition as bad:
        return [f"{bad}."]
    needs_one = rule.kind in (Kind.EXCLUDE, Kind.HAND_RAISE)
    if needs_one and not leaves(rule.condition or {}, criteria=CRITERIA_OF[scope], scope=scope):
        return [
            f"say which; without a condition it would be {'everybody' if scope == LEAD else 'any activity'}."
        ]
    return []


def _arithmetic_problems(rule):
    found = []
    if rule.cap_count is not None and rule.cap_count < 1:
        found.append("count at least one match, or leave the cap empty.")
    if rule.cap_points is not None and not (
        _is_number(rule.cap_points) and 0.01 <= rule.cap_points <= MAX_POINTS
    ):
        found.append("cap the points at 0.01 or more, or leave the cap empty.")
    if rule.window_days is not None and not 1 <= rule.window_days <= MAX_DAYS:
        found.append("make the window at least one day, or leave it empty.")
    return found + _step_problems(rule.steps or [])


def _step_problems(steps):
    if not isinstance(steps, list) or not all(isinstance(step, list) and len(step) == 2 for step in steps):
        return ["steps are pairs of days and share, e.g. [[7, 1.0], [30, 0.5]]."]
    if not all(_is_number(days) and 0 < days <= MAX_DAYS for days, _ in steps):
        return ["steps end after a positive number of days."]
    if not all(_is_number(share) and 0 <= share <= 1 for _, share in steps):
        return ["the share of a step is between 0 and 1."]
    if any(later[0] <= earlier[0] for earlier, later in zip(steps, steps[1:], strict=False)):
        return ["list the steps by growing age."]
    if any(later[1] > earlier[1] for earlier, later in zip(steps, steps[1:], strict=False)):
        return ["an older match cannot count more than a newer one: let the shares fall."]
    return []


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
