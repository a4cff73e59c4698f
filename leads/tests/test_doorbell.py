import socket
import threading
import time

import pytest
from celery import Celery
from django.db import transaction

from leads import doorbell
from leads.tests.races import PATIENCE, at_once, wait_until

TASK = "scoring.tasks.rescore_due"


@pytest.fixture
def bells(settings, monkeypatch):
    """Bells ring, into a list instead of a broker."""
    sent = []
    settings.DOORBELLS_SILENT = False
    monkeypatch.setattr(doorbell, "bellringer", doorbell.Bellringer())
    monkeypatch.setattr(doorbell, "send", lambda name: sent.append(name))
    yield sent
    doorbell.bellringer.stop()


@pytest.mark.django_db(transaction=True)
def test_it_works(bells):
    with transaction.atomic():
        doorbell.ring("score")
        time.sleep(0.1)
        assert bells == []  # nothing is announced that is not committed
    wait_until(lambda: bells == ["score"])
    doorbell.ring("route")  # outside a transaction: at once
    wait_until(lambda: bells == ["score", "route"])


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_rings_nothing(bells):
    with transaction.atomic():
        doorbell.ring("score")
        transaction.set_rollback(True)
    time.sleep(0.1)
    assert bells == []


@pytest.mark.django_db(transaction=True)
def test_many_rings_become_few_messages(bells, monkeypatch):
    """All that ring while one message is under way become one more."""
    rung = threading.Event()

    def send(name):
        assert rung.wait(PATIENCE)
        bells.append(name)

    monkeypatch.setattr(doorbell, "send", send)
    at_once(8, lambda number: [doorbell.ring("score") for _ in range(200)])
    rung.set()
    wait_until(lambda: not doorbell.bellringer.woken.is_set() and bells)
    doorbell.bellringer.stop()
    assert 1 <= len(bells) <= 2


def test_silence_in_tests():
    doorbell.ring("score")
    assert doorbell.bellringer.thread is None


def test_unknown_bells():
    with pytest.raises(KeyError):
        doorbell.ring("supper")


@pytest.fixture
def silent_port():
    """A server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield server.getsockname()[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broker", ["closed", "silent"])
def test_a_dead_broker_costs_the_caller_nothing(broker, silent_port, settings, monkeypatch):
    """Only the thread of the bellringer ever talks to it: callers come and go while it waits for an answer."""
    port = 1 if broker == "closed" else silent_port
    app = Celery("nowhere", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    app.conf.broker_transport_options = {"socket_connect_timeout": 0.3, "socket_timeout": 0.5}
    app.conf.task_publish_retry = False
    settings.DOORBELLS_SILENT = False
    real, asked, gone = doorbell.send, [], threading.Event()

    def send(name):
        asked.append(threading.current_thread())
        assert gone.wait(PATIENCE)
        real(name)

    monkeypatch.setattr(doorbell, "current_app", app)
    monkeypatch.setattr(doorbell, "send", send)
    monkeypatch.setattr(doorbell, "BREAKER", 0.2)
    monkeypatch.setattr(doorbell, "bellringer", doorbell.Bellringer())
    for _ in range(50):
        doorbell.ring("score")
    wait_until(lambda: asked)
    gone.set()
    assert set(asked) == {doorbell.bellringer.thread} and doorbell.bellringer.thread.is_alive()
    doorbell.bellringer.stop()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_comes_back_is_rung(settings, monkeypatch):
    sent, failures = [], iter([True, True])

    def send(name):
        if next(failures, False):
            raise ConnectionError("down")
        sent.append(name)

    settings.DOORBELLS_SILENT = False
    monkeypatch.setattr(doorbell, "BREAKER", 0.05)
    monkeypatch.setattr(doorbell, "send", send)
    monkeypatch.setattr(doorbell, "bellringer", doorbell.Bellringer())
    doorbell.ring("route")
    wait_until(lambda: sent == ["route"])
    doorbell.bellringer.stop()


def test_the_thread_belongs_to_its_process():
    """After a fork the parent's thread is gone; the child starts its own."""
    ringer = doorbell.Bellringer()
    ringer.pid, ringer.thread = -1, threading.Thread()
    ringer.wake("score")
    assert ringer.thread.is_alive()
    ringer.stop()


def test_a_bell_is_answered_until_nothing_is_found_or_the_time_is_up(monkeypatch):
    left = [3, 2, 0]
    doorbell.answer(lambda: left.pop(0))
    assert left == []
    steps = []
    monkeypatch.setattr(doorbell, "ANSWERED", 0.0)
    doorbell.answer(lambda: steps.append("one") or True)
    assert steps == ["one"]
