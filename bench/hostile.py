"""Every hostile text through every parameter of every route: `python -m bench hostile [--texts 231] [--start 0.5] [--minutes 20]`.

The very test that the suite runs with one text for each parameter, with all of them; on a throw-away database. All of it
takes the better part of an hour of one core; it can be done in parts.
"""

import argparse
import os
import sys
import time

import pytest

from bench.figures import figure

TEST = "leadmgmt/tests/test_hostile_parameters.py"
FLAGS = argparse.ArgumentParser(prog="python -m bench hostile")
FLAGS.add_argument("--texts", type=int, default=231)
FLAGS.add_argument("--start", type=float, default=0, help="share that an earlier run has done")
FLAGS.add_argument("--minutes", type=float, default=float("inf"), help="end then, and say how far it came")


class Tally:
    """Gets hold of what the test counts."""

    counted: dict = {}

    def pytest_collection_finish(self, session):
        self.counted = session.items[0].module.COUNTED


def main():
    flags = FLAGS.parse_args()
    os.environ |= {
        "HOSTILE_ROUNDS": str(flags.texts),
        "HOSTILE_START": str(flags.start),
        "HOSTILE_MINUTES": str(flags.minutes),
    }
    os.environ.setdefault("SECRET_KEY", "only-for-a-bench-" + "x" * 40)
    for name in ("DATABASE_URL", "REDIS_URL"):  # never somebody's own database
        os.environ.pop(name, None)
    tally, started = Tally(), time.monotonic()
    failed = pytest.main([TEST, "-q", "-s", "-n0", "--no-header"], plugins=[tally])
    counted = tally.counted
    figure(
        "hostile", ours=counted["knocks"], yardstick=counted["planned"], unit="texts through parameters",
        requests=counted["requests"], findings=counted["findings"], failed=bool(failed),
        seconds=round(time.monotonic() - started),
    )  # fmt: skip
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
