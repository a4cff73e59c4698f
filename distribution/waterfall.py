"""The lines of a score as a waterfall: where each bar begins and ends, part by part."""

from dataclasses import dataclass

PARTS = {"fit": "Fit", "engagement": "Engagement"}


@dataclass(frozen=True)
class Bar:
    line: object  # scoring.explain.Line
    start: float  # in percent of the widest part
    end: float


@dataclass(frozen=True)
class Part:
    label: str
    points: float
    bars: list


def waterfall(explanation):
    """Parts with their bars; every part on the same scale, so that their lengths can be compared."""
    heights = {part: running(explanation, part) for part in PARTS}
    reach = [height for ends in heights.values() for height in ends] + [0]
    low, span = min(reach), (max(reach) - min(reach)) or 1
    percent = lambda points: 100 * (points - low) / span
    parts = []
    for part, label in PARTS.items():
        ends = heights[part]
        starts = [0, *ends][: len(ends)]
        lines = [line for line in explanation.lines if line.part == part]
        bars = [Bar(line, percent(a), percent(b)) for line, a, b in zip(lines, starts, ends, strict=True)]
        parts.append(Part(label, getattr(explanation, part), bars))
    return parts


def running(explanation, part):
    total, ends = 0, []
    for line in explanation.lines:
        if line.part == part:
            total += line.points
            ends.append(total)
    return ends
