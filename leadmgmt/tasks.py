"""Tasks of the whole: the heartbeat by which `/readyz` tells the age of beat."""

from celery import shared_task
from django.utils import timezone

from leadmgmt.health import beat


@shared_task
def heartbeat():
    beat(at=timezone.now())
