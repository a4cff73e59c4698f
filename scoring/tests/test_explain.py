"""Why a score is what it is, now and at a past instant."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.identity import set_fields
from leads.models import Lead
from scoring.explain import explain
from scoring.models import Score
from scoring.publish import publish
from scoring.rescore import rescore
from scoring.tests.cast import (
    COMPETITOR,
    DAY,
    DECISION_MAKER,
    HAND_RAISE,
    NOW,
    PRICING,
    activity,
    current,
    did,
    draft,
    fit,
    lead,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def sarah():
    return lead(role="Decision maker")


def test_it_works(sarah):
    current(DECISION_MAKER, PRICING, fit(15, field="industry", op="equals", value="Software"))
    for days in (1, 2, 3, 10):
        did(sarah, "page_view", "/pricing", ago=days * DAY)
    why = explain(lead=sarah, at=NOW)
    assert [(line.points, line.count) for line in why.lines] == [(25, None), (35, 4), (-5, None)]
    assert sum(line.points for line in why.lines) == why.total == 55
    assert (why.lines[1].raw, why.lines[1].factor) == (40, 0.875)
    assert [e.what for e in why.lines[1].evidence] == ["Page view /pricing"] * 3
    assert why.lines[1].evidence[0].at == NOW - DAY
    assert [e.what for e in why.lines[0].evidence] == ["buying role: Decision maker"]
    assert (why.verdict, why.not_passed) == ("sales_ready", [])
    assert [(u.field, u.worth) for u in why.unknown] == [("industry", 15)]
    assert (why.outlook[0].at, why.outlook[0].verdict) == (NOW + 4 * DAY, "mql")


def test_it_says_what_is_missing(sarah):
    current(DECISION_MAKER, PRICING)
    did(sarah, "page_view", "/pricing", ago=6 * DAY)
    why = explain(lead=sarah, at=NOW)
    assert why.not_passed == ["Engagement is 10; sales-ready needs 30"]
    assert why.next_rating_words == "B needs 5 more engagement"
    text = why.as_text()
    assert text.startswith(
        "Rating C: Nurture\nMQL · fit 25, engagement 10, total 35 · Test v1 at 2026-06-01 12:00 UTC"
    )
    assert "+10  activity 1 (1 ×)" in text
    assert "Not passed to sales: Engagement is 10; sales-ready needs 30." in text


def test_without_new_activity_it_cools(sarah):
    current(DECISION_MAKER, activity(20, "download", steps=[[14, 1.0], [30, 0.5]]))
    did(sarah, "download", "/roi")
    assert explain(lead=sarah, at=NOW).outlook_words == "Without new activity: C in 14 days"


def test_caps_are_lines_of_their_own(sarah):
    current(activity(3, "page_view", cap_count=4, cap_points=10))
    for days in range(1, 7):
        did(sarah, "page_view", "/blog", ago=days * DAY)
    lines = explain(lead=sarah, at=NOW).lines
    assert [line.points for line in lines] == [18, -6, -2]
    assert lines[1].rule.endswith("only the 4 most recent count")
    assert lines[2].rule.endswith("at most 10 points")


def test_the_reason_of_an_exclusion():
    current(fit(50, field="email", op="known"), COMPETITOR | {"name": "Works for a competitor"})
    spy = lead(company={"relationship": "competitor", "domain": "rival.example"})
    why = explain(lead=spy, at=NOW)
    assert (why.verdict, why.not_passed) == ("excluded", ["Excluded: Works for a competitor"])
    assert why.next_rating is None


def test_a_hand_raise_needs_no_points(sarah):
    current(HAND_RAISE)
    did(sarah, "hand_raise", "quote", ago=DAY)
    why = explain(lead=sarah, at=NOW)
    assert (why.verdict, why.hand_raised_at, why.lines) == ("hand_raise", NOW - DAY, [])


def test_nothing_to_explain(sarah):
    current(PRICING)
    assert explain(lead=sarah, at=sarah.created_at - DAY) is None
    Lead.objects.filter(pk=sarah.pk).update(is_test=True)
    assert explain(lead=sarah, at=NOW) is None


def test_a_past_instant_is_replayed_with_what_was_known_then():
    """The fields, the log and the version of that day, whatever has come since."""
    first = current(DECISION_MAKER, fit(7, field="country", op="equals", value="DE"), PRICING, COMPETITOR)
    sarah = lead(role="user", at=NOW - 20 * DAY, company={"relationship": "prospect", "domain": "nw.example"})
    did(sarah, "page_view", "/pricing", ago=19 * DAY)
    set_fields(lead=sarah, values={"role": "decision maker"}, origin="person", at=NOW - 15 * DAY)
    set_fields(lead=sarah, values={"country": "DE"}, origin="person", at=NOW - 10 * DAY)
    rescore(lead_ids=[sarah.pk], at=NOW - 9 * DAY)
    stood = Score.objects.get(lead=sarah)
    assert (stood.fit, stood.engagement, stood.verdict) == (32, 5, "mql")
    set_fields(lead=sarah, values={"role": "user", "country": "FR"}, origin="rep", at=NOW - 8 * DAY)
    set_fields(company=sarah.company, values={"relationship": "competitor"}, origin="rep", at=NOW - 8 * DAY)
    did(sarah, "page_view", "/pricing", ago=12 * DAY, received_at=NOW - 7 * DAY)  # came in late
    publish(version=draft(fit(1, field="email", op="known")), by=None, at=NOW - 6 * DAY, approved=True)

    then = explain(lead=sarah, at=NOW - 9 * DAY)
    assert (then.fit, then.engagement, then.rating, then.verdict) == (32, 5, stood.rating, "mql")
    assert (then.version, then.next_change_at) == (str(first), stood.next_change_at)
    assert [e.what for line in then.lines[:2] for e in line.evidence] == [
        "buying role: decision maker",
        "country: DE",
    ]
    assert explain(lead=sarah, at=NOW - 16 * DAY).fit == 0
    assert explain(lead=sarah, at=NOW - 12 * DAY).fit == 25
    assert (explain(lead=sarah, at=NOW).fit, explain(lead=sarah, at=NOW).verdict) == (1, "none")
    assert explain(lead=sarah, at=NOW - 7 * DAY).verdict == "excluded"


def test_it_takes_five_statements(sarah):
    current(DECISION_MAKER, PRICING)
    did(sarah, "page_view", "/pricing", ago=DAY)
    explain(lead=sarah)  # compiles, prepares, learns the touchpoint
    with CaptureQueriesContext(connection) as queries:
        explain(lead=sarah)
    assert len(queries) == 5  # version, facts, log, field values, names of touchpoints
