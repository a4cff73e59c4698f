"""Every route that names a lead, a hand-off, a deal, a follow-up or a rep, asked by somebody whose it is not."""

import pytest

from distribution.access import Role
from distribution.tests import cast
from leadmgmt.tests import house
from leadmgmt.tests.doors import Visitor, routes

pytestmark = pytest.mark.django_db
OF_SOMEBODY = ("leads/", "handoffs/", "opportunities/", "follow-ups/", "sales/team/reps/")


@pytest.fixture
def built(settings):
    settings.DOORBELLS_SILENT = True
    return house.build()


@pytest.fixture
def doors(built):
    found = [door for door in house.doors(built) if routes()[door.route].startswith(OF_SOMEBODY)]
    assert len({door.route for door in found}) == 19
    return found


def rep():
    return cast.rep("Sam", queues=[]).user


def manager():
    moe = cast.user("Moe", Role.MANAGER)
    cast.rep("Mara", queues=[], team=cast.team(moe, "Elsewhere"))
    return moe


def statuses(doors, user):
    visitor = Visitor(user=user, key="")
    return {str(door): visitor.knock(door).status_code for door in doors}


@pytest.mark.parametrize("stranger", [rep, manager])
def test_a_stranger_gets_at_nothing(doors, stranger):
    found = statuses(doors, stranger())
    assert set(found.values()) <= {403, 404}, found


def test_a_marketer_reads_all_and_works_on_nothing_outside_the_review(doors):
    marketer = cast.user("Mo", Role.MARKETER)
    read = statuses([door for door in doors if door.body is None], marketer)
    assert set(read.values()) == {200}, read
    done = statuses([door for door in doors if door.body is not None], marketer)
    assert set(done.values()) == {403}, done


def test_who_may_not_take_something_back_learns_nothing_of_it(built):
    visitor = Visitor(user=rep(), key="")
    page = visitor.client.post("/undo/", {"undo": built.row.pk}, follow=True).content.decode()
    assert "Nothing to undo" in page and str(built.row.lead) not in page
