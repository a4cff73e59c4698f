import pytest

from leads import consent
from nurturing import queries, touches, versions
from nurturing.enrollment import enroll
from nurturing.tests.cast import DAY, MONDAY, carl, lead, program, sarah

pytestmark = pytest.mark.django_db


def test_position_in_words():
    person, made = sarah(phone="+4930123"), program()
    enroll(lead_ids=[person.pk], at=MONDAY, program=made)
    assert str(queries.positions([person.pk])[person.pk]) == "Webinar, step 1 of 3, next mail Mon 2 Mar 09:00"
    touches.perform_due(at=MONDAY)
    position = queries.positions([person.pk])[person.pk]
    assert (position.number, position.of) == (2, 3) and position.due_at > MONDAY + 7 * DAY
    touches.perform_due(at=MONDAY + 8 * DAY)
    touches.perform_due(at=MONDAY + 9 * DAY)
    assert str(queries.positions([person.pk])[person.pk]).startswith(
        "Webinar, step 3 of 3, call open since Tue 10 Mar"
    )
    versions.pause(program=made)
    assert str(queries.positions([person.pk])[person.pk]) == "Webinar, step 3 of 3, paused"


def test_many_positions_take_few_statements(django_assert_max_num_queries):
    people = [lead(f"p{number}@buyer.net") for number in range(30)]
    enroll(lead_ids=[person.pk for person in people], at=MONDAY, program=program())
    with django_assert_max_num_queries(4):
        assert len(queries.positions([person.pk for person in people])) == 30


def test_open_calls_leave_out_who_must_not_be_called_any_more():
    may, must_not = carl(), lead(None, last_name="Silent", phone="+4930999")
    enroll(lead_ids=[may.pk, must_not.pk], at=MONDAY, program=program("calls", ["call"]))
    touches.perform_due(at=MONDAY)
    assert len(queries.open_calls()) == 2
    consent.suppress(address=must_not.phone, channel="phone", purpose="all", reason="do_not_call", at=MONDAY)
    assert [row.lead for row in queries.open_calls()] == [may]
