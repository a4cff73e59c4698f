"""The team page: what nobody has touched, who has it, and giving it to somebody else."""

import re

import pytest

from distribution import followup, handoff
from distribution.models import Handoff
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, reread
from distribution.tests.pages import finding, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def north(client):
    """Mia's team: Rita and Ron."""
    mia = cast.mia()
    team = cast.team(mia)
    cast.rita(team=team), cast.ron(team=team)
    client.force_login(mia)
    return team


def page_of(client):
    return read(client, "/sales/team/")


def person(n, company=None):
    return cast.lead(f"p{n}@company{n}.net", first_name="Person", last_name=f"No{n}", company=company)


def test_it_works(client, north, now):
    late = cast.handed(person(1), at=now - 3 * DAY)
    cast.handed(person(2), at=now - 5 * MINUTE)
    page = page_of(client)
    assert finding(page) == f"1 lead is waiting longer than promised; oldest: 3 days, {late.owner}."
    assert page.index("Person No1") < page.index("Person No2")
    assert "3 days ago" in page and "overdue" in page and "5 min ago" in page
    assert "Rita Us" in page and "Mark as absent" in page


def test_a_note_is_no_touch_and_a_call_is(client, north, now):
    row = cast.handed(person(1), at=now - 3 * DAY)
    followup.note(handoff=row, by=row.owner.user, text="Later", at=now)
    assert "Person No1" in page_of(client)
    followup.log_call(handoff=row, by=row.owner.user, result="no_answer", at=now)
    page = page_of(client)
    assert "Person No1" not in page
    assert finding(page) == "Every lead has been touched by a person. No promise is broken."


def test_reassign_in_place(client, north, now):
    row = cast.handed(person(1), at=now - 3 * DAY)
    other = north.reps.exclude(pk=row.owner_id).get()
    assert (
        client.post(f"/handoffs/{row.pk}/assign/", {"rep": other.pk, "next": "/sales/team/"}).url
        == "/sales/team/"
    )
    assert reread(row).owner == other
    assert f"Person No1 given to {other}." in page_of(client)


def test_a_wrong_choice_is_named(client, north, now):
    row = cast.handed(person(1), at=now)
    stranger = cast.rep("Tom")
    for wrong in ("", stranger.pk, "x"):
        client.post(f"/handoffs/{row.pk}/assign/", {"rep": wrong})
        assert re.search(r"Person No1: Choose a rep", page_of(client))
    assert reread(row).owner != stranger


def test_waiting_leads_stand_apart_and_once(client, now):
    mia = cast.mia()
    cast.team(mia)
    client.force_login(mia)
    row = cast.handed(person(1), at=now - HOUR)
    assert row.status == "waiting"
    page = page_of(client)
    assert "Waiting for a rep" in page and page.count(">Person No1<") == 1
    Handoff.objects.update(respond_by=now + HOUR)
    assert (
        finding(page_of(client))
        == "1 lead waits for a free rep. Give them to somebody, or mark a rep as present."
    )


def test_mark_a_rep_as_absent_and_present(client, north):
    rita = north.reps.get(user__first_name="Rita")
    client.post(f"/sales/team/reps/{rita.pk}/presence/", {"present": "no"})
    assert reread(rita).is_present is False
    assert "Rita Us is marked as absent" in page_of(client)
    client.post(f"/sales/team/reps/{rita.pk}/presence/", {"present": "yes"})
    assert reread(rita).is_present is True


def test_another_team_is_not_mine(client, north, now):
    other = cast.team(cast.user("Moe", "Sales manager"), name="South")
    sam = cast.rep("Sam", team=other)
    row = handoff.offer(lead=person(9), reason="Met at the fair", owner=sam, at=now - 3 * DAY)
    Handoff.objects.filter(pk=row.pk).update(respond_by=now - DAY)
    Handoff.objects.filter(pk=row.pk).update(queue=cast.queue())
    page = page_of(client)
    assert "Sam Us" not in page and "Person No9" not in page
    assert client.post(f"/handoffs/{row.pk}/assign/", {"rep": north.reps.first().pk}).status_code == 404
    assert client.post(f"/sales/team/reps/{sam.pk}/presence/", {"present": "no"}).status_code == 404


def test_leads_without_a_next_step_are_named(client, north, now):
    stranded = person(5)
    stranded.__class__.objects.filter(pk=stranded.pk).update(place="nurture")
    page = page_of(client)
    assert "Person No5" in page and "In no program" in page


def test_a_full_page_takes_a_bounded_number_of_queries(client, north, now, django_assert_max_num_queries):
    for n in range(55):
        cast.asks(person(n), now - HOUR)
    cast.flow(now - HOUR)
    with django_assert_max_num_queries(25):
        page = page_of(client)
    assert page.count('class="reassign"') == 50 and "55" in page
