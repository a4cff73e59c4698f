"""`kill -9` in the middle of re-scoring 10,000 leads, again and again: every lead ends with its score, once."""

import os
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import contextmanager
from datetime import timedelta

import psutil
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone

from leadmgmt.local.processes import Child
from leadmgmt.local.state import ROOT
from leads.activities import record_many
from leads.models import Lead, StageChange
from leads.tests.races import brake, wait_until
from scoring import rescore
from scoring.models import Score, ScoreChange
from scoring.tests.cast import activity, current, fit

pytestmark = pytest.mark.django_db(transaction=True)

LEADS = 10_000
BROKER = settings.REDIS_URL.rpartition("/")[0] + "/9"  # nobody else's doorbells
# Forks a scorer at each line it reads, so that Django starts once, and tells its pid.
SCORERS = """
import os, sys
import django; django.setup()
from django.utils import timezone
from scoring.rescore import rescore_due
for _ in sys.stdin:
    pid = os.fork()
    if not pid:
        while rescore_due(at=timezone.now(), limit=100):
            pass
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
"""


@pytest.fixture
def version():
    """10,000 leads that have a score already, and a reason for another one that raises stage and rating."""
    before = timezone.now() - timedelta(hours=2)
    version = current(
        fit(25, field="role", op="equals", value="decision maker"),
        activity(20, "page_view"),
        activity(20, "webinar"),
    )
    Lead.objects.bulk_create(
        (
            Lead(
                email=f"p{n}@example.com",
                role="decision maker" if n % 2 else "",
                created_at=before,
                updated_at=before,
            )
            for n in range(LEADS)
        ),
        batch_size=5000,
    )
    leads = list(Lead.objects.values_list("pk", flat=True))
    for kind in ("page_view", "webinar"):
        at = timezone.now() - timedelta(hours=1)
        record_many([{"lead_id": pk, "kind": kind, "at": at} for pk in leads], received_at=at)
        if kind == "page_view":
            while rescore.rescore_due(at=at, limit=LEADS):
                pass
    assert due() == LEADS == Score.objects.filter(engagement=20).count()
    return version


def environment():
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    return os.environ | {
        "DATABASE_URL": url, "REDIS_URL": BROKER, "SECRET_KEY": settings.SECRET_KEY, "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "leadmgmt.settings",
    }  # fmt: skip


def due():
    return Lead.objects.filter(rescore_at__isnull=False).count()


def all_scored_once(version):
    assert due() == 0
    scores = Score.objects.filter(model_version=version)
    assert scores.count() == LEADS == scores.values("lead_id").distinct().count()
    assert scores.filter(engagement=40).count() == LEADS
    assert scores.filter(fit=25).count() == LEADS / 2
    changes = ScoreChange.objects.filter(model_version=version)
    assert changes.filter(old_rating="").count() == LEADS
    # The webinar moved everybody: from D to C who fits poorly, to sales-ready who fits.
    later = list(changes.exclude(old_rating="").values_list("lead_id", flat=True))
    assert len(later) == len(set(later)) == LEADS
    moves = list(StageChange.objects.values_list("lead_id", "to_stage"))
    assert len(moves) == len(set(moves)) == LEADS  # to MQL, then to sales-ready, those who fit
    equal_to_recomputation(scores)


def equal_to_recomputation(scores):
    batches = defaultdict(list)
    for lead_id, as_of in scores.values_list("lead_id", "as_of"):
        batches[as_of].append(lead_id)
    assert len(batches) > 10
    for as_of, lead_ids in batches.items():
        assert rescore.rescore(lead_ids=lead_ids, at=as_of) == 0


def test_a_loop_is_killed(version):
    scorers = subprocess.Popen(
        [sys.executable, "-c", SCORERS],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with scorers, brake("scoring_score", every=1050) as kill:
        for _ in range(5):
            scorers.stdin.write("go\n")
            scorers.stdin.flush()
            pid = int(scorers.stdout.readline())
            kill(lambda pid=pid: os.kill(pid, signal.SIGKILL))
    assert due() == LEADS - 5 * 1000, "killed in the middle of a batch of 100"
    while rescore.rescore_due(at=timezone.now()):
        pass
    all_scored_once(version)


@contextmanager
def celery_worker(folder):
    """A worker of the queue `score` as `make run` starts it."""
    argv = [sys.executable, "-m", "celery", "-A", "leadmgmt.celery", "worker", "-Q", "score", "-c", "1", "-l", "WARNING",
            "--without-gossip", "--without-mingle", "--without-heartbeat"]  # fmt: skip
    worker = Child("worker", argv, env=environment(), cwd=ROOT, log=folder / "worker.log").start()
    try:
        yield worker
    finally:
        worker.stop()


def tick():
    """What beat does every five seconds."""
    with Celery("beat", broker=BROKER, set_as_current=False) as beat:
        beat.send_task("scoring.tasks.rescore_due", queue="score", ignore_result=True)


def pool_of(worker):
    """The one process in which a worker does its tasks."""
    wait_until(lambda: psutil.Process(worker.process.pid).children())
    (process,) = psutil.Process(worker.process.pid).children()
    return process


def test_celery_is_killed(version, tmp_path):
    """Its pool process, which Celery replaces, and then all of it, which the runner starts again."""

    def kill_all():
        pool = pool_of(worker)
        worker.process.kill()
        pool.kill()

    with brake("scoring_score", every=700) as kill, celery_worker(tmp_path) as worker:
        for _ in range(3):
            tick()
            kill(lambda: pool_of(worker).kill())
        tick()
        kill(kill_all)
    assert due() == LEADS - 4 * 500, "killed in the middle of a batch of 500"
    with celery_worker(tmp_path):
        tick()
        wait_until(lambda: not due())
    all_scored_once(version)
