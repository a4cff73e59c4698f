"""Housekeeping of the lead records. The schedule is in leadmgmt/celery.py."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from leads import enrichment, idempotency, telling


@shared_task
def forget_old_keys():
    idempotency.forget(at=timezone.now())


@shared_task
def enrich():
    enrichment.carry_on_with_all(at=timezone.now())


@shared_task
def forget_unstarted_uploads():
    enrichment.forget_unstarted(before=timezone.now() - timedelta(days=7))


@shared_task
def tell_leads():
    telling.go_on_with_all()
