"""Housekeeping of the lead records. The schedule is in leadmgmt/celery.py."""

from celery import shared_task
from django.utils import timezone

from leads import idempotency, telling


@shared_task
def forget_old_keys():
    idempotency.forget(at=timezone.now())


@shared_task
def tell_leads():
    telling.go_on_with_all()
