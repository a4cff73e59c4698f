"""What routing has to know about a batch of leads, read in a fixed number of statements."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.text import capfirst

from distribution.models import CompanyOwner, Handoff, Opportunity, Rep, RoutingDecision
from distribution.ownership import FOLLOW_DAYS
from leads import addresses, consent, kinds
from leads.content import TITLE
from leads.criteria import matching
from leads.models import Channel, Lead, Place, Purpose, Relationship, Stage
from leads.rows import fetch
from scoring.engine.rulebook import is_readable
from scoring.models import Rule, Verdict
from scoring.queries import routing_scores, routing_version

# The latest engagement of each lead and their latest hand-raise: two walks down the index of the log per lead.
LATEST = f"""
SELECT l.id, a.occurred_at, t.kind, t.asset, {TITLE} FROM unnest(%(ids)s::bigint[]) AS l(id)
CROSS JOIN LATERAL (
  SELECT occurred_at, touchpoint_id FROM leads_activity
  WHERE lead_id = l.id AND engagement AND occurred_at <= %(at)s ORDER BY occurred_at DESC LIMIT 1
) a JOIN leads_touchpoint t ON t.id = a.touchpoint_id
"""
ASKED = f"""
SELECT l.id, a.occurred_at, t.kind, t.asset, {TITLE} FROM unnest(%(ids)s::bigint[]) AS l(id)
CROSS JOIN LATERAL (
  SELECT occurred_at, touchpoint_id FROM leads_activity
  WHERE lead_id = l.id AND engagement AND occurred_at <= %(at)s
    AND touchpoint_id = ANY(ARRAY(SELECT id FROM leads_touchpoint WHERE kind = 'hand_raise'))
  ORDER BY occurred_at DESC LIMIT 1
) a JOIN leads_touchpoint t ON t.id = a.touchpoint_id
"""  # noqa: S608 constants
# What the score counted as the latest request: a hand-raise, or a bite of any kind, at that very instant.
RAISED = f"""
SELECT l.id, a.* FROM unnest(%(ids)s::bigint[], %(raised)s::timestamptz[]) AS l(id, raised)
CROSS JOIN LATERAL (
  SELECT occurred_at, t.kind, t.asset, {TITLE} FROM leads_activity JOIN leads_touchpoint t ON t.id = touchpoint_id
  WHERE lead_id = l.id AND engagement AND occurred_at = l.raised
  ORDER BY t.kind = 'hand_raise' DESC, t.kind = 'search_visit', leads_activity.id LIMIT 1
) a
"""  # noqa: S608 constants
ACADEMIC = (".edu", ".ac.uk", ".ac.jp", ".ac.at", ".edu.au")
STUDENT_WORDS = ("student", "pupil", "intern", "schüler", "étudiant")


@dataclass(frozen=True)
class Event:
    at: datetime
    kind: str
    asset: str
    title: str | None = None

    def __str__(self):
        return capfirst(kinds.did(self.kind, self.named))

    @property
    def named(self):
        return kinds.named(self.kind, self.asset, self.title)


@dataclass
class Facts:
    """One lead as routing sees it at `at`."""

    at: datetime
    lead: Lead
    score: object  # scoring.queries.ScoreRow or None
    mql_fit: float
    open: Handoff | None
    last: Handoff | None  # the latest that ended
    owner: CompanyOwner | None
    opportunity: Opportunity | None
    objection: str
    decision: RoutingDecision | None  # the latest
    latest: Event | None
    asked: Event | None
    exclusion: str  # name of the rule that excludes

    @property
    def verdict(self):
        return self.score.verdict if self.score else Verdict.NONE

    @property
    def rating(self):
        return self.score.rating if self.score else ""

    @property
    def raises_hand(self):
        """Asked for sales in this cycle, or took up an offer of a next step (a bite); also when an exclusion rule holds,
        which comes later in the order."""
        return self.score is not None and self.score.hand_raised_at is not None

    @property
    def is_bite(self):
        """What raised the hand was no request but an offer taken up; where the score says neither, what was done does."""
        if self.verdict in (Verdict.BITE, Verdict.HAND_RAISE):
            return self.verdict == Verdict.BITE
        return self.raises_hand and self.asked is not None and self.asked.kind != "hand_raise"

    @property
    def held_back(self):
        """Recycled, and its date has not come: only a hand-raise or a bite passes."""
        return bool(self.last and self.last.recycle_until and self.last.recycle_until > self.at)

    @property
    def disqualified_by_person(self):
        """Not by an earlier decision of routing, which may take it back when its reason is gone."""
        by_rule = self.decision is not None and self.decision.reason == self.lead.place_reason
        return self.lead.place == Place.DISQUALIFIED and not by_rule

    @property
    def rests(self):
        """Parked until a date that has not come, by a person or at the end of a program; routing's own parking,
        for want of fit or of a program, ends as soon as the reason does."""
        own = self.decision is not None and self.decision.reason == self.lead.place_reason
        return self.lead.place == Place.PARKED and self.lead.wake_at > self.at and not own

    @property
    def passes(self):
        if self.raises_hand:
            return True
        ready = self.verdict == Verdict.SALES_READY or self.lead.stage == Stage.SALES_READY
        return ready and not self.held_back and not self.disqualified_by_person

    @property
    def qualified(self):
        """Fits, and is not excluded. Whom no channel reaches is no MQL, but a matter of finding contact data."""
        return self.score is not None and self.verdict != Verdict.EXCLUDED and self.score.fit >= self.mql_fit

    @property
    def relationship(self):
        return self.lead.company.relationship if self.lead.company else Relationship.PROSPECT

    @property
    def is_customer(self):
        return self.relationship == Relationship.CUSTOMER or self.lead.stage == Stage.CUSTOMER

    @property
    def company_rep(self):
        """The rep whom colleagues follow: a named account for good, a first hand-off for 90 days."""
        if self.owner is None:
            return None
        fresh = (self.owner.last_handoff_at or self.owner.since) >= self.at - timedelta(days=FOLLOW_DAYS)
        return self.owner.rep if self.owner.is_named_account or fresh else None

    @property
    def previous_rep(self) -> Rep | None:
        return self.last.owner if self.last else None

    def asked_since(self, moment):
        raised = self.score.hand_raised_at if self.score else None
        return raised is not None and raised > moment

    @property
    def why_asked(self):
        if self.is_bite:
            return f"Took up the offer {self.asked.named}".strip() if self.asked else "Took up an offer"
        return str(self.asked) if self.asked else "Asked for sales"

    @property
    def why(self):
        if self.raises_hand:
            return self.why_asked
        return str(self.latest) if self.latest else "Reached the threshold"

    @property
    def why_at(self):
        """When that happened, which may be long before the hand-off: a new version of the rules may pass a lead."""
        event = self.asked if self.raises_hand else self.latest
        return event.at if event else self.at

    def flags(self):
        """Warnings for the rep, in words."""
        domain = (self.lead.email or "").partition("@")[2]
        words = f"{self.lead.role} {self.lead.job_title}".casefold()
        found = []
        if domain and not addresses.business_domain(domain):
            found.append("Free-mail address")
        if domain.endswith(ACADEMIC) or any(word in words.split() for word in STUDENT_WORDS):
            found.append("May be a student")
        return found


def read(leads, *, at):
    """Facts for each of these locked leads (with their company), in the same order."""
    ids = [lead.pk for lead in leads]
    companies = {lead.company_id for lead in leads if lead.company_id}
    scores = routing_scores(ids)
    by_lead = {
        "open": open_handoffs(ids),
        "last": latest_by_lead(Handoff.objects.exclude(status__in=Handoff.OPEN), ids),
        "decision": latest_by_lead(RoutingDecision.objects, ids),
        "latest": events(LATEST, ids, at),
        "asked": asked(scores),
        "exclusion": exclusions(scores, at),
        "objection": consent.refusals(ids, channel=Channel.ALL, purpose=Purpose.ALL),
    }
    owners = {
        o.company_id: o
        for o in CompanyOwner.objects.filter(company__in=companies).select_related("rep__user")
    }
    deals = open_opportunities(companies)
    version = routing_version()
    mql_fit = version.mql_fit if version else 0
    return [
        Facts(
            at=at, lead=lead, score=scores.get(lead.pk), mql_fit=mql_fit, owner=owners.get(lead.company_id),
            opportunity=deals.get(lead.company_id),
            **{name: found.get(lead.pk, "" if name in ("exclusion", "objection") else None)
               for name, found in by_lead.items()},
        )
        for lead in leads
    ]  # fmt: skip


def open_handoffs(ids):
    """Locked: the rep's own verbs lock the lead first, so nobody who holds one of these waits for us."""
    rows = Handoff.objects.filter(lead_id__in=ids, status__in=Handoff.OPEN).select_related(
        "owner__user", "queue"
    )
    return {row.lead_id: row for row in rows.select_for_update(no_key=True, of=("self",)).order_by("id")}


def latest_by_lead(rows, ids):
    order = "-at" if rows.model is RoutingDecision else "-created_at"
    found = rows.filter(lead_id__in=ids).order_by("lead_id", order, "-id").distinct("lead_id")
    if rows.model is Handoff:
        found = found.select_related("owner__user")
    return {row.lead_id: row for row in found}


def open_opportunities(companies):
    rows = Opportunity.objects.filter(company__in=companies, status=Opportunity.Status.OPEN)
    return {deal.company_id: deal for deal in rows.select_related("owner__user").order_by("-opened_at")}


def events(sql, ids, at):
    return {row[0]: Event(*row[1:]) for row in fetch(sql, {"ids": ids, "at": at})}


def asked(scores):
    raised = {lead_id: score.hand_raised_at for lead_id, score in scores.items() if score.hand_raised_at}
    rows = fetch(RAISED, {"ids": list(raised), "raised": list(raised.values())}) if raised else []
    return {row[0]: Event(*row[1:]) for row in rows}


def exclusions(scores, at):
    """The name of the first rule that excludes each excluded lead. One statement per rule, none without any."""
    excluded = [lead_id for lead_id, score in scores.items() if score.verdict == Verdict.EXCLUDED]
    if not excluded:
        return {}
    names = dict.fromkeys(excluded, "by the scoring model")
    rules = Rule.objects.filter(kind=Rule.Kind.EXCLUDE, version=routing_version())
    for rule in filter(is_readable, rules.order_by("-position", "-id")):
        found = matching.ids(rule.condition, lead_ids=excluded, at=at)
        names |= dict.fromkeys(found, rule.name)
    return names
