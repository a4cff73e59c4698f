"""A version's rules, compiled once: conditions to SQL, arithmetic parameters to arrays.

Whoever scores reads `live_versions()` in each transaction, after the leads are locked (see scoring.rescore), and asks
`rulebook(version)` for each; a live version's rules cannot change (a trigger refuses), so its rulebook is kept.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np

from leads.criteria import CRITERIA, LEAD, TOUCHPOINT, BadCondition
from leads.criteria.base import AT, Instant
from leads.criteria.tree import changes, leaves, where
from leads.kinds import OPEN
from scoring import ratings
from scoring.engine import prepared
from scoring.engine.totals import Slots, slots
from scoring.engine.units import DAY, NEVER, cents
from scoring.models import ModelVersion, Rule

# What a rule may ask: see Criterion.in_rules.
LEAD_CRITERIA = {key: c for key, c in CRITERIA.items() if c.scope == LEAD and c.in_rules}
TOUCHPOINT_CRITERIA = {key: c for key, c in CRITERIA.items() if c.scope == TOUCHPOINT and c.in_rules}
# Holds for no lead: in place of a condition that cannot be read.
NOBODY = {"all": [{"is": "lead_field", "field": "email", "op": op} for op in ("known", "unknown")]}
KEPT = 40  # rulebooks per process; a few models, a few versions each

# Conditions become SQL by the type of the custom field they ask, which may be corrected while it has no values.
FIELD_TYPES = "(SELECT coalesce(string_agg(owner || '.' || key || ' ' || type, ',' ORDER BY id), '') FROM leads_customfield)"
LIVE = f"""
SELECT v.id, v.model_id, m.routes, m.current_version_id = v.id, v.publish_asked_at, m.applies_to::text, {FIELD_TYPES}
FROM scoring_modelversion v JOIN scoring_scoringmodel m ON m.id = v.model_id
WHERE v.id = m.current_version_id OR v.publish_asked_at IS NOT NULL ORDER BY v.id
"""  # noqa: S608 constants


class Live(NamedTuple):
    """A version whose scores are kept true: the current one of a model, or one being filled for publishing."""

    id: int
    model_id: int
    routes: bool
    is_current: bool
    asked_at: datetime | None
    applies_to: str = "{}"  # JSON: of the model, which may change it while a version is live
    field_types: str = ""  # of all custom fields


class Condition(NamedTuple):
    """SQL with %s, and what is bound; AT and its kin among it stand for the instant of scoring."""

    sql: str
    params: list


UNSEEN = np.array([0, -1], np.int32)  # id 0 stands for a restart of engagement, which no rule matches


@dataclass
class Seen:
    """Which touchpoints match which conditions, as far as they have been seen while content was at `epoch`.

    `known` is (epoch, places, bool[conditions, seen]), replaced as one: threads may read while another adds. `places`
    gives each id its column, or -1, and ends with -1 for all beyond.
    """

    known: tuple[tuple, np.ndarray, np.ndarray]


@dataclass(eq=False)
class Rulebook:
    """Rules as columns. `lead_rules` are fit, then exclude; `touch_rules` activity, hand-raise, bite;
    `timed_rules` inactivity, age.

    bounds[k, r], drops[k, r]: an activity rule's share falls by `drops` when a match reaches the age `bounds`
    (microseconds), so points = p × Σ_k drops[k] × min(cap_count, matches younger than bounds[k]); with `min_count`
    N it is [at least N younger] instead of the minimum; with a half-life p × Σ 2^(−age / half_life), inside bounds[0],
    without drops.
    """

    version_id: int
    lead_rules: list
    touch_rules: list
    timed_rules: list
    asks: list  # for each of lead_rules the fields it asks for: [(criterion key, field name), …]
    lead_sql: list  # Conditions about leads: of lead_rules, then those of `who`, then `applies_to`
    dated: np.ndarray  # the columns of lead_sql whose answer may change by time alone
    changes_sql: Condition | None  # when one of them may next do so
    # (number of a rule among touch_rules, then timed_rules; the column of lead_sql that narrows it)
    narrowed: list
    applies: int | None  # the column of lead_sql that says whether the lead is judged at all
    touch_sql: list
    uses_content: bool  # whether touch_sql asks what assets are about
    uses_colleagues: bool  # whether lead_sql asks what others at the company do
    takes_opens: np.ndarray  # bool[activity rules]
    fit_cents: np.ndarray
    points: np.ndarray
    cap_count: np.ndarray
    cap_cents: np.ndarray
    min_count: np.ndarray  # 0: none
    half_life: np.ndarray  # microseconds, 0: none
    bounds: np.ndarray
    drops: np.ndarray
    moves: np.ndarray  # [k, r]: whether points move when a match reaches that bound
    is_coarse: np.ndarray  # every edge of the rule moves its points by more than a rounding
    n_hand_raise: int
    timed_cents: np.ndarray
    timed_after: np.ndarray  # microseconds
    n_inactivity: int
    profiles: list
    groups: list
    fit_slots: Slots | None  # None: no group with a cap and no profile
    engagement_slots: Slots | None  # the same for activity rules, then timed rules
    cap_fit: int
    cap_engagement: int
    table: ratings.Table
    mql_fit: int
    ready_fit: int
    ready_engagement: int
    seen: Seen  # shared by all rulebooks that ask the same of touchpoints

    @cached_property
    def has_opens(self):
        return bool(self.takes_opens.any())

    @cached_property
    def has_min_count(self):
        return bool(self.min_count.any())

    @cached_property
    def has_half_life(self):
        return bool(self.half_life.any())

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
    return [Live(*row) for row in prepared.fetch(LIVE, "", [])]


def rulebook(live):
    """The compiled rules of a live version, from this process's memory where possible."""
    # A publication called off and asked again is another one.
    key = (live.id, live.asked_at, live.applies_to, live.field_types)
    if key not in _kept:
        if len(_kept) >= KEPT:
            _kept.clear()
        version = ModelVersion.objects.select_related("scale", "model").get(pk=live.id)
        _kept[key] = compile_version(version)
    return _kept[key]


def compile_version(version, rules=None):
    """A Rulebook of any version, drafts included.

    A rule of a draft that cannot be evaluated raises BadCondition. In any other version it holds for nobody, as if it
    were not there: one rule whose field is another one by now must not keep everybody from being scored.
    """
    rules = list(version.rules.all()) if rules is None else rules
    applies_to = version.model.applies_to
    if version.is_read_only:
        rules = [rule for rule in rules if is_readable(rule)]
        applies_to = applies_to if _can_be_read(applies_to, LEAD) else NOBODY
    of = {kind: [rule for rule in rules if rule.kind == kind] for kind in Rule.Kind.values}
    lead_rules, touch_rules = of["fit"] + of["exclude"], of["activity"] + of["hand_raise"] + of["bite"]
    timed_rules = of["inactivity"] + of["age"]
    return Rulebook(
        version_id=version.pk,
        lead_rules=lead_rules,
        touch_rules=touch_rules,
        timed_rules=timed_rules,
        **_lead_columns(lead_rules, touch_rules + timed_rules, applies_to),
        **_touch_columns(touch_rules),
        **_activity_columns(of["activity"]),
        n_hand_raise=len(of["hand_raise"]),
        timed_cents=np.array([cents(rule.points) for rule in timed_rules], dtype=np.int64),
        timed_after=np.array([rule.days * DAY for rule in timed_rules], dtype=np.int64),
        n_inactivity=len(of["inactivity"]),
        fit_cents=np.array([cents(rule.points) for rule in of["fit"]], dtype=np.int64),
        **_totals(version, of["fit"], of["activity"] + timed_rules),
    )


def is_readable(rule):
    """Whether a rule can be evaluated: whoever wrote it saw to that, but fields and criteria may be others by now."""
    about_touchpoints = rule.kind in (Rule.Kind.ACTIVITY, Rule.Kind.HAND_RAISE, Rule.Kind.BITE)
    return _can_be_read(rule.condition, TOUCHPOINT if about_touchpoints else LEAD) and _can_be_read(
        rule.who, LEAD
    )


def _can_be_read(tree, scope):
    try:
        leaves(tree or {}, criteria=_criteria(scope), scope=scope)
    except BadCondition:
        return False
    return True


def takes_opens(rule):
    """Whether a rule names opens, which nobody counts unasked."""
    return any(params.get("kind") == OPEN for _, params in _touch_leaves([rule]))


def _touch_leaves(rules):
    return [
        leaf
        for rule in rules
        for leaf in leaves(rule.condition or {}, criteria=TOUCHPOINT_CRITERIA, scope=TOUCHPOINT)
    ]


def _lead_leaves(tree):
    return leaves(tree, criteria=LEAD_CRITERIA, scope=LEAD)


def _distinct(trees, start):
    """The different trees, and [(place, column)] of those of `trees` that are not empty; columns count from `start`."""
    found, columns = [], []
    for place, tree in enumerate(trees):
        if tree:
            if tree not in found:
                found.append(tree)
            columns.append((place, start + found.index(tree)))
    return found, columns


def _condition(tree, scope):
    return Condition(*where(tree or {}, criteria=_criteria(scope), at=AT, scope=scope))


def _criteria(scope):
    return LEAD_CRITERIA if scope == LEAD else TOUCHPOINT_CRITERIA


def _changes(trees):
    found = [changes(tree, criteria=LEAD_CRITERIA, at=AT, scope=LEAD) for tree in trees]
    found = [one for one in found if one]
    if not found:
        return None
    return Condition(f"LEAST({', '.join(sql for sql, _ in found)})", [v for _, bound in found for v in bound])


def _seen_by(conditions):
    key = tuple((condition.sql, *map(repr, condition.params)) for condition in conditions)
    if key not in _seen:
        if len(_seen) >= KEPT:
            _seen.clear()
        _seen[key] = Seen(((), UNSEEN, np.zeros((len(conditions), 1), bool)))
    return _seen[key]


def _lead_columns(rules, others, applies_to):
    """What is asked of leads: by fit and exclude `rules`, for the `who` of others, and for being judged at all."""
    whos, narrowed = _distinct([rule.who for rule in others], start=len(rules))
    trees = [rule.condition or {} for rule in rules] + whos
    applies = len(trees) if applies_to else None
    trees += [applies_to] if applies_to else []
    conditions = [_condition(tree, LEAD) for tree in trees]
    asked = [LEAD_CRITERIA[key] for tree in trees for key, _ in _lead_leaves(tree)]
    return {
        "asks": [_asked(rule) for rule in rules],
        "lead_sql": conditions,
        "dated": np.flatnonzero([any(isinstance(v, Instant) for v in one.params) for one in conditions]),
        "changes_sql": _changes(trees),
        "narrowed": narrowed,
        "applies": applies,
        "uses_colleagues": any(criterion.uses_colleagues for criterion in asked),
    }


def _touch_columns(rules):
    """What is asked of touchpoints."""
    conditions = [_condition(rule.condition, TOUCHPOINT) for rule in rules]
    return {
        "touch_sql": conditions,
        "uses_content": any(TOUCHPOINT_CRITERIA[key].uses_content for key, _ in _touch_leaves(rules)),
        "seen": _seen_by(conditions),
    }


def _activity_columns(rules):
    bounds, drops = _falls(rules)
    points = np.array([rule.points for rule in rules], dtype=float)
    smallest = np.where(drops > 0, drops, NEVER).min(axis=0, initial=NEVER)
    return {
        "takes_opens": np.array([takes_opens(rule) for rule in rules], dtype=bool),
        "points": points,
        "cap_count": _or_never(rule.cap_count for rule in rules),
        "cap_cents": _or_never(None if r.cap_points is None else cents(abs(r.cap_points)) for r in rules),
        "min_count": np.array([rule.min_count or 0 for rule in rules], dtype=np.int64),
        "half_life": np.array([round((rule.half_life_days or 0) * DAY) for rule in rules], dtype=np.int64),
        "bounds": bounds,
        "drops": drops,
        "moves": (drops > 0) & (bounds < NEVER) & (points != 0),
        "is_coarse": abs(points) * smallest >= 0.02,
    }


def _totals(version, fit, engagement):
    """How the points of these rules add up: ideal customers, groups, caps; and what passes."""
    profiles, groups = list(version.profiles.all()), list(version.groups.all())
    caps = _or_never(cap and cents(cap) for cap in (version.cap_fit, version.cap_engagement))
    return {
        "profiles": profiles,
        "groups": groups,
        "fit_slots": slots(fit, profiles, groups),
        "engagement_slots": slots(engagement, [], groups),
        "cap_fit": caps[0],
        "cap_engagement": caps[1],
        "table": ratings.table(version.scale),
        "mql_fit": cents(version.mql_fit),
        "ready_fit": cents(version.ready_fit),
        "ready_engagement": cents(version.ready_engagement),
    }


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
    bounds = np.zeros((width, len(rules)), dtype=np.int64)
    drops = np.zeros((width, len(rules)))
    for column, rule in enumerate(rules):
        steps = shares(rule)
        following = [share for _days, share in steps[1:]] + [0.0]
        for row, ((days, share), after) in enumerate(zip(steps, following, strict=True)):
            bounds[row, column] = NEVER if days is None else round(days * DAY)
            drops[row, column] = 0 if rule.half_life_days else share - after
    return bounds, drops


def _or_never(values):
    return np.array([NEVER if value is None else value for value in values], dtype=np.int64)


def _asked(rule):
    found = _lead_leaves(rule.condition or {})
    return list(
        dict.fromkeys(one for key, params in found for one in LEAD_CRITERIA[key].fields_asked(params))
    )
