"""A version's rules, compiled once: conditions to SQL, arithmetic parameters to arrays.

Whoever scores reads `live_versions()` in each transaction, after the leads are locked (see scoring.rescore), and asks
`rulebook(version)` for each; a live version's rules cannot change (a trigger refuses), so its rulebook is kept.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from django.db import connection

from leads.criteria import CRITERIA, LEAD, TOUCHPOINT
from leads.criteria.tree import leaves, where
from scoring import ratings
from scoring.engine.units import DAY, NEVER, cents
from scoring.models import ModelVersion, Rule

# What a rule may ask of a lead. Behaviour over time belongs in activity, inactivity and age rules, whose next change
# can be told exactly; a stated timeline is the one dated field, and ends at a known instant.
LEAD_CRITERIA = {key: CRITERIA[key] for key in ("lead_field", "company_field", "source")}
TOUCHPOINT_CRITERIA = {key: criterion for key, criterion in CRITERIA.items() if criterion.scope == TOUCHPOINT}

BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)
AFTER_ALL = datetime(9999, 12, 31, tzinfo=UTC)
KEPT = 40  # rulebooks per process; a few models, a few versions each

LIVE = """
SELECT v.id, v.model_id, m.routes, m.current_version_id = v.id, v.publish_asked_at
FROM scoring_modelversion v JOIN scoring_scoringmodel m ON m.id = v.model_id
WHERE v.id = m.current_version_id OR v.publish_asked_at IS NOT NULL ORDER BY v.id
"""


class Live(NamedTuple):
    """A version whose scores are kept true: the current one of a model, or one being filled for publishing."""

    id: int
    model_id: int
    routes: bool
    is_current: bool
    asked_at: datetime | None


class Condition(NamedTuple):
    sql: str
    params: list


@dataclass
class Seen:
    """Which touchpoints match which conditions, as far as they have been seen.

    `known` is (ids in order, bool[conditions, ids]), replaced as one: threads may read while another adds.
    """

    known: tuple[np.ndarray, np.ndarray]


@dataclass(eq=False)
class Rulebook:
    """Rules as columns. `lead_rules` are fit, then exclude; `touch_rules` are activity, then hand-raise.

    bounds[r, k], drops[r, k]: an activity rule's share falls by `drops` when a match reaches the age `bounds`
    (microseconds), so points = p × Σ_k drops[k] × min(cap_count, matches younger than bounds[k]).
    """

    version_id: int
    lead_rules: list
    touch_rules: list
    timed_rules: list
    asks: list  # for each of lead_rules the fields it asks for: [(criterion key, field name), …]
    lead_sql: list
    lead_sql_later: list  # the same once a stated timeline has run out; None where that changes nothing
    touch_sql: list
    fit_cents: np.ndarray
    points: np.ndarray
    cap_count: np.ndarray
    cap_cents: np.ndarray
    bounds: np.ndarray
    drops: np.ndarray
    is_coarse: np.ndarray  # every edge of the rule moves its points by more than a rounding
    inactivity: list  # [(hundredths, microseconds)]
    age: list
    table: ratings.Table
    mql_fit: int
    ready_fit: int
    ready_engagement: int
    seen: Seen  # shared by all rulebooks that ask the same of touchpoints

    @property
    def n_fit(self):
        return len(self.fit_cents)

    @property
    def n_activity(self):
        return len(self.points)


_kept: dict[tuple, Rulebook] = {}
_seen: dict[tuple, Seen] = {}


def live_versions():
    """Every version whose scores must be kept true, by id. Read it after the leads are locked."""
    with connection.cursor() as cursor:
        cursor.execute(LIVE)
        return [Live(*row) for row in cursor.fetchall()]


def rulebook(live):
    """The compiled rules of a live version, from this process's memory where possible."""
    key = (live.id, live.asked_at)  # a publication called off and asked again is another one
    if key not in _kept:
        if len(_kept) >= KEPT:
            _kept.clear()
        _kept[key] = compile_version(ModelVersion.objects.select_related("scale").get(pk=live.id))
    return _kept[key]


def compile_version(version, rules=None):
    """A Rulebook of any version, drafts included. Raises BadCondition for a rule that cannot be evaluated."""
    rules = list(version.rules.all()) if rules is None else rules
    of = {kind: [rule for rule in rules if rule.kind == kind] for kind in Rule.Kind.values}
    lead_rules, touch_rules = of["fit"] + of["exclude"], of["activity"] + of["hand_raise"]
    bounds, drops = _falls(of["activity"])
    points = np.array([rule.points for rule in of["activity"]], dtype=float)
    touch_sql = [_touch_condition(rule) for rule in touch_rules]
    lead_sql = [_lead_condition(rule, BEFORE_ALL) for rule in lead_rules]
    later = [_lead_condition(rule, AFTER_ALL) for rule in lead_rules]
    return Rulebook(
        version_id=version.pk,
        lead_rules=lead_rules,
        touch_rules=touch_rules,
        timed_rules=of["inactivity"] + of["age"],
        asks=[_asked(rule) for rule in lead_rules],
        lead_sql=lead_sql,
        lead_sql_later=[
            after if after != before else None for before, after in zip(lead_sql, later, strict=True)
        ],
        touch_sql=touch_sql,
        fit_cents=np.array([cents(rule.points) for rule in of["fit"]], dtype=np.int64),
        points=points,
        cap_count=_or_never(rule.cap_count for rule in of["activity"]),
        cap_cents=_or_never(
            None if r.cap_points is None else cents(abs(r.cap_points)) for r in of["activity"]
        ),
        bounds=bounds,
        drops=drops,
        is_coarse=(abs(points)[:, None] * np.where(drops > 0, drops, NEVER)).min(axis=1, initial=NEVER)
        >= 0.02,
        inactivity=[(cents(rule.points), rule.days * DAY) for rule in of["inactivity"]],
        age=[(cents(rule.points), rule.days * DAY) for rule in of["age"]],
        table=ratings.table(version.scale),
        mql_fit=cents(version.mql_fit),
        ready_fit=cents(version.ready_fit),
        ready_engagement=cents(version.ready_engagement),
        seen=_seen_by(touch_sql),
    )


def _seen_by(conditions):
    key = tuple((condition.sql, *condition.params) for condition in conditions)
    if key not in _seen:
        if len(_seen) >= KEPT:
            _seen.clear()
        # Id 0 stands for a restart of engagement, which no rule matches.
        _seen[key] = Seen((np.zeros(1, np.int64), np.zeros((len(conditions), 1), bool)))
    return _seen[key]


def shares(rule):
    """[(age in days or None, share)]: up to that age a match of this activity rule counts with that share."""
    steps = [(days, share) for days, share in rule.steps or []] or [(None, 1.0)]
    if rule.window_days is None:
        return steps
    inside = [(days, share) for days, share in steps if days is not None and days < rule.window_days]
    beyond = [(rule.window_days, share) for days, share in steps if days is None or days >= rule.window_days]
    return inside + beyond[:1]


def _falls(rules):
    width = max([len(shares(rule)) for rule in rules], default=1)
    bounds = np.zeros((len(rules), width), dtype=np.int64)
    drops = np.zeros((len(rules), width))
    for row, rule in enumerate(rules):
        steps = shares(rule)
        following = [share for _days, share in steps[1:]] + [0.0]
        for column, ((days, share), after) in enumerate(zip(steps, following, strict=True)):
            bounds[row, column] = NEVER if days is None else round(days * DAY)
            drops[row, column] = share - after
    return bounds, drops


def _or_never(values):
    return np.array([NEVER if value is None else value for value in values], dtype=np.int64)


def _asked(rule):
    found = leaves(rule.condition or {}, criteria=LEAD_CRITERIA, scope=LEAD)
    return list(dict.fromkeys((key, params["field"]) for key, params in found if "field" in params))


def _lead_condition(rule, at):
    return Condition(*where(rule.condition or {}, criteria=LEAD_CRITERIA, at=at, scope=LEAD))


def _touch_condition(rule):
    return Condition(
        *where(rule.condition or {}, criteria=TOUCHPOINT_CRITERIA, at=BEFORE_ALL, scope=TOUCHPOINT)
    )
