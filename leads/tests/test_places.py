from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads import places
from leads.models import Lead, StageChange
from leads.tests import cast
from leads.tests.cast import NOW
from leads.tests.races import at_once

LATER = NOW + timedelta(days=1)


@pytest.fixture
def lead(db):
    return cast.ada()


def test_it_works(lead):
    assert places.move(lead=lead, place="nurture", stage="mql", reason="fits", at=LATER)
    assert (lead.place, lead.stage, lead.place_reason, lead.updated_at) == ("nurture", "mql", "fits", LATER)
    move = StageChange.objects.get()
    assert (move.from_place, move.to_place, move.from_stage, move.to_stage) == (
        "scoring",
        "nurture",
        "inquiry",
        "mql",
    )
    assert (move.reason, move.at, move.cycle_no, move.actor) == ("fits", LATER, 1, None)


def test_a_move_that_changes_nothing_writes_nothing(lead):
    assert places.move(lead=lead, place="nurture", reason="fits", at=NOW)
    assert not places.move(lead=lead, place="nurture", stage="inquiry", reason="again", at=LATER)
    assert StageChange.objects.count() == 1
    assert Lead.objects.get().place_reason == "fits"


def test_parking_needs_a_date_and_leaving_forgets_it(lead):
    with pytest.raises(ValueError, match="wake_at"):
        places.move(lead=lead, place="parked", reason="budget in autumn", at=NOW)
    assert places.move(lead=lead, place="parked", reason="budget in autumn", at=NOW, wake_at=LATER)
    assert lead.wake_at == LATER
    later_still = LATER + timedelta(days=9)
    assert places.move(lead=lead, place="parked", reason="postponed", at=NOW, wake_at=later_still)
    assert lead.wake_at == later_still
    assert places.move(lead=lead, stage="mql", reason="fits", at=NOW)
    assert lead.wake_at == later_still
    assert places.move(lead=lead, place="scoring", reason="awake", at=later_still)
    assert lead.wake_at is None


def test_recycling_sets_back_and_begins_a_cycle(lead):
    places.move(lead=lead, place="sales", stage="sal", reason="accepted", at=NOW)
    assert places.move(lead=lead, place="nurture", stage="mql", reason="too early", at=LATER, new_cycle=True)
    assert (lead.stage, lead.cycle_no) == ("mql", 2)
    assert StageChange.objects.latest("id").cycle_no == 2


def test_stages_only_advance(lead):
    ids = [lead.pk]
    assert places.advance_many(lead_ids=ids, stage="sales_ready", reason="hand-raise", at=NOW) == {lead.pk}
    assert places.advance_many(lead_ids=ids, stage="mql", reason="fits", at=LATER) == set()
    assert places.advance_many(lead_ids=ids, stage="sales_ready", reason="again", at=LATER) == set()
    assert Lead.objects.get().stage == "sales_ready"
    places.move(lead=lead, stage="disqualified", place="disqualified", reason="student", at=LATER)
    assert places.advance_many(lead_ids=ids, stage="customer", reason="no", at=LATER) == set()


def test_a_list_with_a_reason_for_each(lead):
    bob = cast.bob()
    reasons = {lead.pk: "because Ada", bob.pk: "because Bob"}
    with CaptureQueriesContext(connection) as queries:
        moved = places.move_many(lead_ids=[bob.pk, lead.pk], reason=reasons, place="nurture", at=NOW)
    assert moved == {lead.pk, bob.pk} and len(queries) == 1
    assert dict(StageChange.objects.values_list("lead_id", "reason")) == reasons
    assert places.move_many(lead_ids=[], reason="x", place="nurture", at=NOW) == set()


def test_nonsense_is_refused(lead):
    for wrong in ({"place": "limbo"}, {"stage": "hot"}, {"place": "nurture", "reason": ""}):
        with pytest.raises(ValueError):
            places.move(lead=lead, at=NOW, **{"reason": "x"} | wrong)
    with pytest.raises(ValueError):
        places.advance_many(lead_ids=[lead.pk], stage="disqualified", reason="x", at=NOW)
    assert not StageChange.objects.exists()


def test_asking_keeps_the_earliest_time(lead):
    Lead.objects.update(rescore_at=None)
    for at in (LATER, NOW, LATER):
        places.ask_route(lead_ids=[lead.pk], at=at)
        places.ask_rescore(lead_ids=[lead.pk], at=at)
    stored = Lead.objects.get()
    assert (stored.route_at, stored.rescore_at) == (NOW, NOW)


@pytest.mark.django_db(transaction=True)
def test_one_of_many_movers_wins():
    leads = [cast.person({"email": f"p{n}@acme.example"}) for n in range(10)]
    ids, moved = [lead.pk for lead in leads], []

    def advance(number):
        mine = ids if number % 2 else ids[::-1]
        moved.extend(places.advance_many(lead_ids=mine, stage="mql", reason="fits", at=NOW))
        places.ask_route(lead_ids=mine, at=NOW)

    at_once(8, advance)
    assert sorted(moved) == ids and StageChange.objects.count() == 10
