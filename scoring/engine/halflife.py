"""When points that fade by half-lives will have moved too far to be left as they are.

While nothing happens, a tally of exact value x (hundredths, before rounding) is worth x·2^(−t/H) in time t. What falls
together, Σ x·(1 − 2^(−t/H)), grows ever more slowly, so a tangent is never below it and Newton's steps from 0 are never
late. Rounding each rule may bring a fall forward by less than a hundredth: that much is taken off what is allowed.
Falls (positive points) and rises (negative ones) are bounded apart, as if the others stood still.
"""

from dataclasses import dataclass

import numpy as np

from scoring.engine.units import NEVER, filled

STEPS = 4  # of Newton's; each about squares the error


def moving(book, tallies):
    """Which tallies fade right now: not those that have come to less than half a hundredth."""
    return (book.half_life[tallies.rule] > 0) & (tallies.cents != 0)


def first_drift(book, log, tallies, fit, engagement, at, tolerance):
    """For each lead the instant before which its half-lives move engagement by less than `tolerance` hundredths and
    across no threshold; NEVER where they never will. A match that leaves its window is such an instant, too."""
    first = filled(len(engagement), NEVER)
    moves = moving(book, tallies)
    fall, rise = _allowed(book, fit, engagement, tolerance)
    for sign, allowed in ((1, fall), (-1, rise)):
        chosen = moves & (book.points[tallies.rule] * sign > 0)
        worth = np.bincount(tallies.lead[chosen], weights=abs(tallies.capped[chosen]), minlength=len(first))
        which = np.flatnonzero(chosen & (worth >= allowed)[tallies.lead])
        if len(which):
            fading = Fading(
                tallies.lead[which], abs(tallies.exact[which]), abs(tallies.cents[which]),
                abs(tallies.capped[which]), book.half_life[tallies.rule[which]].astype(float),
            )  # fmt: skip
            after = fading.time_to_fall(allowed)
            comes = after < NEVER - at
            first[comes] = np.minimum(first[comes], at + np.maximum(1, after[comes]).astype(np.int64))
            window = book.bounds[0, tallies.rule[which]]
            oldest = log.time[tallies.matches[tallies.ends[which] - tallies.inside[0, which]]]
            np.minimum.at(first, tallies.lead[which], np.where(window < NEVER, oldest + window, NEVER))
    return first


def _allowed(book, fit, engagement, tolerance):
    """By how many hundredths engagement must not fall, and by how many it must not rise: as far as the next threshold
    at which, with this fit, a rating or verdict turns."""
    fall, rise = filled(len(fit), tolerance), filled(len(fit), tolerance)
    rows = book.table.fit_row(fit)
    may_be_ready = fit >= max(book.mql_fit, book.ready_fit)
    for row in np.unique(rows).tolist():
        for ready in (False, True):
            leads = np.flatnonzero((rows == row) & (may_be_ready == ready))
            edges = np.unique([*book.table.turns(row), *([book.ready_engagement] if ready else [])])
            edges = np.concatenate([[-NEVER], edges, [NEVER]]).astype(np.int64)
            above = np.searchsorted(edges, engagement[leads], side="right")
            fall[leads] = np.minimum(fall[leads], engagement[leads] - edges[above - 1] + 1)
            rise[leads] = np.minimum(rise[leads], edges[above] - engagement[leads])
    return fall, rise


@dataclass
class Fading:
    """Tallies of one sign, as positive hundredths: `exact`, rounded, after the cap; half-lives in microseconds."""

    lead: np.ndarray
    exact: np.ndarray
    rounded: np.ndarray
    capped: np.ndarray
    life: np.ndarray

    def time_to_fall(self, allowed):
        """For each lead a time before which its tallies together fall by less than `allowed`; infinite for never."""
        n = len(allowed)
        only = np.bincount(self.lead, minlength=n)[self.lead] == 1
        return np.minimum(self._alone(allowed, only), self._together(allowed, ~only))

    def _alone(self, allowed, only):
        """Exact, also from above a cap: rounded points have fallen by D where x is below capped - D + 1/2."""
        after = np.full(len(allowed), np.inf)
        level = np.maximum(self.capped - allowed[self.lead] + 0.5, 0)
        after[self.lead[only]] = self._time_to(level)[only]
        return after

    def _together(self, allowed, several):
        """Several tallies of one lead. One above its cap may begin to fall when it comes down to it."""
        above = several & (self.rounded > self.capped)
        free = several & ~above
        after = np.full(len(allowed), np.inf)
        np.minimum.at(after, self.lead[above], self._time_to(np.maximum(self.capped - 0.5, 0))[above])
        if not free.any():
            return after
        soonest = np.full(
            len(allowed), np.inf
        )  # nothing is seen before one of them loses its first hundredth
        np.minimum.at(soonest, self.lead[free], self._time_to(self.rounded - 0.5)[free])
        falls = self._newton(allowed, free)
        falls[allowed > self._sum(self.rounded, free, len(allowed))] = np.inf
        return np.minimum(after, np.maximum(falls, soonest))

    def _newton(self, allowed, free):
        n = len(allowed)
        slack = self._sum(self.rounded - self.exact + 0.5, free, n)
        wanted = np.maximum(allowed - slack, 0)
        after = np.zeros(n)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for _ in range(STEPS):
                left = np.exp2(-after[self.lead] / self.life)
                fallen = self._sum(self.exact * (1 - left), free, n)
                rate = self._sum(self.exact * left * np.log(2) / self.life, free, n)
                step = (wanted - fallen) / rate
                after = np.where(np.isfinite(after) & ~np.isnan(step), after + np.maximum(step, 0), np.inf)
        return after

    def _sum(self, values, which, n):
        return np.bincount(self.lead[which], weights=values[which], minlength=n)

    def _time_to(self, level):
        """Until each tally has faded to `level`; infinite for none."""
        with np.errstate(divide="ignore"):
            return np.maximum(self.life * np.log2(self.exact / level), 0)
