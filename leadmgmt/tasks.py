"""Tasks of the whole: the heartbeat by which `/readyz` tells the age of beat."""

from celery import shared_task


@shared_task
def heartbeat():
    pass
