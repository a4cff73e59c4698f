"""The history of a score as a step chart: positions for an SVG whose width is the page's and whose height is fixed."""

from dataclasses import dataclass

HEIGHT, TOP, BOTTOM = 150, 26, 126  # pixels; above the steps stand the versions, below them the dates
ROOM = 7  # percent of the width that a label needs


@dataclass(frozen=True)
class Step:
    """From `x` to `end` (percent of the width) the total is at `y`; `before`: the height it came from, or None."""

    x: float
    end: float
    y: float
    before: float | None
    rating: str  # "" where its label would stand on the one before


@dataclass(frozen=True)
class Line:
    x: float
    label: str


@dataclass(frozen=True)
class Chart:
    steps: list
    marks: list
    since: object
    until: object
    highest: float
    lowest: float
    height: int = HEIGHT
    top: int = TOP
    bottom: int = BOTTOM


def chart(history, explanation, *, until):
    """A Chart of the moments of `history` and of the score at `until`; None without any moment."""
    if not history.moments:
        return None
    since = history.moments[0].at
    length = (until - since).total_seconds() or 1
    place = lambda at: round(100 * (at - since).total_seconds() / length, 2)
    totals = [moment.total for moment in history.moments] + [explanation.total]
    low, high = min(0, *totals), max(*totals, 1)
    level = lambda total: round(BOTTOM - (BOTTOM - TOP) * (total - low) / (high - low), 1)
    starts = [place(moment.at) for moment in history.moments]
    ends = [*starts[1:], 100.0]
    steps, labelled, before = [], -ROOM, None
    for moment, x, end in zip(history.moments, starts, ends, strict=True):
        has_room = x - labelled >= ROOM and x <= 100 - ROOM / 2
        labelled = x if has_room else labelled
        y = level(moment.total)
        steps.append(Step(x, end, y, before, moment.rating if has_room else ""))
        before = y
    if level(explanation.total) != before:  # moved since without another rating
        steps.append(Step(100.0, 100.0, level(explanation.total), before, ""))
    return Chart(steps, marks(history.marks, place), since, until, high, low)


def marks(found, place):
    lines, labelled = [], -ROOM
    for mark in found:
        x = place(mark.at)
        has_room = x - labelled >= ROOM
        labelled = x if has_room else labelled
        lines.append(Line(x, f"v{mark.version}" if has_room else ""))
    return lines
