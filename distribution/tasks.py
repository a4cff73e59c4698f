"""The bell rang, or the clock ticked: look for due work. The time is the database's."""

from celery import shared_task

from distribution import handoff, notices, recycling, routing
from leads.doorbell import answer
from nurturing.sending import clock


@shared_task
def route_due():
    answer(lambda: routing.route_due(at=clock()))
    answer(lambda: handoff.assign_waiting(at=clock()))


@shared_task
def wake_parked():
    answer(lambda: recycling.wake_parked(at=clock()))


@shared_task
def send_notices():
    answer(lambda: notices.send_notices(at=clock()))
