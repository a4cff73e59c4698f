"""What differs between two versions, in sentences that a marketer or a sales manager can object to."""

import json
from typing import NamedTuple

from scoring.rule_words import in_order, shares_in_words, when_in_words, who_in_words, whole_in_words
from scoring.words import amount, points


class Change(NamedTuple):
    part: str  # Thresholds, Scale, Profiles, Groups or Rules
    kind: str  # added, removed or changed
    words: str


def changes(old, new):
    """Every Change that leads from version `old` to version `new`; an empty list where they judge alike."""
    return [
        *_thresholds(old, new),
        *_scale(old.scale, new.scale),
        *_named(
            "Profiles",
            "profile",
            old.profiles.all(),
            new.profiles.all(),
            {"description": _or("no description")},
        ),
        *_named(
            "Groups",
            "group",
            old.groups.all(),
            new.groups.all(),
            {"cap_points": _cap("at most {} together", of=["point"])},
        ),
        *_rules(old, new),
    ]


# --- How a value reads -----------------------------------------------------------------------------


def _or(nothing):
    return lambda value: f"“{value}”" if value else nothing


def _cap(words, nothing="no limit", of=()):
    """`of`: what the number in the words counts, one and where irregular many."""
    return lambda value: nothing if value is None else words.format(amount(value, *of) if of else value)


def _steps(steps):
    if not steps:
        return "no fading in steps"
    return f"fading: {shares_in_words(steps)}"


THRESHOLDS = {
    "mql_fit": ("MQL", _cap("from a fit of {:g}")),
    "ready_fit": ("Sales-ready", _cap("from a fit of {:g}")),
    "ready_engagement": ("Sales-ready", _cap("from an engagement of {:g}")),
    "cap_fit": ("Fit in all", _cap("at most {:g}")),
    "cap_engagement": ("Engagement in all", _cap("at most {:g}")),
}
# part of a rule → how its value reads
RULE_PARTS = {
    "points": lambda value: f"{points(value)} point{'' if abs(value) == 1 else 's'}",
    "days": _cap("after {}", "no days", of=["day"]),
    "profile": lambda profile: f"in the profile “{profile}”" if profile else "in no profile",
    "group": lambda group: f"in the group “{group}”" if group else "in no group",
    "min_count": _cap("once, from {} on", "no least number of matches", of=["match", "matches"]),
    "cap_count": _cap("only the last {}", "all matches count", of=["match", "matches"]),
    "cap_points": _cap("at most {}", "no limit of points", of=["point"]),
    "window_days": _cap("within {}", "however long ago", of=["day"]),
    "half_life_days": _cap("worth half after {}", "no half-life", of=["day"]),
    "steps": _steps,
}


def _instead(after, before):
    return f"{after} (was: {before})"


# --- The parts -------------------------------------------------------------------------------------


def _thresholds(old, new):
    for name, (what, read) in THRESHOLDS.items():
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change("Thresholds", "changed", f"{what}: {_instead(read(after), read(before))}.")


def _scale(old, new):
    for name, what, read in (
        ("ratings", "Rating", _rating),
        ("fit_bands", "Fit band", _minimum),
        ("engagement_bands", "Engagement band", _minimum),
    ):
        before, after = ({row[0]: row[1:] for row in getattr(scale, name)} for scale in (old, new))
        yield from _labels(what, before, after, read)
    for fit, _ in new.fit_bands:
        for engagement, _ in new.engagement_bands:
            before, after = (scale.cells.get(f"{fit}/{engagement}") for scale in (old, new))
            told, kind = (_instead(after, before), "changed") if before else (after, "added")
            if after != before:
                yield Change("Scale", kind, f"Fit {fit} with engagement {engagement} is rated {told}.")


def _labels(what, before, after, read):
    for label in before:
        if label not in after:
            yield Change("Scale", "removed", f"{what} {label} is gone.")
    for label, told in after.items():
        if label not in before:
            yield Change("Scale", "added", f"{what} {label} is new: {read(told)}.")
        elif told != before[label]:
            yield Change("Scale", "changed", f"{what} {label}: {_instead(read(told), read(before[label]))}.")
    if [label for label in before if label in after] != [label for label in after if label in before]:
        yield Change(
            "Scale", "changed", f"{what}s, best first: {_instead(', '.join(after), ', '.join(before))}."
        )


def _rating(told):
    return f"“{told[0]}”" + (f", {amount(told[1], 'minute')} a lead" if len(told) > 1 and told[1] else "")


def _minimum(told):
    return f"from {amount(told[0] or 0, 'point')}"


def _named(part, what, old, new, fields):
    before, after = ({row.name: row for row in rows} for rows in (old, new))
    for name in before.keys() - after.keys():
        yield Change(part, "removed", f"The {what} “{name}” is gone.")
    for name, row in after.items():
        told = ", ".join(
            read(getattr(row, field)) if name not in before else _instead(read(getattr(row, field)), read(getattr(before[name], field)))
            for field, read in fields.items()
            if name not in before or getattr(row, field) != getattr(before[name], field)
        )  # fmt: skip
        if name not in before:
            yield Change(part, "added", f"New {what} “{name}”: {told}.")
        elif told:
            yield Change(part, "changed", f"The {what} “{name}”: {told}.")


def _rules(old, new):
    before, after = (in_order(v.rules.select_related("profile", "group")) for v in (old, new))
    pairs, gone, added = _paired(before, after)
    for rule in gone:
        yield Change(
            "Rules",
            "removed",
            f"“{rule.name}” is gone: it gave {whole_in_words(rule)}.",
        )
    for rule in added:
        yield Change("Rules", "added", f"“{rule.name}” is new: {whole_in_words(rule)}.")
    for was, rule in pairs:
        if told := list(_differences(was, rule)):
            yield Change("Rules", "changed", f"“{was.name}”: {'; '.join(told)}.")


def _paired(before, after):
    """(pairs, only before, only after): by kind and name first, then by kind and condition, so a new name is seen."""
    pairs = []
    for key in (
        lambda rule: (rule.kind, rule.name),
        lambda rule: (rule.kind, json.dumps([rule.condition, rule.days], sort_keys=True)),
    ):
        waiting = {}
        for rule in before:
            waiting.setdefault(key(rule), []).append(rule)
        left = []
        for rule in after:
            same = waiting.get(key(rule))
            pairs.append((same.pop(0), rule)) if same else left.append(rule)
        paired = {was.pk for was, _ in pairs}
        before, after = [rule for rule in before if rule.pk not in paired], left
    return pairs, before, after


def _differences(was, rule):
    if was.name != rule.name:
        yield f"is called “{rule.name}” now"
    if was.condition != rule.condition:
        yield "when " + _instead(*(when_in_words(row, whom="the lead") for row in (rule, was)))
    if was.who != rule.who:
        yield _instead(*(who_in_words(row) or "for everybody" for row in (rule, was)))
    for field, read in RULE_PARTS.items():
        before, after = (getattr(row, field) for row in (was, rule))
        if field in ("profile", "group"):  # of two versions, so never the same row
            before, after = (link and link.name for link in (before, after))
        if (before or None) != (after or None):
            yield _instead(read(after), read(before))
