"""Two versions side by side, in sentences."""

import pytest

from scoring import diff
from scoring.diff import changes
from scoring.models import ModelVersion, Profile, Rule, RuleGroup, Scale
from scoring.publish import THRESHOLDS, new_draft
from scoring.tests.cast import DECISION_MAKER, HAND_RAISE, PRICING, activity, draft

pytestmark = pytest.mark.django_db
GERMAN = {"is": "company_field", "field": "country", "op": "equals", "value": "DE"}


@pytest.fixture
def old():
    return draft(DECISION_MAKER | {"name": "Decides"}, PRICING | {"name": "Prices"}, HAND_RAISE)


@pytest.fixture
def new(old):
    return new_draft(model=old.model, by=None, of=old)


def words(old, new):
    return [change.words for change in changes(old, new)]


def test_a_copy_judges_alike(old, new):
    assert changes(old, new) == []


def test_rules_come_go_and_change(old, new):
    new.rules.filter(name="Decides").delete()
    new.rules.filter(name="Prices").update(points=15, cap_count=5, steps=[])
    Rule.objects.create(version=new, position=9, name="Downloads", **activity(5, "download", min_count=2))
    found = changes(old, new)
    assert [(change.part, change.kind) for change in found] == [
        ("Rules", "removed"),
        ("Rules", "added"),
        ("Rules", "changed"),
    ]
    gone, added, changed = (change.words for change in found)
    assert gone == "“Decides” is gone: it gave +25 when buying role is “decision maker”."
    assert added.startswith("“Downloads” is new: +5 once, from 2 matches on, when ")
    assert changed == (
        "“Prices”: +15 points (was: +10 points); only the last 5 matches (was: only the last 3 matches);"
        " no fading in steps (was: fading: 100 % to 7 days, 50 % to 30 days)."
    )


def test_a_condition_reads_old_and_new(old, new):
    new.rules.filter(name="Decides").update(condition=GERMAN)
    assert words(old, new) == [
        "“Decides”: when company country is “DE” (was: buying role is “decision maker”)."
    ]


def test_a_new_name_is_seen_as_such(old, new):
    new.rules.filter(name="Prices").update(name="Looked at prices", points=12)
    assert words(old, new) == ["“Prices”: is called “Looked at prices” now; +12 points (was: +10 points)."]


def test_who_profile_group_window_and_half_life(old, new):
    profile = Profile.objects.create(version=new, name="Midmarket")
    group = RuleGroup.objects.create(version=new, name="Interest", cap_points=20)
    new.rules.filter(name="Decides").update(profile=profile)
    new.rules.filter(name="Prices").update(
        group=group, who=GERMAN, window_days=60, half_life_days=14, cap_points=30, cap_count=None, steps=[]
    )
    told = words(old, new)
    assert told[0] == "New profile “Midmarket”: no description."
    assert told[1] == "New group “Interest”: at most 20 points together."
    assert told[2] == "“Decides”: in the profile “Midmarket” (was: in no profile)."
    for part in (
        "only for: company country is “DE” (was: for everybody)",
        "in the group “Interest” (was: in no group)",
        "within 60 days (was: however long ago)",
        "worth half after 14 days (was: no half-life)",
        "at most 30 points (was: no limit of points)",
        "all matches count (was: only the last 3 matches)",
    ):
        assert part in told[3]


def test_the_same_profile_of_two_versions_is_no_change(old):
    profile = Profile.objects.create(version=old, name="Midmarket", description="50 to 500 people")
    old.rules.filter(name="Decides").update(profile=profile)
    new = new_draft(model=old.model, by=None, of=old)
    assert changes(old, new) == []
    new.profiles.update(description="100 to 500 people")
    assert words(old, new) == ["The profile “Midmarket”: “100 to 500 people” (was: “50 to 500 people”)."]


def test_thresholds_caps_and_scale(old, new):
    ModelVersion.objects.filter(pk=new.pk).update(mql_fit=25, cap_engagement=60)
    scale = new.scale
    scale.ratings[0] = ["A", "Call at once", 30]
    scale.ratings[3] = ["E", "Leave alone"]
    scale.fit_bands[0][1] = 45
    scale.cells |= {"good/warm": "B", "poor/warm": "E", "poor/cold": "E"}
    scale.save()
    new.refresh_from_db()
    assert words(old, new) == [
        "MQL: from a fit of 25 (was: from a fit of 20).",
        "Engagement in all: at most 60 (was: no limit).",
        "Rating D is gone.",
        "Rating A: “Call at once”, 30 minutes a lead (was: “Call within the hour”).",
        "Rating E is new: “Leave alone”.",
        "Fit band good: from 45 points (was: from 40 points).",
        "Fit good with engagement warm is rated B (was: A).",
        "Fit poor with engagement warm is rated E (was: D).",
        "Fit poor with engagement cold is rated E (was: D).",
    ]


def test_a_new_band_says_how_it_is_rated_and_another_order_is_seen(old, new):
    scale = new.scale
    scale.ratings[1], scale.ratings[2] = scale.ratings[2], scale.ratings[1]
    scale.fit_bands.insert(0, ["best", 60])
    columns = [label for label, _ in scale.engagement_bands]
    scale.cells |= {f"best/{label}": "A" for label in columns}
    scale.save()
    assert words(old, new) == [
        "Ratings, best first: A, C, B, D (was: A, B, C, D).",
        "Fit band best is new: from 60 points.",
        *(f"Fit best with engagement {label} is rated A." for label in columns),
    ]


def test_rules_of_one_name_are_paired_one_to_one(old, new):
    Rule.objects.create(version=new, position=9, **DECISION_MAKER | {"name": "Decides", "points": 7})
    assert words(old, new) == ["“Decides” is new: +7 when buying role is “decision maker”."]


def test_whatever_a_rule_or_a_version_says_is_compared():
    """A field that is added to either and forgotten here would change scores without a word."""
    told = {field.name for field in Rule._meta.fields}
    assert told - {"id", "version", "position"} == {"kind", "name", "condition", "who", *diff.RULE_PARTS}
    assert set(diff.THRESHOLDS) == set(THRESHOLDS)
    kept = {field.name for field in Scale._meta.fields}
    assert kept - {"id", "name"} == {"ratings", "fit_bands", "engagement_bands", "cells"}
