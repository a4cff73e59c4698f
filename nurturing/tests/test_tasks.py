import inspect

import pytest

from leads.rows import fetch
from nurturing import tasks
from nurturing.enrollment import enroll
from nurturing.models import LocalMail, Touch
from nurturing.sending import clock
from nurturing.tests.cast import lead, program

pytestmark = pytest.mark.django_db


def test_it_works_and_catches_up_in_batches(monkeypatch):
    monkeypatch.setattr(tasks, "BATCH", 4)
    people = [lead(f"p{number}@buyer.net") for number in range(10)]
    enroll(lead_ids=[person.pk for person in people], at=clock(), program=program(steps=["mail", 24, "mail"]))
    tasks.perform_due()
    assert LocalMail.objects.count() == 10
    tasks.perform_due()
    assert LocalMail.objects.count() == 10


def test_a_lost_worker_s_touches_come_back():
    enroll(lead_ids=[lead("p@buyer.net").pk], at=clock(), program=program())
    Touch.objects.update(status="claimed", lease_until=fetch("SELECT now() - interval '1 second'", [])[0][0])
    tasks.reap_leases()
    assert Touch.objects.get().status == "due"


def test_tasks_only_claim_call_and_go_on():
    for task in (tasks.perform_due, tasks.reap_leases):
        assert len(inspect.getsource(task.run).splitlines()) <= 10
