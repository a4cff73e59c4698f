"""Redis stopped, frozen or wiped changes no answer and loses nothing; what was due is caught up after its return."""

import time
from contextlib import contextmanager

import pytest
import redis
from kombu.exceptions import OperationalError
from kombu.utils import functional

from leadmgmt.celery import app
from leadmgmt.tests.outages.instance import BACK

PEOPLE = 15
HICCUP = 4.0  # seconds that one answer may take longer than any did with Redis: whoever waits for a silent one waits for 5


@contextmanager
def stopped(instance):
    instance.valkey.stop()
    try:
        yield
    finally:
        instance.valkey.start()


@contextmanager
def frozen(instance):
    instance.freeze()
    try:
        yield
    finally:
        instance.thaw()


@contextmanager
def wiped(instance):
    """Emptied again and again, and just before its return."""
    broker = redis.Redis.from_url(instance.valkey.url)
    broker.flushall()
    yield
    broker.flushall()
    broker.close()


@pytest.mark.parametrize("outage", [stopped, frozen, wiped], ids=lambda outage: outage.__name__)
def test_answers_as_ever_and_catches_up(instance, outage):
    name = outage.__name__
    before, usual = instance.usual(f"before-{name}", PEOPLE)
    with outage(instance):
        answers = instance.people(f"during-{name}", PEOPLE)
        if name != "wiped":
            time.sleep(2)  # whoever was at work has come to its end
            answers += instance.people(f"unheard-{name}", PEOPLE)
            assert instance.owed()["leads to score"] >= PEOPLE, "the outage is one"
    assert max(answer.seconds for answer in answers) < before + HICCUP
    returned = time.monotonic()
    instance.caught_up(within=BACK + 2 * usual)
    print(f"{name}: slowest answer {before:.2f} s before, {max(a.seconds for a in answers):.2f} s during; "
          f"caught up after {time.monotonic() - returned:.1f} s")  # fmt: skip
    instance.all_served(f"during-{name}", PEOPLE)
    if name != "wiped":
        instance.all_served(f"unheard-{name}", PEOPLE)
    instance.nothing_twice()
    assert instance.all_alive()
    # The bells ring again as well: nobody waits for a tick.
    instance.people(f"after-{name}", 1)
    instance.caught_up(within=BACK + usual)


def test_workers_look_for_a_lost_broker_however_long_it_is_gone(monkeypatch):
    monkeypatch.setattr(functional, "sleep", lambda seconds: None)
    waits = []
    lost = app.connection_for_read("redis://127.0.0.1:1/0")
    with pytest.raises(OperationalError):
        lost.ensure_connection(lambda error, wait: waits.append(wait), 100)
    assert len(waits) == 100
    assert max(waits) <= 2
    assert sum(waits) > 150
