"""Doorbells answered: each looks for due rows and calls the verb. The schedule is in leadmgmt/celery.py."""

import time

from celery import shared_task
from django.utils import timezone

from scoring import publish, rescore

LONG_ENOUGH = 20  # seconds per message; the next tick goes on


def until_done(step):
    """Repeat `step` until it finds nothing or the time is up."""
    stop = time.monotonic() + LONG_ENOUGH
    while step() and time.monotonic() < stop:
        pass


@shared_task
def rescore_due():
    until_done(rescore.rescore_due)


@shared_task
def age_due():
    rescore.age_due(at=timezone.now())


@shared_task
def fill_published():
    until_done(lambda: publish.fill_published() or publish.forget_replaced())
