import pytest

from leads import consent
from leads.models import Activity, Lead
from nurturing import touches
from nurturing.enrollment import NO_CHANNEL, enroll
from nurturing.models import Enrollment, LocalMail, Program, Touch
from nurturing.tests.cast import DAY, MONDAY, allow, bob, carl, lead, program, sarah, template

pytestmark = pytest.mark.django_db


def start(*people, **values):
    made = program(**values)
    enroll(lead_ids=[person.pk for person in people], at=MONDAY, program=made)
    return made


def test_it_works():
    person = sarah()
    start(person)
    assert touches.perform_due(at=MONDAY) == 1
    sent, ahead = Touch.objects.order_by("pk")
    assert (sent.status, sent.attempts, sent.followed_up) == ("sent", 1, True)
    assert (ahead.kind, ahead.status, ahead.due_at) == ("mail", "due", sent.settled_at + 7 * DAY)
    mail = LocalMail.objects.get()
    assert (mail.recipients, mail.subject) == ("sarah@buyer.net", "For Sarah")
    logged = Activity.objects.get(touchpoint__kind="mail_sent")
    assert (logged.lead, logged.engagement, logged.message_id) == (person, False, sent.message_id)
    assert touches.perform_due(at=MONDAY) == 0


def test_a_whole_program_ends_in_rest_with_a_date():
    person = sarah(phone="+49301234567")
    start(person)
    touches.perform_due(at=MONDAY)
    touches.perform_due(at=MONDAY + 8 * DAY)
    touches.perform_due(at=MONDAY + 9 * DAY)
    call = Touch.objects.get(kind="call_task")
    assert call.status == "open"
    assert touches.done(call, by="Rita", at=MONDAY + 10 * DAY, note="Wants a quote in spring")
    person.refresh_from_db()
    assert (person.place, person.wake_at) == ("parked", MONDAY + 100 * DAY)
    assert person.place_reason == "Finished Webinar"
    assert Enrollment.objects.get().status == "finished"
    assert Activity.objects.filter(touchpoint__kind="call", engagement=False).count() == 1
    assert LocalMail.objects.count() == 2


def test_no_basis_is_skipped_with_the_reason_and_the_program_goes_on():
    person = bob()
    start(person)
    touches.perform_due(at=MONDAY)
    skipped, ahead = Touch.objects.order_by("pk")
    assert (skipped.status, skipped.reason) == ("skipped", "no consent")
    assert (ahead.status, LocalMail.objects.count()) == ("due", 0)
    allow(person)
    touches.perform_due(at=MONDAY + 8 * DAY)
    assert LocalMail.objects.count() == 1


def test_who_can_no_longer_be_reached_leaves_with_the_reason():
    person = sarah()
    start(person)
    consent.suppress(
        address=person.email, channel="email", purpose="marketing", reason="unsubscribed", at=MONDAY
    )
    touches.perform_due(at=MONDAY)
    person.refresh_from_db()
    assert Touch.objects.get().reason == "suppressed: unsubscribed"
    assert (person.place, person.place_reason) == ("parked", f"Left Webinar: {NO_CHANNEL}")


def test_calls_are_for_those_who_may_be_called():
    reachable, mute = carl(), sarah()
    forbidden = lead(None, last_name="Silent", phone="+4930999")
    start(reachable, mute, forbidden, steps=["call", "mail"])
    consent.suppress(address=forbidden.phone, channel="phone", purpose="all", reason="do_not_call", at=MONDAY)
    touches.perform_due(at=MONDAY)
    found = dict(Touch.objects.filter(kind="call_task").values_list("lead", "reason"))
    assert found == {reachable.pk: "", mute.pk: "no phone number", forbidden.pk: "suppressed: do not call"}
    assert Touch.objects.get(lead=reachable).status == "open"


def test_an_old_call_does_not_hold_the_program_up():
    start(carl(), steps=["call", 24, "call"])
    touches.perform_due(at=MONDAY)
    touches.reap(at=MONDAY + 13 * DAY)
    assert Touch.objects.get().status == "open"
    touches.reap(at=MONDAY + 15 * DAY)
    first, second = Touch.objects.order_by("pk")
    assert (first.status, first.reason) == ("skipped", "nobody called within 14 days")
    assert (second.status, second.due_at) == ("due", MONDAY + 16 * DAY)


def test_a_call_is_done_once():
    start(carl(), steps=["call", 24, "call"])
    touches.perform_due(at=MONDAY)
    call = Touch.objects.get()
    assert touches.done(call, by="Rita", at=MONDAY)
    assert not touches.done(call, by="Rita", at=MONDAY)
    assert not touches.skip(call, by="Rita", at=MONDAY, reason="not now")
    assert Touch.objects.count() == 2


def test_a_paused_program_sends_nothing_and_holds_nobody_else_up():
    paused, running = lead("p@buyer.net"), lead("r@buyer.net")
    held = start(paused, slug="held")
    start(running, slug="running")
    Program.objects.filter(pk=held.pk).update(is_paused=True)
    assert touches.perform_due(at=MONDAY + DAY) == 1
    assert LocalMail.objects.get().recipients == "r@buyer.net"
    assert Touch.objects.get(lead=paused).status == "due"
    Program.objects.filter(pk=held.pk).update(is_paused=False)
    assert touches.perform_due(at=MONDAY + DAY) == 1


def test_who_is_inside_stays_on_the_version_entered():
    person, made = sarah(), program(steps=["mail", 24, "mail"])
    enroll(lead_ids=[person.pk], at=MONDAY, program=made)
    from nurturing import versions

    draft = versions.new_draft(program=made)
    draft.steps.filter(kind="wait").update(wait_hours=1000)
    versions.publish(version=draft, at=MONDAY)
    touches.perform_due(at=MONDAY)
    assert Touch.objects.get(status="due").due_at < MONDAY + 2 * DAY


def test_a_poisoned_template_fails_with_words_and_the_queue_goes_on():
    bad, good = lead("bad@buyer.net"), lead("good@buyer.net")
    start(bad, slug="bad", steps=[template("bad", body="Hello {{ lead.frist_name }}"), 24, "mail"])
    start(good, slug="good")
    touches.perform_due(at=MONDAY)
    failed = Touch.objects.get(lead=bad, status="failed")
    assert "frist_name" in failed.reason and "Bad" in failed.reason
    assert LocalMail.objects.get().recipients == "good@buyer.net"
    assert Touch.objects.filter(lead=bad, status="due").count() == 1


def test_without_a_postal_address_mail_to_people_waits_and_the_demo_goes_on(settings):
    settings.POSTAL_ADDRESS = ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    real, demo = lead("real@buyer.net"), lead("demo@buyer.net", is_demo=True)
    start(real, demo)
    touches.perform_due(at=MONDAY)
    waiting = Touch.objects.get(lead=real)
    assert (waiting.status, waiting.attempts) == ("due", 0)
    assert "POSTAL_ADDRESS" in waiting.reason
    assert LocalMail.objects.get().recipients == "demo@buyer.net"


def test_a_lead_that_left_while_its_mail_was_claimed_gets_none():
    from nurturing import sending

    person = sarah()
    start(person)
    rows = sending.claim(Touch, at=MONDAY, limit=9, related=touches.RELATED)
    Enrollment.objects.update(status="exited")  # as if cancelling the touch had not been seen yet
    sending.send(Touch, rows, compose=touches.compose, guard=touches.guard, at=MONDAY)
    assert Touch.objects.get().status == "cancelled"
    assert not LocalMail.objects.exists()


def test_a_batch_takes_a_fixed_number_of_statements(django_assert_max_num_queries):
    people = [lead(f"p{number}@buyer.net") for number in range(60)]
    start(*people)
    with django_assert_max_num_queries(45):
        assert touches.perform_due(at=MONDAY, limit=100) == 60
    assert LocalMail.objects.count() == 60
    assert Touch.objects.filter(status="due").count() == Lead.objects.filter(place="nurture").count() == 60
