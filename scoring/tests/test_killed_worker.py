"""`kill -9` of a worker in the middle of scoring or filling: nothing is lost, nothing is done twice."""

import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from leads.activities import record_many
from leads.models import Lead
from leads.tests.races import brake
from scoring.models import ModelVersion, Score, ScoreChange
from scoring.publish import ask_publish, fill_published
from scoring.rescore import rescore_due
from scoring.tests.cast import activity, approved, current, draft

pytestmark = pytest.mark.django_db(transaction=True)
LEADS = 2000
WORKER = """
import django; django.setup()
from django.utils import timezone
from scoring.publish import fill_published
from scoring.rescore import rescore_due
while {step}:
    pass
"""


@pytest.fixture
def crowd():
    now = timezone.now() - timedelta(hours=1)
    Lead.objects.bulk_create(
        Lead(email=f"p{n}@example.com", created_at=now, updated_at=now) for n in range(LEADS)
    )
    items = [
        {"lead_id": pk, "kind": "page_view", "at": now} for pk in Lead.objects.values_list("pk", flat=True)
    ]
    record_many(items, received_at=now)


@contextmanager
def worker(step):
    """A process of its own that takes one step after the other on this database."""
    old = settings.DATABASES["default"]
    url = f"postgres://{old['USER']}:{old['PASSWORD']}@{old['HOST']}:{old['PORT']}/{connection.settings_dict['NAME']}"
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "leadmgmt.settings"}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER.format(step=step)], env=environment, cwd=settings.BASE_DIR
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def killed_in_the_fourth(step):
    """Batch of a hundred, while it writes its scores."""
    with brake("scoring_score", every=350) as kill, worker(step) as process:
        kill(lambda: (process.kill(), process.wait()))


def test_scoring(crowd):
    version = current(activity(5, "page_view"))
    killed_in_the_fourth("rescore_due(at=timezone.now(), limit=100)")
    assert Score.objects.filter(model_version=version).count() == 300
    assert Lead.objects.filter(rescore_at=None).count() == 300  # a batch is committed whole, or not at all
    while rescore_due(at=timezone.now()):
        pass
    assert Score.objects.filter(model_version=version, engagement=5).count() == LEADS
    assert ScoreChange.objects.count() == LEADS


def test_filling(crowd):
    current(activity(5, "page_view"))
    version = draft(activity(7, "page_view"))
    ask_publish(version=approved(version), by=None, at=timezone.now())
    killed_in_the_fourth("fill_published(at=timezone.now(), batch=100)")
    filling = ModelVersion.objects.get(pk=version.pk)
    assert filling.publish_asked_at and filling.status == "approved"
    assert Score.objects.filter(model_version=version).count() == filling.filled == 300
    while fill_published(at=timezone.now()):
        pass
    assert ModelVersion.objects.get(pk=version.pk).status == "published"
    assert Score.objects.filter(model_version=version, engagement=7).count() == LEADS
    assert ScoreChange.objects.count() == LEADS
