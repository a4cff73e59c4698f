"""Past scores computed again, over the demo's 15 months: `python -m bench replay [--sample 2400] [--seed 1]`.

Loads the demo on servers of its own. What is computed today must equal, to the last digit, what was written down then:
- moved: version, fit, engagement, total, rating and verdict at the instant of a ScoreChange; as many of each version and month
- before: rating and verdict that stood the last time before it when the scorer had caught up. The demo's scorer comes by at
  midnight, of the older months every fifth: what came in since then, or what time did, was not in any score yet
- stands: the scores that stand now, at the instant at which they came to be what they are
Not compared, and counted: changes overtaken by another one of the same lead and instant (`overtaken`).
"""

import argparse
import random
import sys
from collections import defaultdict

from bench import stack
from bench.figures import figure

FLAGS = argparse.ArgumentParser(prog="python -m bench replay")
FLAGS.add_argument("--sample", type=int, default=2400)
FLAGS.add_argument("--seed", type=int, default=1)
SHOWN = 20


def main():
    flags = FLAGS.parse_args()
    with stack.servers():
        stack.manage("demo")
        stack.setup_django()
        return compare(flags.sample, random.Random(flags.seed))


def compare(size, dice):
    from scoring.models import Score, ScoreChange, ScoringModel
    from scoring.tests import replayed

    chosen, strata = sample(size, dice)
    moved = replayed.moved(ScoreChange.objects.filter(pk__in=chosen))
    scores = Score.objects.filter(model_version__in=ScoringModel.objects.values("current_version"))
    pks = sorted(scores.values_list("pk", flat=True))
    kinds = {
        "moved": moved,
        "before": replayed.before(moved, rests()),
        "stands": replayed.stands(Score.objects.filter(pk__in=dice.sample(pks, min(size // 4, len(pks))))),
    }
    differing = {kind: replayed.differing(moments) for kind, moments in kinds.items()}
    for kind, found in differing.items():
        for moment, again in found[:SHOWN]:
            print(f"{kind}: {moment} but today {again}", file=sys.stderr)
    compared = sum(len(moments) for moments in kinds.values())
    mismatches = sum(len(found) for found in differing.values())
    figure(
        "replay", ours=compared - mismatches, yardstick=compared, unit="past scores", mismatches=mismatches,
        **{kind: len(moments) for kind, moments in kinds.items()}, overtaken=len(chosen) - len(moved),
        changes=ScoreChange.objects.count(), months=len({month for _, month in strata}),
        versions=sorted({version for version, _ in strata}),
    )  # fmt: skip
    return 1 if mismatches or not compared else 0


def sample(size, dice):
    """(ids of ScoreChanges, {(version, month): ids}): as many of each version and month as there are, up to an equal share."""
    from scoring.models import ScoreChange

    strata = defaultdict(list)
    for row in ScoreChange.objects.select_related("model_version__model").order_by("pk"):
        strata[str(row.model_version), f"{row.at:%Y-%m}"].append(row.pk)
    share = -(-size // len(strata))
    return [pk for pks in strata.values() for pk in dice.sample(pks, min(share, len(pks)))], strata


def rests():
    """{model id: the midnights at which the demo's scorer caught up with it}"""
    from leadmgmt.demo.judging import midnight
    from scoring.models import ScoreChange

    found = defaultdict(list)
    instants = ScoreChange.objects.values_list("model_version__model", "at").distinct().order_by("at")
    for model, at in instants:
        if at == midnight(at):
            found[model].append(at)
    return found


if __name__ == "__main__":
    sys.exit(main())
