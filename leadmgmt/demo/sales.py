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
        self.seed = seed
        self.dice = random.Random(seed)
        self.last_day = last_day
        self.agenda = defaultdict(list)
        self.known = set()
        self.closings = (self._win, self._lose)

    def day(self, day, morning, *, is_news=True):
        """`is_news`: hand-offs may have come in since the last call."""
        if is_news:
            self._plan_new(day)
        agenda = self.agenda.pop(day, ())
        rows = open_rows({pk for action, pk, _ in agenda if action not in self.closings})
        deals = open_deals({pk for action, pk, _ in agenda if action in self.closings})
        for action, pk, extra in agenda:
            at = morning + timedelta(minutes=self.dice.randrange(540))
            found = (deals if action in self.closings else rows).get(pk)
            if found:
                action(found, at, *extra)

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
        # Dice of its own, so that what becomes of one moves no other.
        dice = random.Random(f"{self.seed} {row.lead.email or row.lead.phone} {row.cycle_no}")
        luck = person.luck if person else dice.random()
        wins = person.promise if person else 1.0
        slow = row.owner.team is not None and row.owner.team.name == SLOW_TEAM
        first = day + (dice.randrange(2, 5) if slow else dice.randrange(0, 2))
        if self.last_day - day < 4 and dice.random() < 0.6:
            return  # still in the inbox when the visitor looks
        calls = dice.choice((1, 1, 2))
        opportunity_share = min(0.75, 0.3 * wins)
        if luck < opportunity_share:
            end = self._opportunity
            is_won = dice.random() < min(0.8, 0.18 * wins)
            extra = (is_won, dice.choice(LOST_REASONS), dice.randrange(10, 48), person)
        elif luck < opportunity_share + 0.16:
            end, extra = self._disqualify, ()
        else:
            end, extra = self._recycle, (dice.choice(RECYCLE_REASONS),)
        if end == self._recycle and dice.random() < 0.35:
            self._at(first, end, row.id, *extra)  # given back without ever being accepted
            return
        ends = first + calls + dice.randrange(0, 4)
        for n in range(calls):  # the first call is the acceptance
            following = first + n + 1 if n + 1 < calls else ends
            self._at(first + n, self._call, row.id, dice.choice(RESULTS), following)
        self._at(ends, end, row.id, *extra)

    def _at(self, day, action, pk, *extra):
        self.agenda[day].append((action, pk, extra))

    def _call(self, row, at, result, following):
        """`following` is the day of what comes next; a follow-up keeps it where that is after the last day."""
        days = following - (at - self.start).days
        again = at + timedelta(days=days) if following >= self.last_day else None
        followup.log_call(handoff=row, by=row.owner.user, result=result, note="", at=at, next_at=again)

    def _recycle(self, row, at, reason):
        feedback.give(handoff=row, by=row.owner.user, verdict="too_early", note="", at=at)
        recycling.recycle(
            handoff=row, by=row.owner.user, reason=reason,
            until=at + timedelta(days=self.dice.choice((30, 60, 90))), at=at,
        )  # fmt: skip

    def _disqualify(self, row, at):
        feedback.give(handoff=row, by=row.owner.user, verdict="bad", note="", at=at)
        recycling.disqualify(handoff=row, by=row.owner.user, reason="no_need", at=at)

    def _opportunity(self, row, at, wins, lost_reason, length, person):
        """Nurtured deals are larger. Of a deal that stays open, a follow-up says what comes next."""
        feedback.give(handoff=row, by=row.owner.user, verdict="good", note="", at=at)
        amount = Decimal(self.dice.randrange(60, 480) * 100)
        if person and person.is_nurtured:
            amount = amount * 3 / 2
        product = person.product if person else "planner"
        deal = opportunities.open(
            handoff=row, by=row.owner.user, name=f"{row.lead.company or row.lead}: {product}", at=at,
            amount=amount, product=product, expected_close=(at + timedelta(days=length)).date(),
        )  # fmt: skip
        day = (at - self.start).days + length
        if day > self.last_day:
            followup.follow_up(
                handoff=row, by=row.owner.user, at=at, note="Ask how the decision goes",
                due_at=at + timedelta(days=max(length // 2, self.last_day - (day - length) + 2)),
            )  # fmt: skip
        self._at(day, self._win if wins else self._lose, deal.pk, lost_reason)

    def _win(self, deal, at, _):
        opportunities.win(opportunity=deal, by=deal.owner.user, amount=deal.amount, at=at)

    def _lose(self, deal, at, reason):
        opportunities.lose(opportunity=deal, by=deal.owner.user, reason=reason, at=at)


def open_rows(ids):
    """{id: hand-off} of those that a rep still works on. Nobody has two things to do about one on the same day."""
    rows = Handoff.objects.filter(pk__in=ids, status__in=Handoff.OPEN, owner__isnull=False)
    return rows.select_related("owner__user", "lead__company").in_bulk()


def open_deals(ids):
    rows = Opportunity.objects.filter(pk__in=ids, status=Opportunity.Status.OPEN)
    return rows.select_related("owner__user", "handoff").in_bulk()
