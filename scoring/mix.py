"""What became of the leads of a month: sales-ready, nurtured or disqualified, by source.

A lead belongs to the month in which it was captured. It counts as sales-ready when it has ever been so, or has passed
beyond, wherever it is now; otherwise by where it is. Who became sales-ready again after recycling is counted apart, in
no sum. Test leads are left out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from leads.models import Place, Stage, StageChange
from leads.rows import fetch

PASSED = [str(stage) for stage in (Stage.SALES_READY, Stage.SAL, Stage.SQL, Stage.CUSTOMER)]
NURTURED = [str(place) for place in (Place.NURTURE, Place.PARKED)]
READY, NURTURE, DISQUALIFIED, OTHER = "sales-ready", "nurture", "disqualified", "other"


class Outcome(NamedTuple):
    words: str
    reported: str = ""  # the share that the field reports
    usual: tuple | None = None  # percent, from and to, that counts as such


OUTCOMES = {
    READY: Outcome("Sales-ready", "10–30 %", (10, 30)),
    NURTURE: Outcome("Nurture", "50 %", (35, 65)),
    DISQUALIFIED: Outcome("Disqualified", "25 %", (10, 40)),
    OTHER: Outcome("Other"),  # being scored, and people of customers
}
MONTHS = 6

MIX = """
SELECT month, source_id, count(*), count(*) FILTER (WHERE passed), count(*) FILTER (WHERE NOT passed AND place = ANY(%(nurtured)s)),
  count(*) FILTER (WHERE NOT passed AND place = 'disqualified'), count(*) FILTER (WHERE cycles > 1)
FROM (
  SELECT width_bucket(l.created_at, %(edges)s::timestamptz[]) - 1 AS month, l.source_id, l.place, p.cycles,
    p.lead_id IS NOT NULL OR l.stage = ANY(%(passed)s) AS passed
  FROM leads_lead l LEFT JOIN (
    SELECT lead_id, count(DISTINCT cycle_no) AS cycles FROM leads_stagechange
    WHERE to_stage = ANY(%(passed)s) AND to_stage <> from_stage AND at >= %(since)s GROUP BY lead_id
  ) p ON p.lead_id = l.id
  WHERE l.created_at >= %(since)s AND l.created_at < %(until)s AND NOT l.is_test
) captured GROUP BY month, source_id
"""


@dataclass
class Mix:
    """Leads captured in a month, or in it by one source."""

    total: int = 0
    ready: int = 0
    nurture: int = 0
    disqualified: int = 0
    again: int = 0  # of the sales-ready ones those who became so again

    @property
    def other(self):
        return self.total - self.ready - self.nurture - self.disqualified

    @property
    def counts(self):
        """{key of OUTCOMES: leads}"""
        return {READY: self.ready, NURTURE: self.nurture, DISQUALIFIED: self.disqualified, OTHER: self.other}

    def share(self, outcome):
        """Percent of the leads, or None without any."""
        return 100 * self.counts[outcome] / self.total if self.total else None

    def plus(self, other):
        return Mix(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def months(at, many=MONTHS):
    """The first instants of the last `many` months in the reader's zone and of the coming one: `many` + 1, in order."""
    now = timezone.localtime(at)
    numbers = [now.year * 12 + now.month - 1 - back for back in range(-1, many)][::-1]
    return [datetime(number // 12, number % 12 + 1, 1, tzinfo=now.tzinfo) for number in numbers]


def month_of(text):
    """(first instant, first of the next month) of "2026-05" in the reader's zone, or None for anything else."""
    try:
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=timezone.get_current_timezone())
    except ValueError:
        return None
    return (
        (first, (first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)))
        if first.year < 9999
        else None
    )


def week_of(text):
    """(first instant, first of the next week) of the week that begins on "2026-05-04" in the reader's zone, or None for
    anything else."""
    try:
        first = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.get_current_timezone())
    except ValueError:
        return None
    return (first, first + timedelta(days=7)) if first.year < 9999 else None


def mix(edges):
    """[{source id or None: Mix}] of each month between the `edges`. One statement."""
    found = [{} for _ in edges[1:]]
    params = {"edges": edges, "since": edges[0], "until": edges[-1], "passed": PASSED, "nurtured": NURTURED}
    for month, source_id, *counts in fetch(MIX, params):
        found[month][source_id] = Mix(*counts)
    return found


def sum_of(mixes):
    total = Mix()
    for one in mixes:
        total = total.plus(one)
    return total


def passed():
    """Condition on leads: has ever been sales-ready, or beyond. The same as in MIX."""
    moves = StageChange.objects.filter(lead=OuterRef("pk"), to_stage__in=PASSED).exclude(
        to_stage=F("from_stage")
    )
    return Q(stage__in=PASSED) | Exists(moves)


def became(outcome):
    """Condition on leads: they count under this key of OUTCOMES."""
    if outcome == READY:
        return passed()
    places = {
        NURTURE: NURTURED,
        DISQUALIFIED: [Place.DISQUALIFIED],
        OTHER: [Place.SCORING, Place.SALES, Place.CUSTOMER],
    }
    return ~passed() & Q(place__in=places[outcome])


def arrived(since, until):
    """Condition on leads: became sales-ready between two instants, first-time or repeat."""
    moves = StageChange.objects.filter(to_stage=Stage.SALES_READY, at__gte=since, at__lt=until)
    return Q(pk__in=moves.filter(~Q(from_stage=F("to_stage"))).values("lead"))
