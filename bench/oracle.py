"""The engine against the plain evaluator on thousands of generated rule sets: `python -m bench oracle [--examples 5000]`.

The very tests that the suite runs with 200 of them, on a throw-away database, in rounds of as many with rule sets of their
own: each round is one transaction, whose dead rows only its end takes away. The first mismatch ends the run with the rule set
that shows it; so does being stopped, and the figure then says how far it came.
"""

import argparse
import os
import sys
import time

import pytest

from bench.figures import figure

TESTS = "scoring/tests/test_engine_against_oracle.py"
ROUND = 250  # rule sets: 200 of the first test, 50 with half-lives
FLAGS = argparse.ArgumentParser(prog="python -m bench oracle")
FLAGS.add_argument("--examples", type=int, default=5000)


class Tally:
    """How many rule sets were held against the plain evaluator, and what the tests counted beside it."""

    def __init__(self, rounds):
        self.examples, self.module, self.rounds = 0, None, rounds

    @pytest.fixture
    def round_number(self, request):
        return request.param

    def pytest_generate_tests(self, metafunc):
        metafunc.fixturenames.append("round_number")
        metafunc.parametrize("round_number", range(self.rounds), indirect=True)

    def pytest_collection_finish(self, session):
        self.module = session.items[0].module
        case = self.module.Case

        def counted(*args):
            self.examples += 1
            return case(*args)

        self.module.Case = counted

    def share_of_early(self, name):
        counted = getattr(self.module, name)
        return round(counted["early"] / max(counted["scores"], 1), 4)


def main():
    examples = FLAGS.parse_args().examples
    os.environ |= {"SCORING_EXAMPLES": "200", "SCORING_RANDOM": "1"}
    os.environ.setdefault("SECRET_KEY", "only-for-a-bench-" + "x" * 40)
    for name in ("DATABASE_URL", "REDIS_URL"):  # never somebody's own database
        os.environ.pop(name, None)
    tally, started = Tally(-(-examples // ROUND)), time.monotonic()
    failed = pytest.main([TESTS, "-q", "-n0", "-x", "--no-header"], plugins=[tally])
    if tally.module is None:
        return int(failed)
    figure(
        "scoring_oracle", ours=tally.examples, yardstick=examples, unit="rule sets", failed=bool(failed),
        next_change_early=tally.share_of_early("EARLY"), half_life_early=tally.share_of_early("DRIFTED"),
        next_change_late=None if failed else 0, seconds=round(time.monotonic() - started),
    )  # fmt: skip
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
