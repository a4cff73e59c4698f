"""Charts as geometry, for templates to draw as SVG. The figures stand in a table beside each; a chart only shows them.

Units are those of the viewBox: `WIDTH` × `HEIGHT`.
"""

from dataclasses import dataclass

WIDTH, HEIGHT = 320, 100


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True)
class Columns:
    bars: list
    line: float | None  # y of the line
    width: int = WIDTH
    height: int = HEIGHT


def columns(groups, *, line=None):
    """Groups of columns beside each other: `groups` is [(value of series 0, of series 1, …), …], none below 0."""
    top = max([line or 0, *(value for group in groups for value in group)], default=0) or 1
    step = WIDTH / max(1, len(groups))
    bars = []
    for place, group in enumerate(groups):
        width = step * 0.7 / len(group)
        for series, value in enumerate(group):
            height = HEIGHT * value / top
            x = place * step + step * 0.15 + series * width
            bars.append(
                Bar(round(x, 2), round(HEIGHT - height, 2), round(width * 0.9, 2), round(height, 2), series)
            )
    return Columns(bars, None if line is None else round(HEIGHT - HEIGHT * line / top, 2))


def stacked(values):
    """One bar from left to right, 100 wide and 10 high: a Bar per value, none below 0; nothing where all are 0."""
    total, x, bars = sum(values), 0.0, []
    for series, value in enumerate(values):
        width = 100 * value / total if total else 0
        if width:
            bars.append(Bar(round(x, 2), 0, round(width, 2), 10, series))
        x += width
    return bars
