"""Whose turn it is: round robin over the reps of a queue who are present and below their capacity."""

from datetime import UTC, datetime, timedelta

from django.db.models import Count, F, Q
from django.db.models.functions import Greatest

from distribution.models import Handoff, QueueMember
from leads.rows import fetch

NEVER = datetime.min.replace(tzinfo=UTC)
TICK = timedelta(microseconds=1)
HELD = (Handoff.Status.OFFERED, Handoff.Status.ACCEPTED)


class Turns:
    """The seats of some queues, locked until the transaction ends, and who is served next.

    Seats and reps are locked in one statement in the order of the reps, so that two batches that share a rep
    wait for each other instead of deadlocking, and nobody gets past a capacity. Take all queues at once.
    """

    def __init__(self, queue_ids, *, at):
        self.at = at
        self.seats = list(
            QueueMember.objects.filter(queue_id__in=set(queue_ids))
            .select_related("rep__user")
            .select_for_update(no_key=True, of=("self", "rep"))
            .order_by("rep_id", "id")
        )
        reps = {seat.rep_id for seat in self.seats}
        self.open = dict(
            Handoff.objects.filter(owner_id__in=reps, status__in=HELD)
            .values_list("owner")
            .annotate(Count("id"))
        )
        self.moved = set()

    def next(self, queue_id, *, but=()):
        """The rep who was served longest ago and may be given one now, or None; their turn is taken.

        `but`: ids of reps who are passed over.
        """
        seats = [seat for seat in self.seats if seat.queue_id == queue_id and seat.rep_id not in but]
        free = [seat for seat in seats if is_present(seat.rep, self.at) and self.has_room(seat.rep)]
        if not free:
            return None
        seat = min(free, key=lambda seat: (seat.last_assigned_at or NEVER, seat.id))
        # Strictly after every other seat: workers' clocks and the times passed in may run backwards.
        latest = max(seat.last_assigned_at or NEVER for seat in seats)
        seat.last_assigned_at = max(self.at, latest + TICK) if latest != NEVER else self.at
        seat.assigned += 1
        self.moved.add(seat)
        self.took(seat.rep_id)
        return seat.rep

    def took(self, rep_id):
        """One more open hand-off for this rep, also when it did not come by turn."""
        self.open[rep_id] = self.open.get(rep_id, 0) + 1

    def has_room(self, rep):
        return rep.capacity is None or self.open.get(rep.pk, 0) < rep.capacity

    def save(self):
        QueueMember.objects.bulk_update(self.moved, ["last_assigned_at", "assigned"])
        self.moved = set()


def is_present(rep, at):
    """Signed up for new leads at this moment: present, back from absence, with a working account."""
    return rep.is_present and rep.user.is_active and (rep.absent_until is None or rep.absent_until <= at)


def give_back(*, queue_id, rep_id):
    """The lead was none: its rep is served next, as if it had never come."""
    QueueMember.objects.filter(queue_id=queue_id, rep_id=rep_id).update(
        last_assigned_at=None, assigned=Greatest(F("assigned") - 1, 0)
    )


def someone_is_free(at):
    """Queues in which a rep is present, as a set of ids; capacity is looked at under the lock only."""
    here = Q(rep__absent_until__isnull=True) | Q(rep__absent_until__lte=at)
    return set(
        QueueMember.objects.filter(here, rep__is_present=True, rep__user__is_active=True).values_list(
            "queue_id", flat=True
        )
    )


DECLINED = """
SELECT DISTINCT w.handoff, (a.properties->>'rep')::bigint
FROM unnest(%(handoffs)s::bigint[], %(leads)s::bigint[], %(cycles)s::int[]) AS w(handoff, lead, cycle)
JOIN leads_activity a ON a.lead_id = w.lead
JOIN leads_touchpoint t ON t.id = a.touchpoint_id AND t.kind = 'handoff' AND t.asset = 'declined'
WHERE (a.properties->>'cycle')::int = w.cycle AND a.properties->>'rep' IS NOT NULL
"""


def decliners(rows):
    """{hand-off id: ids of the reps who declined this lead in this cycle}: it is not offered to them again."""
    found = {row.pk: set() for row in rows}
    params = {
        "handoffs": list(found), "leads": [row.lead_id for row in rows], "cycles": [row.cycle_no for row in rows],
    }  # fmt: skip
    for handoff_id, rep_id in fetch(DECLINED, params):
        found[handoff_id].add(rep_id)
    return found
