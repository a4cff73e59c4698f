"""A rule as a marketer reads it: when it holds, as a sentence, and what it is worth, in words."""

from leads.criteria import LEAD, BadCondition
from leads.criteria.tree import EVERYBODY, sentence
from scoring.rule_form import RULE_CRITERIA, SCOPES
from scoring.rules import KINDS
from scoring.words import amount, points


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


def whole_in_words(rule):
    """What it gives and when, without a full stop: "+10 when job title contains “VP”", "+5 for everybody"."""
    worth, when, who = worth_in_words(rule), when_in_words(rule, whom="the lead"), who_in_words(rule)
    pause = "," if ", " in worth else ""
    joint = "for" if when in EVERYBODY.values() else "when"
    return f"{worth}{pause} {joint} {when}" + (f", {who}" if who else "")


def when_in_words(rule, whom=""):
    """When it holds; `whom` as for `sentence`."""
    if SCOPES[rule.kind] is None:
        known = f"{whom} has been known" if whom else "known"
        since = "nothing happened for" if rule.kind == "inactivity" else f"{known} for more than"
        return f"{since} {amount(rule.days, 'day')}"
    try:
        return sentence(rule.condition or {}, criteria=RULE_CRITERIA, scope=SCOPES[rule.kind], whom=whom)
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
    words = points(rule.points)
    if rule.kind != "activity":
        return words
    limits = [
        f"the last {'one' if rule.cap_count == 1 else rule.cap_count}" if rule.cap_count else "",
        f"at most {amount(rule.cap_points, 'point')}" if rule.cap_points else "",
        f"within {amount(rule.window_days, 'day')}" if rule.window_days else "",
        f"fading ({shares_in_words(rule.steps)}, then nothing)" if rule.steps else "",
        f"worth half after {amount(rule.half_life_days, 'day')}" if rule.half_life_days else "",
    ]
    often = f"once, from {amount(rule.min_count, 'match', 'matches')} on" if rule.min_count else "each"
    return ", ".join([f"{words} {often}", *filter(None, limits)])


def shares_in_words(steps):
    """Step decay: "100 % to 7 days, 50 % to 30 days"."""
    return ", ".join(f"{100 * share:.0f} % to {amount(days, 'day')}" for days, share in steps)
