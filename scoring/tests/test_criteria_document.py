"""docs/criteria.md names every criterion, says truly where rules may ask it, and quotes sentences that are really said."""

import re
from pathlib import Path

import pytest

from leads.criteria import LEAD
from leads.criteria.tree import MAX_DEPTH, sentence
from leads.models import CustomField, DeclaredProperty, DomainList, LeadList, Product
from scoring.criteria import SCORED_CRITERIA
from scoring.models import ScoringModel, Segment

PAGE = (Path(__file__).parents[2] / "docs" / "criteria.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip("`"): cells[1:]
    for line in PAGE.splitlines()
    if line.startswith("| `")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}
EXAMPLES = {
    "lead_field": {"is": "lead_field", "field": "job_title", "op": "has_word", "value": ["VP", "chief", "head of"]},
    "company_field": {"is": "company_field", "field": "size", "op": "between", "value": [200, 5000]},
    "custom_field": {"is": "custom_field", "field": "custom.renewal", "op": "next_days", "value": 90},
    "knows_fields": {"is": "knows_fields", "at_least": 2, "fields": ["job_title", "phone", "company.size"]},
    "free_mail": {"is": "free_mail"},
    "in_list": {"is": "in_list", "list": "booth"},
    "domain_in_list": {"is": "domain_in_list", "list": "competitors"},
    "source": {"is": "source", "one_of": ["web", "fair"]},
    "campaign": {"is": "campaign", "one_of": ["spring"]},
    "offer": {"is": "offer", "one_of": ["white-paper"]},
    "timeline_within": {"is": "timeline_within", "days": 90},
    "product_stated": {"is": "product_stated", "product": "crm"},
    "product_interest": {"is": "product_interest", "product": "crm"},
    "buying_stage": {"is": "buying_stage", "one_of": ["consideration", "decision"]},
    "did": {"is": "did", "kind": "page_view", "asset": "/pricing", "times": 2, "days": 14},
    "first_time": {"is": "first_time", "kind": "download", "asset": "/white-papers/roi", "days": 30},
    "last_time": {"is": "last_time", "kind": "page_view", "buying_stage": "decision", "when": "before", "days": 30},
    "interactions": {"is": "interactions", "times": 5, "days": 30},
    "recency": {"is": "recency", "when": "before", "days": 60},
    "did_nothing": {"is": "did_nothing", "days": 30},
    "older_than": {"is": "older_than", "days": 180},
    "monetary": {"is": "monetary", "at_least": 10000},
    "active_people": {"is": "active_people", "at_least": 3, "days": 30},
    "touchpoint": {"is": "touchpoint", "kind": "download", "property": "language", "one_of": ["de"]},
    "keyword": {"is": "keyword", "one_of": ["crm price list"], "match": "exact"},
    "content": {"is": "content", "buying_stage": "decision", "product": "crm", "tag": "roi"},
    "rating": {"is": "rating", "one_of": ["A", "B"]},
    "score": {"is": "score", "of": "engagement", "at_least": 30, "model": "partners"},
    "segment": {"is": "segment", "segment": "midmarket"},
}  # fmt: skip


def test_every_criterion_stands_in_it():
    assert list(ROWS) == list(SCORED_CRITERIA)


@pytest.mark.parametrize("key", SCORED_CRITERIA)
@pytest.mark.django_db
def test_its_row_is_true(key):
    CustomField.objects.create(owner="lead", key="renewal", label="renewal date", type="date")
    DeclaredProperty.objects.create(kind="download", key="language", label="language")
    LeadList.objects.create(name="Booth 2026", slug="booth")
    DomainList.objects.get_or_create(slug="competitors", defaults={"name": "Competitors"})
    Product.objects.create(name="CRM", slug="crm")
    ScoringModel.objects.create(name="Partners", slug="partners")
    Segment.objects.create(name="Midmarket", slug="midmarket")
    criterion = SCORED_CRITERIA[key]
    _, in_rules, example = ROWS[key]
    assert in_rules == (("who" if criterion.scope == LEAD else "what") if criterion.in_rules else "")
    assert sentence(EXAMPLES[key], criteria=SCORED_CRITERIA, scope=criterion.scope) == example


def test_limits_are_those_of_the_code():
    assert re.search(r"nested up to (\d+) deep", PAGE)[1] == str(MAX_DEPTH)
