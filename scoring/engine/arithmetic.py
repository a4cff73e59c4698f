"""From facts and an instant to scores. numpy only; no SQL, no clock.

Fit and engagement are apart: fit rules make fit; activity, inactivity and age rules make engagement; total is
their sum. Points are whole hundredths, rounded once per rule (halves upward), then capped (totals.py); so single
leads, batches and explanations agree to the last digit. An age of exactly d days is outside d days.

Only engagement after the lead's latest restart (recycling) and up to the instant counts. What is dated after the
instant counts when its time comes.
"""

from dataclasses import dataclass

import numpy as np

from scoring.engine import ahead, totals
from scoring.engine.activity import Tallies, tally
from scoring.engine.facts import LeadFacts, Log
from scoring.engine.units import NEVER, filled
from scoring.models import Verdict

VERDICTS = [
    Verdict.NONE,
    Verdict.MQL,
    Verdict.SALES_READY,
    Verdict.BITE,
    Verdict.HAND_RAISE,
    Verdict.EXCLUDED,
]
NONE, MQL, SALES_READY, BITE, HAND_RAISE, EXCLUDED = range(6)
LONG_AGO = -NEVER
POINT = 100  # hundredths that a stored score may be off by, where a half-life moves it all the time


@dataclass
class Scores:
    """One entry per lead. Points in hundredths, instants in microseconds since 2000, NEVER for none."""

    fit: np.ndarray
    engagement: np.ndarray
    rating: np.ndarray  # index into the table's labels
    verdict: np.ndarray  # index into VERDICTS
    next_change: (
        np.ndarray
    )  # until then the score is true; with half-lives to less than POINT, rating and verdict fully
    hand_raised: np.ndarray  # the latest hand-raise or bite of this cycle
    applies: np.ndarray  # whether the model judges the lead at all
    # The parts, for explaining:
    holds: np.ndarray  # bool[leads, conditions of the rulebook's lead_sql]
    fit_total: totals.Total
    engagement_total: totals.Total
    tallies: Tallies
    timed: np.ndarray  # hundredths[leads, inactivity and age rules]
    since: np.ndarray
    quiet_since: np.ndarray
    arrives: np.ndarray  # the first entry of the log dated after `at`


def score(book, leads: LeadFacts, log: Log, matches, at, *, tolerance=POINT) -> Scores:
    """Scores of all `leads` at the instant `at`. `matches`: bool[rules about touchpoints, activities of the log].

    With half-lives, `next_change` lets engagement drift by less than `tolerance` hundredths.
    """
    n = len(leads.ids)
    holds = leads.holds[book.version_id]
    since, arrives = _cycle(log, at, n)
    current = (log.time <= at) & (log.time > since[log.lead])
    counted = (log.touchpoint > 0) & current
    matches = narrowed(book, log, matches, holds)
    tallies = tally(book, log, _chosen(book, log, matches, counted, current), at, n)
    quiet_since = _quiet_since(log, counted, leads.created, since)
    timed, turns = _timed(book, leads, holds, quiet_since, at)
    fit, engagement = totals.fit(book, holds), totals.engagement(book, tallies, timed)
    rating = book.table.rate(fit.total, engagement.total)
    excluded = holds[:, book.n_fit : len(book.lead_rules)].any(axis=1)
    raised, bitten = _raised(book, log, matches, counted, n)
    moves = ahead.first_move(book, log, tallies, timed, turns, fit, engagement, at, tolerance)
    return Scores(
        fit=fit.total,
        engagement=engagement.total,
        rating=np.where(excluded, book.table.worst, rating),
        verdict=_verdict(book, fit.total, engagement.total, leads.reachable, raised, bitten, excluded),
        next_change=np.minimum(np.minimum(moves, arrives), leads.changes[book.version_id]),
        hand_raised=np.maximum(raised, bitten),
        applies=np.ones(n, bool) if book.applies is None else holds[:, book.applies],
        holds=holds,
        fit_total=fit,
        engagement_total=engagement,
        tallies=tallies,
        timed=timed,
        since=since,
        quiet_since=quiet_since,
        arrives=arrives,
    )


def _cycle(log, at, n):
    """When the current cycle of each lead began, and the first entry of its log dated after `at`."""
    since, arrives = filled(n, LONG_AGO), filled(n, NEVER)
    past = log.time <= at
    restart = (log.touchpoint == 0) & past
    if restart.any():
        since[log.lead[restart]] = log.time[restart]  # in order of time: the latest stays
    if not past.all():
        np.minimum.at(arrives, log.lead[~past], log.time[~past])
    return since, arrives


def narrowed(book, log, matches, holds):
    """`matches`, changed in place: without those of leads that a rule is not for."""
    for row, column in book.narrowed:
        if row < len(matches):
            matches[row] &= holds[:, column][log.lead]
    return matches


def _chosen(book, log, matches, counted, current):
    """bool[activity rules, activities]: what each rule counts."""
    chosen = matches[: book.n_activity] & counted
    if book.has_opens:
        opens = matches[: book.n_activity] & ((log.touchpoint < 0) & current)
        chosen |= opens & book.takes_opens[:, None]
    return chosen


def _raised(book, log, matches, counted, n):
    """The latest hand-raise and the latest bite of each lead."""
    asks = matches[book.n_activity :] & counted
    if not asks.any():
        never = filled(n, LONG_AGO)
        return never, never
    hands = book.n_hand_raise
    return _latest(log, asks[:hands].any(axis=0), n), _latest(log, asks[hands:].any(axis=0), n)


def _latest(log, chosen, n):
    latest = filled(n, LONG_AGO)
    latest[log.lead[chosen]] = log.time[chosen]
    return latest


def _quiet_since(log, counted, created, since):
    """The last engagement of the cycle; without any, the start of the cycle."""
    last = _latest(log, counted, len(created))
    return np.where(last > LONG_AGO, last, np.maximum(created, since))


def _timed(book, leads, holds, quiet_since, at):
    """[leads, inactivity and age rules]: points now, and when those that are still to come do."""
    due = np.empty((len(leads.ids), len(book.timed_rules)), dtype=np.int64)
    due[:, : book.n_inactivity] = quiet_since[:, None]
    due[:, book.n_inactivity :] = leads.created[:, None]
    due += book.timed_after
    cents = book.timed_cents
    for number, column in book.narrowed:
        if (rule := number - len(book.touch_rules)) >= 0:
            cents = np.broadcast_to(cents, due.shape).copy() if cents.ndim == 1 else cents
            cents[:, rule] *= holds[:, column]
    past = due <= at
    return cents * past, np.where(past | (cents == 0), NEVER, due)


def _verdict(book, fit, engagement, reachable, raised, bitten, excluded):
    mql = (fit >= book.mql_fit) & reachable
    ready = mql & (fit >= book.ready_fit) & (engagement >= book.ready_engagement)
    verdict = mql * MQL  # the later ones of VERDICTS outrank those before them
    for holds, number in (
        (ready, SALES_READY), (bitten > LONG_AGO, BITE), (raised > LONG_AGO, HAND_RAISE), (excluded, EXCLUDED),
    ):  # fmt: skip
        verdict = np.maximum(verdict, holds * number)
    return verdict
