"""The values that occur: looked up from a fixed table, bounded in time, and never by what somebody typed as SQL."""

import pytest

from leads.criteria import CRITERIA, suggestions
from leads.criteria.suggestions import VALUES, values_of
from leads.models import Lead
from leads.tests.criteria_cast import AT

pytestmark = pytest.mark.django_db

WORKS = [
    ("lead_field", "job_title", "", "", [("Director, 100% Growth_", 1), ("Student", 1), ("VP Engineering", 1)]),
    ("lead_field", "job_title", "en", "", [("Student", 1), ("VP Engineering", 1)]),
    ("lead_field", "job_title", "vp", "", [("VP Engineering", 1)]),
    ("lead_field", "job_title", "% ", "", [("Director, 100% Growth_", 1)]),
    ("lead_field", "job_title", "_", "", [("Director, 100% Growth_", 1)]),
    ("lead_field", "job_title", "\\", "", []),
    ("lead_field", "country", "d", "", [("DE", 1), ("de", 1)]),
    ("lead_field", "role", "maker", "", [("decision maker", 1)]),
    ("company_field", "name", "works", "", [("Big Works", 1)]),
    ("company_field", "domain", "big", "", [("big-works.example", 1), ("big.example", 1)]),
    ("custom_field", "custom.erp", "", "", [("Oracle", 1), ("SAP", 1)]),
    ("custom_field", "company.custom.erp", "b", "", [("Baan", 1)]),
    ("source", "one_of", "", "", [("web", 2), ("fair", 1)]),
    ("campaign", "one_of", "spr", "", [("spring", 2)]),
    ("offer", "one_of", "w", "", [("white-paper", 0), ("/white-papers/roi", 1)]),
    ("activity", "kind", "sea", "", [("search", 1), ("search_visit", 1)]),
    ("activity", "asset", "/pricing", "page_view", [("/pricing", 3), ("/pricing/enterprise", 1)]),
    ("activity", "asset", "roi", "page_view", []),
    ("activity", "asset", "roi", "", [("/white-papers/roi", 1)]),
    ("keyword", "one_of", "crm", "", [("crm price-list", 1), ("best crm", 1)]),
    ("content", "tag", "", "", [("Money", 1), ("roi", 1)]),
    ("product", "slug", "", "", [("crm", 1), ("erp", 1)]),
    ("in_list", "list", "", "", [("booth", 2), ("vip", 1)]),
    ("domain_in_list", "list", "r", "", [("rivals", 2), ("resellers", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "field", "typed", "kind", "expected"), WORKS)
def test_what_occurs_with_how_often(cast, key, field, typed, kind, expected):
    assert values_of(key, field, typed, kind=kind) == expected


def test_values_of_a_property_with_those_that_may_be_chosen(cast):
    assert values_of("activity", "property", property="language", kind="download") == [("de", 1)]
    assert values_of("activity", "property", property="language") == [("de", 1), ("en", 1), ("fr", 0)]
    assert values_of("activity", "property", "f", property="language", kind="hand_raise") == [("fr", 0)]
    for property in ("", "pages", "'", "%s", "{}", "\0", "language' OR true --"):
        assert values_of("activity", "property", property=property, kind="\0download") == []


def test_every_table_entry_answers_and_takes_hostile_text(cast):
    for key, field in VALUES:
        for typed in ("'", '"; DROP TABLE leads_lead; --', "%s", "%(like)s", "{}", "\0", "x" * 10_000, "💥"):
            assert values_of(key, field, typed) == [] or typed == "\0"
        assert len(values_of(key, field, limit=1)) <= 1
    assert Lead.objects.count() == 5


def test_only_what_stands_in_the_table_can_be_looked_up(cast):
    for key, field in (
        ("lead_field", "email"), ("lead_field", "last_name"), ("lead_field", "job_title, email"), ("auth_user", "password"),
        ("custom_field", "custom.seats"), ("custom_field", "custom.nope"), ("custom_field", "erp"),
    ):  # fmt: skip
        with pytest.raises(LookupError):
            values_of(key, field)


def test_what_the_criteria_promise_can_be_looked_up(cast):
    """Each `suggests` names an entry, so the builder never asks in vain."""
    promised = {
        parameter.suggests
        for criterion in CRITERIA.values()
        for parameter in criterion.parameters
        if parameter.suggests
    }
    for key in ("lead_field", "company_field", "custom_field"):
        promised |= {item["suggests"] for item in CRITERIA[key].describe()["fields"] if item["suggests"]}
    assert {
        "activity.asset",
        "lead_field.job_title",
        "company_field.name",
        "custom_field.custom.erp",
    } <= promised
    for name in promised:
        values_of(*name.split(".", 1))


def test_a_large_table_is_sampled_and_the_counts_are_scaled(cast, monkeypatch):
    asked = []
    monkeypatch.setattr(suggestions, "rows_of", lambda table: 4 * suggestions.SAMPLED)
    monkeypatch.setattr(suggestions, "sampled", lambda table, share: asked.append((table, share)) or table)
    assert values_of("lead_field", "role") == [("decision maker", 4)]
    assert asked == [("leads_lead", 0.25)]
    monkeypatch.undo()
    assert suggestions.sampled("leads_lead", 0.25).startswith(
        "(SELECT * FROM leads_lead TABLESAMPLE SYSTEM (25.0"
    )


def test_what_takes_too_long_suggests_nothing(cast, monkeypatch):
    monkeypatch.setattr(suggestions, "WITHIN_MS", 20)
    monkeypatch.setitem(VALUES, ("content", "tag"), "SELECT 'x' || pg_sleep(1) AS value, 1")
    assert values_of("content", "tag") == []
    assert Lead.objects.filter(created_at__lte=AT).exists()  # the transaction lives
