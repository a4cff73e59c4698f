import pytest
from django.db import IntegrityError, transaction

from leads import consent
from leads.models import Lead, StageChange
from nurturing.enrollment import NO_CHANNEL, NO_PROGRAM, enroll, leave
from nurturing.models import Enrollment, Program, Touch
from nurturing.tests.cast import DAY, MONDAY, bob, carl, lead, program, sarah

pytestmark = pytest.mark.django_db


def test_it_works():
    person, webinar = sarah(), program()
    assert enroll(lead_ids=[person.pk], at=MONDAY, program=webinar) == {person.pk: webinar}
    person.refresh_from_db()
    assert (person.place, person.place_reason) == ("nurture", "Nurture: Webinar")
    touch = Touch.objects.get()
    assert (touch.kind, touch.status, touch.due_at) == ("mail", "due", MONDAY)
    assert Enrollment.objects.get().version == webinar.current_version
    assert StageChange.objects.get().reason == "Nurture: Webinar"


def test_the_first_program_whose_condition_holds_takes_the_lead():
    person = sarah(country="DE")
    country = lambda code: {"is": "lead_field", "field": "country", "op": "equals", "value": code}
    program("french", position=1, entry=country("FR"))
    german = program("german", position=2, entry=country("DE"))
    program("also-german", position=3, entry=country("DE"))
    assert enroll(lead_ids=[person.pk], at=MONDAY)[person.pk] == german


def test_the_default_program_takes_the_rest():
    person = sarah()
    program("by-hand-only", position=1)
    default = Program.objects.get(is_default=True)
    assert enroll(lead_ids=[person.pk], at=MONDAY)[person.pk] == default


def test_a_broken_condition_takes_nobody_and_stops_nobody():
    person = sarah()
    program("broken", entry={"is": "no such thing"})
    assert enroll(lead_ids=[person.pk], at=MONDAY)[person.pk].is_default


def test_without_a_program_the_lead_has_no_next_step():
    person = sarah()
    Program.objects.update(is_default=False, current_version=None)
    result = enroll(lead_ids=[person.pk], at=MONDAY)
    assert result == {person.pk: None}
    assert result.reasons == {person.pk: NO_PROGRAM}
    person.refresh_from_db()
    assert person.place == "scoring"


def test_a_lead_without_email_never_enters_a_mail_only_program():
    person, mails, calls = carl(), program("mails", ["mail"]), program("calls", ["mail", "call"])
    result = enroll(lead_ids=[person.pk], at=MONDAY, program=mails)
    assert (result[person.pk], result.reasons[person.pk]) == (None, NO_CHANNEL)
    assert enroll(lead_ids=[person.pk], at=MONDAY, program=calls)[person.pk] == calls


def test_a_suppressed_address_is_no_channel():
    person = sarah()
    consent.suppress(
        address=person.email, channel="email", purpose="marketing", reason="unsubscribed", at=MONDAY
    )
    assert enroll(lead_ids=[person.pk], at=MONDAY).reasons == {person.pk: NO_CHANNEL}


def test_a_missing_consent_may_still_be_given():
    person = bob()
    assert enroll(lead_ids=[person.pk], at=MONDAY)[person.pk].is_default


def test_who_is_inside_stays_inside():
    person, webinar, other = sarah(), program(), program("other")
    enroll(lead_ids=[person.pk], at=MONDAY, program=webinar)
    assert enroll(lead_ids=[person.pk], at=MONDAY, program=other) == {person.pk: webinar}
    assert Touch.objects.count() == 1


def test_waiting_comes_before_the_first_touch():
    person, late = sarah(), program("late", [24, 24, "mail"])
    enroll(lead_ids=[person.pk], at=MONDAY, program=late)
    assert Touch.objects.get().due_at == MONDAY + 2 * DAY


def test_leaving_ends_the_enrollment_and_cancels_what_was_to_come():
    person, webinar = sarah(), program()
    enroll(lead_ids=[person.pk], at=MONDAY, program=webinar)
    assert leave(lead_ids=[person.pk], at=MONDAY + DAY, reason="Handed to sales") == {person.pk}
    enrollment, touch = Enrollment.objects.get(), Touch.objects.get()
    assert (enrollment.status, enrollment.reason, enrollment.ended_at) == (
        "exited",
        "Handed to sales",
        MONDAY + DAY,
    )
    assert (touch.status, touch.reason) == ("cancelled", "Handed to sales")
    assert leave(lead_ids=[person.pk], at=MONDAY + DAY, reason="again") == set()


def test_a_touch_that_is_sending_finishes():
    person, webinar = sarah(), program()
    enroll(lead_ids=[person.pk], at=MONDAY, program=webinar)
    Touch.objects.update(status="sending")
    leave(lead_ids=[person.pk], at=MONDAY, reason="Handed to sales")
    assert Touch.objects.get().status == "sending"


def test_entering_again_is_a_new_cycle():
    person, webinar = sarah(), program()
    for cycle in (1, 2, 3):
        enroll(lead_ids=[person.pk], at=MONDAY, program=webinar)
        leave(lead_ids=[person.pk], at=MONDAY, reason="Handed to sales")
        assert Enrollment.objects.order_by("-pk").first().cycle_no == cycle
    assert Touch.objects.filter(status="cancelled").count() == 3


def test_a_second_active_main_enrollment_is_refused_by_the_database():
    person, webinar = sarah(), program()
    enroll(lead_ids=[person.pk], at=MONDAY, program=webinar)
    with pytest.raises(IntegrityError), transaction.atomic():
        Enrollment.objects.create(
            lead=person, program=webinar, version=webinar.current_version, cycle_no=9, entered_at=MONDAY
        )


def test_many_leads_take_a_fixed_number_of_statements(django_assert_max_num_queries):
    people = [lead(f"p{number}@buyer.net") for number in range(40)]
    program(
        "german", position=2, entry={"is": "lead_field", "field": "country", "op": "equals", "value": "DE"}
    )
    with django_assert_max_num_queries(20):
        result = enroll(lead_ids=[person.pk for person in people], at=MONDAY)
    assert all(result.values())
    assert Lead.objects.filter(place="nurture").count() == Touch.objects.filter(status="due").count() == 40
