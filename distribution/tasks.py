"""The bell rang, or the clock ticked: look for due work. The time is the database's."""

import time

from celery import shared_task

from distribution import handoff, notices, recycling, routing
from nurturing.sending import clock

AT_MOST = 20.0  # seconds; then the next tick goes on, so that no task holds its worker for long


def until_done(verb):
    """Call `verb(at=…)` until it finds nothing, or for AT_MOST seconds."""
    started = time.monotonic()
    while verb(at=clock()) and time.monotonic() - started < AT_MOST:
        pass


@shared_task
def route_due():
    until_done(routing.route_due)
    until_done(handoff.assign_waiting)


@shared_task
def wake_parked():
    until_done(recycling.wake_parked)


@shared_task
def send_notices():
    until_done(notices.send_notices)
