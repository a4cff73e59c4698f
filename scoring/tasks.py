"""Doorbells answered: each looks for due rows and calls the verb. The schedule is in leadmgmt/celery.py."""

from celery import shared_task
from django.utils import timezone

from leads.doorbell import answer
from scoring import publish, rescore


@shared_task
def rescore_due():
    answer(rescore.rescore_due)


@shared_task
def age_due():
    rescore.age_due(at=timezone.now())


@shared_task
def fill_published():
    answer(lambda: publish.fill_published() or publish.forget_replaced())
