"""What the demo's reps do with the leads they are handed: an agenda by day, through sales' own verbs."""

import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from distribution import feedback, followup, opportunities, recycling
from distribution.models import Handoff, Opportunity

RECYCLE_REASONS = ("timing", "no_budget", "unresponsive")
LOST_REASONS = ("price", "competitor", "no_decision")
SLOW_TEAM = "Enterprise"
RESULTS = ("voicemail", "no_answer", "connected", "connected", "gatekeeper")


class Desk:
    """The sales floor. `day()` finds new hand-offs, plans each, and plays what is due that day."""

    def __init__(self, people_by_lead, seed, last_day):
        self.people = people_by_lead
        self.dice = random.Random(seed)
        self.last_day = last_day
        self.agenda = defaultdict(list)
        self.known = set()

    def day(self, day, morning):
        self._plan_new(day)
        for action, pk, extra in self.agenda.pop(day, ()):
            at = morning + timedelta(minutes=self.dice.randrange(540))
            action(pk, at, *extra)

    def _plan_new(self, day):
        fresh = (
            Handoff.objects.filter(status=Handoff.Status.OFFERED, id__gt=max(self.known, default=0))
            .select_related("owner__user", "owner__team", "lead")
            .order_by("id")
        )
        for row in fresh:
            self.known.add(row.id)
            self._plan(row, day)

    def _plan(self, row, day):
        """The whole future of one hand-off, drawn at once."""
        person = self.people.get(row.lead_id)
        luck = person.luck if person else self.dice.random()
        wins = person.arrival.wins if person else 1.0
        slow = row.owner.team is not None and row.owner.team.name == SLOW_TEAM
        first = day + (self.dice.randrange(2, 5) if slow else self.dice.randrange(0, 2))
        if self.last_day - day < 4 and self.dice.random() < 0.6:
            return  # still in the inbox when the visitor looks
        calls = self.dice.choice((1, 1, 2))
        opportunity_share = min(0.75, 0.30 * wins)
        if luck < opportunity_share:
            end = self._opportunity
            extra = (self.dice.random() < min(0.8, 0.24 * wins), self.dice.choice(LOST_REASONS))
        elif luck < opportunity_share + 0.16:
            end, extra = self._disqualify, ()
        else:
            end, extra = self._recycle, (self.dice.choice(RECYCLE_REASONS),)
        if end is self._recycle and self.dice.random() < 0.35:
            self._at(first, end, row.id, *extra)  # given back without ever being accepted
            return
        for n in range(calls):  # the first call is the acceptance
            self._at(first + n, self._call, row.id, self.dice.choice(RESULTS))
        self._at(first + calls + self.dice.randrange(0, 4), end, row.id, *extra)

    def _at(self, day, action, pk, *extra):
        self.agenda[day].append((action, pk, extra))

    def _open(self, pk):
        return (
            Handoff.objects.filter(pk=pk, status__in=Handoff.OPEN, owner__isnull=False)
            .select_related("owner__user", "lead", "lead__company")
            .first()
        )

    def _call(self, pk, at, result):
        if row := self._open(pk):
            followup.log_call(handoff=row, by=row.owner.user, result=result, note="", at=at)

    def _recycle(self, pk, at, reason):
        if row := self._open(pk):
            feedback.give(handoff=row, by=row.owner.user, verdict="too_early", note="", at=at)
            recycling.recycle(
                handoff=row, by=row.owner.user, reason=reason,
                until=at + timedelta(days=self.dice.choice((30, 60, 90))), at=at,
            )  # fmt: skip

    def _disqualify(self, pk, at):
        if row := self._open(pk):
            feedback.give(handoff=row, by=row.owner.user, verdict="bad", note="", at=at)
            recycling.disqualify(handoff=row, by=row.owner.user, reason="no_need", at=at)

    def _opportunity(self, pk, at, wins, lost_reason):
        if not (row := self._open(pk)):
            return
        feedback.give(handoff=row, by=row.owner.user, verdict="good", note="", at=at)
        deal = opportunities.open(
            handoff=row, by=row.owner.user, name=f"{row.lead.company or row.lead}: planning", at=at
        )
        length = self.dice.randrange(12, 80)
        day = self._day_of(at) + length
        self._at(day, self._win if wins else self._lose, deal.pk, lost_reason)

    def _day_of(self, at):
        return (at - self.start).days

    def _win(self, pk, at, _):
        deal = self._deal(pk)
        if deal:
            amount = Decimal(self.dice.randrange(60, 480) * 100)
            opportunities.win(opportunity=deal, by=deal.owner.user, amount=amount, at=at)

    def _lose(self, pk, at, reason):
        deal = self._deal(pk)
        if deal:
            opportunities.lose(opportunity=deal, by=deal.owner.user, reason=reason, at=at)

    def _deal(self, pk):
        return (
            Opportunity.objects.filter(pk=pk, status=Opportunity.Status.OPEN)
            .select_related("owner__user", "lead", "company", "handoff")
            .first()
        )
