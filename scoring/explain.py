"""Why a score is what it is: line by line, from the same facts and the same arithmetic that made it.

The lines of a part add up to it exactly: a rule's points after fading are one line, each cap that cuts them another.
Any past instant can be asked for: then the log is what was known at it, fields of the lead and its company have the
values that stood then, and the version is the one then in force.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from leads.criteria import LEAD
from leads.criteria.fields import FIELDS
from leads.criteria.touchpoint import KIND_LABELS
from leads.criteria.tree import sentence
from leads.rows import fetch
from scoring import words
from scoring.engine import arithmetic, facts, prepared
from scoring.engine.activity import points_of
from scoring.engine.judge import judge
from scoring.engine.rulebook import LEAD_CRITERIA, Live, rulebook
from scoring.engine.touchpoints import matching
from scoring.engine.units import NEVER, instant, micros
from scoring.models import Rule

Kind = Rule.Kind
EVIDENCE = 3  # the latest so many touchpoints per line
OUTLOOK_STEPS, OUTLOOK_DAYS = 200, 400
JUST_NOW = timedelta(seconds=5)  # a page's own `at` needs no replay


IN_FORCE = """
SELECT v.id, m.name, v.number
FROM scoring_scoringmodel m JOIN scoring_modelversion v ON v.id = coalesce(
  (SELECT version_id FROM scoring_publication WHERE model_id = m.id AND at <= %(at)s ORDER BY at DESC, id DESC LIMIT 1),
  (SELECT version_id FROM scoring_publication WHERE model_id = m.id ORDER BY at, id LIMIT 1), m.current_version_id)
WHERE CASE WHEN %(model)s::bigint IS NULL THEN m.routes ELSE m.id = %(model)s END
"""


@dataclass
class Evidence:
    what: str
    at: datetime | None = None


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


@dataclass
class Unknown:
    """A field nobody has filled: the best rule that asks about it is worth this much."""

    field: str
    label: str
    worth: float


@dataclass
class Step:
    """What a better rating takes. The points are what is missing."""

    rating: str
    action: str
    fit: float
    engagement: float


@dataclass
class Forecast:
    """Without new activity, what becomes of the lead at an instant."""

    at: datetime
    rating: str
    verdict: str
    total: float


@dataclass
class Explanation:
    lead_id: int
    model: str
    version: str
    at: datetime
    fit: float
    engagement: float
    total: float
    rating: str
    action: str
    verdict: str
    lines: list[Line]
    unknown: list[Unknown]
    next_rating: Step | None
    not_passed: list[str]  # why it has not been passed to sales; empty when it has
    outlook: list[Forecast]
    hand_raised_at: datetime | None
    next_change_at: datetime | None

    def as_text(self):
        """The whole explanation as plain text, to be copied into a mail or a ticket."""
        return words.as_text(self)

    @property
    def outlook_words(self):
        """Like "Without new activity: C in 14 days", or an empty text."""
        return words.outlook(self)

    @property
    def next_rating_words(self):
        return words.next_rating(self)


def explain(*, lead, at=None, model=None):
    """The Explanation of `lead` at `at` (default: now) by `model` (default: the one that routes).

    None where there is nothing to explain: a test lead, no published model, or a lead that did not exist yet.
    """
    now = timezone.now()
    then = at if at is not None and at < now - JUST_NOW else None
    at = at or now
    version = version_in_force(model, at)
    if version is None:
        return None
    version_id, model_name, number = version
    book = rulebook(Live(version_id, 0, False, True, None))
    judged = judge([lead.pk], [book], at=at, known_at=then)
    leads, log = judged.leads, judged.log
    if not len(leads.ids) or leads.created[0] > micros(at) or not judged.scores[0].applies[0]:
        return None
    scores = judged.scores[0]
    fit, engagement = int(scores.fit[0]), int(scores.engagement[0])
    label = int(scores.rating[0])
    values = _field_values(book, lead.pk, then, at)
    verdict = arithmetic.VERDICTS[scores.verdict[0]]
    return Explanation(
        lead_id=lead.pk,
        model=model_name,
        version=f"{model_name} v{number}",
        at=at,
        fit=fit / 100,
        engagement=engagement / 100,
        total=(fit + engagement) / 100,
        rating=book.table.labels[label],
        action=book.table.actions[label],
        verdict=str(verdict),
        lines=[
            *_fit_lines(book, scores, values),
            *_activity_lines(book, log, scores),
            *_time_lines(book, leads, scores, at),
        ],
        unknown=_unknown(book, scores, values),
        next_rating=_next_rating(book, fit, engagement, verdict),
        not_passed=_not_passed(book, scores, leads, verdict),
        outlook=_outlook(book, judged, at, then),
        hand_raised_at=instant(scores.hand_raised[0]) if scores.hand_raised[0] > -NEVER else None,
        next_change_at=instant(scores.next_change[0]),
    )


def version_in_force(model, at):
    """(version id, model name, version number) whose scores readers saw at `at`; None without any.

    Before the first publication it is the first one published.
    """
    rows = fetch(IN_FORCE, {"model": model and model.pk, "at": at})
    return rows[0] if rows else None


def _fit_lines(book, scores, values):
    return [
        Line("fit", rule.name, rule.kind, points / 100, _field_evidence(rule, asked, values))
        for rule, asked, points, holds in _fit_rules(book, scores)
        if holds and points
    ]


def _fit_rules(book, scores):
    """(rule, fields it asks for, hundredths, whether it holds) of every fit rule."""
    return list(zip(book.lead_rules, book.asks, book.fit_cents.tolist(), scores.holds[0], strict=False))


def _field(key, name):
    return FIELDS[key.removesuffix("_field")][name]


def _field_evidence(rule, asked, values):
    known = [Evidence(f"{_field(*one).label}: {values[one]}") for one in asked if values.get(one)]
    return known or [Evidence(sentence(rule.condition or {}, criteria=LEAD_CRITERIA, scope=LEAD))]


def _field_values(book, lead_id, then, at):
    """{(criterion key, field name): value} of every field that the rules ask for, as it stood. One query."""
    asked = list(dict.fromkeys(one for asked in book.asks for one in asked))
    asked = [one for one in asked if _field(*one).among == "{}"]
    if not asked:
        return {}
    # Each field's SQL comes from the criteria's own table; an instant it needs is bound by name.
    selected = ", ".join(_field(*one).sql.replace("%s", "$2") for one in asked)
    sql = f"SELECT {selected} FROM {facts.NOW if then is None else facts.THEN} WHERE l.id = ANY($1)"  # noqa: S608
    rows = prepared.fetch(sql, "bigint[], timestamptz, timestamptz", [[lead_id], at, then])
    return dict(zip(asked, rows[0], strict=True)) if rows else {}


def _activity_lines(book, log, scores):
    groups = scores.tallies
    shown = [groups.matches[end - min(EVIDENCE, end - start) : end][::-1] for start, end in _spans(groups)]
    names = _touchpoint_words(log.touchpoint[np.concatenate(shown)].tolist() if shown else [])
    lines = []
    for g, number in enumerate(groups.rule.tolist()):
        rule = book.touch_rules[number]
        faded = int(points_of(book, groups.rule[g], groups.inside[:, g]))
        count = int(groups.inside[:, g].max())
        if count:
            raw = round(rule.points * count, 2)
            evidence = [
                Evidence(names[int(log.touchpoint[m])], instant(log.time[m])) for m in shown[g][:count]
            ]
            lines.append(
                Line("engagement", rule.name, rule.kind, faded / 100, evidence, count, raw, faded / 100 / raw)
            )
            lines += _cap_lines(rule, faded, int(groups.cents[g]), int(groups.capped[g]))
    return lines


def _cap_lines(rule, faded, counted, capped):
    if counted != faded:
        yield Line(
            "engagement",
            f"{rule.name}: only the {rule.cap_count} most recent count",
            "cap",
            (counted - faded) / 100,
        )
    if capped != counted:
        yield Line(
            "engagement", f"{rule.name}: at most {rule.cap_points:g} points", "cap", (capped - counted) / 100
        )


def _spans(groups):
    return list(zip(groups.starts.tolist(), groups.ends.tolist(), strict=True))


def _touchpoint_words(ids):
    rows = (
        fetch("SELECT id, kind, asset FROM leads_touchpoint WHERE id = ANY(%s)", [list(set(ids))])
        if ids
        else []
    )
    return {pk: f"{KIND_LABELS.get(kind, kind)} {asset}".strip() for pk, kind, asset in rows}


def _time_lines(book, leads, scores, at):
    starts = {Kind.INACTIVITY: int(scores.quiet_since[0]), Kind.AGE: int(leads.created[0])}
    lines = []
    for rule, (points, after) in zip(
        book.timed_rules, zip(book.timed_cents.tolist(), book.timed_after.tolist(), strict=True), strict=True
    ):
        start = starts[rule.kind]
        if points and micros(at) - start >= after:
            what = "Nothing happened since" if rule.kind == Kind.INACTIVITY else "Known since"
            lines.append(
                Line("engagement", rule.name, rule.kind, points / 100, [Evidence(what, instant(start))])
            )
    return lines


def _unknown(book, scores, values):
    """The empty fields that keep rules from adding points."""
    worth = {}
    for _rule, asked, points, holds in _fit_rules(book, scores):
        if points > 0 and not holds:
            for one in asked:
                if one in values and values[one] in (None, ""):
                    worth[one] = max(worth.get(one, 0), points)
    found = [Unknown(one[1], _field(*one).label, points / 100) for one, points in worth.items()]
    return sorted(found, key=lambda unknown: -unknown.worth)


def _next_rating(book, fit, engagement, verdict):
    steps = book.table.steps_up(fit, engagement)
    if not steps or verdict == arithmetic.VERDICTS[arithmetic.EXCLUDED]:
        return None
    label, more_fit, more_engagement = steps[0]
    return Step(book.table.labels[label], book.table.actions[label], more_fit / 100, more_engagement / 100)


def _not_passed(book, scores, leads, verdict):
    """In words; empty for what passes."""
    number = arithmetic.VERDICTS.index(verdict)
    if number in (arithmetic.SALES_READY, arithmetic.BITE, arithmetic.HAND_RAISE):
        return []
    if number == arithmetic.EXCLUDED:
        excluded = zip(
            book.lead_rules[book.n_fit :], scores.holds[0, book.n_fit : len(book.lead_rules)], strict=True
        )
        return [f"Excluded: {rule.name}" for rule, holds in excluded if holds]
    fit, engagement = int(scores.fit[0]), int(scores.engagement[0])
    needed = max(book.mql_fit, book.ready_fit)
    reasons = []
    if fit < needed:
        reasons.append(f"Fit is {fit / 100:g}; sales-ready needs {needed / 100:g}")
    if engagement < book.ready_engagement:
        reasons.append(
            f"Engagement is {engagement / 100:g}; sales-ready needs {book.ready_engagement / 100:g}"
        )
    if not leads.reachable[0]:
        reasons.append("There is neither an e-mail address nor a phone number")
    return reasons


def _outlook(book, judged, at, known_at):
    """The changes of rating or verdict that time alone brings, in order. What is dated later counts when it comes."""
    leads, log = judged.leads, judged.log
    matches = matching(book, log.touchpoint, at=at, known_at=known_at)
    seen = int(judged.scores[0].rating[0]), int(judged.scores[0].verdict[0])
    forecast, when = [], micros(at)
    last = micros(at + timedelta(days=OUTLOOK_DAYS))
    for _ in range(OUTLOOK_STEPS):
        scores = arithmetic.score(book, leads, log, matches, when, tolerance=NEVER)
        now = (int(scores.rating[0]), int(scores.verdict[0]))
        if now != seen:
            total = int(scores.fit[0] + scores.engagement[0]) / 100
            forecast.append(
                Forecast(instant(when), book.table.labels[now[0]], str(arithmetic.VERDICTS[now[1]]), total)
            )
            seen = now
        when = int(scores.next_change[0])
        if when > last:
            break
        if when >= leads.changes[book.version_id][0]:
            leads = facts.lead_facts([leads.ids[0]], [book], at=instant(when), known_at=known_at)
    return forecast
