"""Two beats and two of each worker at once: whatever they do, they do once."""

import time

import pytest

from leadmgmt.local.run import services
from leadmgmt.tests.outages.instance import PATIENCE

PEOPLE = 40
SECONDS = 6.0  # more than a tick of either beat


@pytest.fixture
def twins(instance):
    folder = instance.folder / "twins"
    folder.mkdir()
    children = [child.start() for child in services(instance.port, instance.environment, folder)[1:]]
    deadline = time.monotonic() + PATIENCE
    while not all(
        "transport:" in child.last_lines(40) or "broker ->" in child.last_lines(40) for child in children
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield children
    for child in children:
        child.send_stop()
    for child in children:
        child.wait(60)


def test_nothing_happens_twice(instance, twins):
    waves = 0
    until = time.monotonic() + SECONDS
    while waves < 3 or time.monotonic() < until:
        instance.people(f"twins-{waves}", PEOPLE // 4)
        waves += 1
        time.sleep(0.5)
    instance.caught_up()
    for wave in range(waves):
        instance.all_served(f"twins-{wave}", PEOPLE // 4)
    instance.nothing_twice()
    assert all(child.alive for child in twins)
    assert instance.all_alive()
