"""From facts and an instant to scores. numpy only; no SQL, no clock.

Fit and engagement are apart: fit rules make fit; activity, inactivity and age rules make engagement; total is
their sum. Points are whole hundredths, rounded once per rule (halves upward), then capped; so single leads, batches
and explanations agree to the last digit. An age of exactly d days is outside d days.

Only engagement after the lead's latest restart (recycling) and up to the instant counts. What is dated after the
instant counts when its time comes.
"""

from dataclasses import dataclass

import numpy as np

from scoring.engine.facts import LeadFacts, Log
from scoring.engine.units import NEVER
from scoring.models import Verdict

VERDICTS = [Verdict.NONE, Verdict.MQL, Verdict.SALES_READY, Verdict.HAND_RAISE, Verdict.EXCLUDED]
NONE, MQL, SALES_READY, HAND_RAISE, EXCLUDED = range(5)
LONG_AGO = -NEVER


@dataclass
class Scores:
    """One entry per lead. Points in hundredths, instants in microseconds since 2000, NEVER for none."""

    fit: np.ndarray
    engagement: np.ndarray
    rating: np.ndarray  # index into the table's labels
    verdict: np.ndarray  # index into VERDICTS
    next_change: np.ndarray  # the first instant after `at` at which any line changes
    hand_raised: np.ndarray  # the latest hand-raise of this cycle
    # The parts, for explaining:
    holds: np.ndarray  # bool[leads, rules about the lead]
    groups: "Groups"
    since: np.ndarray
    quiet_since: np.ndarray
    arrives: np.ndarray  # the first engagement dated after `at`


@dataclass
class Groups:
    """Matches of activity rules, grouped: one entry per (rule, lead) that has any."""

    rule: np.ndarray
    lead: np.ndarray
    matches: np.ndarray  # positions in the log, by time, concatenated over the groups
    starts: np.ndarray
    ends: np.ndarray
    inside: np.ndarray  # [K, groups]: matches younger than each bound
    counted: np.ndarray  # the same, of the `cap_count` most recent ones
    cents: np.ndarray  # rounded points, before the cap on points
    capped: np.ndarray


def score(book, leads: LeadFacts, log: Log, matches, at) -> Scores:
    """Scores of all `leads` at the instant `at`. `matches`: bool[rules about touchpoints, activities of the log]."""
    n = len(leads.ids)
    since, arrives = _cycle(log, at, n)
    counted = (log.touchpoint != 0) & (log.time <= at) & (log.time > since[log.lead])
    ended = leads.timeline_until <= at
    holds = np.where(ended[:, None], leads.later[book.version_id], leads.holds[book.version_id])
    fit = holds[:, : book.n_fit] @ book.fit_cents
    groups = _groups(book, log, matches[: book.n_activity] & counted, at, n)
    engagement = np.bincount(groups.lead, weights=groups.capped, minlength=n).astype(np.int64)
    next_change = np.minimum(_first_fall(book, log, groups, at, n), arrives)
    next_change = np.minimum(next_change, _timeline_end(book, leads, at))
    quiet_since = _quiet_since(log, counted, leads.created, since)
    for rules, start in ((book.inactivity, quiet_since), (book.age, leads.created)):
        for points, after in rules:
            engagement += np.where(at - start >= after, points, 0)
            due = np.where(at - start < after, start + after, NEVER) if points else NEVER
            next_change = np.minimum(next_change, due)
    rating = book.table.rate(fit, engagement)
    excluded = holds[:, book.n_fit :].any(axis=1)
    hand_raised = _latest(log, counted & matches[book.n_activity :].any(axis=0), n)
    return Scores(
        fit, engagement, np.where(excluded, book.table.worst, rating),
        _verdict(book, fit, engagement, leads.reachable, hand_raised > LONG_AGO, excluded),
        next_change, hand_raised, holds, groups, since, quiet_since, arrives,
    )  # fmt: skip


def _cycle(log, at, n):
    """When the current cycle of each lead began, and the first entry of its log dated after `at`."""
    since, arrives = np.full(n, LONG_AGO), np.full(n, NEVER)
    past = log.time <= at
    restart = (log.touchpoint == 0) & past
    since[log.lead[restart]] = log.time[restart]  # in order of time: the latest stays
    if not past.all():
        np.minimum.at(arrives, log.lead[~past], log.time[~past])
    return since, arrives


def _latest(log, chosen, n):
    latest = np.full(n, LONG_AGO)
    latest[log.lead[chosen]] = log.time[chosen]
    return latest


def _quiet_since(log, counted, created, since):
    """The last engagement of the cycle; without any, the start of the cycle."""
    last = _latest(log, counted, len(created))
    return np.where(last > LONG_AGO, last, np.maximum(created, since))


def _groups(book, log, matches, at, n):
    rule, match = np.nonzero(matches)  # ordered by rule, lead and time, as the log is
    lead = log.lead[match]
    key = rule * n + lead
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    ends = np.append(starts, len(key))[1:]
    age = at - log.time[match]
    newer = np.repeat(ends, ends - starts) - 1 - np.arange(len(key))  # how many of the group are more recent
    kept = newer < book.cap_count[rule]
    width = book.bounds.shape[1]
    inside = np.zeros((width, len(starts)), dtype=np.int64)
    counted = np.zeros_like(inside)
    if len(key):
        for k in range(width):
            within = age < book.bounds[rule, k]
            inside[k] = np.add.reduceat(within, starts, dtype=np.int64)
            counted[k] = np.add.reduceat(within & kept, starts, dtype=np.int64)
    of, whose = rule[starts], lead[starts]
    cents = points_of(book, of, counted)
    cap = book.cap_cents[of]
    return Groups(of, whose, match, starts, ends, inside, counted, cents, np.clip(cents, -cap, cap))


def points_of(book, rule, counts):
    """Hundredths: points × Σ share falls × matches younger than each bound. `counts` is [K, …], `rule` is […]."""
    weighted = np.zeros(counts.shape[1:])
    for k, count in enumerate(counts):
        weighted = weighted + book.drops[rule, k] * count
    return np.floor(book.points[rule] * weighted * 100 + 0.5).astype(np.int64)


def _first_fall(book, log, groups, at, n):
    """For each lead the first instant at which an activity rule's points change, or NEVER.

    The matches that count are the most recent ones, and stay so while nothing happens: the count at bound k falls
    first when the oldest of them reaches it. Where a cap hides that fall, or the step is too small to survive
    rounding, the following ones are tried in turn.
    """
    first = np.full(n, NEVER)
    if not len(groups.rule):
        return first
    edge = np.full(len(groups.rule), NEVER)
    for k, counted in enumerate(groups.counted):
        bound = book.bounds[groups.rule, k]
        falls = (
            (counted > 0)
            & (book.drops[groups.rule, k] > 0)
            & (bound < NEVER)
            & (book.points[groups.rule] != 0)
        )
        oldest = log.time[groups.matches[groups.ends[falls] - counted[falls]]]
        edge[falls] = np.minimum(edge[falls], oldest + bound[falls])
    hidden = (edge < NEVER) & ((groups.cents != groups.capped) | ~book.is_coarse[groups.rule])
    if hidden.any():
        edge[hidden] = _visible_fall(book, log, groups, np.flatnonzero(hidden))
    np.minimum.at(first, groups.lead, edge)
    return first


def _visible_fall(book, log, groups, chosen):
    """The first instant at which the capped, rounded points of the `chosen` groups differ from now."""
    time, bound, group = [], [], []
    for k, counted in enumerate(groups.counted[:, chosen]):
        age = book.bounds[groups.rule[chosen], k]
        counts = np.where((age < NEVER) & (book.drops[groups.rule[chosen], k] > 0), counted, 0)
        ends = groups.ends[chosen]
        order = np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(ends - counts, counts) + np.arange(counts.sum()) - order
        time.append(log.time[groups.matches[places]] + np.repeat(age, counts))
        bound.append(np.full(counts.sum(), k))
        group.append(np.repeat(np.arange(len(chosen)), counts))
    time, bound, group = np.concatenate(time), np.concatenate(bound), np.concatenate(group)
    order = np.lexsort((time, group))
    time, bound, group = time[order], bound[order], group[order]
    rule = groups.rule[chosen][group]
    left = groups.counted[:, chosen][:, group]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    for k in range(len(left)):
        gone = np.cumsum(bound == k)
        left[k] -= gone - np.repeat(gone[starts] - (bound[starts] == k), np.diff(starts, append=len(group)))
    cap = book.cap_cents[rule]
    after = np.clip(points_of(book, rule, left), -cap, cap)
    # Falls at one instant are one change: only the state after the last of them is ever seen.
    last = np.append((np.diff(group) != 0) | (np.diff(time) != 0), True)
    changes = last & (after != groups.capped[chosen][group])
    found = np.full(len(chosen), NEVER)
    np.minimum.at(found, group[changes], time[changes])
    return found


def _timeline_end(book, leads, at):
    differs = (leads.holds[book.version_id] != leads.later[book.version_id]).any(axis=1)
    return np.where(differs & (leads.timeline_until > at), leads.timeline_until, NEVER)


def _verdict(book, fit, engagement, reachable, hand_raised, excluded):
    mql = (fit >= book.mql_fit) & reachable
    ready = mql & (fit >= book.ready_fit) & (engagement >= book.ready_engagement)
    return np.select([excluded, hand_raised, ready, mql], [EXCLUDED, HAND_RAISE, SALES_READY, MQL], NONE)
