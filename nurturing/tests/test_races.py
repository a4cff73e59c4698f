"""Real threads on a real database: who comes first wins, and nobody comes out twice or nowhere."""

import threading

import pytest

from leads.models import Lead
from leads.tests.races import PATIENCE, together
from nurturing import sending, touches, versions
from nurturing.enrollment import enroll, leave
from nurturing.models import Enrollment, LocalMail, Touch
from nurturing.tests.cast import DAY, MONDAY, lead, program, sarah

pytestmark = pytest.mark.django_db(transaction=True)


def test_entering_from_many_sides_is_entering_once():
    person, made = sarah(), program()
    together(*[lambda: enroll(lead_ids=[person.pk], at=MONDAY, program=made)] * 8)
    assert Enrollment.objects.count() == Touch.objects.count() == 1


def test_many_workers_claim_each_touch_once():
    people = [lead(f"p{number}@buyer.net") for number in range(60)]
    enroll(lead_ids=[person.pk for person in people], at=MONDAY, program=program(steps=["mail", 24, "mail"]))

    def perform():
        while touches.perform_due(at=MONDAY, limit=7):
            pass

    together(*[perform] * 4)
    touches.follow_up(at=MONDAY)
    assert LocalMail.objects.count() == 60
    assert sorted(LocalMail.objects.values_list("recipients", flat=True)) == sorted(
        person.email for person in people
    )
    assert Touch.objects.filter(status="sent", attempts=1, followed_up=True).count() == 60
    assert Touch.objects.filter(status="due").count() == 60


def test_leaving_while_the_next_step_is_scheduled_leaves_nothing_behind():
    for number in range(15):
        person = lead(f"p{number}@buyer.net")
        enroll(lead_ids=[person.pk], at=MONDAY, program=program(f"p{number}", ["mail", 24, "mail"]))
        together(
            lambda: touches.perform_due(at=MONDAY),
            lambda person=person: leave(lead_ids=[person.pk], at=MONDAY, reason="Handed to sales"),
        )
    touches.follow_up(at=MONDAY)
    assert not Enrollment.objects.filter(status="active").exists()
    assert not Touch.objects.filter(status__in=["due", "claimed", "sending", "open"]).exists()


def test_recycling_and_entering_again_keeps_one_active_enrollment():
    person, made = sarah(), program()

    def again():
        for _ in range(5):
            leave(lead_ids=[person.pk], at=MONDAY, reason="again")
            enroll(lead_ids=[person.pk], at=MONDAY, program=made)

    together(again, again, lambda: touches.perform_due(at=MONDAY))
    assert Enrollment.objects.filter(status="active").count() == 1
    assert (
        Touch.objects.filter(status__in=["due", "claimed", "sending"], enrollment__status="exited").count()
        == 0
    )


def test_nothing_is_begun_after_a_pause_was_committed(monkeypatch):
    """A worker that claimed before the pause and comes to begin after it, again and again."""
    people = [lead(f"p{number}@buyer.net") for number in range(40)]
    made = program(steps=["mail", 24, "mail"])
    enroll(lead_ids=[person.pk for person in people], at=MONDAY, program=made)
    real_claim, claimed, paused, sent = sending.claim, threading.Event(), threading.Event(), []

    def claim(*args, **kwargs):
        rows = real_claim(*args, **kwargs)
        claimed.set()
        assert len(rows) == 2 and paused.wait(PATIENCE)
        return rows

    def pause():
        assert claimed.wait(PATIENCE)
        versions.pause(program=made)
        paused.set()

    def count():
        sent.append(LocalMail.objects.count())

    monkeypatch.setattr(sending, "claim", claim)
    for _ in range(4):
        together(lambda: touches.perform_due(at=MONDAY, limit=2), pause)
        count()
        versions.go_on(program=made)
        Touch.objects.filter(status="due", due_at__lt=MONDAY + DAY).update(due_at=MONDAY)
        touches.perform_due(at=MONDAY, limit=2)
        count()
        claimed.clear(), paused.clear()
    assert sent == [0, 2, 2, 4, 4, 6, 6, 8]


def test_place_and_enrollment_agree_after_all_this():
    people = [lead(f"p{number}@buyer.net") for number in range(10)]
    ids = [person.pk for person in people]
    made = program(steps=["mail"])
    together(
        lambda: enroll(lead_ids=ids, at=MONDAY, program=made),
        lambda: enroll(lead_ids=list(reversed(ids)), at=MONDAY, program=made),
        lambda: touches.perform_due(at=MONDAY),
    )
    while touches.perform_due(at=MONDAY) or touches.follow_up(at=MONDAY):
        pass
    inside = set(Enrollment.objects.filter(status="active").values_list("lead", flat=True))
    assert inside == set(Lead.objects.filter(place="nurture").values_list("pk", flat=True)) == set()
    assert Lead.objects.filter(place="parked", wake_at=MONDAY + 90 * DAY).count() == 10
