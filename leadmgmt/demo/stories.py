"""The named leads that a visitor is shown, each a small plot with its dates relative to now."""

from datetime import timedelta

from django.contrib.auth.models import User

from distribution import followup, handoff, opportunities, recycling
from distribution.models import CompanyOwner, Handoff, Rep
from leads import activities, capture
from leads.models import Lead

from . import config
from .companies import known_company

CUSTOMER = "harbor-logistics.example"


def tell(*, floor, now):
    """Play every story after the history, in the order in which each began."""
    for story in (recycled_and_woken, cooled, untouched, sarah, customers_quote, competitor, fresh_quote):
        story(Teller(floor, now))


class Teller:
    def __init__(self, floor, now):
        self.floor, self.now = floor, now
        self.manager = User.objects.get(username=config.MANAGER[0])

    def ago(self, **span):
        return self.now - timedelta(**span)

    def post(self, form, at, source="paid-search", **values):
        row = capture.submit_many(
            [
                {
                    "values": values,
                    "form": self.floor.forms[form],
                    "source": self.floor.sources[source],
                    "occurred_at": at,
                }
            ],
            at=at,
            is_demo=True,
        )[0]
        self.floor.decide(at)
        return Lead.objects.get(pk=row.lead_id)

    def did(self, lead, *steps):
        """Each step: (moment, kind, asset)."""
        for at, kind, asset in steps:
            activities.record(lead=lead, kind=kind, asset=asset, at=at, received_at=at)
            self.floor.decide(at)

    def handed(self, lead, *, to=None, at=None):
        """The lead's open hand-off, moved to the rep of the story where it went to another."""
        row = Handoff.objects.select_related("owner__user", "lead").get(lead=lead, status__in=Handoff.OPEN)
        if to and row.owner_id != to.pk:
            handoff.assign(handoff=row, rep=to, by=self.manager, at=at or row.created_at)
            row.refresh_from_db()
        return row


def rep(username):
    return Rep.objects.select_related("user").get(user__username=username)


def sarah(tell):
    """Downloaded a paper by paid search, has not read it: nurtured, and the page says why not passed."""
    tell.post(
        "white-paper", tell.ago(days=6, hours=3), email="sarah.klein@brightworks.example",
        first_name="Sarah", last_name="Klein", company="Brightworks", company_size=320,
        role="decision maker", job_title="VP Operations", country="DE", industry="Manufacturing",
        timeline="3-6 months",
    )  # fmt: skip


def fresh_quote(tell):
    """Asked for a quote four minutes ago: the clock runs, the rep has it on top."""
    lead = tell.post(
        "quote-request", tell.ago(minutes=4), source="website", email="jonas.ek@nordwind.example",
        first_name="Jonas", last_name="Ek", company="Nordwind", company_size=140,
        role="decision maker", job_title="Head of Purchasing", country="SE", phone="+46 8 123 45 67",
        timeline="within 30 days",
    )  # fmt: skip
    tell.handed(lead, to=rep("rita"), at=tell.ago(minutes=4))


def untouched(tell):
    """An A-lead handed off three days ago that nobody has called."""
    at = tell.ago(days=3, hours=2)
    lead = tell.post(
        "white-paper", tell.ago(days=12), email="helena.strand@fjordline.example",
        first_name="Helena", last_name="Strand", company="Fjordline", company_size=410,
        role="decision maker", job_title="COO", country="SE", industry="Logistics",
        timeline="1-3 months", phone="+46 8 765 43 21",
    )  # fmt: skip
    tell.did(
        lead,
        (at - timedelta(hours=5), "page_view", "/pricing"),
        (at - timedelta(hours=4), "download", "/case-studies/harbor"),
        (at - timedelta(hours=2), "webinar", "/webinars/roi-live"),
        (at - timedelta(hours=1), "page_view", "/pricing"),
        (at - timedelta(minutes=30), "download", "/spec-sheets/series-4"),
        (at, "page_view", "/pricing"),
    )
    tell.handed(lead, to=rep("karl"), at=at)


def cooled(tell):
    """Read everything two months ago, rated A then, silent since: time took the engagement away."""
    at = tell.ago(days=75)
    lead = tell.post(
        "webinar", at, source="webinar", email="marek.novotny@quarry-tools.example",
        first_name="Marek", last_name="Novotný", company="Quarry Tools", company_size=260,
        role="decision maker", job_title="Managing Director", country="AT", industry="Manufacturing",
    )  # fmt: skip
    tell.did(
        lead,
        (at + timedelta(hours=1), "page_view", "/pricing"),
        (at + timedelta(hours=2), "download", "/case-studies/harbor"),
        (at + timedelta(hours=3), "download", "/spec-sheets/series-4"),
        (at + timedelta(hours=4), "page_view", "/pricing"),
        (at + timedelta(hours=5), "webinar", "/webinars/roi-live"),
    )
    _answered_and_given_back(tell, lead, at + timedelta(days=1), "unresponsive", days=20)
    for days in (7, 14, 30, 45, 60, 75):
        tell.floor.decide(min(at + timedelta(days=days, hours=6), tell.now))


def recycled_and_woken(tell):
    """ "Budget in Q3": given back with a date, woken, called again, won."""
    at = tell.ago(days=190)
    lead = tell.post(
        "demo-request", at, source="website", email="paula.reis@cobalt-energy.example",
        first_name="Paula", last_name="Reis", company="Cobalt Energy", company_size=180,
        role="decision maker", job_title="Head of Planning", country="DE", industry="Energy",
    )  # fmt: skip
    _answered_and_given_back(tell, lead, at + timedelta(hours=3), "no_budget", days=90)
    woken = at + timedelta(days=91)
    recycling.wake_parked(at=woken)
    tell.floor.decide(woken)
    again = at + timedelta(days=94)
    tell.post(
        "quote-request", again, source="website", email="paula.reis@cobalt-energy.example",
        first_name="Paula", last_name="Reis", timeline="within 30 days",
    )  # fmt: skip
    row = tell.handed(lead)
    user = row.owner.user
    handoff.accept(handoff=row, by=user, at=again + timedelta(hours=1))
    followup.log_call(
        handoff=row, by=user, result="connected", note="Budget is approved for Q3.",
        at=again + timedelta(hours=1, minutes=10),
    )  # fmt: skip
    deal = opportunities.open(
        handoff=row, by=user, name="Cobalt Energy: planning", at=again + timedelta(days=2)
    )
    opportunities.win(opportunity=deal, by=user, amount=36500, at=again + timedelta(days=33))


def customers_quote(tell):
    """A customer asks for a quote: it goes to the account's owner, where three colleagues are known."""
    start = tell.ago(days=200)
    company = known_company("Harbor Logistics", CUSTOMER, "customer", at=start)
    CompanyOwner.objects.update_or_create(
        company=company, defaults={"rep": rep("sam"), "since": start, "is_named_account": True}
    )
    for n, (first, last, title) in enumerate(
        (("Ida", "Holm", "Planner"), ("Emil", "Berg", "Team Lead"), ("Lena", "Dahl", "Controller"))
    ):
        tell.post(
            "webinar", start + timedelta(days=20 * n), source="webinar",
            email=f"{first.lower()}.{last.lower()}@{CUSTOMER}", first_name=first, last_name=last,
            company="Harbor Logistics", job_title=title, role="user",
        )  # fmt: skip
    tell.post(
        "quote-request", tell.ago(hours=2), source="website", email=f"frida.lund@{CUSTOMER}",
        first_name="Frida", last_name="Lund", company="Harbor Logistics", job_title="COO",
        role="decision maker", timeline="within 30 days",
    )  # fmt: skip


def competitor(tell):
    """A competitor asks for a demo: marketing reviews it, nobody's brief is shown."""
    at = tell.ago(days=1)
    known_company("Planrival", "planrival.example", "competitor", at=at)
    tell.post(
        "demo-request", at, source="website", email="kim@planrival.example", first_name="Kim",
        last_name="Sorg", company="Planrival", role="decision maker",
    )  # fmt: skip


def _answered_and_given_back(tell, lead, at, reason, *, days):
    row = tell.handed(lead)
    user = row.owner.user
    handoff.accept(handoff=row, by=user, at=at)
    followup.log_call(
        handoff=row, by=user, result="connected", note="Good talk, but not now.",
        at=at + timedelta(minutes=12),
    )  # fmt: skip
    recycling.recycle(
        handoff=row, by=user, reason=reason, until=at + timedelta(days=days),
        at=at + timedelta(minutes=20),
    )  # fmt: skip
    tell.floor.decide(at + timedelta(minutes=20))
