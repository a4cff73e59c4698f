"""The history of a score as a step chart, fit and engagement apart: positions for an SVG whose width is the page's and
whose height is fixed."""

from dataclasses import dataclass

# Pixels; above the steps stand the versions and the ratings, below them the dates.
HEIGHT, TOP, BOTTOM = 170, 48, 146
ROOM = 7  # percent of the width that a label needs


@dataclass(frozen=True)
class Step:
    """From `x` to `end` (percent of the width) the points are at `y`; `before`: the height they came from, or None."""

    x: float
    end: float
    y: float
    before: float | None


@dataclass(frozen=True)
class Series:
    key: str
    label: str
    points: float  # at the end
    steps: list


@dataclass(frozen=True)
class Line:
    x: float
    label: str  # "" where it would stand on the one before


@dataclass(frozen=True)
class Chart:
    series: list  # fit, engagement
    ratings: list  # a Line where each begins
    marks: list
    since: object
    until: object
    zero: float  # y of no points
    height: int = HEIGHT
    bottom: int = BOTTOM


def chart(history, explanation, *, until):
    """A Chart of the moments of `history` and of the score at `until`; None without any moment."""
    if not history.moments:
        return None
    since = history.moments[0].at
    length = (until - since).total_seconds() or 1
    place = lambda at: round(100 * (at - since).total_seconds() / length, 2)
    seen = [*history.moments, explanation]
    points = [value for each in seen for value in (each.fit, each.engagement)]
    low, high = min(0, *points), max(*points, 1)
    level = lambda value: round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)
    starts = [*(place(moment.at) for moment in history.moments), 100.0]
    series = [
        Series(
            key, label, getattr(explanation, key), steps([level(getattr(each, key)) for each in seen], starts)
        )
        for key, label in (("fit", "Fit"), ("engagement", "Engagement"))
    ]
    ratings = lines([(moment.rating, moment.at) for moment in turns(history.moments)], place)
    versions = lines([(f"v{mark.version}", mark.at) for mark in history.marks], place)
    return Chart(series, ratings, versions, since, until, level(0))


def steps(levels, starts):
    """Each level holds from its start to that of the next; the last is where the line ends."""
    return [
        Step(x, end, y, before)
        for x, end, y, before in zip(starts, [*starts[1:], 100.0], levels, [None, *levels[:-1]], strict=True)
    ]


def turns(moments):
    """Those at which the rating is another than before."""
    before = [None, *(moment.rating for moment in moments[:-1])]
    return [moment for moment, rating in zip(moments, before, strict=True) if moment.rating != rating]


def lines(found, place):
    result, labelled = [], -ROOM
    for label, at in found:
        x = place(at)
        has_room = x - labelled >= ROOM
        labelled = x if has_room else labelled
        result.append(Line(x, label if has_room else ""))
    return result
