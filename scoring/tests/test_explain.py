"""Why a score is what it is, now and at a past instant."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.identity import set_fields
from leads.models import Asset, CaptureForm, CustomField, Lead, Product
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
INDUSTRY = {"is": "lead_field", "field": "industry", "op": "equals", "value": "Software"}


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
    assert [e.what for e in why.lines[1].evidence] == ["Viewed /pricing"] * 3
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
        "Rating C: Nurture\nFit 25 (20 or more) and engagement 10 (below 15) make C.\n"
        "MQL · fit 25, engagement 10 · Test v1 at 2026-06-01 12:00 UTC"
    )
    assert "+10  activity 1 (1 ×)" in text
    assert "Not passed to sales: Engagement is 10; sales-ready needs 30." in text


def test_without_new_activity_it_cools(sarah):
    current(DECISION_MAKER, activity(20, "download", steps=[[14, 1.0], [30, 0.5]]))
    did(sarah, "download", "/roi")
    assert explain(lead=sarah, at=NOW).outlook_words == "Without new activity: C in 14 days"


def test_of_what_becomes_of_it_only_what_is_new_is_said(sarah):
    """Each rating once, and between two of the same what follows from it."""
    current(
        DECISION_MAKER,
        activity(20, "download", steps=[[7, 1.0], [14, 0.6], [30, 0.25]]),
        ready_engagement=10,
    )
    did(sarah, "download", "/roi")
    assert explain(lead=sarah, at=NOW).outlook_words == "Without new activity: C in 7 days, MQL in 14 days"


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
    lacks = "Engagement is 0; sales-ready needs 30"
    assert (why.verdict, why.not_passed) == ("excluded", ["Excluded: Works for a competitor", lacks])
    assert (why.next_rating, why.because) == (None, "")


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


def test_the_best_profile_is_named_and_only_its_rules_count(sarah):
    current(
        DECISION_MAKER,
        fit(45, field="last_name", op="unknown") | {"profile": "Mid-size software"},
        fit(15, field="country", op="known") | {"profile": "Mid-size software"},
        fit(30, field="email", op="known") | {"profile": "Enterprise"},
        profiles=["Enterprise", "Mid-size software"],
    )
    why = explain(lead=sarah, at=NOW)
    assert why.fit == 70
    assert [(line.points, line.profile) for line in why.lines] == [(25, ""), (45, "Mid-size software")]
    assert [(m.profile, m.points, m.of, m.is_best) for m in why.profiles] == [
        ("Enterprise", 30, 30, False),
        ("Mid-size software", 45, 60, True),
    ]
    assert why.best_match_words == "Best match: Mid-size software, 45 of 60"
    assert why.best_match_words in why.as_text()


def test_a_profile_that_only_costs_points_is_called_no_match(sarah):
    current(
        fit(-5, field="role", op="known") | {"profile": "Mid-size software"}, profiles=["Mid-size software"]
    )
    why = explain(lead=sarah, at=NOW)
    assert (why.fit, [(m.points, m.is_best) for m in why.profiles], why.best_match_words) == (
        -5,
        [(-5, True)],
        "",
    )


def test_caps_of_groups_and_totals_are_lines_after_those_of_rules(sarah):
    current(
        DECISION_MAKER,
        activity(10, "page_view", cap_points=15) | {"group": "Web"},
        activity(10, "download") | {"group": "Web"},
        activity(10, "webinar"),
        groups={"Web": 20},
        cap_fit=20,
        cap_engagement=28,
    )
    for kind in ("page_view", "page_view", "download", "webinar"):
        did(sarah, kind, "/x", ago=DAY)
    why = explain(lead=sarah, at=NOW)
    assert (why.fit, why.engagement) == (20, 28)
    assert [(line.points, line.rule, line.group) for line in why.lines if line.kind == "cap"] == [
        (-5, "Fit is at most 20", ""),
        (-5, "activity 1: at most 15 points", "Web"),
        (-5, "Web: at most 20 points together", "Web"),
        (-2, "Engagement is at most 28", ""),
    ]
    assert why.next_rating is None or why.next_rating.engagement == 0  # not beyond the cap


def test_points_given_once_say_how_many_were_needed(sarah):
    current(
        activity(10, "page_view", min_count=2, steps=[[7, 1.0], [30, 0.5]]),
        activity(5, "webinar", min_count=2),
        DECISION_MAKER,
    )
    for days in (1, 2, 10):
        did(sarah, "page_view", "/pricing", ago=days * DAY)
    did(sarah, "webinar", "roi", ago=DAY)
    lines = [line for line in explain(lead=sarah, at=NOW).lines if line.part == "engagement"]
    assert [(line.points, line.count, line.needed) for line in lines] == [(10, 3, 2), (0, 1, 2)]
    assert "(1 of 2 needed)" in explain(lead=sarah, at=NOW).as_text()
    # The second most recent one turns seven days old.
    assert explain(lead=sarah, at=NOW).next_change_at == NOW + 5 * DAY
    assert explain(lead=sarah, at=NOW + 5 * DAY).engagement == 5


def test_a_half_life_says_what_is_left_and_for_whom_it_is(sarah):
    current(
        DECISION_MAKER,
        activity(20, "download", half_life_days=10, cap_points=30)
        | {"who": {"is": "lead_field", "field": "role", "op": "known"}},
    )
    for days in (10, 20):
        did(sarah, "download", "/roi", ago=days * DAY)
    line = explain(lead=sarah, at=NOW).lines[1]
    assert (line.points, line.count, line.raw, line.factor) == (15, 2, 40, 0.375)
    assert (line.half_life_days, line.who) == (10, "buying role is known")
    assert "of +40 age has left 38%, which halves every 10 days" in explain(lead=sarah, at=NOW).as_text()
    # Exactly on the threshold: the least further fading turns the rating.
    assert explain(lead=sarah, at=NOW).next_change_at - NOW < 0.01 * DAY


def test_evidence_can_be_linked_to(sarah):
    current(PRICING)
    seen = did(sarah, "page_view", "/pricing", ago=DAY)
    assert [e.activity_id for e in explain(lead=sarah, at=NOW).lines[0].evidence] == [seen.pk]


def test_what_somebody_said_is_dated_by_when_they_said_it():
    """By the company's own history where it knows, else by the person's; in the past by what was known then."""
    fields = [("role", "decision maker"), ("custom.erp", "SAP")]
    CustomField.objects.create(key="erp", label="ERP system")
    asks = [
        fit(5, field="role", op="known"),
        {"kind": "fit", "points": 5, "condition": {"is": "timeline_within", "days": 90}},
    ]
    asks += [
        {"kind": "fit", "points": 5, "condition": {"is": criterion, "field": field, "op": "known"}}
        for criterion, field in (
            ("custom_field", "custom.erp"), ("company_field", "size"), ("company_field", "country"), ("company_field", "name"),
        )
    ]  # fmt: skip
    current(*asks)
    sarah = lead(at=NOW - 90 * DAY, company={"size": 10, "domain": "nw.example"})
    for ago, origin, values in (
        (9, "person", {"role": "user", "country": "DE", "custom.erp": "Baan"}),
        (8, "rep", dict(fields)),
        (7, "person", {"timeline": "this quarter", "timeline_until": NOW + 50 * DAY, "company_size": 11}),
    ):
        set_fields(lead=sarah, values=values, origin=origin, at=NOW - ago * DAY)
    set_fields(
        company=sarah.company, values={"size": 20}, origin="enrichment", at=NOW - 2 * DAY, provider="DataCo"
    )
    set_fields(company=sarah.company, values={"size": 30}, origin="rep", at=NOW - DAY)

    def dates(at):
        return {
            e.what: e.at and (NOW - e.at).days
            for line in explain(lead=sarah, at=at).lines
            for e in line.evidence
        }

    assert dates(NOW) == {
        "buying role: decision maker": 8, "buying timeline: this quarter": 7, "ERP system: SAP": 8, "company size: 30": 1,
        "company country: DE": 9, "company name: Northwind": None,
    }  # fmt: skip
    then = dates(NOW - 8.5 * DAY)
    assert (then["buying role: user"], then["ERP system: Baan"], then["company size: 10"]) == (9, 9, None)
    assert "buying role: decision maker, 2026-05-24 12:00 UTC" in explain(lead=sarah).as_text()


@pytest.mark.parametrize("title", ["ROI guide", "<b>ROI</b>"])
def test_evidence_has_the_title_of_what_it_is_about_and_its_path(sarah, title):
    current(activity(10, "download"), activity(5, "hand_raise"), activity(1, "page_view"))
    Asset.objects.create(path="/roi", title=title)
    CaptureForm.objects.create(name="Request a demo", slug="demo")
    for kind, asset in (("download", "/roi"), ("hand_raise", "demo"), ("page_view", "/else")):
        did(sarah, kind, asset, ago=DAY)
    why = explain(lead=sarah, at=NOW)
    assert [(e.what, e.asset) for line in why.lines for e in line.evidence] == [
        (f"Downloaded “{title}”", "/roi"),
        ("Asked for sales through “Request a demo”", "demo"),
        ("Viewed /else", ""),
    ]
    assert f"Downloaded “{title}” (/roi), 2026-05-31" in why.as_text()


def test_an_empty_custom_field_says_what_it_is_worth(sarah):
    CustomField.objects.create(key="erp", label="ERP system")
    current(
        {
            "kind": "fit",
            "points": 12,
            "condition": {"is": "custom_field", "field": "custom.erp", "op": "equals", "value": "SAP"},
        }
    )
    assert [(u.label, u.worth) for u in explain(lead=sarah, at=NOW).unknown] == [("ERP system", 12)]
    set_fields(lead=sarah, values={"custom.erp": "SAP"}, origin="person", at=NOW)
    why = explain(lead=sarah, at=NOW + DAY)
    assert (why.fit, why.unknown) == (12, [])
    assert [e.what for e in why.lines[0].evidence] == ["ERP system: SAP"]


def test_the_outlook_reads_facts_again_when_they_change(sarah):
    current(fit(45, field="timeline", op="known"), activity(20, "download", steps=[[14, 1.0]]))
    Lead.objects.filter(pk=sarah.pk).update(timeline="this quarter", timeline_until=NOW + 3 * DAY)
    did(sarah, "download", "/roi")
    outlook = explain(lead=sarah, at=NOW).outlook
    assert [(f.at, f.total) for f in outlook] == [(NOW + 3 * DAY, 20), (NOW + 14 * DAY, 0)][: len(outlook)]
    assert outlook[0].rating == "D"


def test_what_is_asked_in_other_words_is_unknown_too(sarah):
    """How soon somebody buys, what product they asked for, how much is known: each is a field that nobody filled."""
    Product.objects.create(slug="crm", name="CRM")
    asks = [
        ({"is": "timeline_within", "days": 90}, 10),
        ({"is": "product_stated", "product": "crm"}, 8),
        ({"is": "knows_fields", "fields": ["phone", "company.size"], "at_least": 2}, 6),
    ]
    current(*({"kind": "fit", "points": points, "condition": condition} for condition, points in asks))
    found = explain(lead=sarah, at=NOW).unknown
    assert [(u.label, u.worth) for u in found] == [
        ("buying timeline", 10),
        ("product they named", 8),
        ("phone", 6),
        ("company size", 6),
    ]
    Lead.objects.filter(pk=sarah.pk).update(timeline="this month", timeline_until=NOW + DAY, phone="+4930123")
    why = explain(lead=sarah, at=NOW)
    assert [(u.label, u.worth) for u in why.unknown] == [("product they named", 8), ("company size", 6)]
    assert [e.what for e in why.lines[0].evidence] == ["buying timeline: this month"]
    assert "buying timeline" in [u.label for u in explain(lead=sarah, at=NOW + DAY).unknown]


@pytest.mark.parametrize(
    ("condition", "worth"),
    [
        ({"all": [INDUSTRY, fit(0, field="role", op="equals", value="decision maker")["condition"]]}, 10),
        ({"all": [INDUSTRY, fit(0, field="role", op="equals", value="user")["condition"]]}, None),
        ({"any": [INDUSTRY, fit(0, field="role", op="equals", value="user")["condition"]]}, 10),
        ({"all": [INDUSTRY, {"none": [fit(0, field="role", op="known")["condition"]]}]}, None),
        ({"all": [INDUSTRY, {"none": [fit(0, field="country", op="equals", value="DE")["condition"]]}]}, 10),
        ({"all": [INDUSTRY, {"is": "timeline_within", "days": 9}, {"is": "free_mail"}]}, None),
    ],
)
@pytest.mark.parametrize("at", [NOW, None])
def test_what_is_known_may_leave_an_unknown_field_worth_nothing(sarah, condition, worth, at):
    current({"kind": "fit", "points": 10, "condition": condition})
    found = explain(lead=sarah, at=at).unknown
    assert [u.worth for u in found if u.field == "industry"] == ([worth] if worth else [])
