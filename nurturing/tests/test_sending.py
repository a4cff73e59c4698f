"""What the server answers, and what becomes of the mail: real SMTP on the loopback."""

from datetime import timedelta

import pytest

from leads.models import Activity, Suppression
from nurturing import sending, touches
from nurturing.enrollment import enroll
from nurturing.models import LocalMail, Touch
from nurturing.tests.cast import DAY, MONDAY, lead, program

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def start(*names, steps=("mail",), **values):
    people = [lead(f"{name}@buyer.net", **values) for name in names]
    enroll(lead_ids=[person.pk for person in people], at=MONDAY, program=program(steps=list(steps)))
    return people


def the_touch(name):
    return Touch.objects.get(lead__email=f"{name}@buyer.net", kind="mail")


def test_it_works(sink):
    start("anna", "ben")
    touches.perform_due(at=MONDAY)
    assert sorted(mail["To"] for mail in sink.mails) == ["anna@buyer.net", "ben@buyer.net"]
    touch = the_touch("anna")
    assert (touch.status, touch.reason) == ("sent", "250 2.0.0 Taken")
    mail = next(mail for mail in sink.mails if mail["To"] == "anna@buyer.net")
    assert mail["Message-ID"] == touch.message_id
    assert mail["List-Unsubscribe"] == f"<http://127.0.0.1:8000/u/{touch.link_token}/>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert not LocalMail.objects.exists()


def test_the_demo_and_addresses_of_nobody_never_reach_smtp(sink):
    start("shown", is_demo=True)
    for address in ("a@acme.example", "b@x.test", "c@sub.invalid", "d@example.com", "e@www.example.org"):
        person = lead(address)
        enroll(lead_ids=[person.pk], at=MONDAY, program=program(f"p-{person.pk}", ["mail"]))
    touches.perform_due(at=MONDAY)
    assert sink.mails == []
    assert Touch.objects.filter(status="sent", reason__startswith="local mailbox").count() == 6
    assert LocalMail.objects.get(recipients="shown@buyer.net").why.startswith("Demo lead")


def test_a_temporary_refusal_is_tried_again_after_growing_pauses_and_given_up(sink):
    start("r451-gray")
    at, pauses = MONDAY, []
    for _ in range(7):
        touches.perform_due(at=at)
        touch = the_touch("r451-gray")
        if touch.status == "failed":
            break
        assert touch.status == "due" and "451" in touch.reason
        pauses.append(round((touch.due_at - at) / MINUTE))
        at = touch.due_at
    assert pauses == [1, 5, 15, 60, 240, 720]
    assert touch.status == "failed" and touch.reason.startswith("gave up after 7 attempts: 451")
    assert sink.mails == [] and not Suppression.objects.exists()


def test_busy_once_then_delivered_once(sink):
    start("busy-bee", "anna")
    touches.perform_due(at=MONDAY)
    assert the_touch("anna").status == "sent"
    touches.perform_due(at=MONDAY + 2 * MINUTE)
    assert the_touch("busy-bee").status == "sent"
    assert len(sink.touches) == len(set(sink.touches)) == 2


def test_an_unknown_mailbox_fails_and_is_suppressed_and_the_neighbours_are_served(sink):
    names = [f"n{number}" for number in range(20)]
    start(*names[:10], "r550-gone", *names[10:])
    for tick in range(3):
        touches.perform_due(at=MONDAY + tick * DAY)
    assert the_touch("r550-gone").status == "failed"
    assert Suppression.objects.get().address == "r550-gone@buyer.net"
    assert Suppression.objects.get().reason == "bounced"
    assert sorted(sink.touches) == sorted(Touch.objects.filter(status="sent").values_list("pk", flat=True))
    assert len(sink.mails) == 20


def test_another_refusal_fails_without_suppressing(sink):
    start("d554-no", "anna")
    touches.perform_due(at=MONDAY)
    assert the_touch("d554-no").status == "failed" and "554" in the_touch("d554-no").reason
    assert the_touch("anna").status == "sent"
    assert not Suppression.objects.exists()


def test_silence_after_the_final_dot_is_uncertain_and_never_resent_by_itself(sink):
    start("cut-off", "anna")
    for tick in range(3):
        touches.perform_due(at=MONDAY + tick * DAY)
        touches.reap(at=MONDAY + tick * DAY)
    assert the_touch("cut-off").status == "uncertain"
    assert "no answer after the mail was complete" in the_touch("cut-off").reason
    assert the_touch("anna").status == "sent"
    assert len(sink.mails) == 2  # the sink did take it: a second try would have been a duplicate


def test_a_person_decides_about_an_uncertain_mail(sink):
    start("cut-one", "cut-two")
    touches.perform_due(at=MONDAY)
    one, two = the_touch("cut-one"), the_touch("cut-two")
    assert sending.mark_sent(Touch, pk=one.pk, at=MONDAY) == 1
    assert sending.send_again(Touch, pk=two.pk, at=MONDAY) == 1
    assert (the_touch("cut-one").status, the_touch("cut-two").status) == ("sent", "due")
    assert sending.send_again(Touch, pk=one.pk, at=MONDAY) == 0
    touches.follow_up(at=MONDAY)
    assert Activity.objects.get(touchpoint__kind="mail_sent").lead == one.lead


def test_a_connection_lost_before_the_mail_was_out_is_tried_again(sink):
    start("early-cut", "anna")
    touches.perform_due(at=MONDAY)
    assert the_touch("early-cut").status == "due"
    assert the_touch("anna").status == "sent"  # on a new connection


def test_no_server_no_attempts_burnt(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    start("anna", "ben", "cleo")
    touches.perform_due(at=MONDAY)
    assert set(Touch.objects.values_list("status", flat=True)) == {"due"}
    assert set(Touch.objects.values_list("attempts", flat=True)) == {0}
    assert all("could not connect" in reason for reason in Touch.objects.values_list("reason", flat=True))


def test_a_lease_that_runs_out_while_claimed_makes_it_due_again():
    start("anna")
    sending.claim(Touch, at=MONDAY, limit=9)
    assert sending.reap(Touch, at=MONDAY) == (0, 0)
    expire()
    assert sending.reap(Touch, at=MONDAY) == (1, 0)
    assert the_touch("anna").status == "due"


def test_a_lease_that_runs_out_while_sending_makes_it_uncertain():
    start("anna")
    rows = sending.claim(Touch, at=MONDAY, limit=9)
    sending.begin(Touch, rows, at=MONDAY)
    expire()
    assert sending.reap(Touch, at=MONDAY) == (0, 1)
    assert the_touch("anna").status == "uncertain"
    assert the_touch("anna").reason == sending.LOST
    assert touches.perform_due(at=MONDAY + DAY) == 0


def test_a_worker_that_wakes_after_its_lease_begins_nothing():
    start("anna")
    slow = sending.claim(Touch, at=MONDAY, limit=9)
    expire()
    sending.reap(Touch, at=MONDAY)
    quick = sending.claim(Touch, at=MONDAY, limit=9)
    assert sending.begin(Touch, slow, at=MONDAY) == []
    assert len(sending.begin(Touch, quick, at=MONDAY)) == 1
    assert sending.settle(Touch, {slow[0]: sending.Outcome("sent")}, at=MONDAY) == set()
    assert the_touch("anna").status == "sending"


def test_a_worker_that_was_only_slow_turns_its_uncertain_mail_into_the_truth():
    start("anna")
    rows = sending.claim(Touch, at=MONDAY, limit=9)
    sending.begin(Touch, rows, at=MONDAY)
    expire()
    sending.reap(Touch, at=MONDAY)
    assert sending.settle(Touch, {rows[0]: sending.Outcome("sent")}, at=MONDAY)
    assert the_touch("anna").status == "sent"


def expire():
    Touch.objects.update(lease_until=sending.clock() - MINUTE)
