"""Four leads about whom much can be asked, and how a condition is put to them.

Ada decides at Big Works, where Dee is too; Bob studies at Tiny; Cyd came five minutes ago. Tess works here and never
counts.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from leads.criteria import CRITERIA, BadCondition, matching
from leads.criteria.base import LEAD
from leads.criteria.tree import changes, check, sentence
from leads.models import (
    Activity,
    Asset,
    AssetState,
    Campaign,
    CaptureForm,
    Company,
    CompanyDomain,
    CustomField,
    DeclaredProperty,
    DomainEntry,
    DomainList,
    LeadList,
    ListMember,
    Product,
    Source,
    Touchpoint,
)
from leads.models import Lead as LeadRow

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)  # the day after clocks went forward in Europe
DAY = timedelta(days=1)
BIG = {
    "name": "Big Works", "size": 300, "industry": "Software", "country": "DE", "relationship": "customer",
    "custom": {"tier": "gold", "erp": "Baan"},
}  # fmt: skip
SMALL = {"name": "Tiny %_ Ltd", "size": None, "industry": "", "country": "", "relationship": "prospect"}


@dataclass(frozen=True)
class Member:
    """`acts`: (kind, asset, age, counts as engagement, properties)."""

    fields: dict
    company: dict | None
    domains: list
    source: str | None
    known_for: timedelta
    acts: list
    email: str
    campaign: str | None = None
    lists: dict = field(default_factory=dict)  # slug: (since, until)


CAST = {
    "ada": Member(
        {"job_title": "VP Engineering", "country": "DE", "timeline": "within 30 days", "timeline_until": AT + DAY,
         "product_interest": "Customer base",
         "custom": {"erp": "SAP", "seats": 40, "renewal": "2026-04-10", "is_partner": True, "size_band": "large"}},
        BIG, ["big.example", "big-works.example"], "web", 100 * DAY,
        [("page_view", "/pricing", 1 * DAY, True), ("page_view", "/pricing/enterprise", 3 * DAY, True),
         ("download", "/white-papers/roi", 90 * DAY, True, {"language": "de", "pages": "9"}),
         ("search", "crm price-list", 2 * DAY, True),
         ("deal_won", "", 20 * DAY, False, {"amount": "12500.00"})],
        "ada@example.com", "spring", {"booth": (AT - 9 * DAY, None)},
    ),
    "bob": Member(
        {"job_title": "Student", "country": "FR", "company_size": 12, "industry": "Education",
         "timeline": "this year", "timeline_until": AT, "buying_stage": "awareness",
         "custom": {"erp": "Oracle", "seats": 2.5, "renewal": "2026-03-28", "is_partner": False}},
        SMALL, ["tiny.example"], "fair", 14 * DAY,
        [("page_view", "/pricing", 14 * DAY, True), ("mail_sent", "", 1 * DAY, False),
         ("search_visit", "best crm", 13 * DAY, True)],
        "bob@mail.rival.example", None, {"booth": (AT - 9 * DAY, AT)},
    ),
    "cyd": Member(
        {"role": "decision maker", "company_size": 200}, None, [], None, timedelta(minutes=5), [],
        "cyd@gmail.com", "autumn",
    ),
    "dee": Member(
        {"job_title": "Director, 100% Growth_", "country": "de", "timeline": "no hurry",
         "custom": {"seats": "many", "renewal": "2026-02-30", "is_partner": "yes", "erp": ""}},
        BIG, ["big.example", "big-works.example"], "web", 30 * DAY,
        [("page_view", "/blog/first", 14 * DAY - timedelta(seconds=1), True),
         ("page_view", "/pricing", 2 * DAY, False), ("page_view", "/pricing", -1 * DAY, True),
         ("hand_raise", "demo", 29 * DAY, True, {"language": "en"}), ("deal_won", "", 400 * DAY, False, {"amount": "lots"})],
        "dee@example.com", "spring", {"booth": (AT + DAY, None), "vip": (AT - DAY, None)},
    ),
}  # fmt: skip
# path: (covers below, [(stage, products, tags, since, until)])
ASSETS = {
    "/pricing": (True, [("decision", ["crm"], ["Money"], AT - 300 * DAY, None)]),
    "/white-papers/roi": (False, [("consideration", ["crm"], ["roi"], AT - 300 * DAY, AT),
                                  ("awareness", ["erp"], [], AT, None)]),
    "/blog": (True, [("awareness", [], ["roi"], AT - 300 * DAY, None)]),
}  # fmt: skip
CUSTOM = [
    ("lead", "erp", "ERP system", "text", []),
    ("lead", "seats", "seats", "number", []),
    ("lead", "renewal", "renewal date", "date", []),
    ("lead", "is_partner", "is a partner", "yes_no", []),
    ("lead", "size_band", "size band", "choice", ["small", "large"]),
    ("company", "tier", "account tier", "choice", ["gold", "silver"]),
    ("company", "erp", "ERP of the company", "text", []),
]
# kind, key, label, choices
PROPERTIES = [
    ("download", "language", "language", []),
    ("hand_raise", "language", "language of the form", ["en", "fr"]),
    ("page_view", "medium", "medium", []),
]


def make_cast():
    sources = {slug: Source.objects.create(name=slug, slug=slug) for slug in ("web", "fair")}
    campaigns = {slug: Campaign.objects.create(name=slug, slug=slug) for slug in ("spring", "autumn")}
    make_tables()
    companies, leads = {}, {}
    for key, member in CAST.items():
        if member.company and member.company["name"] not in companies:
            made = Company.objects.create(
                **member.company, domain=member.domains[0], created_at=AT, updated_at=AT
            )
            CompanyDomain.objects.bulk_create([CompanyDomain(company=made, domain=d) for d in member.domains])
            companies[member.company["name"]] = made
        leads[key] = LeadRow.objects.create(
            email=member.email, company=companies[member.company["name"]] if member.company else None,
            source=sources.get(member.source), campaign=campaigns.get(member.campaign),
            created_at=AT - member.known_for, updated_at=AT, **member.fields,
        )  # fmt: skip
        for kind, asset, age, engagement, *properties in member.acts:
            said = properties[0] if properties else {}
            part = {key: said[key] for of, key, *_ in PROPERTIES if of == kind and key in said}
            touchpoint, _ = Touchpoint.objects.get_or_create(kind=kind, asset=asset, properties=part)
            Activity.objects.create(
                lead=leads[key],
                touchpoint=touchpoint,
                occurred_at=AT - age,
                received_at=AT,
                engagement=engagement,
                properties=said,
            )
        for slug, (since, until) in member.lists.items():
            on, _ = LeadList.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
            ListMember.objects.create(list=on, lead=leads[key], since=since, until=until)
    LeadRow.objects.create(email="tess@example.com", is_test=True, created_at=AT - DAY, updated_at=AT)
    return leads


def make_tables():
    for slug, name in (("crm", "Customer base"), ("erp", "Back office")):
        Product.objects.create(slug=slug, name=name)
    for path, (covers_below, states) in ASSETS.items():
        asset = Asset.objects.create(path=path, covers_below=covers_below, title=path)
        for stage, products, tags, since, until in states:
            AssetState.objects.create(
                asset=asset, buying_stage=stage, products=products, tags=tags, since=since, until=until
            )
    for owner, key, label, kind, choices in CUSTOM:
        CustomField.objects.create(owner=owner, key=key, label=label, type=kind, choices=choices)
    for kind, key, label, choices in PROPERTIES:
        DeclaredProperty.objects.create(kind=kind, key=key, label=label, choices=choices)
    rivals = DomainList.objects.create(name="Rivals", slug="rivals")
    for domain, since, until in (
        ("rival.example", AT - DAY, None),
        ("big-works.example", AT - 9 * DAY, AT),
        ("gmail.com", AT + DAY, None),
    ):
        DomainEntry.objects.create(list=rivals, domain=domain, since=since, until=until)
    DomainList.objects.create(name="Resellers", slug="resellers").entries.create(
        domain="big-works.example", since=AT - DAY
    )
    CaptureForm.objects.create(name="White paper", slug="white-paper", asset="/white-papers/ROI")


def who(tree, criteria=CRITERIA, scope=LEAD, days=None, at=AT):
    found = matching.queryset(tree, criteria=criteria, at=at, scope=scope, days=days)
    return {lead.email.split("@")[0] for lead in found}


def holds_for(expected, tree, words=None):
    """`tree` is taken and holds for those of the cast in `expected`, "ada dee", its opposite for the others; it reads `words`."""
    check(tree)
    assert who(tree) == set(expected.split())
    assert who({"none": [tree]}) == set(CAST) - set(expected.split())  # never NULL
    if words:
        assert sentence(tree) == words


def refused_at(path, tree, message, scope=LEAD):
    with pytest.raises(BadCondition) as caught:
        check({"any": [tree]}, scope=scope)
    assert caught.value.path == f"any[0].{path}"
    assert message in caught.value.message


def next_change(tree, key, at):
    """When time alone next changes what `tree` says of that one of the cast."""
    sql, bound = changes(tree, at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {sql} FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id WHERE l.email LIKE %s",
            [*bound, f"{key}@%"],
        )
        return cursor.fetchone()[0]


def lead(name, op, value=None):
    leaf = {"is": "lead_field", "field": name, "op": op}
    return leaf if value is None else leaf | {"value": value}


def company(name, op, value=None):
    return lead(name, op, value) | {"is": "company_field"}


def custom(name, op, value=None):
    return lead(name, op, value) | {"is": "custom_field"}
