"""The bell rang, or the clock ticked: look for due touches. The time is the database's."""

from celery import shared_task

from leads.doorbell import answer
from nurturing import touches
from nurturing.sending import clock

BATCH = 100


@shared_task
def perform_due():
    answer(lambda: touches.perform_due(at=clock(), limit=BATCH) == BATCH)


@shared_task
def reap_leases():
    touches.reap(at=clock())
