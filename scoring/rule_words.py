"""A rule as a marketer reads it: when it holds, as a sentence, and what it is worth, in words."""

from leads.criteria import LEAD, BadCondition
from leads.criteria.tree import sentence
from scoring.rule_form import RULE_CRITERIA, SCOPES
from scoring.rules import KINDS


def in_order(rules):
    """By kind, in the order in which a marketer thinks of them, then as they were placed."""
    kinds = list(KINDS)
    return sorted(rules, key=lambda rule: (kinds.index(rule.kind), rule.position, rule.pk))


def rule_line(rule):
    """A rule as the version page reads it: its condition as a sentence, its arithmetic in words."""
    return {
        "rule": rule,
        "when": when_in_words(rule),
        "who": who_in_words(rule),
        "worth": worth_in_words(rule),
    }


def when_in_words(rule):
    if SCOPES[rule.kind] is None:
        nothing = "nothing happened for" if rule.kind == "inactivity" else "known for more than"
        return f"{nothing} {rule.days} days"
    try:
        return sentence(rule.condition or {}, criteria=RULE_CRITERIA, scope=SCOPES[rule.kind])
    except BadCondition as bad:
        return f"cannot be read: {bad}"


def who_in_words(rule):
    """Which leads a rule is narrowed to; empty where it is for all."""
    if not rule.who:
        return ""
    try:
        return f"only for: {sentence(rule.who, criteria=RULE_CRITERIA, scope=LEAD)}"
    except BadCondition as bad:
        return f"cannot be read: {bad}"


def worth_in_words(rule):
    if rule.kind == "exclude":
        return "disqualifies"
    if rule.kind in ("hand_raise", "bite"):
        return "sales-ready at once"
    words = f"{rule.points:+g}"
    if rule.kind != "activity":
        return words
    limits = [
        f"the last {rule.cap_count}" if rule.cap_count else "",
        f"at most {rule.cap_points:g} points" if rule.cap_points else "",
        f"within {rule.window_days} days" if rule.window_days else "",
        "fading" if rule.steps else "",
        f"worth half after {rule.half_life_days:g} days" if rule.half_life_days else "",
    ]
    often = f"once, from {rule.min_count} matches on" if rule.min_count else "each"
    return ", ".join([f"{words} {often}", *filter(None, limits)])
