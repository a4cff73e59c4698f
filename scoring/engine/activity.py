"""What activity rules find in the log, tallied: one tally per (rule, lead) with any match.

A match of share falling with age is counted at each bound it is younger than, so that points need no order (see
`Rulebook`). A half-life is summed in whole 2^-40 shares: exact, in whatever order a batch brings them.
"""

from dataclasses import dataclass

import numpy as np

SHARES = 2**40


@dataclass
class Tallies:
    rule: np.ndarray
    lead: np.ndarray
    matches: np.ndarray  # positions in the log, by time, concatenated over the tallies
    starts: np.ndarray
    ends: np.ndarray
    inside: np.ndarray  # [K, tallies]: matches younger than each bound
    counted: (
        np.ndarray
    )  # the same, of those that count: the `cap_count` most recent; 1 where `min_count` is met
    exact: np.ndarray | None  # hundredths before rounding, of half-lives; None where no rule has one
    cents: np.ndarray  # rounded points, before the cap on points
    capped: np.ndarray


def tally(book, log, matches, at, n):
    """Tallies of bool[activity rules, activities of the log] at `at`, for `n` leads."""
    # Ordered by rule, lead and time, as the log is. Along one axis numpy is three times as quick as along two.
    rule, match = np.divmod(matches.ravel().nonzero()[0], matches.shape[1])
    lead = log.lead[match]
    key = rule * n + lead
    starts = beginnings(key)
    ends = np.empty_like(starts)
    ends[:-1], ends[-1:] = starts[1:], len(key)
    age = at - log.time[match]
    inside = _per_tally(age < book.bounds.take(rule, axis=1), ends)
    of, whose = rule[starts], lead[starts]
    counted = np.minimum(inside, book.cap_count[of])  # what is inside a bound is the most recent, too
    if book.has_min_count:
        least = book.min_count[of]
        counted = np.where(least > 0, inside >= least, counted)
    cents = points_of(book, of, counted)
    exact = None
    if book.has_half_life and len(key):
        exact = _fading(book, rule, age, starts)
        cents = np.where(book.half_life[of] > 0, np.floor(exact + 0.5).astype(np.int64), cents)
    cap = book.cap_cents[of]
    return Tallies(of, whose, match, starts, ends, inside, counted, exact, cents, within_caps(cents, cap))


def _per_tally(holds, ends):
    """int64[K, tallies]: for how many of its matches each of bool[K, matches] holds."""
    sums = holds.cumsum(axis=1, dtype=np.int32).take(ends - 1, axis=1).astype(np.int64)
    sums[:, 1:] -= sums[:, :-1]
    return sums


def beginnings(key):
    """Where each run of an equal, ordered `key` begins."""
    begins = np.ones(len(key), bool)
    begins[1:] = key[1:] != key[:-1]
    return begins.nonzero()[0]


def within_caps(points, cap):
    return np.minimum(np.maximum(points, -cap), cap)


def points_of(book, rule, counts):
    """Hundredths: points × Σ share falls × matches younger than each bound. `counts` is [K, …], `rule` is […]."""
    weighted = np.zeros(counts.shape[1:])
    drops = book.drops.take(rule, axis=1)
    for drop, count in zip(drops, counts, strict=True):  # in this order for one as for many
        weighted += drop * count
    return np.floor(book.points[rule] * weighted * 100 + 0.5).astype(np.int64)


def _fading(book, rule, age, starts):
    """Hundredths of each tally, not rounded: points × Σ 2^(−age / half-life) inside the window; 0 without half-life."""
    shares = np.zeros(len(rule), dtype=np.int64)
    fades = (book.half_life[rule] > 0) & (age < book.bounds[0, rule])
    shares[fades] = np.rint(np.exp2(-age[fades] / book.half_life[rule[fades]]) * SHARES)
    return book.points[rule[starts]] * 100 * (np.add.reduceat(shares, starts) / SHARES)
