"""From the points of rules to fit and engagement: caps on groups, the best profile, caps on totals, in this order.

A group may hold fit rules of several profiles; its cap then bears on each profile's part by itself.
"""

from dataclasses import dataclass

import numpy as np

from scoring.engine.units import NEVER, cents


@dataclass
class Slots:
    """Where the points of rules are summed: one slot per group and profile that occur together.

    `of` gives each rule its slot. The first slot is for rules with neither, and has no cap.
    """

    of: np.ndarray
    cap: np.ndarray  # hundredths, NEVER for none
    group: np.ndarray  # index of the group, -1 for none
    profile: np.ndarray

    @property
    def rules_in(self):
        """int64[rules, slots]: 1 where the rule belongs to the slot."""
        return (self.of[:, None] == np.arange(len(self.cap))).astype(np.int64)


@dataclass
class Total:
    """One entry per lead, in hundredths. `total` is what is left of `before` by the cap on it."""

    total: np.ndarray
    before: np.ndarray
    sums: np.ndarray | None = None  # [leads, slots], before caps
    capped: np.ndarray | None = None
    profiles: np.ndarray | None = None  # [leads, profiles]
    best: np.ndarray | None = None  # index of the profile that counts


def slots(rules, profiles, groups):
    """Slots of `rules`, or None where no group has a cap and there is no profile."""
    places = [[profile.pk for profile in profiles], [group.pk for group in groups if group.cap_points]]
    keys = [tuple(_place(pk, known) for pk, known in zip((r.profile_id, r.group_id), places, strict=True))
            for r in rules]  # fmt: skip
    if not profiles and all(key == (-1, -1) for key in keys):
        return None
    distinct = sorted({(-1, -1), *keys})
    caps = [cents(group.cap_points) for group in groups if group.cap_points]
    numbers = [number for number, group in enumerate(groups) if group.cap_points]
    return Slots(
        of=np.array([distinct.index(key) for key in keys], dtype=np.int64),
        cap=np.array([caps[g] if g >= 0 else NEVER for _, g in distinct], dtype=np.int64),
        group=np.array([numbers[g] if g >= 0 else -1 for _, g in distinct], dtype=np.int64),
        profile=np.array([p for p, _ in distinct], dtype=np.int64),
    )


def _place(pk, known):
    return known.index(pk) if pk in known else -1


def fit(book, holds):
    """The Total of fit, from which rules hold."""
    where = book.fit_slots
    if where is None:
        before = holds[:, : book.n_fit] @ book.fit_cents
        return Total(np.minimum(before, book.cap_fit), before)
    sums = (holds[:, : book.n_fit] * book.fit_cents) @ where.rules_in
    capped = np.clip(sums, -where.cap, where.cap)
    before = capped[:, where.profile < 0].sum(axis=1)
    profiles = best = None
    if book.profiles:
        profiles = capped @ (where.profile[:, None] == np.arange(len(book.profiles))).astype(np.int64)
        best = profiles.argmax(axis=1)
        before = before + profiles[np.arange(len(best)), best]
    return Total(np.minimum(before, book.cap_fit), before, sums, capped, profiles, best)


def engagement(book, tallies, timed):
    """The Total of engagement. `tallies`: points of activity rules; `timed`: int64[leads, timed rules]."""
    n, where = len(timed), book.engagement_slots
    if where is None:
        before = timed.sum(axis=1) + np.bincount(tallies.lead, weights=tallies.capped, minlength=n).astype(
            np.int64
        )
        return Total(np.minimum(before, book.cap_engagement), before)
    width = len(where.cap)
    sums = np.bincount(
        tallies.lead * width + where.of[tallies.rule], weights=tallies.capped, minlength=n * width
    )
    sums = sums.astype(np.int64).reshape(n, width) + timed @ where.rules_in[book.n_activity :]
    capped = np.clip(sums, -where.cap, where.cap)
    before = capped.sum(axis=1)
    return Total(np.minimum(before, book.cap_engagement), before, sums, capped)
