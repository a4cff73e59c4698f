"""What one rule changes: the draft with it, held against the same draft without it, on a sample of real leads.

Nothing is written. Both are judged from one reading of the leads; facts and arithmetic are the engine's own.
"""

from dataclasses import dataclass, replace

import numpy as np

from leads.criteria.matching import total_leads
from leads.models import Lead
from scoring.engine import arithmetic
from scoring.engine.judge import judge
from scoring.engine.rulebook import compile_version
from scoring.engine.touchpoints import matching
from scoring.models import Rule
from scoring.trial import CHUNK, READY, id_chunks, read_only, sample_of, trial_by

SAMPLE = 2_000  # leads; together with planning about a quarter of a second
EVERYBODY_TO = 5_000  # leads: where there are not more, nobody is left out
BINS = 10
SHOWN = 5  # leads named on each side
SAME = 0.9  # share of the leads that both of two rules match, of those that either does
WITHOUT = -1  # stands for the version of the draft without the rule
NICE = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Bin:
    """How many leads have a part of the score from `low` up to `high` (points), without and with the rule."""

    low: float
    high: float
    before: int
    after: int


@dataclass(frozen=True)
class Impact:
    looked_at: int
    part: str  # "fit" or "engagement": what the rule adds to
    touched: int  # leads whose points it changes
    histogram: list[Bin]
    becomes: int  # leads that are sales-ready only with the rule
    stops: int  # and only without it
    becoming: list[Lead]
    stopping: list[Lead]
    overlaps: list[tuple[str, float]]  # (reason of another rule, share of the leads that both match)


def impact_of(version, rule, *, at, sample=SAMPLE):
    """The Impact of `rule` (saved or not) in the draft `version`. Raises BadCondition where a rule cannot be read."""
    others = [other for other in version.rules.select_related("profile", "group") if other.pk != rule.pk]
    without, book = replace(compile_version(version, others), version_id=WITHOUT), compile_version(
        version, [*others, rule]
    )  # fmt: skip
    with read_only():
        chunks = id_chunks(
            sample_of(sample) if sample and total_leads() > EVERYBODY_TO else None, chunk=CHUNK
        )
        found = [_looked(judge(ids, [without, book], at=at), book, at) for ids in chunks]
    if not found:
        return Impact(0, part_of(rule), 0, [], 0, 0, [], [], [])
    ids, before, after, matched = (np.concatenate(column) for column in zip(*found, strict=True))
    part = part_of(rule)
    column = 0 if part == "fit" else 1
    ready, was_ready = np.isin(after[:, 2], READY), np.isin(before[:, 2], READY)
    becomes, stops = ids[ready & ~was_ready], ids[was_ready & ~ready]
    return Impact(
        looked_at=len(ids),
        part=part,
        touched=int((before != after).any(axis=1).sum()),
        histogram=_histogram(before[:, column], after[:, column]),
        becomes=len(becomes),
        stops=len(stops),
        becoming=_leads(becomes),
        stopping=_leads(stops),
        overlaps=_overlaps(book, rule, matched),
    )


def part_of(rule):
    return "fit" if rule.kind in (Rule.Kind.FIT, Rule.Kind.EXCLUDE) else "engagement"


def _looked(judged, book, at):
    """(ids, [fit, engagement, verdict] without the rule, the same with it, bool[leads, rules] whom each gives something)."""
    states = []
    for scores in judged.scores:
        trial = trial_by(judged.leads, scores)
        states.append(np.stack([trial.fit, trial.engagement, trial.verdict], axis=1).astype(np.int64))
    scores, log, rules = judged.scores[1], judged.log, len(book.lead_rules)
    matched = np.zeros((len(judged.leads.ids), rules + len(book.touch_rules)), bool)
    matched[:, :rules] = scores.holds[:, :rules]
    tallies = scores.tallies
    counts = tallies.counted.any(axis=0)
    matched[tallies.lead[counts], rules + tallies.rule[counts]] = True
    asks = arithmetic.narrowed(book, log, matching(book, log.touchpoint, at=at), scores.holds)[
        book.n_activity :
    ]
    rule, entry = np.nonzero(asks & (log.touchpoint > 0))
    matched[log.lead[entry], rules + book.n_activity + rule] = True
    return judged.leads.ids, *states, matched


def _histogram(before, after):
    low, high = (
        min(int(before.min()), int(after.min())) / 100,
        max(int(before.max()), int(after.max())) / 100,
    )
    width = _nice((high - low) / BINS or 1)
    first = np.floor(low / width) * width
    edges = first + width * np.arange(int((high - first) // width) + 2)
    counts = [np.histogram(points / 100, edges)[0].tolist() for points in (before, after)]
    return [Bin(*four) for four in zip(edges[:-1].tolist(), edges[1:].tolist(), *counts, strict=True)]


def _nice(width):
    """The next larger of 1, 2, 2.5, 5 times a power of ten."""
    power = 10 ** np.floor(np.log10(width))
    return float(next(step * power for step in NICE if step * power >= width * (1 - 1e-9)))


def _leads(ids):
    newest = Lead.objects.filter(pk__in=ids[-SHOWN:].tolist()).select_related("company")
    return list(newest.order_by("-created_at", "-id"))


def _overlaps(book, rule, matched):
    """Other rules of the same kind that match nearly the same leads, the nearest first."""
    rules = [*book.lead_rules, *book.touch_rules]
    if rule not in rules:
        return []
    mine = matched[:, rules.index(rule)]
    found = []
    for other, theirs in zip(rules, matched.T, strict=True):
        either = int((mine | theirs).sum())
        if other is not rule and other.kind == rule.kind and either:
            share = int((mine & theirs).sum()) / either
            if share >= SAME:
                found.append((other.name, share))
    return sorted(found, key=lambda pair: -pair[1])
