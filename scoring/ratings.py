"""Ratings: a pure function of fit and engagement, given by a Scale.

Bands are listed best first; a value belongs to the first band whose minimum it reaches, and to the
last band otherwise. The cell of the two bands names the rating. A rating calls for an action, and may say how many
minutes a lead of it is worth.
"""

from dataclasses import dataclass

import numpy as np

from scoring.engine.units import cents
from scoring.words import figure

MAX_MINUTES = 10_000


@dataclass(frozen=True)
class Table:
    """A scale as arrays. `labels` best first; `cells[fit band, engagement band]` is an index into them."""

    labels: tuple[str, ...]
    actions: tuple[str, ...]
    minutes: tuple[int | None, ...]  # the effort a lead of that rating is worth
    fit_minima: np.ndarray
    engagement_minima: np.ndarray
    cells: np.ndarray

    @property
    def worst(self):
        return len(self.labels) - 1

    def rate(self, fit, engagement):
        """Index into `labels` for each pair of arrays, in hundredths."""
        return self.cells[_band(self.fit_minima, fit), _band(self.engagement_minima, engagement)]

    def fit_row(self, fit):
        """The row of `cells` for each fit, in hundredths."""
        return _band(self.fit_minima, fit)

    def because(self, fit, engagement):
        """Why this fit and this engagement, in hundredths, are rated as they are, in words."""
        label = self.labels[int(self.rate(np.array([fit]), np.array([engagement]))[0])]
        parts = (("Fit", fit, self.fit_minima), ("engagement", engagement, self.engagement_minima))
        said = [
            f"{name} {figure(points / 100)} ({_reached(minima, points)})"
            for name, points, minima in parts
            if len(minima)
        ]
        return f"{' and '.join(said) or 'Everybody'} {'make' if len(said) > 1 else 'makes' if said else 'is'} {label}"

    def turns(self, row):
        """The engagement minima, in hundredths, at which the rating of this row of `cells` is another one."""
        return self.engagement_minima[self.cells[row, :-1] != self.cells[row, 1:]]

    def steps_up(self, fit, engagement):
        """[(label index, missing fit, missing engagement)] of every cell better than the one reached, in hundredths,
        nearest first. Nothing in it when the best is reached already."""
        reached = int(self.rate(np.array([fit]), np.array([engagement]))[0])
        found = []
        for row, fit_from in enumerate([*self.fit_minima, None]):
            for column, engagement_from in enumerate([*self.engagement_minima, None]):
                label = int(self.cells[row, column])
                if label < reached:
                    more_fit = max(0, int(fit_from) - fit) if fit_from is not None else 0
                    more_engagement = (
                        max(0, int(engagement_from) - engagement) if engagement_from is not None else 0
                    )
                    found.append((label, more_fit, more_engagement))
        return sorted(found, key=lambda step: (step[1] + step[2], step[0]))


def _band(minima, values):
    """For each value how many of the `minima`, which fall, it does not reach."""
    return len(minima) - minima[::-1].searchsorted(values, "right")


def _reached(minima, points):
    band = int(_band(minima, np.array([points]))[0])
    return (
        f"{figure(minima[band] / 100)} or more" if band < len(minima) else f"below {figure(minima[-1] / 100)}"
    )


def table(scale):
    labels = tuple(row[0] for row in scale.ratings)
    return Table(
        labels=labels,
        actions=tuple(row[1] for row in scale.ratings),
        minutes=tuple(row[2] if len(row) > 2 else None for row in scale.ratings),
        fit_minima=_minima(scale.fit_bands),
        engagement_minima=_minima(scale.engagement_bands),
        cells=np.array(
            [
                [labels.index(scale.cells[f"{fit}/{engagement}"]) for engagement, _ in scale.engagement_bands]
                for fit, _ in scale.fit_bands
            ]
        ),
    )


def _minima(bands):
    return np.array([cents(minimum) for _label, minimum in bands[:-1]], dtype=np.int64)


def problems(scale):
    """What keeps a scale from being used, in words; an empty list when it is sound."""
    found = _list_problems("ratings", scale.ratings, most=3)
    if not found and not all(_is_effort(row[2]) for row in scale.ratings if len(row) > 2):
        found.append(
            f"ratings: give the effort per lead in whole minutes, up to {MAX_MINUTES:,}, or leave it out."
        )
    for name in ("fit_bands", "engagement_bands"):
        bands = getattr(scale, name)
        faults = _list_problems(name, bands)
        if not faults and not all(_is_number(minimum) for _label, minimum in bands[:-1]):
            faults.append(f"{name}: give each band but the last a minimum number of points.")
        if not faults and any(a[1] <= b[1] for a, b in zip(bands[:-1], bands[1:-1], strict=False)):
            faults.append(f"{name}: list the bands best first, each with a smaller minimum.")
        found += faults
    if found:
        return found
    labels = {row[0] for row in scale.ratings}
    for fit, _ in scale.fit_bands:
        for engagement, _ in scale.engagement_bands:
            rating = (scale.cells or {}).get(f"{fit}/{engagement}")
            if rating not in labels:
                found.append(
                    f"cells: {fit}/{engagement} is {rating!r}; choose one of {', '.join(sorted(labels))}."
                )
    return found


def _is_effort(value):
    return value is None or (
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_MINUTES
    )


def _list_problems(name, rows, most=2):
    if not isinstance(rows, list) or not rows:
        return [f"{name}: list at least one."]
    if not all(
        isinstance(row, list) and 2 <= len(row) <= most and isinstance(row[0], str) and row[0] for row in rows
    ):
        return [f"{name}: each entry is a label and a value."]
    if len({row[0] for row in rows}) < len(rows):
        return [f"{name}: use each label once."]
    return [f"{name}: keep labels within 20 characters."] if any(len(row[0]) > 20 for row in rows) else []


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
