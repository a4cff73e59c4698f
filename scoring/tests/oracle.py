"""A second, deliberately plain evaluator of rules, to hold the engine against. Never imported by the product.

One lead at a time, datetimes and floats, no SQL, no arrays, no cleverness: read it beside the rules.
"""

import math
import re
from datetime import timedelta


def days(n):
    return timedelta(days=n)


def evaluate(rules, version, scale, person, log, at):
    """What `rules` make of a person at `at`.

    person   {"created_at", "fields": {...}, "timeline_until", "company": {...} or None, "reachable"}
    log      [(occurred_at, kind, asset, engagement)]
    version  thresholds and caps, with lists `given_groups` and `given_profiles`
    Returns {"lines": {rule: points}, "parts": what a reader sees of engagement, "best": name of the best profile,
    "fit", "engagement", "rating", "verdict"}.
    """
    log = sorted(entry for entry in log if entry[0] <= at)
    restarts = [when for when, kind, _, engagement in log if kind == "engagement_since" and not engagement]
    since = restarts[-1] if restarts else None
    if since:
        log = [entry for entry in log if entry[0] > since]
    opens = [entry[:3] for entry in log if not entry[3] and entry[1] == "mail_open"]
    log = [entry[:3] for entry in log if entry[3]]
    lines, excluded, raised, bitten = {}, False, False, False
    for rule in rules:
        meant = holds(rule.who, person, at)
        if rule.kind == "fit":
            lines[rule] = rule.points if holds(rule.condition, person, at) else 0
        elif rule.kind == "exclude":
            excluded = excluded or holds(rule.condition, person, at)
        elif rule.kind == "activity":
            seen = log + opens if "mail_open" in str(rule.condition) else log
            moments = [when for when, *what in seen if meant and matches(rule.condition, *what)]
            lines[rule] = activity_points(rule, moments, at)
        elif rule.kind == "hand_raise":
            raised = raised or (meant and any(matches(rule.condition, *what) for when, *what in log))
        elif rule.kind == "bite":
            bitten = bitten or (meant and any(matches(rule.condition, *what) for when, *what in log))
        elif rule.kind == "inactivity":
            quiet_since = log[-1][0] if log else max(person["created_at"], since or person["created_at"])
            lines[rule] = rule.points if meant and at - quiet_since >= days(rule.days) else 0
        elif rule.kind == "age":
            lines[rule] = rule.points if meant and at - person["created_at"] >= days(rule.days) else 0
    lines = {rule: math.floor(points * 100 + 0.5) / 100 for rule, points in lines.items()}
    fit, best = total_fit({rule: points for rule, points in lines.items() if rule.kind == "fit"}, version)
    parts = by_group({rule: points for rule, points in lines.items() if rule.kind != "fit"}, version)
    engagement = round(sum(parts.values()), 2)
    if version.cap_engagement is not None and engagement >= version.cap_engagement:
        engagement = version.cap_engagement
        parts = {"total": engagement}
    worst = scale.ratings[-1][0]
    return {
        "lines": lines,
        "parts": parts,
        "best": best,
        "fit": fit,
        "engagement": engagement,
        "rating": worst if excluded else rate(scale, fit, engagement),
        "verdict": verdict(version, fit, engagement, person["reachable"], raised, bitten, excluded),
    }


def by_group(lines, version):
    """{rule or name of its group: points}, groups clipped to their cap."""
    parts, names = {}, {group.pk: group for group in version.given_groups}
    for rule, points in lines.items():
        part = f"group {names[rule.group_id].name}" if rule.group_id else rule
        parts[part] = round(parts.get(part, 0) + points, 2)
    for group in version.given_groups:
        part = f"group {group.name}"
        if part in parts and group.cap_points is not None:
            parts[part] = max(-group.cap_points, min(group.cap_points, parts[part]))
    return parts


def total_fit(lines, version):
    """(fit, name of the best profile). Within each profile, and outside all of them, groups are clipped."""

    def of(profile_id):
        chosen = {rule: points for rule, points in lines.items() if rule.profile_id == profile_id}
        return sum(by_group(chosen, version).values())

    fit, best = of(None), None
    if version.given_profiles:
        best = max(version.given_profiles, key=lambda profile: round(of(profile.pk), 2))
        fit += of(best.pk)
    fit = round(fit, 2)
    return (fit if version.cap_fit is None else min(fit, version.cap_fit)), best and best.name


def activity_points(rule, moments, at):
    moments = sorted(moments, reverse=True)
    if rule.half_life_days:
        young = [
            at - when for when in moments if rule.window_days is None or at - when < days(rule.window_days)
        ]
        points = sum(rule.points * 2 ** (-(age / days(rule.half_life_days))) for age in young)
    elif rule.min_count:
        # Its points once, with the share of the match that completes the number: the N-th most recent.
        enough = len(moments) >= rule.min_count
        points = rule.points * share(rule, at - moments[rule.min_count - 1]) if enough else 0
    else:
        counted = moments if rule.cap_count is None else moments[: rule.cap_count]
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


def verdict(version, fit, engagement, reachable, raised, bitten, excluded):
    if excluded:
        return "excluded"
    if raised:
        return "hand_raise"
    if bitten:
        return "bite"
    if reachable and fit >= version.mql_fit:
        if fit >= version.ready_fit and engagement >= version.ready_engagement:
            return "sales_ready"
        return "mql"
    return "none"


def holds(tree, person, at):
    if not tree:
        return True
    if "all" in tree:
        return all(holds(part, person, at) for part in tree["all"])
    if "any" in tree:
        return any(holds(part, person, at) for part in tree["any"])
    if "none" in tree:
        return not any(holds(part, person, at) for part in tree["none"])
    company = person["company"] or {}
    if tree["is"] == "lead_field":
        value = person["fields"].get(tree["field"])
        if tree["field"] == "timeline" and person["timeline_until"] and person["timeline_until"] <= at:
            value = None
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
    if op == "has_word":
        return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", value, re.I) for word in wanted)
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
