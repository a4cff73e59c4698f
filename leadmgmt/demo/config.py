"""The demo company's configuration: forms, sources, programs, mails, teams and people. No history.

Everything is found by its natural key first, so loading it again changes nothing that somebody
edited meanwhile. What is sold and published is in `offer`, models and segments in `judging`.
"""

import secrets

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from distribution.access import Role
from distribution.models import QueueMember, Rep, RoutingRule, SalesQueue, Team
from leads.models import Campaign, CaptureForm, LeadType, Origin, Question, Source
from nurturing import versions
from nurturing.models import EmailTemplate, Program, Step

from . import judging, offer

SOURCES = (
    ("organic-search", "Organic search", Origin.MARKETING),
    ("paid-search", "Paid search", Origin.MARKETING),
    ("trade-show", "Trade show", Origin.MARKETING),
    ("webinar", "Webinar", Origin.MARKETING),
    ("partner-webinar", "Partner webinar", Origin.PARTNER),
    ("referral", "Referral", Origin.SALES),
    ("website", "Website", Origin.MARKETING),
)
CAMPAIGNS = (
    ("spring-fair", "Spring fair, booth 12", "trade-show", 48000),
    ("white-paper-roi", "White paper: what planning pays", "organic-search", 3000),
    ("search-ads", "Search ads: production planning", "paid-search", 22000),
    ("webinar-series", "Webinar series", "webinar", 9000),
    ("partner-webinar", "Webinar with Harbor Logistics", "partner-webinar", 2500),
)
CONSENT = "We may send you practical articles on planning by e-mail. You can end this at any time."
INTEREST = "We write to you about the topic you asked for. Every mail has a link that ends this."
PRODUCTS = {
    "search-ads": ["planner"],
    "white-paper-roi": ["planner"],
    "webinar-series": ["planner"],
}  # by campaign
# slug, name, lead type, asset, basis, words, source, campaign
FORMS = (
    ("demo-request", "Request a demo", LeadType.HAND_RAISE, "", "consent", CONSENT, "website", None),
    ("quote-request", "Ask for a quote", LeadType.HAND_RAISE, "", "consent", CONSENT, "website", None),
    ("white-paper", "White paper: what planning pays", LeadType.INFORMATIONAL,
     "/white-papers/roi", "legitimate_interest", INTEREST, "website", "white-paper-roi"),
    ("webinar", "Webinar sign-up", LeadType.INFORMATIONAL,
     "/webinars/planning", "legitimate_interest", INTEREST, "webinar", "webinar-series"),
    ("booth", "Badge scan at the booth", LeadType.EVENT,
     "/events/spring-fair", "legitimate_interest", INTEREST, "trade-show", "spring-fair"),
)  # fmt: skip
QUESTIONS = (
    ("email", "Business e-mail", True, ()),
    ("first_name", "First name", False, ()),
    ("last_name", "Last name", False, ()),
    ("company", "Company", False, ()),
    ("company_size", "Number of employees", False, ()),
    ("role", "Your role in the decision", False,
     ("decision maker", "influencer", "user", "researcher", "student")),
    ("timeline", "When do you plan to buy?", False,
     ("within 30 days", "1-3 months", "3-6 months", "6-12 months", "later")),
    ("phone", "Phone", False, ()),
    ("country", "Country", False, ()),
    ("industry", "Industry", False, ()),
)  # fmt: skip
# Asked where people have time to answer, besides the questions above.
MORE_QUESTIONS = (
    ("erp_system", "custom.erp_system", "Which ERP system do you use?", offer.ERP_SYSTEMS),
    ("has_budget", "custom.has_budget", "Do you have a budget for it?", ("Yes", "No")),
    ("contract_end", "custom.contract_end", "When does your present contract end?", ()),
)
MORE_ON = ("quote-request", "webinar")

GREETING = "Hello {{ lead.first_name | default: 'there' }},\n\n"
SITE = "https://www.planwell.example"
# slug, name, subject, text
TEMPLATES = (
    ("paper-thanks", "White paper: thank you", "Your paper on what planning pays",
     "here is the paper again, and one page that most readers look at next: how Harbor Logistics "
     f"cut its planning time by half. {SITE}/case-studies/harbor\n\n"
     "What would you most like to change about your planning?"),
    ("paper-compare", "White paper: compare", "Three ways to plan, side by side",
     f"this page compares spreadsheets, an ERP module and a planning tool: {SITE}/products/compare\n\n"
     "If you would rather see it with your own numbers, we show it to you in 20 minutes: "
     f"{SITE}/demo"),
    ("paper-pricing", "White paper: prices", "What it costs, without a call",
     f"our prices are public: {SITE}/pricing\n\nMost teams start with one site and ten planners."),
    ("webinar-recording", "Webinar: recording", "The recording of the webinar",
     f"here is the recording with the slides: {SITE}/webinars/roi-live\n\n"
     "Which of the three examples is closest to yours?"),
    ("webinar-spec", "Webinar: data sheet", "The data sheet from the webinar",
     f"the data sheet that many asked for: {SITE}/spec-sheets/series-4"),
    ("booth-hello", "Trade show: nice to meet you", "Good to meet you at the fair",
     f"thank you for stopping by booth 12. The plan we drew together is explained here: {SITE}/products"),
    ("booth-case", "Trade show: an example", "How a plant of your size plans",
     f"a plant much like yours tells how it went: {SITE}/case-studies/harbor"),
    ("news", "What is new this season", "Three things planners asked us for",
     f"this season we built what planners asked for most: {SITE}/products\n\n"
     f"You can now try it with your own orders for 30 days: {SITE}/free-trial"),
)  # fmt: skip
# slug, name, sources that enter, steps: a template's slug, hours to wait, or a call's instruction
PROGRAMS = (
    ("white-paper-track", "White paper track", ("organic-search", "paid-search", "website", "referral"),
     ("paper-thanks", 72, "paper-compare", 168, "paper-pricing", 1440, "webinar-recording", 2880, "news")),
    ("webinar-track", "Webinar track", ("webinar", "partner-webinar"),
     ("webinar-recording", 96, "webinar-spec", 240, "paper-compare", 1440, "paper-pricing", 2880, "news")),
    ("booth-track", "Trade show track", ("trade-show",),
     ("booth-hello", 120, "booth-case", 240, "Ask what they plan to change this year", 720,
      "paper-compare", 2880, "news")),
)  # fmt: skip

MANAGER = (judging.MANAGER, "Mona", "Lehmann")
MARKETER = (judging.MARKETER, "Mia", "Sander")
ADMINISTRATOR = ("admin", "Ada", "Min")
# user name, first, last, team, open hand-offs at most
REPS = (
    ("rita", "Rita", "Vogel", "Inside sales", None),
    ("sam", "Sam", "Okafor", "Inside sales", None),
    ("lea", "Lea", "Marin", "Inside sales", None),
    ("tom", "Tom", "Lindqvist", "Inside sales", None),
    ("eva", "Eva", "Novák", "Enterprise", 7),
    ("karl", "Karl", "Brandt", "Enterprise", 6),
)
ABSENT = "tom"
SIGN_IN = ("mia", "rita", "mona", "admin")


@transaction.atomic
def load():
    """Load what is missing. Returns `{user name: password}` of the logins made just now."""
    now = timezone.now()
    offer.load(now)
    sources = _sources()
    campaigns = _campaigns(sources)
    _forms(sources, campaigns)
    _programs(_templates())
    passwords = _people()
    judging.load(now)
    return passwords


def _sources():
    for slug, name, origin in SOURCES:
        Source.objects.get_or_create(slug=slug, defaults={"name": name, "origin": origin, "is_demo": True})
    return {source.slug: source for source in Source.objects.all()}


def _campaigns(sources):
    for slug, name, source, cost in CAMPAIGNS:
        Campaign.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "source": sources[source],
                "cost": cost,
                "products": PRODUCTS.get(slug, []),
                "is_demo": True,
            },
        )
    return {campaign.slug: campaign for campaign in Campaign.objects.all()}


def _forms(sources, campaigns):
    for slug, name, lead_type, asset, basis, words, source, campaign in FORMS:
        form, created = CaptureForm.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "lead_type": lead_type,
                "asset": asset,
                "marketing_basis": basis,
                "basis_text": words,
                "source": sources[source],
                "campaign": campaigns.get(campaign),
                "is_demo": True,
            },
        )
        if created:
            Question.objects.bulk_create(
                Question(
                    form=form, name=field, field=field, label=label, position=position,
                    required=required, choices=list(choices),
                )
                for position, (field, label, required, choices) in enumerate(QUESTIONS)
            )  # fmt: skip
            Question.objects.bulk_create(
                Question(form=form, name=name, field=field, label=label, position=position, choices=list(choices))
                for position, (name, field, label, choices) in enumerate(MORE_QUESTIONS, start=len(QUESTIONS))
                if slug in MORE_ON
            )  # fmt: skip


def _templates():
    for slug, name, subject, text in TEMPLATES:
        EmailTemplate.objects.get_or_create(
            slug=slug,
            defaults={"name": name, "subject": subject, "body": GREETING + text, "is_demo": True},
        )
    return {template.slug: template for template in EmailTemplate.objects.all()}


def _programs(templates):
    for position, (slug, name, entering, steps) in enumerate(PROGRAMS):
        program, created = Program.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "position": position,
                "is_demo": True,
                "entry": {"all": [{"is": "source", "one_of": list(entering)}]},
            },
        )
        if not created:
            continue
        version = versions.new_draft(program=program)
        Step.objects.bulk_create(
            _step(version, number, item, templates) for number, item in enumerate(steps, start=1)
        )
        versions.publish(version=version, at=timezone.now())


def _step(version, number, item, templates):
    if isinstance(item, int):
        return Step(version=version, position=number, kind=Step.Kind.WAIT, wait_hours=item)
    if item in templates:
        return Step(version=version, position=number, kind=Step.Kind.MAIL, template=templates[item])
    return Step(version=version, position=number, kind=Step.Kind.CALL_TASK, instruction=item)


def _people():
    passwords = {}
    manager = _user(MANAGER, Role.MANAGER, passwords)
    _user(MARKETER, Role.MARKETER, passwords, is_staff=True)
    _user(ADMINISTRATOR, Role.ADMIN, passwords, is_staff=True, is_superuser=True)
    for username, first, last, team_name, capacity in REPS:
        team, _ = Team.objects.get_or_create(name=team_name, defaults={"manager": manager, "is_demo": True})
        user = _user((username, first, last), Role.REP, passwords)
        rep, _ = Rep.objects.get_or_create(
            user=user,
            defaults={
                "team": team,
                "capacity": capacity,
                "is_present": username != ABSENT,
                "is_demo": True,
            },
        )
        QueueMember.objects.get_or_create(queue=_queue(team), rep=rep)
    return passwords


def _queue(team):
    """Inside sales works the default queue; large companies go to the enterprise team."""
    if team.name == "Inside sales":
        return SalesQueue.objects.get(is_default=True)
    queue, _ = SalesQueue.objects.get_or_create(
        slug="enterprise", defaults={"name": "Enterprise", "team": team, "is_demo": True}
    )
    RoutingRule.objects.get_or_create(
        name="Companies of 500 or more",
        defaults={
            "queue": queue,
            "is_demo": True,
            "condition": {"all": [{"is": "company_field", "field": "size", "op": "at_least", "value": 500}]},
        },
    )
    return queue


def _user(name, role, passwords, **flags):
    username, first, last = name
    user, created = User.objects.get_or_create(
        username=username,
        defaults={
            "first_name": first,
            "last_name": last,
            "email": f"{username}@planwell.example",
            **flags,
        },
    )
    if created:
        if username in SIGN_IN:
            passwords[username] = secrets.token_urlsafe(9)
            user.set_password(passwords[username])
        else:
            user.set_unusable_password()
        user.save(update_fields=["password"])
        user.groups.add(Group.objects.get(name=role))
    return user


def role_of(username):
    return {"mia": "marketer", "rita": "sales rep", "mona": "sales manager"}.get(username, "administrator")


def logins_text(passwords):
    """The file that `make run` prints: one line per login."""
    lines = [f"{role_of(name):14} {name:7} {password}" for name, password in passwords.items()]
    return "\n".join([*lines, f"Sign in at {settings.PUBLIC_URL}"]) + "\n"
