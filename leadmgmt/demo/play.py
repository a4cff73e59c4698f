"""The day loop: every day of the 15 months, in order, through the verbs that real leads go through."""

import random
from collections import defaultdict
from datetime import timedelta

from django.db.models import Count

from distribution import handoff, notices, recycling, routing
from leads import activities, capture, custom_fields, intake
from leads.models import CaptureForm, Lead, Source
from nurturing import touches
from nurturing.models import TrackedLink
from scoring import publish, rescore

from . import judging, sandbox, stories
from .companies import known_company
from .population import DAYS, SEED, population
from .sales import Desk

CLICK_CHANCE = 0.10
BATCH = 500
NIGHTLY_DAYS, EVERY = 21, 5


def history(*, anchor, say, people=None, first_day=0):
    """Play everything in the sandbox, the stories too: it is there when this returns, or not at all."""
    judging.set_back(anchor)
    with sandbox.sandbox():
        floor = play(anchor=anchor, say=say, people=people, first_day=first_day)
        stories.tell(floor=floor, now=anchor)


def play(*, anchor, say, people=None, first_day=0):
    """Play the days from `first_day` to `DAYS`, which ends at `anchor`. `say(day, leads)` is called after each."""
    people = people or population()
    by_day = defaultdict(list)
    for person in people:
        by_day[person.day].append(person)
    floor = Floor(anchor)
    floor.versions = judging.rewind(floor.start + timedelta(days=first_day))
    floor.known_companies(people)
    total = 0
    for day in range(first_day, DAYS):
        floor.day(day, by_day.get(day, ()))
        total += len(by_day.get(day, ()))
        say(day + 1, total)
    return floor


class Floor:
    """The company at work: keeps what must be remembered from day to day, and no more."""

    def __init__(self, anchor):
        self.start = judging.midnight(anchor - timedelta(days=DAYS))
        self.anchor = anchor
        self.dice = random.Random(SEED + 1)
        self.forms = {form.slug: form for form in CaptureForm.objects.select_related("source", "campaign")}
        self.sources = {source.slug: source for source in Source.objects.all()}
        self.custom = custom_fields.active()
        self.has_decided = False
        self.versions = []  # [(when it comes into force, version)]
        self.people = {}
        self.plans = defaultdict(list)  # day: [(at, lead id, kind, asset)]
        self.desk = Desk(self.people, SEED + 59, DAYS)
        self.desk.start = self.start

    def known_companies(self, people):
        """Customers and competitors are known before anybody of theirs arrives."""
        companies = {id(p.company): p.company for p in people if p.company}.values()
        for company in companies:
            if company.relationship != "prospect":
                known_company(company.name, company.domain, company.relationship, at=self.start)

    def day(self, day, arrivals):
        """Reps work by day on what the nights before brought them; what comes in is decided in the night."""
        night = min(self.start + timedelta(days=day + 1), self.anchor)
        self.desk.day(day, self._moment(day, 8), is_news=self.has_decided)
        self.has_decided = False
        self._arrive(arrivals, day)
        self._act(day, night)
        self._publish(night)
        if is_worth_a_night(day):
            recycling.wake_parked(at=night)
            self.decide(night)
            handoff.assign_waiting(at=night)
            self._mail(day, night)
            notices.send_notices(at=night, limit=BATCH)
        elif any(person.intent == "hand_raise" for person in arrivals):
            self.decide(night)

    def decide(self, at):
        """Score and route whatever is due, as the workers do within a second."""
        self.has_decided = True
        rescore.age_due(at=at)
        while rescore.rescore_due(at=at, limit=BATCH) == BATCH:
            pass
        while routing.route_due(at=at, limit=BATCH) == BATCH:
            pass

    def _publish(self, night):
        while self.versions and self.versions[0][0] <= night:
            at, version = self.versions.pop(0)
            publish.publish(version=version, by=version.published_by, at=at)

    def _arrive(self, arrivals, day):
        items = [self._post(person, day) for person in arrivals]
        if not items:
            return
        last = max(item["occurred_at"] for item in items)
        captured = capture.submit_many(items, at=last, is_demo=True)
        for person, row in zip(arrivals, captured, strict=True):
            self.people.setdefault(row.lead_id, person)
            arrived = self._moment(day, person.hour)
            for later, kind, asset in person.plan:
                at = arrived + timedelta(days=later)
                if at < self.anchor:
                    self.plans[(at - self.start).days].append((at, row.lead_id, kind, asset))

    def _post(self, person, day):
        at = min(self._moment(day, person.hour), self.anchor)
        said = person.values
        if person.contract_days is not None:
            said = said | {"custom.contract_end": f"{at + timedelta(days=person.contract_days):%Y-%m-%d}"}
        values, _ = intake.clean(said, strict=False, at=at, custom=self.custom)
        return {
            "values": values,
            "form": self.forms[person.form],
            "source": self.sources[person.arrival.source],
            "occurred_at": at,
        }

    def _moment(self, day, hour):
        return self.start + timedelta(days=day, hours=hour)

    def _act(self, day, night):
        items = [
            {"lead_id": lead, "kind": kind, "asset": asset, "at": min(at, night)}
            for at, lead, kind, asset in sorted(self.plans.pop(day, ()), key=lambda row: row[:2])
        ]
        if items:
            activities.record_many(items, received_at=night)

    def _mail(self, day, night):
        """Send what is due, and let some of the readers click the next day."""
        while touches.perform_due(at=night, limit=BATCH) == BATCH:
            pass
        for link in self._links_of(night):
            if self.dice.random() < CLICK_CHANCE:
                at = night + timedelta(hours=self.dice.uniform(1, 20))
                path = "/" + link.url.split("//", 1)[-1].partition("/")[2]
                self.plans[day + 1].append((at, link.touch.lead_id, "mail_click", path))

    def _links_of(self, night):
        return TrackedLink.objects.filter(touch__settled_at=night).select_related("touch").order_by("id")


def is_worth_a_night(day):
    """Lately every night; before that every fifth, as batches of a handful would cost most of the time.
    Whoever asks for sales is decided about the same day all the same."""
    return day >= DAYS - NIGHTLY_DAYS or day % EVERY == EVERY - 1


def leads_at_rest():
    """`{place: number}` of the demo's leads."""
    rows = Lead.objects.filter(is_demo=True).values_list("place").annotate(n=Count("id"))
    return dict(rows)
