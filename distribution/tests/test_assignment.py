"""Round robin: who is served longest ago, present and below capacity."""

import pytest
from django.db import transaction

from distribution import assignment
from distribution.models import QueueMember, SalesQueue
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, NOW

pytestmark = pytest.mark.django_db


def turns(n, at=NOW, queue=None):
    with transaction.atomic():
        return [cast.next_rep(queue or cast.queue(), at) for _ in range(n)]


def test_it_goes_round():
    rita, ron, tom = cast.rita(), cast.ron(), cast.rep("Tom")
    assert turns(7) == [rita, ron, tom, rita, ron, tom, rita]


def test_clocks_that_run_backwards_do_not_disturb_the_turns():
    rita, ron = cast.rita(), cast.ron()
    assert [*turns(1, NOW), *turns(1, NOW - HOUR), *turns(1, NOW - DAY), *turns(1, NOW + DAY)] == [
        rita,
        ron,
        rita,
        ron,
    ]


def test_absent_full_and_gone_reps_are_left_out():
    cast.rita(is_present=False)
    cast.ron(absent_until=NOW + HOUR)
    gone = cast.rep("Gone")
    gone.user.is_active = False
    gone.user.save()
    cast.rep("Full", capacity=0)
    assert turns(1) == [None]
    assert turns(1, NOW + HOUR)[0].user.first_name == "Ron", "back from absence"


def test_capacity_counts_the_open_hand_offs_of_all_queues():
    other = SalesQueue.objects.create(name="Other", slug="other")
    rita = cast.rita(capacity=2, queues=[cast.queue(), other])
    cast.handed(cast.lead("a@a.net"))
    with transaction.atomic():
        both = assignment.Turns([cast.queue().pk, other.pk], at=NOW)
        assert [both.next(other.pk), both.next(cast.queue().pk)] == [rita, None]


def test_back_from_a_long_absence_one_is_next_once_and_not_flooded():
    rita, ron = cast.rita(), cast.ron(is_present=False)
    turns(5, NOW)
    ron.is_present = True
    ron.save()
    assert turns(4, NOW + DAY) == [ron, rita, ron, rita]


def test_a_turn_given_back_comes_first():
    rita, ron = cast.rita(), cast.ron()
    turns(2)
    assignment.give_back(queue_id=cast.queue().pk, rep_id=ron.pk)
    assert QueueMember.objects.get(rep=ron).assigned == 0
    assert turns(2) == [ron, rita]
