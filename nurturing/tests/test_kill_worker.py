"""kill -9 of a real worker in the middle of a batch: nothing lost, nothing twice."""

import math
import os
import signal
import subprocess
import sys
from collections import Counter

import pytest
from django.conf import settings
from django.db import connection

from leads.models import Consent, Lead
from leads.tests.races import PATIENCE, wait_until
from nurturing.enrollment import enroll
from nurturing.models import Enrollment, Touch
from nurturing.tests.cast import MONDAY, program

MAILS, KILLS = 500, 5
pytestmark = pytest.mark.django_db(transaction=True)


def people(count):
    rows = Lead.objects.bulk_create(
        Lead(email=f"p{number}@buyer.net", first_name=f"P{number}", created_at=MONDAY, updated_at=MONDAY)
        for number in range(count)
    )
    Consent.objects.bulk_create(
        Consent(lead=row, channel="email", purpose="marketing", basis="consent", at=MONDAY) for row in rows
    )
    return rows


def environment(port):
    database = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    return os.environ | {
        "DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "SECRET_KEY": settings.SECRET_KEY, "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "POSTAL_ADDRESS": "Acme Ltd, London", "DEFAULT_FROM_EMAIL": "news@acme.test", "LOG_LEVEL": "WARNING",
    }  # fmt: skip


class Sink:
    """A mail server in a process of its own."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nurturing.tests.sink", "0", str(path), "0.001"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port = int(self.process.stdout.readline())

    def accept(self, count):
        """From now on so many mails; the next one waits."""
        print(count, file=self.process.stdin, flush=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.communicate()


class Workers:
    def __init__(self, port):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nurturing.tests.worker"], env=environment(port), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self):
        return self

    def start(self):
        """→ pid of a new worker."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def finish(self):
        """Wait for all; 0 when none of those that were not killed failed."""
        self.process.stdin.close()
        return self.process.wait(timeout=PATIENCE)

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def taken(path):
    """Touch ids that the server accepted, repetitions included."""
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def test_nothing_lost_nothing_twice(tmp_path):
    path = tmp_path / "taken"
    enroll(lead_ids=[row.pk for row in people(MAILS)], at=MONDAY, program=program(steps=["mail", 24, "mail"]))
    with Sink(path) as sink, Workers(sink.port) as workers:
        for _ in range(KILLS):
            sink.accept(MAILS // (KILLS + 1))  # so that some are left for the last, however late we look
            pid, before = workers.start(), len(taken(path))
            wait_until(lambda before=before: len(taken(path)) > before + 30)
            os.kill(pid, signal.SIGKILL)
        sink.accept(math.inf)
        workers.start()
        assert workers.finish() == 0
    counts = Counter(taken(path))
    first = Touch.objects.filter(step__position=1)
    sent = set(first.filter(status="sent").values_list("pk", flat=True))
    uncertain = set(first.filter(status="uncertain").values_list("pk", flat=True))
    assert max(counts.values()) == 1, "a mail was sent twice"
    assert len(sent) + len(uncertain) == MAILS, "a mail was lost"
    assert len(uncertain) <= KILLS
    assert sent <= counts.keys() <= sent | uncertain
    # Nobody is left without a next step either.
    assert Enrollment.objects.filter(status="active").count() == MAILS
    assert Touch.objects.filter(step__position=3, status="due").count() == MAILS


def test_two_workers_send_each_mail_once(tmp_path):
    path = tmp_path / "taken"
    enroll(lead_ids=[row.pk for row in people(MAILS // 3)], at=MONDAY, program=program(steps=["mail"]))
    with Sink(path) as sink, Workers(sink.port) as workers:
        workers.start()
        workers.start()
        assert workers.finish() == 0
    assert sorted(taken(path)) == sorted(Touch.objects.values_list("pk", flat=True))
    assert set(Touch.objects.values_list("status", "attempts")) == {("sent", 1)}
