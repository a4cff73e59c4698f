"""A second, deliberately plain evaluator of rules, to hold the engine against. Never imported by the product.

One lead at a time, datetimes and floats, no SQL, no arrays, no cleverness: read it beside the rules.
"""

import math
from datetime import timedelta


def days(n):
    return timedelta(days=n)


def evaluate(rules, version, scale, person, log, at):
    """What `rules` make of a person at `at`.

    person  {"created_at", "fields": {...}, "company": {...} or None, "reachable"}
    log     [(occurred_at, kind, asset, engagement)]
    Returns {"lines": {rule: points}, "fit", "engagement", "rating", "verdict"}.
    """
    log = sorted(entry for entry in log if entry[0] <= at)
    restarts = [when for when, kind, _, engagement in log if kind == "engagement_since" and not engagement]
    since = restarts[-1] if restarts else None
    log = [
        (when, kind, asset)
        for when, kind, asset, engagement in log
        if engagement and (not since or when > since)
    ]
    lines, excluded, raised = {}, False, False
    for rule in rules:
        if rule.kind == "fit":
            lines[rule] = rule.points if holds(rule.condition, person) else 0
        elif rule.kind == "exclude":
            excluded = excluded or holds(rule.condition, person)
        elif rule.kind == "activity":
            lines[rule] = activity_points(
                rule, [when for when, *what in log if matches(rule.condition, *what)], at
            )
        elif rule.kind == "hand_raise":
            raised = raised or any(matches(rule.condition, *what) for when, *what in log)
        elif rule.kind == "inactivity":
            quiet_since = log[-1][0] if log else max(person["created_at"], since or person["created_at"])
            lines[rule] = rule.points if at - quiet_since >= days(rule.days) else 0
        elif rule.kind == "age":
            lines[rule] = rule.points if at - person["created_at"] >= days(rule.days) else 0
    lines = {rule: math.floor(points * 100 + 0.5) / 100 for rule, points in lines.items()}
    fit = round(sum(points for rule, points in lines.items() if rule.kind == "fit"), 2)
    engagement = round(sum(points for rule, points in lines.items() if rule.kind != "fit"), 2)
    worst = scale.ratings[-1][0]
    return {
        "lines": lines,
        "fit": fit,
        "engagement": engagement,
        "rating": worst if excluded else rate(scale, fit, engagement),
        "verdict": verdict(version, fit, engagement, person["reachable"], raised, excluded),
    }


def activity_points(rule, moments, at):
    counted = sorted(moments, reverse=True)
    if rule.cap_count is not None:
        counted = counted[: rule.cap_count]
    points = sum(rule.points * share(rule, at - when) for when in counted)
    if rule.cap_points is not None:
        points = max(-rule.cap_points, min(rule.cap_points, points))
    return points


def share(rule, age):
    if rule.window_days is not None and age >= days(rule.window_days):
        return 0.0
    if not rule.steps:
        return 1.0
    for upto, part in rule.steps:
        if age < days(upto):
            return part
    return 0.0


def rate(scale, fit, engagement):
    return scale.cells[f"{band(scale.fit_bands, fit)}/{band(scale.engagement_bands, engagement)}"]


def band(bands, points):
    for label, minimum in bands[:-1]:
        if points >= minimum:
            return label
    return bands[-1][0]


def verdict(version, fit, engagement, reachable, raised, excluded):
    if excluded:
        return "excluded"
    if raised:
        return "hand_raise"
    if reachable and fit >= version.mql_fit:
        if fit >= version.ready_fit and engagement >= version.ready_engagement:
            return "sales_ready"
        return "mql"
    return "none"


def holds(tree, person):
    if not tree:
        return True
    if "all" in tree:
        return all(holds(part, person) for part in tree["all"])
    if "any" in tree:
        return any(holds(part, person) for part in tree["any"])
    if "none" in tree:
        return not any(holds(part, person) for part in tree["none"])
    company = person["company"] or {}
    if tree["is"] == "lead_field":
        value = person["fields"].get(tree["field"])
    elif tree["field"] == "size":
        value = (
            company.get("size") if company.get("size") is not None else person["fields"].get("company_size")
        )
    elif tree["field"] in ("industry", "country"):
        value = company.get(tree["field"]) or person["fields"].get(tree["field"])
    else:
        value = company.get(tree["field"])
    return compare(value, tree["op"], tree.get("value"))


def compare(value, op, wanted):
    if op == "known":
        return value not in (None, "")
    if op == "unknown":
        return value in (None, "")
    if value in (None, ""):
        return False
    if op == "at_least":
        return value >= wanted
    if op == "at_most":
        return value <= wanted
    if op == "one_of":
        return str(value).lower() in [item.lower() for item in wanted]
    if op == "contains":
        return wanted.lower() in value.lower()
    return value == wanted if isinstance(value, int) else value.lower() == wanted.lower()


def matches(tree, kind, asset):
    if not tree:
        return True
    if "all" in tree:
        return all(matches(part, kind, asset) for part in tree["all"])
    if "any" in tree:
        return any(matches(part, kind, asset) for part in tree["any"])
    if "none" in tree:
        return not any(matches(part, kind, asset) for part in tree["none"])
    return kind == tree["kind"] and asset.startswith(tree.get("asset") or "")
