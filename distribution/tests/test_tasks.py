"""Every task may run twice, or four times at once, to the same end."""

import pytest
from django.utils import timezone

from distribution import recycling, tasks
from distribution.models import Handoff, Notice
from distribution.tests import cast
from distribution.tests.cast import DAY
from leads.tests.races import together
from nurturing.models import LocalMail
from scoring.rescore import rescore_due

pytestmark = pytest.mark.django_db(transaction=True)


def four_at_once(task):
    together(*[task] * 4)
    task()


def test_routing_assigning_telling_and_waking():
    cast.installation()
    now = timezone.now()
    people = [cast.lead(f"p{n}@p{n}.net") for n in range(5)]
    for who in people:
        cast.asks(who, now)
    while rescore_due(at=timezone.now()):
        pass
    four_at_once(tasks.route_due)
    assert list(Handoff.objects.values_list("status", flat=True)) == ["waiting"] * 5
    rita = cast.rita()
    four_at_once(tasks.route_due)
    assert Handoff.objects.filter(owner=rita, status="offered").count() == 5
    assert Notice.objects.count() == 5
    four_at_once(tasks.send_notices)
    assert set(Notice.objects.values_list("status", flat=True)) == {"sent"} and LocalMail.objects.count() == 5
    for row in Handoff.objects.all():
        recycling.recycle(handoff=row, by=rita.user, reason="timing", until=now - DAY, at=now - 2 * DAY)
    four_at_once(tasks.wake_parked)
    assert not Handoff.objects.filter(woken_at__isnull=True).exists()
    assert all(who.rescore_at and who.route_at for who in map(cast.reread, people))
