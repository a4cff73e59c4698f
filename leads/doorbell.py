"""Ring a bell after commit: "due work may be waiting". The work itself is rows, so a bell may be lost.

Nobody who rings ever waits: `ring` only sets a flag, and one daemon thread per process sends the Celery
message that `settings.DOORBELLS` names. Many rings become one message. While the broker cannot be reached the
breaker stays open for `BREAKER` seconds; the ticks of the schedule make up for what was not rung.
"""

import logging
import os
import threading
import time
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

GAP = 0.05  # seconds between two messages of one process: a burst of captures needs no burst of bells
BREAKER = 5.0  # seconds of silence after the broker did not answer
EXPIRES = 30  # seconds; an unread message is worth nothing once the next ticks have run
ANSWERED = 20.0  # seconds; then the next tick goes on, so that no task holds its worker for long


class Bellringer:
    """The thread that sends, and the flags it is told by."""

    def __init__(self):
        self.names = set()
        self.woken, self.stopped = threading.Event(), threading.Event()
        self.lock = threading.Lock()
        self.thread = None
        self.pid = None

    def wake(self, name):
        self.names.add(name)
        self.woken.set()
        # Threads do not survive a fork: each gunicorn or Celery child starts its own at its first ring.
        if self.pid != os.getpid() or not self.thread.is_alive():
            self.start()

    def start(self):
        with self.lock:
            if self.pid == os.getpid() and self.thread.is_alive():
                return
            self.pid = os.getpid()
            self.stopped = threading.Event()
            self.thread = threading.Thread(target=self.run, name="doorbell", daemon=True)
            self.thread.start()

    def stop(self):
        """End the thread; a later ring starts another."""
        self.stopped.set()
        self.woken.set()
        if self.thread is not None:
            self.thread.join(1)

    def run(self):
        while True:
            self.woken.wait()
            self.woken.clear()
            if self.stopped.is_set():
                return
            names, self.names = self.names, set()
            try:
                for name in sorted(names):
                    send(name)
            except Exception as error:  # whatever the broker does must not end the thread
                log.warning("doorbell: the broker cannot be reached (%s); the ticks take over", error)
                self.names |= names
                self.woken.set()
                self.stopped.wait(BREAKER)
            else:
                self.stopped.wait(GAP)


bellringer = Bellringer()


def ring(name):
    """Announce due work of the kind `name`, a key of `settings.DOORBELLS`, once the transaction commits.

    Takes microseconds and never raises for a broker's sake; an unknown name is a KeyError.
    """
    if name not in settings.DOORBELLS:
        raise KeyError(name)
    if getattr(settings, "DOORBELLS_SILENT", False):
        return
    transaction.on_commit(partial(bellringer.wake, name), robust=True)


def send(name):
    current_app.send_task(settings.DOORBELLS[name], expires=EXPIRES, ignore_result=True, retry=False)


def answer(step):
    """What a task does when the bell rang: repeat `step` until it finds nothing, or for so long."""
    started = time.monotonic()
    while step() and time.monotonic() - started < ANSWERED:
        pass
