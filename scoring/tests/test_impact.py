"""What a rule changes, before it is saved: held against scoring both drafts on everybody."""

import pytest

from scoring.impact import impact_of
from scoring.models import Rule
from scoring.tests import cast
from scoring.tests.cast import NOW

pytestmark = pytest.mark.django_db
CHIEF = {"is": "lead_field", "field": "job_title", "op": "contains", "value": "chief"}


@pytest.fixture
def people():
    """Five decision makers of whom two are chiefs and looked at prices, and one chief who decides nothing."""
    found = []
    for number, title in enumerate(["Chief of staff", "Chief officer", "Buyer", "Buyer", "Buyer"]):
        lead = cast.lead(f"p{number}@northwind.example", job_title=title, role="decision maker")
        for _ in range(3 if "Chief" in title else 0):
            cast.did(lead, "page_view", "/pricing")
        found.append(lead)
    found.append(cast.lead("p9@northwind.example", job_title="Chief dreamer"))
    return found


def test_it_tells_who_becomes_sales_ready_by_a_new_rule(people):
    draft = cast.draft(cast.DECISION_MAKER, cast.PRICING, ready_fit=30, ready_engagement=30)
    found = impact_of(
        draft, Rule(version=draft, kind="fit", name="Chief", condition=CHIEF, points=10), at=NOW
    )
    assert (found.looked_at, found.touched, found.part) == (6, 3, "fit")
    assert (found.becomes, found.stops) == (2, 0)
    assert {lead.pk for lead in found.becoming} == {people[0].pk, people[1].pk}
    assert sum(one.before for one in found.histogram) == sum(one.after for one in found.histogram) == 6
    assert [(one.low, one.before, one.after) for one in found.histogram if one.before or one.after] == [
        (0, 1, 0), (10, 0, 1), (25, 5, 3), (35, 0, 2),
    ]  # fmt: skip


def test_it_holds_a_saved_rule_against_the_draft_without_it(people):
    draft = cast.draft(cast.DECISION_MAKER, cast.PRICING, ready_fit=20, ready_engagement=30)
    rule = draft.rules.get(kind="activity")
    rule.points = 1
    found = impact_of(draft, rule, at=NOW)
    assert (found.part, found.touched, found.becomes, found.stops) == ("engagement", 2, 0, 0)
    rule.points = 20
    assert impact_of(draft, rule, at=NOW).becomes == 2


def test_it_names_those_who_stop_being_sales_ready(people):
    draft = cast.draft(cast.DECISION_MAKER, cast.PRICING)
    rule = Rule(version=draft, kind="exclude", name="Chief", condition=CHIEF)
    found = impact_of(draft, rule, at=NOW)
    assert (found.becomes, found.stops, len(found.stopping)) == (0, 2, 2)


def test_it_names_rules_that_match_nearly_the_same_leads(people):
    draft = cast.draft(
        cast.fit(5, field="job_title", op="contains", value="chief"), cast.DECISION_MAKER, cast.PRICING
    )
    twin = Rule(version=draft, kind="fit", name="Twin", condition=CHIEF, points=3)
    assert impact_of(draft, twin, at=NOW).overlaps == [("fit 0", 1.0)]
    views = Rule(
        version=draft, kind="activity", name="Views", condition=cast.touchpoint("page_view"), points=3
    )
    assert impact_of(draft, views, at=NOW).overlaps == [("activity 2", 1.0)]


@pytest.mark.parametrize(
    ("kind", "narrower"),
    [
        ("activity", {"who": {"all": [CHIEF]}}),
        ("activity", {"min_count": 3}),
        ("activity", {"window_days": 5}),
        ("hand_raise", {"who": {"all": [CHIEF]}}),
    ],
)
def test_rules_that_ask_the_same_of_others_do_not_overlap(people, kind, narrower):
    """By for whom they are, by how often and how lately it has to be."""
    for lead in people[2:5]:
        cast.did(lead, "page_view", "/pricing", ago=9 * cast.DAY)
    points = {"points": 5} if kind == "activity" else {}
    views = {"kind": kind, "condition": cast.touchpoint("page_view", "/pricing")} | points
    draft = cast.draft(cast.DECISION_MAKER, views)
    assert impact_of(draft, Rule(version=draft, name="Few", **views | narrower), at=NOW).overlaps == []
    assert impact_of(draft, Rule(version=draft, name="Twin", **views), at=NOW).overlaps == [
        (f"{kind} 1", 1.0)
    ]


def test_it_says_nothing_of_nobody():
    draft = cast.draft(cast.DECISION_MAKER)
    found = impact_of(draft, Rule(version=draft, kind="fit", name="Chief", condition=CHIEF, points=3), at=NOW)
    assert (found.looked_at, found.histogram, found.becoming) == (0, [], [])


def test_it_writes_nothing_and_asks_little(people, django_assert_max_num_queries):
    draft = cast.draft(cast.DECISION_MAKER, cast.PRICING)
    rule = Rule(version=draft, kind="fit", name="Chief", condition=CHIEF, points=10)
    with django_assert_max_num_queries(20):
        impact_of(draft, rule, at=NOW)
    assert draft.rules.count() == 2
