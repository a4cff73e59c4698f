"""Everything at once: real threads on a real database, each race won by exactly one."""

from collections import Counter

import pytest
from django.db import transaction

from distribution import feedback, followup, handoff, limbo, opportunities, recycling, routing
from distribution.handoff import HandoffError
from distribution.models import CompanyOwner, Feedback, Handoff, Notice, QueueMember, RoutingDecision
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, NOW
from leads.models import Activity, Lead, StageChange
from leads.tests import races
from scoring.rescore import rescore_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def installed(db):
    cast.installation()


def together(*verbs):
    """As in `leads.tests.races`; some may be refused."""
    return races.together(*verbs, refused=HandoffError)


def test_many_reps_accept_one_waiting_lead_and_one_wins():
    row = cast.handed()
    for n in range(8):
        cast.rep(f"Rep{n}")
    users = [seat.rep.user for seat in QueueMember.objects.select_related("rep__user")]
    results = together(*(lambda user=user: handoff.accept(handoff=row, by=user, at=NOW) for user in users))
    winners = [result for result in results if not isinstance(result, Exception)]
    losers = [str(result) for result in results if isinstance(result, HandoffError)]
    owner = cast.reread(row).owner
    assert len(winners) == 1 and len(losers) == 7
    assert all(f"is {owner}'s" in words for words in losers)
    assert StageChange.objects.filter(lead=row.lead, to_stage="sal").count() == 1


def test_accept_and_reassign_at_once_leave_one_owner():
    rita, ron, ada = cast.rita(), cast.rep("Ron", queues=[]), cast.ada()
    row = cast.handed()
    together(
        lambda: handoff.accept(handoff=row, by=rita.user, at=NOW),
        lambda: handoff.assign(handoff=row, rep=ron, by=ada, at=NOW),
    )
    row = cast.reread(row)
    assert (row.owner, row.status) == (ron, "offered")


def test_round_robin_from_eight_threads_differs_by_one_at_most():
    for n in range(7):
        cast.rep(f"Rep{n}")
    queue = cast.queue()

    def take():
        for n in range(25):
            with transaction.atomic():
                cast.next_rep(queue, NOW - n * HOUR)

    together(*[take] * 8)
    assigned = QueueMember.objects.values_list("assigned", flat=True)
    assert sum(assigned) == 200 and max(assigned) - min(assigned) <= 1


def test_a_capacity_holds_across_queues():
    other = cast.SalesQueue.objects.create(name="Other", slug="other")
    cast.rita(capacity=3, queues=[cast.queue(), other])
    people = [cast.lead(f"p{n}@p{n}.net") for n in range(8)]
    together(
        *(lambda who=who, n=n: handoff.offer(lead=who, queue=other if n % 2 else None, reason="x", at=NOW)
          for n, who in enumerate(people))
    )  # fmt: skip
    assert Counter(Handoff.objects.values_list("status", flat=True)) == {"offered": 3, "waiting": 5}


def test_a_threshold_crossed_by_ten_events_at_once_makes_one_hand_off():
    cast.rita()
    who = cast.lead()

    def event():
        cast.did(who, "page_view", "/pricing")
        cast.did(who, "download", "/white-papers/roi")
        cast.flow(NOW)

    together(*[event] * 10)
    cast.flow()
    assert Handoff.objects.filter(lead=who).count() == 1 and Notice.objects.count() == 1
    assert RoutingDecision.objects.filter(outcome="sales").count() == 1
    assert Activity.objects.filter(touchpoint__kind="handoff").count() == 1
    assert Lead.objects.get().place == "sales"


def test_colleagues_who_come_at_once_go_to_one_rep():
    acme = cast.acme()
    for n in range(4):
        cast.rep(f"Rep{n}")
    people = [cast.lead(f"p{n}@acme.net", company=acme) for n in range(8)]
    for who in people:
        cast.asks(who)
    while rescore_due(at=NOW):
        pass
    routes = [lambda who=who: routing.route(lead_ids=[who.pk], at=NOW) for who in people]
    together(*routes)
    cast.flow()
    owners = set(Handoff.objects.values_list("owner", flat=True))
    assert Handoff.objects.count() == 8 and len(owners) == 1
    assert CompanyOwner.objects.get().rep_id in owners


def test_workers_share_the_queue_without_losing_or_doubling_a_lead():
    cast.rita()
    cast.ron()
    people = [cast.lead(f"p{n}@firm{n % 20}.net", company=None) for n in range(60)]
    for who in people:
        cast.asks(who)
    while rescore_due(at=NOW):
        pass

    def work():
        while Lead.objects.filter(route_at__isnull=False).exists():
            routing.route_due(at=NOW, limit=7)

    together(*[work] * 4)
    assert Handoff.objects.count() == 60
    assigned = QueueMember.objects.values_list("assigned", flat=True)
    assert sum(assigned) == 60 and max(assigned) - min(assigned) <= 1


def test_a_rep_recycles_while_routing_and_colleagues_call():
    rita = cast.rita()
    row = cast.handed(cast.lead(company=cast.acme()))
    together(
        lambda: recycling.recycle(
            handoff=row, by=rita.user, reason="timing", until=NOW + 60 * DAY, at=NOW + HOUR
        ),
        lambda: followup.log_call(handoff=row, by=rita.user, result="voicemail", at=NOW + HOUR),
        lambda: routing.route(lead_ids=[row.lead_id], at=NOW + HOUR),
        lambda: cast.did(row.lead, "page_view", "/pricing", NOW + HOUR),
        lambda: recycling.recycle(
            handoff=row, by=rita.user, reason="no_budget", until=NOW + 90 * DAY, at=NOW + HOUR
        ),
    )
    cast.flow(NOW + 2 * HOUR)
    assert Handoff.objects.filter(lead=row.lead).count() == 1, "no new hand-off from the old score"
    assert Activity.objects.filter(touchpoint__kind="recycled").count() == 1
    assert Lead.objects.get().place == "nurture" and Lead.objects.get().cycle_no == 2


def test_feedback_clicked_twice_is_one():
    rita = cast.rita()
    row = cast.handed()
    give = lambda: feedback.give(handoff=row, by=rita.user, verdict="good", at=NOW)
    together(*[give] * 4)
    assert Feedback.objects.count() == 1


def test_two_deals_of_one_company_are_won_while_colleagues_are_worked_on():
    acme, rita = cast.acme(), cast.rita()
    rows = [cast.handed(cast.lead(f"p{n}@acme.net", company=acme)) for n in range(4)]
    deals = [opportunities.open(handoff=row, by=rita.user, at=NOW) for row in rows[:2]]
    together(
        *(
            lambda deal=deal: opportunities.win(opportunity=deal, by=rita.user, amount=100, at=NOW + HOUR)
            for deal in deals
        ),
        lambda: handoff.accept(handoff=rows[2], by=rita.user, at=NOW + HOUR),
        lambda: recycling.recycle(handoff=rows[3], by=rita.user, reason="timing", at=NOW + HOUR),
        lambda: routing.route(lead_ids=[row.lead_id for row in rows], at=NOW + HOUR),
    )
    cast.flow(NOW + 2 * HOUR)
    places = dict(Lead.objects.values_list("email", "place"))
    assert places == {
        "p0@acme.net": "customer",
        "p1@acme.net": "customer",
        "p2@acme.net": "sales",
        "p3@acme.net": "customer",
    }
    assert limbo.orphans(at=NOW + 2 * HOUR) == []
