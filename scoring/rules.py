"""What rules may and must say, checked before publishing and while they are edited.

`problems_of` one rule, `problems_together` of all rules of a version, `threshold_problems`: these keep it from being
published.
`warnings_of`, `unreachable`: what a marketer may still mean.
"""

import math

from leads.criteria import LEAD, TOUCHPOINT, BadCondition
from leads.criteria.tree import check, leaves
from scoring import ratings
from scoring.engine.rulebook import LEAD_CRITERIA, TOUCHPOINT_CRITERIA, shares, takes_opens
from scoring.models import Rule

Kind = Rule.Kind
# kind: (scope of its condition, what else it may say)
KINDS = {
    Kind.FIT: (LEAD, {"points", "profile", "group"}),
    Kind.EXCLUDE: (LEAD, set()),
    Kind.ACTIVITY: (
        TOUCHPOINT,
        {
            "points", "cap_count", "cap_points", "window_days", "steps", "min_count", "half_life_days", "who", "group",
        },
    ),
    Kind.HAND_RAISE: (TOUCHPOINT, {"who"}),
    Kind.BITE: (TOUCHPOINT, {"who"}),
    Kind.INACTIVITY: (None, {"points", "days", "who", "group"}),
    Kind.AGE: (None, {"points", "days", "who", "group"}),
}  # fmt: skip
CRITERIA_OF = {LEAD: LEAD_CRITERIA, TOUCHPOINT: TOUCHPOINT_CRITERIA}
MAX_POINTS = 10_000
MAX_DAYS = 36_500
NEEDS_CONDITION = {
    Kind.EXCLUDE: "everybody",
    Kind.HAND_RAISE: "any activity",
    Kind.BITE: "any activity",
}


def problems_of(rule):
    """What is wrong with one rule, a sentence each; an empty list when it can be published."""
    scope, says = KINDS[rule.kind]
    found = _condition_problems(rule, scope) + _who_problems(rule, says) + _place_problems(rule, says)
    if "points" in says and not (_is_number(rule.points) and 0.01 <= abs(rule.points) <= MAX_POINTS):
        found.append(f"give it points between 0.01 and {MAX_POINTS:,}, or minus as many.")
    if "days" in says and not (rule.days and rule.days <= MAX_DAYS):
        found.append("say after how many days.")
    if "steps" in says:
        found += _arithmetic_problems(rule)
    return found


def _condition_problems(rule, scope):
    if scope is None:
        return ["needs no condition; it looks at time only."] if rule.condition else []
    fault = _fault(rule.condition, scope)
    if fault:
        return [fault]
    if rule.kind in NEEDS_CONDITION and not leaves(
        rule.condition or {}, criteria=CRITERIA_OF[scope], scope=scope
    ):
        return [f"say which; without a condition it would be {NEEDS_CONDITION[rule.kind]}."]
    if scope == TOUCHPOINT and takes_opens(rule):
        return _open_problems(rule)
    return []


def _fault(tree, scope):
    try:
        check(tree or {}, criteria=CRITERIA_OF[scope], scope=scope)
    except BadCondition as bad:
        return f"{bad}."
    return ""


def _open_problems(rule):
    if rule.kind != Kind.ACTIVITY:
        return ["an open is no request: take another kind of activity."]
    if rule.cap_count is None and rule.cap_points is None:
        return ["cap the points of opens: they are often made by machines."]
    return []


def _who_problems(rule, says):
    if not rule.who:
        return []
    if "who" not in says:
        return ["who it is for is asked by its condition: leave “who” empty."]
    fault = _fault(rule.who, LEAD)
    return [f"who, {fault}"] if fault else []


def _place_problems(rule, says):
    found = []
    if rule.profile_id and "profile" not in says:
        found.append("only a fit rule can belong to a profile.")
    if rule.group_id and "group" not in says:
        found.append("it gives no points and cannot be in a group.")
    return found


def _arithmetic_problems(rule):
    found = []
    if rule.cap_count is not None and rule.cap_count < 1:
        found.append("count at least one match, or leave the cap empty.")
    if rule.cap_points is not None and not _is_cap(rule.cap_points):
        found.append("cap the points at 0.01 or more, or leave the cap empty.")
    if rule.window_days is not None and not 1 <= rule.window_days <= MAX_DAYS:
        found.append("make the window at least one day, or leave it empty.")
    return found + _count_problems(rule) + _half_life_problems(rule) + _step_problems(rule.steps or [])


def _count_problems(rule):
    if rule.min_count is None:
        return []
    if rule.min_count < 1:
        return ["ask for at least one match, or leave “at least so many” empty."]
    if rule.cap_count is not None:
        return [
            "it gives its points once: take either “at least so many” or “at most so many” matches, not both."
        ]
    return []


def _half_life_problems(rule):
    if rule.half_life_days is None:
        return []
    found = []
    if not (_is_number(rule.half_life_days) and 0.1 <= rule.half_life_days <= MAX_DAYS):
        found.append("make the half-life at least 0.1 days, or leave it empty.")
    if rule.cap_points is None:
        found.append("a half-life needs a cap on points: say at most how many.")
    if rule.cap_count is not None:
        found.append("with a half-life cap the points, not the number of matches.")
    if rule.steps:
        found.append("fade either by steps or by a half-life, not both.")
    if rule.min_count is not None:
        found.append("with a half-life each match counts: leave “at least so many” empty.")
    return found


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


def threshold_problems(version):
    """What is wrong with the thresholds and the scale of a version, or of anything that has them; a sentence each."""
    found = [f"Scale, {problem}" for problem in ratings.problems(version.scale)]
    if version.ready_fit < version.mql_fit:
        found.append("Sales-ready needs at least the fit of an MQL: raise its fit, or lower that of an MQL.")
    for name, label in (("mql_fit", "MQL from this fit"), ("ready_fit", "Sales-ready from this fit")):
        if not (_is_number(getattr(version, name)) and 0 <= getattr(version, name) <= MAX_POINTS):
            found.append(f"{label}: from 0 to {MAX_POINTS:,}.")
    if not (_is_number(version.ready_engagement) and 0.01 <= version.ready_engagement <= MAX_POINTS):
        found.append(
            f"Sales-ready from this engagement: from 0.01 to {MAX_POINTS:,}, as fit alone never passes."
        )
    return found


def problems_together(version, rules):
    """What is wrong with the rules of a version taken together, and with its caps; a sentence each."""
    found = []
    for group in version.groups.all():
        parts = {rule.kind == Kind.FIT for rule in rules if rule.group_id == group.pk}
        if len(parts) > 1:
            found.append(f"Group “{group}” holds fit and engagement rules: make a group for each.")
        if group.cap_points is not None and not _is_cap(group.cap_points):
            found.append(f"Group “{group}”: cap the points at 0.01 or more, or leave the cap empty.")
    for profile in version.profiles.all():
        if not any(rule.profile_id == profile.pk for rule in rules):
            found.append(f"Profile “{profile}” has no rules: give it one, or remove it.")
    for part in ("fit", "engagement"):
        cap = getattr(version, f"cap_{part}")
        if cap is not None and not _is_cap(cap):
            found.append(f"Cap {part} at 0.01 or more, or leave the cap empty.")
    return found + _applies_problems(version.model)


def _applies_problems(model):
    if not model.applies_to:
        return []
    if model.routes:
        return [f"{model} decides what passes to sales and must judge everybody: clear “applies to”."]
    fault = _fault(model.applies_to, LEAD)
    return [f"Applies to, {fault}"] if fault else []


def warnings_of(rule):
    """What may go wrong with one rule although it can be published; a sentence each."""
    if KINDS[rule.kind][0] != TOUCHPOINT or _fault(rule.condition, TOUCHPOINT) or not takes_opens(rule):
        return []
    return [
        "Opens are often made by machines that check mail before anybody reads it; clicks and visits say more."
    ]


def unreachable(version, rules=None):
    """Thresholds of fit and engagement that no lead can reach by the rules (default: the version's), a sentence each."""
    rules = list(version.rules.all()) if rules is None else rules
    scale = version.scale
    found = []
    for part, bands, wanted in (
        ("fit", scale.fit_bands, [version.mql_fit, version.ready_fit]),
        ("engagement", scale.engagement_bands, [version.ready_engagement]),
    ):
        most = _most(version, rules, part)
        minima = {minimum for _label, minimum in bands[:-1]} | set(wanted)
        found += [
            f"No lead can reach {part} {minimum:g}: the rules add up to at most {most:g}."
            for minimum in sorted(minima)
            if minimum > most + 0.005
        ]
    return found


def _most(version, rules, part):
    """The points that the rules of a part can add up to, caps and the choice of one profile included."""
    rules = [
        rule
        for rule in rules
        if "points" in KINDS[rule.kind][1] and (rule.kind == Kind.FIT) == (part == "fit")
    ]
    caps = {group.pk: group.cap_points for group in version.groups.all()}
    by_profile = {}
    for profile_id, group_id in {(rule.profile_id, rule.group_id) for rule in rules}:
        together = sum(
            _most_of(rule) for rule in rules if (rule.profile_id, rule.group_id) == (profile_id, group_id)
        )
        cap = caps.get(group_id)
        together = together if cap is None else min(together, cap)
        by_profile[profile_id] = by_profile.get(profile_id, 0) + together
    most = by_profile.pop(None, 0) + max(by_profile.values(), default=0)
    cap = getattr(version, f"cap_{part}")
    return round(most if cap is None else min(most, cap), 2)


def _most_of(rule):
    if rule.points <= 0:
        return 0
    if rule.kind != Kind.ACTIVITY:
        return rule.points
    times = 1 if rule.min_count else rule.cap_count or math.inf
    share = 1 if rule.half_life_days else shares(rule)[0][1]
    most = rule.points * share * times if share else 0
    return most if rule.cap_points is None else min(most, rule.cap_points)


def _is_cap(value):
    return _is_number(value) and 0.01 <= value <= MAX_POINTS


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
