"""Who the demo's leads are and what they mean to do: drawn once from a seed, the same every time.

Nothing here touches the database. A `Person` carries the values of their first post and a plan: the
moments at which they do something, in days after their arrival.
"""

import random
from dataclasses import dataclass, field

SEED = 20260
DAYS = 456
DENSE_DAYS = 90

FIRST_NAMES = (
    "Anna Ben Clara David Elif Felix Greta Hugo Ines Jonas Katja Lars Maya Nils Olga Paul Quinn "
    "Rosa Stefan Tara Umut Vera Wim Xenia Yusuf Zoë Aiko Björn Chloé Dmitri Émile Fátima Giulia "
    "Håkon Ioana Jürgen Łukasz Márta Niamh Óscar Priya Raúl Søren Thảo Uma Wei Žofia Amara Carlos"
).split()
LAST_NAMES = (
    "Adler Bauer Costa Dubois Eriksen Fischer García Hansen Ivanova Jansen Kowalski Lindqvist "
    "Müller Novák O'Brien Petrović Quispe Rossi Schäfer Tanaka Ünal Vermeer Weiß Yılmaz Zhang "
    "Andersson Becker Çelik Díaz Ek Ferrari Gruber Horváth Iyer Jovanović Keller López Meyer "
    "Nguyen Okafor Park Richter Silva Tóth Vogel Wagner Young Øberg"
).split()
COMPANY_WORDS = (
    "Alpen Baltic Cobalt Delta Ember Fjord Garnet Harbor Indigo Jasper Kestrel Linden Marble Nordic "
    "Onyx Pioneer Quarry Raven Summit Tundra Upland Vector Willow Yonder Zephyr Atlas Boreal Cedar"
).split()
COMPANY_KINDS = (
    ("Machines", "Manufacturing"), ("Logistics", "Logistics"), ("Software", "Software"),
    ("Foods", "Food"), ("Energy", "Energy"), ("Medical", "Healthcare"), ("Bank", "Financial services"),
    ("Retail", "Retail"), ("Plastics", "Manufacturing"), ("Consulting", "Professional services"),
)  # fmt: skip
COUNTRIES = ("DE", "DE", "DE", "AT", "CH", "FR", "NL", "GB", "US", "US", "SE", "JP", "BR")
FREE_MAIL = ("freemail.example", "webmail.example")
TITLES = {
    "decision maker": ("CEO", "Managing Director", "VP Operations", "Head of Purchasing", "CTO"),
    "influencer": ("Team Lead Logistics", "Senior Engineer", "Product Manager", "Controller"),
    "user": ("Engineer", "Analyst", "Clerk", "Assistant"),
    "researcher": ("Research Associate", "Lab Scientist"),
    "student": ("Student",),
}
TIMELINES = ("within 30 days", "1-3 months", "3-6 months", "6-12 months", "later", "")


@dataclass
class Arrival:
    """How people come: the source and form, the share of all leads, and how good they are.

    `fit` is the chance of a decision maker or influencer at a company of size; `wins` multiplies
    the chance that a hand-off ends in a deal.
    """

    source: str
    form: str
    campaign: str
    share: float
    fit: float
    wins: float


# The booth brings many and wins few; the partner webinar few, and wins three times as often.
ARRIVALS = (
    Arrival("trade-show", "booth", "spring-fair", 0.27, 0.40, 0.6),
    Arrival("organic-search", "white-paper", "white-paper-roi", 0.24, 0.55, 1.0),
    Arrival("paid-search", "white-paper", "search-ads", 0.19, 0.55, 1.0),
    Arrival("webinar", "webinar", "webinar-series", 0.14, 0.60, 1.0),
    Arrival("partner-webinar", "webinar", "partner-webinar", 0.06, 0.80, 3.0),
    Arrival("referral", "white-paper", "", 0.10, 0.60, 1.5),
)

BROWSING = (
    ("page_view", "/blog/planning-guide"), ("page_view", "/products"), ("page_view", "/about"),
    ("page_view", "/blog/checklist"), ("page_view", "/customers"),
)  # fmt: skip
BUYING = (
    ("page_view", "/pricing"), ("page_view", "/pricing"), ("download", "/case-studies/harbor"),
    ("page_view", "/products/compare"), ("webinar", "/webinars/roi-live"),
    ("download", "/spec-sheets/series-4"),
)  # fmt: skip
# What people search for, ever more exactly the nearer they are to buying: with a search engine, then on the site.
SEARCHES = {
    "planner": (
        ("search_visit", "production planning"), ("search_visit", "production planning software"),
        ("search", "spreadsheet import"), ("search_visit", "production planning software price comparison"),
        ("search", "price per planner"),
    ),
    "forecast": (
        ("search_visit", "demand forecasting"), ("search_visit", "forecasting tool food industry"),
        ("search", "forecast promotions"), ("search_visit", "forecasting software cost"),
        ("search", "forecast price"),
    ),
    "floor": (
        ("search_visit", "shop floor terminal"), ("search_visit", "shop floor planning software"),
        ("search", "terminal data sheet"), ("search_visit", "shop floor software vs erp module"),
        ("search", "price per terminal"),
    ),
}  # fmt: skip
# Who wants another product than the planner reads about that one instead.
INSTEAD = {
    "planner": {},
    "forecast": {"/products/compare": "/products/forecast", "/case-studies/harbor": "/case-studies/tundra-foods"},
    "floor": {"/products/compare": "/products/floor", "/webinars/roi-live": "/integrations/sap"},
}  # fmt: skip
WANTED = {"Food": "forecast", "Retail": "forecast", "Manufacturing": "floor"}  # by industry
ERPS = ("SAP", "SAP", "Microsoft Dynamics", "Oracle", "Infor", "None yet", "Another")
# Some read everything and buy nothing.
COLLECTING = (
    ("download", "/case-studies/harbor"), ("download", "/case-studies/tundra-foods"),
    ("webinar", "/webinars/planning"),
)  # fmt: skip


@dataclass
class Company:
    name: str
    domain: str
    size: int
    industry: str
    country: str
    relationship: str = "prospect"


@dataclass
class Person:
    day: int
    hour: float
    arrival: Arrival
    values: dict
    intent: str
    company: Company | None
    form: str = ""
    plan: list = field(default_factory=list)  # [(days after arrival, kind, asset)]
    luck: float = 0.0  # 0..1, drawn here so that sales needs no dice of its own
    product: str = "planner"
    contract_days: int | None = None  # from arrival to the end of the contract with another supplier

    @property
    def is_nurtured(self):
        """Came long before they were ready."""
        return bool(self.plan) and self.plan[0][0] >= 4

    @property
    def promise(self):
        """What multiplies the chance of a deal: how they came, whether they mean to buy, and with what money."""
        money = {True: 2.0, False: 0.15, None: 1.0}[self.values.get("custom.has_budget")]
        return self.arrival.wins * money * (1.0 if self.intent in ("buyer", "hand_raise") else 0.15)


def population(count=3000):
    """`count` people in order of arrival."""
    dice = random.Random(SEED)
    companies = Companies(dice, count // 2)
    days = sorted(_arrival_day(dice) for _ in range(count))
    people = [_person(dice, n, day, companies) for n, day in enumerate(days)]
    dice = random.Random(SEED + 7)  # of their own, so that what is asked beyond the first post moves nobody
    for person in people:
        _want(dice, person)
        _answer(dice, person)
    return people


def competitors(count=3000):
    """Domains of the companies that compete with us."""
    everyone = Companies(random.Random(SEED), count // 2)
    return sorted(c.domain for c in everyone.large + everyone.small if c.relationship == "competitor")


def _arrival_day(dice):
    if dice.random() < 0.42:
        return DAYS - DENSE_DAYS + dice.randrange(DENSE_DAYS)
    return dice.randrange(DAYS - DENSE_DAYS)


class Companies:
    """Where people work: the good ones mostly at companies of size, the others mostly at small ones."""

    def __init__(self, dice, count):
        self.dice = dice
        everyone = [_company(dice, n) for n in range(count)]
        self.large = [company for company in everyone if company.size >= 100]
        self.small = [company for company in everyone if company.size < 50]

    def choose(self, good):
        return self.dice.choice(self.large if self.dice.random() < (0.8 if good else 0.05) else self.small)


def _company(dice, n):
    word = COMPANY_WORDS[n % len(COMPANY_WORDS)]
    kind, industry = dice.choice(COMPANY_KINDS)
    size = int(dice.choice((8, 20, 35, 140, 260, 400, 900, 3000)) * dice.uniform(0.7, 1.4))
    relationship = "prospect"
    draw = dice.random()
    if draw < 0.015:
        relationship = "competitor"
    elif draw < 0.035:
        relationship = "customer"
    return Company(
        name=f"{word} {kind} {n + 1}",
        domain=f"{word.lower()}-{kind.lower()}-{n + 1}.example",
        size=size,
        industry=industry,
        country=dice.choice(COUNTRIES),
        relationship=relationship,
    )


def _person(dice, n, day, companies):
    arrival = dice.choices(ARRIVALS, [a.share for a in ARRIVALS])[0]
    good = dice.random() < arrival.fit
    intent = _intent(dice, good)
    company = None if intent == "student" else companies.choose(good)
    role = _role(dice, good, intent)
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    person = Person(
        day=day,
        hour=dice.uniform(6, 19),
        arrival=arrival,
        values=_values(dice, n, first, last, role, company, good, intent),
        intent=intent,
        company=company,
        form="demo-request" if intent == "hand_raise" else arrival.form,
        luck=dice.random(),
    )
    person.plan = _plan(dice, intent)
    return person


def _intent(dice, good):
    """What moves a person: shares tuned so that the funnel has the shape practitioners report."""
    draw = dice.random()
    if good:
        if draw < 0.055:
            return "hand_raise"
        if draw < 0.40:
            return "buyer"
        return "reader"
    if draw < 0.30:
        return "student"
    if draw < 0.42:
        return "job_seeker"
    return "browser"


def _role(dice, good, intent):
    if intent == "student":
        return "student"
    if good:
        return dice.choice(("decision maker", "decision maker", "influencer"))
    return dice.choice(("user", "user", "researcher", "influencer"))


def _ascii(text):
    import unicodedata

    folded = unicodedata.normalize("NFKD", text.lower().replace("ø", "o").replace("ł", "l"))
    return "".join(c for c in folded if c.isascii() and c.isalnum())


def _values(dice, n, first, last, role, company, good, intent):
    """The values of a first post: messy as real ones, with answers left out."""
    values = {
        "first_name": first,
        "last_name": last,
        "role": role,
        "job_title": "Job seeker" if intent == "job_seeker" else dice.choice(TITLES[role]),
    }
    local = f"{_ascii(first)}.{_ascii(last)}{n}"
    if company is None or (not good and dice.random() < 0.25):
        values["email"] = f"{local}@{dice.choice(FREE_MAIL)}"
    else:
        values["email"] = f"{local}@{company.domain}"
    if company is not None:
        values["company"] = company.name
        values["country"] = company.country
        values["industry"] = company.industry
        if dice.random() < 0.8:
            values["company_size"] = company.size
    if dice.random() < 0.5:
        values["timeline"] = dice.choice(TIMELINES)
    if dice.random() < 0.35:
        values["phone"] = f"+49 30 {dice.randrange(1000000, 9999999)}"
    draw = dice.random()
    if company is not None and draw < 0.03:  # a badge scan: a card with a phone number, no address
        del values["email"]
        values["phone"] = f"+49 30 {dice.randrange(1000000, 9999999)}"
    elif company is not None and draw < 0.05:
        values["email"] = f"info@{company.domain}"
    return {name: value for name, value in values.items() if value != ""}


def _plan(dice, intent):
    """What a person does after arriving: `[(days later, kind, asset)]`, in order."""
    plan = []
    if intent in ("buyer", "hand_raise"):
        start = dice.choice((0.1, 1, 4, 9, 15, 30, 60))
        at = start
        for _ in range(dice.randrange(4, 9)):
            plan.append((at, *dice.choice(BUYING)))
            at += dice.uniform(0.02, 2.5)
    elif intent == "reader":
        at = dice.uniform(1, 40)
        for _ in range(dice.randrange(0, 4)):
            plan.append((at, *dice.choice(BROWSING)))
            at += dice.uniform(1, 60)
    elif dice.random() < 0.3:
        plan.append((dice.uniform(0.1, 20), *dice.choice(BROWSING)))
    return plan


def _want(dice, person):
    """Which product, and what they search for on the way to it."""
    industry = person.company.industry if person.company else ""
    if dice.random() < 0.45:
        person.product = WANTED.get(industry, "planner")
    instead = INSTEAD[person.product]
    plan = [(at, kind, instead.get(asset, asset)) for at, kind, asset in person.plan]
    searches = SEARCHES[person.product]
    if person.arrival.source == "paid-search" or dice.random() < 0.15:
        person.values["utm_term"] = dice.choice(searches[:2])[1]
    if person.intent in ("buyer", "hand_raise") and dice.random() < 0.55:
        start = plan[0][0]
        for n, (kind, words) in enumerate(searches[dice.randrange(3) :]):
            plan.append((start * (0.6 + 0.2 * n), kind, words))
    elif person.intent == "reader":
        draw, start = dice.random(), dice.uniform(1, 30)
        if draw < 0.34:
            plan += [(start + n, kind, asset) for n, (kind, asset) in enumerate(COLLECTING)]
        elif draw < 0.5:
            plan.append((start, *searches[dice.randrange(3)]))
    person.plan = sorted(plan)


def _answer(dice, person):
    """What some of them say about ERP, budget and contract."""
    if person.intent in ("student", "job_seeker"):
        return
    draws = dice.random(), dice.random(), dice.random(), dice.random()
    if draws[0] < 0.35:
        person.values["custom.erp_system"] = dice.choice(ERPS)
    if draws[1] < 0.35:
        means_it = person.intent in ("buyer", "hand_raise")
        person.values["custom.has_budget"] = draws[2] < (0.7 if means_it else 0.25)
    if person.company and draws[3] < 0.2:
        person.contract_days = dice.randrange(30, 600)
