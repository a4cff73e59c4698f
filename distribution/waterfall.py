"""The lines of a score as a waterfall: where each bar begins and ends, part by part."""

from collections import Counter
from dataclasses import dataclass

PARTS = {"fit": "Fit", "engagement": "Engagement"}


@dataclass(frozen=True)
class Bar:
    line: object  # scoring.explain.Line
    start: float  # in percent of the widest part
    end: float
    of_group: float  # points of all lines of its group together

    @property
    def is_cap(self):
        return self.line.kind == "cap"

    @property
    def raw(self):
        """Points before age: of what does not age, its points; a cap has none of its own."""
        if self.is_cap:
            return None
        return self.line.points if self.line.raw is None else self.line.raw


@dataclass(frozen=True)
class Part:
    label: str
    points: float
    bars: list


def waterfall(explanation):
    """Parts with their bars, the rules of a group together; every part on the same scale, so that lengths compare."""
    lines = {part: grouped([line for line in explanation.lines if line.part == part]) for part in PARTS}
    heights = {part: running(lines[part]) for part in PARTS}
    reach = [height for ends in heights.values() for height in ends] + [0]
    low, span = min(reach), (max(reach) - min(reach)) or 1
    percent = lambda points: 100 * (points - low) / span
    parts = []
    for part, label in PARTS.items():
        ends = heights[part]
        starts = [0, *ends][: len(ends)]
        together = Counter()
        for line in lines[part]:
            together[line.group] += line.points
        bars = [
            Bar(line, percent(a), percent(b), together[line.group])
            for line, a, b in zip(lines[part], starts, ends, strict=True)
        ]
        parts.append(Part(label, getattr(explanation, part), bars))
    return parts


def grouped(lines):
    """Rules without a group first, then group by group with what its cap takes; the cap of the whole part is last."""
    # A cut by a rule's own cap is named by the rule, and stays beside it.
    rules = tuple(f"{line.rule}: " for line in lines)
    whole = [
        line
        for line in lines[-1:]
        if line.kind == "cap" and not line.group and not line.rule.startswith(rules)
    ]
    groups = list(dict.fromkeys(["", *(line.group for line in lines)]))
    return sorted(lines[: len(lines) - len(whole)], key=lambda line: groups.index(line.group)) + whole


def running(lines):
    total, ends = 0, []
    for line in lines:
        total += line.points
        ends.append(total)
    return ends
