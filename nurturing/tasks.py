"""The bell rang, or the clock ticked: look for due touches. The time is the database's."""

import time

from celery import shared_task

from nurturing import touches
from nurturing.sending import clock

BATCH = 100
AT_MOST = 20.0  # seconds; then the next tick goes on, so that no task holds its worker for long


@shared_task
def perform_due():
    started = time.monotonic()
    while touches.perform_due(at=clock(), limit=BATCH) == BATCH and time.monotonic() - started < AT_MOST:
        pass


@shared_task
def reap_leases():
    touches.reap(at=clock())
