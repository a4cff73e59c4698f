"""The named leads that a visitor is shown, each a small plot with its dates relative to now."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Min

from distribution import followup, handoff, opportunities, recycling
from distribution.models import CompanyOwner, Handoff, Rep
from leads import activities, capture, intake, lists
from leads.models import Lead, LeadList
from nurturing import touches
from scoring.models import ModelVersion, Score

from . import config, offer
from .companies import known_company

CUSTOMER = "harbor-logistics.example"


def are_told():
    """Whether the history is there: it comes whole, and its stories last. A lead that somebody posted to one of the
    demo's forms is demo data too, and says nothing."""
    return Lead.objects.filter(email__in=LISTED, is_demo=True).exists()


def tell(*, floor, now):
    """Play every story after the history, in the order in which each began."""
    teller = Teller(floor, now)
    for story in STORIES:
        story(teller)
    teller.let_pass(now)
    lists.add_to_list(
        to=LeadList.objects.get(slug=offer.STORIES),
        lead_ids=Lead.objects.filter(email__in=LISTED).values_list("pk", flat=True),
        at=now,
    )
    floor.decide(now)


class Teller:
    def __init__(self, floor, now):
        self.floor, self.now = floor, now
        self.leads = set()
        self.manager = User.objects.get(username=config.MANAGER[0])

    def ago(self, **span):
        return self.now - timedelta(**span)

    def let_pass(self, until):
        """Time passes for those told of so far: what fades is counted on the minute."""
        while due := next_change(self.leads, until):
            self.floor.decide(due)

    def post(self, form, at, source="paid-search", **values):
        self.let_pass(at)
        said, _ = intake.clean(values, strict=False, at=at, custom=self.floor.custom)
        row = capture.submit_many(
            [
                {
                    "values": said,
                    "form": self.floor.forms[form],
                    "source": self.floor.sources[source],
                    "occurred_at": at,
                }
            ],
            at=at,
            is_demo=True,
        )[0]
        self.leads.add(row.lead_id)
        self.floor.decide(at)
        return Lead.objects.get(pk=row.lead_id)

    def did(self, lead, *steps):
        """Each step: (moment, kind, asset)."""
        for at, kind, asset in steps:
            self.let_pass(at)
            activities.record(lead=lead, kind=kind, asset=asset, at=at, received_at=at)
            self.floor.decide(at)

    def wait(self, *moments):
        """Programs send what is due at these moments."""
        for at in moments:
            self.let_pass(at)
            touches.perform_due(at=at)
            self.floor.decide(at)

    def handed(self, lead, *, to=None, at=None):
        """The lead's open hand-off, moved to the rep of the story where it went to another."""
        row = Handoff.objects.select_related("owner__user", "lead").get(lead=lead, status__in=Handoff.OPEN)
        if to and row.owner_id != to.pk:
            handoff.assign(handoff=row, rep=to, by=self.manager, at=at or row.created_at)
            row.refresh_from_db()
        return row


def next_change(lead_ids, until):
    """When time alone next changes a score of these leads, up to `until`; None for not at all."""
    scores = Score.objects.filter(lead__in=lead_ids, model_version__status=ModelVersion.Status.PUBLISHED)
    return scores.filter(next_change_at__lte=until).aggregate(at=Min("next_change_at"))["at"]


def rep(username):
    return Rep.objects.select_related("user").get(user__username=username)


def sarah(tell):
    """Came by paid search, downloaded and did not read: the page of those days says why not passed. Then she
    searched ever more exactly, read, looked at prices, and crossed this morning."""
    at = tell.ago(days=12, hours=3)
    lead = tell.post(
        "white-paper", at, email="sarah.klein@brightworks.example", first_name="Sarah", last_name="Klein",
        company="Brightworks", company_size=320, role="decision maker", job_title="VP Operations", country="DE",
        industry="Manufacturing", timeline="3-6 months", phone="+49 30 5550142",
        utm_term="production planning software",
    )  # fmt: skip
    tell.wait(at + timedelta(hours=2), tell.ago(days=8))
    tell.did(
        lead,
        (tell.ago(days=3, hours=2), "search_visit", "planning software for 10 planners"),
        (tell.ago(days=3, hours=1), "page_view", "/products/compare"),
        (tell.ago(days=1, hours=4), "search_visit", "planwell vs spreadsheet price"),
        (tell.ago(days=1, hours=3), "page_view", "/case-studies/harbor"),
        (tell.ago(hours=5), "search", "price per planner"),
        (tell.ago(hours=4, minutes=50), "page_view", "/pricing"),
    )
    tell.handed(lead, to=rep("rita"), at=tell.ago(hours=4, minutes=50))


def unread(tell):
    """The same beginning as Sarah's, six days ago, and nothing since: nurtured, with what is missing."""
    tell.post(
        "white-paper", tell.ago(days=6, hours=3), email="nina.falk@alpenpack.example",
        first_name="Nina", last_name="Falk", company="Alpenpack", company_size=240,
        role="decision maker", job_title="Head of Operations", country="AT", industry="Manufacturing",
        timeline="3-6 months", utm_term="production planning",
    )  # fmt: skip
    tell.wait(tell.ago(days=6), tell.ago(days=3))


def professor(tell):
    """A researcher at a university who buys: nobody is put out for a word."""
    at = tell.ago(days=9)
    lead = tell.post(
        "white-paper", at, source="organic-search", email="ines.albrecht@brightvale-edu.example",
        first_name="Ines", last_name="Albrecht", company="Brightvale University", company_size=2400,
        role="researcher", job_title="Professor, head of the institute", country="DE", industry="Education",
        **{"custom.has_budget": True},
    )  # fmt: skip
    tell.did(
        lead,
        (at + timedelta(days=1), "page_view", "/pricing"),
        (at + timedelta(days=2), "download", "/spec-sheets/series-4"),
    )
    asked = tell.ago(days=4, hours=2)
    tell.post(
        "quote-request", asked, source="website", email="ines.albrecht@brightvale-edu.example",
        first_name="Ines", last_name="Albrecht", timeline="within 30 days",
    )  # fmt: skip
    row = tell.handed(lead, to=rep("sam"), at=asked)
    user = row.owner.user
    followup.log_call(
        handoff=row, by=user, result="connected", at=asked + timedelta(minutes=35),
        note="Twelve licences for the logistics lab, paid by a grant that ends in December.",
        next_at=tell.now + timedelta(days=2),
    )  # fmt: skip
    opportunities.open(
        handoff=row, by=user, name="Brightvale University: planner", product="planner", amount=14400,
        at=asked + timedelta(hours=1), expected_close=(tell.now + timedelta(days=20)).date(),
    )  # fmt: skip


def took_the_trial(tell):
    """Followed a mail to the free trial: a bite passes at once, with engagement far below the threshold."""
    at = tell.ago(days=30)
    lead = tell.post(
        "webinar", at, source="webinar", email="oskar.lind@fjordfoods.example", first_name="Oskar",
        last_name="Lind", company="Fjord Foods", company_size=150, role="influencer",
        job_title="Product Manager", country="SE", industry="Food", product_interest="forecast",
    )  # fmt: skip
    tell.wait(tell.ago(days=29), tell.ago(days=25), tell.ago(days=14))
    tell.did(lead, (tell.ago(days=1, hours=6), "mail_click", "/free-trial"))
    row = tell.handed(lead, to=rep("rita"), at=tell.ago(days=1, hours=6))
    followup.log_call(
        handoff=row, by=row.owner.user, result="voicemail", at=tell.ago(days=1, hours=5),
        next_at=tell.now + timedelta(days=1),
    )  # fmt: skip


def nobodys(tell):
    """From another part of the world: each rep who is here declines it, and it waits for Tom or for the manager."""
    at = tell.ago(hours=6)
    lead = tell.post(
        "demo-request", at, source="website", email="kenji.mori@sakurakikai.example", first_name="Kenji",
        last_name="Mori", company="Sakura Kikai", company_size=170, role="decision maker",
        job_title="Head of Production", country="JP", industry="Manufacturing",
    )  # fmt: skip
    for minutes in range(20, 200, 20):
        row = tell.handed(lead)
        if row.status == Handoff.Status.WAITING:
            break
        handoff.decline(handoff=row, by=row.owner.user, reason="not_mine", at=at + timedelta(minutes=minutes))


def invited(tell):
    """Marketing puts the best of the booth on the list for the evening at the fair, by hand."""
    best = Lead.objects.filter(
        is_demo=True, source__slug="trade-show", company__size__gte=200, role="decision maker"
    )
    lists.add_to_list(
        to=LeadList.objects.get(slug=offer.VIPS),
        lead_ids=best.order_by("-created_at", "-pk").values_list("pk", flat=True)[:24],
        at=tell.ago(days=10),
    )


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
    tell.wait(*(at + timedelta(days=days, hours=6) for days in (2, 7, 14, 30, 45, 60, 74)))


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
    won = again + timedelta(days=33)
    opportunities.win(opportunity=deal, by=user, amount=36500, at=won)
    tell.floor.decide(won)


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


STORIES = (
    recycled_and_woken, customers_quote, cooled, took_the_trial, untouched, sarah, professor, unread, competitor,
    nobodys, fresh_quote, invited,
)  # fmt: skip
LISTED = (
    "sarah.klein@brightworks.example", "nina.falk@alpenpack.example", "jonas.ek@nordwind.example",
    "kim@planrival.example", "ines.albrecht@brightvale-edu.example", "frida.lund@harbor-logistics.example",
    "helena.strand@fjordline.example", "paula.reis@cobalt-energy.example", "marek.novotny@quarry-tools.example",
    "oskar.lind@fjordfoods.example", "kenji.mori@sakurakikai.example",
)  # fmt: skip
