"""The lines of an explanation: what each rule gives and why, and what each cap takes. They add up exactly.

In the order of the arithmetic: a rule's points after fading, the cut by its own cap; then the cuts by the caps of
groups; then that of the total. Of fit rules that belong to profiles only those of the best profile are lines.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
from django.utils.text import capfirst

from leads.companies import FACTS
from leads.content import TITLE
from leads.criteria import LEAD
from leads.criteria.tree import sentence
from leads.kinds import did, named
from leads.rows import fetch
from scoring.engine import facts, prepared
from scoring.engine.activity import points_of
from scoring.engine.rulebook import LEAD_CRITERIA, Condition
from scoring.engine.units import NEVER, instant
from scoring.models import Rule
from scoring.words import amount, figure

EVIDENCE = 3  # the latest so many touchpoints per line

HAPPENED = f"""
SELECT DISTINCT ON (1, 2) a.occurred_at, a.touchpoint_id, a.id, t.kind, t.asset, {TITLE}
FROM leads_activity a JOIN leads_touchpoint t ON t.id = a.touchpoint_id
WHERE a.lead_id = %s AND (a.occurred_at, a.touchpoint_id) IN (SELECT * FROM unnest(%s::timestamptz[], %s::bigint[]))
ORDER BY 1, 2, a.id DESC
"""  # noqa: S608 constants

# NULL for what was never changed. $3: when the values were known.
SINCE = """(
  SELECT h.occurred_at FROM leads_fieldchange h
  WHERE h.{owner}_id = {owner[0]}.id AND h.field = %s AND h.applied AND h.recorded_at <= coalesce($3, 'infinity')
  ORDER BY h.recorded_at DESC, h.id DESC LIMIT 1)"""


class Known(NamedTuple):
    """The value of a field, and since when it holds; None where nobody ever changed it."""

    value: Any
    since: datetime | None

    @property
    def is_empty(self):
        return self.value in (None, "")


@dataclass
class Evidence:
    what: str
    at: datetime | None = None
    activity_id: int | None = None
    asset: str = ""  # the path or slug, where `what` says its title


@dataclass
class Line:
    """`points` now; for activity: `count` matches of `raw` points together, times `factor` by their age."""

    part: str  # "fit" or "engagement"
    rule: str
    kind: str  # of the rule, or "cap"
    points: float
    evidence: list[Evidence] = field(default_factory=list)
    count: int | None = None
    raw: float | None = None
    factor: float | None = None
    needed: int | None = None  # so many matches, for the points to be given once
    half_life_days: float | None = None
    group: str = ""
    profile: str = ""
    who: str = ""  # whom the rule is for, where not for everybody


@dataclass
class Match:
    """How well the lead matches a profile: `points` of at most `of`. Only the best one counts."""

    profile: str
    points: float
    of: float
    is_best: bool


def lines_of(book, judged, values):
    """All lines of the one lead in `judged`; `values` are those of `field_values`."""
    scores = judged.scores[0]
    return [
        *_fit_lines(book, scores, values),
        *_group_lines(book, "fit", book.fit_slots, scores.fit_total),
        *_total_line("Fit", scores.fit_total),
        *_activity_lines(book, judged),
        *_time_lines(book, judged.leads, scores),
        *_group_lines(book, "engagement", book.engagement_slots, scores.engagement_total),
        *_total_line("Engagement", scores.engagement_total),
    ]


def _fit_lines(book, scores, values):
    best = scores.fit_total.best
    best = None if best is None else book.profiles[best[0]].pk
    return [
        Line(
            "fit", rule.name, rule.kind, points / 100, _field_evidence(rule, asked, values), group=_group(book, rule),
            profile=_named(book.profiles, rule.profile_id),
        )
        for rule, asked, points, holds in fit_rules(book, scores)
        if holds and points and rule.profile_id in (None, best)
    ]  # fmt: skip


def fit_rules(book, scores):
    """(rule, fields it asks for, hundredths, whether it holds) of every fit rule."""
    return list(zip(book.lead_rules, book.asks, book.fit_cents.tolist(), scores.holds[0], strict=False))


def _group(book, rule):
    return _named(book.groups, rule.group_id)


def _named(things, pk):
    return next((thing.name for thing in things if thing.pk == pk), "")


def field_of(key, name):
    """The Field of the criteria that (criterion, name) asks for; None where it is gone."""
    return LEAD_CRITERIA[key].field({"field": name})


def _field_evidence(rule, asked, values):
    known = [
        Evidence(f"{field_of(*one).label}: {_said(values[one].value)}", values[one].since)
        for one in asked
        if one in values and not values[one].is_empty
    ]
    return known or [Evidence(sentence(rule.condition or {}, criteria=LEAD_CRITERIA, scope=LEAD))]


def _said(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else value


def field_values(book, lead_id, *, at, known_at=None):
    """{(criterion key, field name): Known} of every field that the rules ask for, as it stood. One query."""
    asked = {one: field_of(*one) for asked in book.asks for one in asked}
    asked = {one: item for one, item in asked.items() if item and item.among == "{}"}
    if not asked:
        return {}
    params = {}
    selected = ", ".join(
        facts.rendered(condition, params, "$2")
        for one, item in asked.items()
        for condition in (
            Condition(item.sql, [*([facts.AT] if item.until else []), *item.bound]),
            _since(*one),
        )
    )
    tables = facts.NOW if known_at is None else facts.THEN
    sql = prepared.with_values(f"SELECT {selected} FROM {tables} WHERE l.id = ANY($1)", params)  # noqa: S608
    rows = prepared.fetch(sql, "bigint[], timestamptz, timestamptz", [[lead_id], at, known_at])
    if not rows:
        return {}
    return {
        one: Known(*rows[0][place : place + 2])
        for one, place in zip(asked, range(0, 2 * len(asked), 2), strict=True)
    }


def _since(criterion, name):
    """When the value of a field began to hold: of the lead, of its company, or of what the person said about it."""
    of_company = criterion == "company_field" or name.startswith("company.")
    field, stated = name.removeprefix("company."), FACTS.get(name) if of_company else None
    own = Condition(SINCE.format(owner="company" if of_company else "lead"), [field])
    if stated is None:
        return own
    known = f"coalesce(c.{field}::text, '') <> ''"
    return Condition(
        f"CASE WHEN {known} THEN {own.sql} ELSE {SINCE.format(owner='lead')} END", [field, stated]
    )


def _activity_lines(book, judged):
    tallies, log = judged.scores[0].tallies, judged.log
    shown = [_shown(book, tallies, number) for number in range(len(tallies.rule))]
    happened = _happened(judged.leads.ids[0], log, np.concatenate(shown) if shown else [])
    lines = []
    for number, which in enumerate(tallies.rule.tolist()):
        rule = book.touch_rules[which]
        count = int(tallies.inside[:, number].max())
        if count:
            faded = _faded(book, tallies, number)
            given = 1 if rule.min_count else count
            if rule.min_count and count < rule.min_count:
                given = 0
            raw = round(rule.points * given, 2)
            line = Line(
                "engagement", rule.name, rule.kind, faded / 100, [happened(m) for m in shown[number][:count]], count,
                raw, faded / 100 / raw if raw else 1.0, rule.min_count, rule.half_life_days, _group(book, rule), who=_who(rule),
            )  # fmt: skip
            lines += [line, *_cap_lines(line, rule, faded, tallies, number)]
    return lines


def _shown(book, tallies, number):
    """The latest matches of a tally, as many as are shown; newest first."""
    start, end = int(tallies.starts[number]), int(tallies.ends[number])
    return tallies.matches[max(start, end - EVIDENCE) : end][::-1]


def _faded(book, tallies, number):
    """Hundredths after fading, before the caps of the rule."""
    which = tallies.rule[number]
    if book.half_life[which] or book.min_count[which]:
        return int(tallies.cents[number])
    return int(points_of(book, which, tallies.inside[:, number]))


def _happened(lead_id, log, shown):
    """A function from a position in the log to its Evidence. One query."""
    times, touchpoints = [instant(log.time[m]) for m in shown], [abs(int(log.touchpoint[m])) for m in shown]
    rows = fetch(HAPPENED, [int(lead_id), times, touchpoints]) if len(shown) else []
    found = {(at, touchpoint): _evidence(at, *what) for at, touchpoint, *what in rows}
    return lambda m: found[instant(log.time[m]), abs(int(log.touchpoint[m]))]


def _evidence(at, activity_id, kind, asset, title):
    return Evidence(capfirst(did(kind, named(kind, asset, title))), at, activity_id, asset if title else "")


def _who(rule):
    return sentence(rule.who, criteria=LEAD_CRITERIA, scope=LEAD) if rule.who else ""


def _cap_lines(line, rule, faded, tallies, number):
    counted, capped = int(tallies.cents[number]), int(tallies.capped[number])
    if counted != faded:
        words = f"{rule.name}: only the {rule.cap_count} most recent count"
        yield Line("engagement", words, "cap", (counted - faded) / 100, group=line.group)
    if capped != counted:
        words = f"{rule.name}: at most {_cap(rule.cap_points, counted)}"
        yield Line("engagement", words, "cap", (capped - counted) / 100, group=line.group)


def _cap(points, before):
    return f"{'' if before > 0 else '−'}{amount(points, 'point')}"


def _time_lines(book, leads, scores):
    lines = []
    for number, rule in enumerate(book.timed_rules):
        points = int(scores.timed[0, number])
        if points:
            quiet = rule.kind == Rule.Kind.INACTIVITY
            since = Evidence(
                "Nothing happened since" if quiet else "Known since",
                instant((scores.quiet_since if quiet else leads.created)[0]),
            )
            group = _group(book, rule)
            lines.append(
                Line("engagement", rule.name, rule.kind, points / 100, [since], group=group, who=_who(rule))
            )
    return lines


def _group_lines(book, part, slots, total):
    if slots is None:
        return
    for slot, group in enumerate(slots.group.tolist()):
        cut = int(total.capped[0, slot] - total.sums[0, slot])
        counts = slots.profile[slot] < 0 or slots.profile[slot] == total.best[0]
        if cut and counts:
            name, cap = book.groups[group].name, slots.cap[slot] / 100
            words = f"{name}: at most {_cap(cap, total.sums[0, slot])} together"
            yield Line(part, words, "cap", cut / 100, group=name)


def _total_line(part, total):
    cut = int(total.total[0] - total.before[0])
    if cut:
        yield Line(part.lower(), f"{part} is at most {figure(total.total[0] / 100)}", "cap", cut / 100)


def matches_of(book, scores):
    """A Match for each profile, in their order; none where the version has no profiles."""
    total, slots = scores.fit_total, book.fit_slots
    if total.best is None:
        return []
    worth = np.maximum(book.fit_cents, 0) @ slots.rules_in
    worth = np.minimum(worth, np.minimum(slots.cap, NEVER))
    return [
        Match(profile.name, int(total.profiles[0, number]) / 100, int(worth[slots.profile == number].sum()) / 100,
              number == int(total.best[0]))
        for number, profile in enumerate(book.profiles)
    ]  # fmt: skip
