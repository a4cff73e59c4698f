"""What counts as a quality lead, in words; and the yearly review."""

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone

from leads.models import Product
from scoring.documents import mark_reviewed, review_due, what_counts
from scoring.models import ModelVersion, Profile, RuleGroup, ScoringModel
from scoring.publish import publish
from scoring.tests import cast
from scoring.tests.cast import COMPETITOR, DAY, DECISION_MAKER, HAND_RAISE, NOW, PRICING

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    version = cast.draft(
        DECISION_MAKER | {"name": "Decides"}, PRICING | {"name": "Prices"}, HAND_RAISE | {"name": "Asks"},
        COMPETITOR | {"name": "Competitor"}, {"kind": "inactivity", "name": "Quiet", "days": 30, "points": -5},
        ready_fit=25, cap_engagement=60,
    )  # fmt: skip
    version.rules.filter(name="Decides").update(
        profile=Profile.objects.create(version=version, name="Midmarket")
    )
    group = RuleGroup.objects.create(version=version, name="Interest", cap_points=20)
    version.rules.filter(name="Prices").update(group=group)
    return version


def person(name, role, **flags):
    user = User.objects.create_user(name, **flags)
    user.groups.add(Group.objects.get(name=role))
    return user


def test_it_works(version):
    found = what_counts(version)
    assert found["thresholds"] == [
        ("MQL", "fit of at least 20, an e-mail address or phone, and nothing that excludes."),
        ("Sales-ready", "an MQL with a fit of at least 25 and an engagement of at least 30. Fit alone never passes."),
        ("Hand-raise", "sales-ready at once, whatever the points: Asks."),
        ("Engagement in all", "at most 60 points."),
    ]  # fmt: skip
    assert found["ratings"][0] == {"label": "A", "action": "Call within the hour", "minutes": None}
    assert [column["points"] for column in found["matrix"]["columns"]] == [
        "40 or more",
        "15 or more",
        "below 15",
    ]
    assert found["matrix"]["rows"][0][1] == ["A", "A", "C"]
    shape = [
        (s["title"], [(b["title"], b["cap"], len(b["lines"])) for b in s["blocks"]])
        for s in found["sections"]
    ]
    assert shape == [
        ("Who fits", [("Profile: Midmarket", None, 1)]),
        ("What they do", [("Interest", 20, 1)]),
        ("What time takes back", [("", None, 1)]),
        ("Passes at once", [("", None, 1)]),
        ("Never passes", [("", None, 1)]),
    ]


def test_a_scale_with_minutes_and_one_band(version):
    version.scale.ratings = [["Hot", "Call", 30], ["Cold", "Wait", 0]]
    version.scale.engagement_bands = [["any", 0]]
    version.scale.fit_bands = [["yes", 20], ["no", 0]]
    version.scale.cells = {"yes/any": "Hot", "no/any": "Cold"}
    found = what_counts(version)
    assert found["ratings"][0]["minutes"] == 30
    assert found["matrix"]["columns"] == [{"label": "any", "points": "any"}]


@pytest.mark.parametrize("role", ["Marketer", "Sales rep", "Sales manager", "Administrator"])
def test_every_role_reads_it(client, role):
    client.force_login(person("somebody", role))
    page = client.get(reverse("quality-lead", args=["starter"])).content.decode()
    assert "Decides: VP, director, head, chief" in page
    assert "shipped or published before approvals" in page
    assert reverse("model-version", args=["starter", 1]) in page
    assert "decides what passes to sales" in page


def test_it_says_what_the_model_is_for(client, version):
    Product.objects.create(name="Planner", slug="planner")
    ScoringModel.objects.filter(pk=version.model_id).update(
        goals="Find <plants>", products=["planner", "gone"], ready_per_week=12, hypothesis="We believe",
        applies_to={"is": "company_field", "field": "country", "op": "equals", "value": "DE"},
    )  # fmt: skip
    client.force_login(person("rita", "Sales rep"))
    page = client.get(reverse("quality-lead", args=["test"])).content.decode()
    for words in ("Find &lt;plants&gt;", "Planner, gone", "12 sales-ready leads a week", "We believe",
                  "Nothing is published yet", "judges only these leads: company country is “DE”"):  # fmt: skip
        assert words in page
    assert client.get(reverse("quality-lead", args=["nowhere"])).status_code == 404


# --- The yearly review -----------------------------------------------------------------------------


def test_a_review_is_due_a_period_after_the_last_one_or_the_last_publication():
    version = cast.current(PRICING)
    model = version.model
    ModelVersion.objects.filter(pk=version.pk).update(published_at=NOW - 365 * DAY)
    assert review_due(NOW - DAY) == []
    assert review_due(NOW) == [model]
    mark_reviewed(model=model, by=None, at=NOW)
    assert review_due(NOW + 364 * DAY) == []
    assert review_due(NOW + 365 * DAY) == [model]
    ScoringModel.objects.filter(pk=model.pk).update(review_every_days=30)
    assert review_due(NOW + 30 * DAY) == [model]
    ScoringModel.objects.filter(pk=model.pk).update(review_every_days=2_147_483_647)
    assert review_due(NOW + 30 * DAY) == [], "never, and no page breaks"


def test_rolling_back_to_a_version_is_no_review_of_it():
    old, new = cast.draft(PRICING), cast.draft(PRICING)
    for version, at in ((old, NOW - 400 * DAY), (new, NOW - 20 * DAY)):
        publish(version=version, by=None, at=at, approved=True)
    assert review_due(NOW) == []
    publish(version=old, by=None, at=NOW)
    (due,) = review_due(NOW)
    assert due.reviewed_last == NOW - 400 * DAY


def test_reviewed_is_recorded_in_the_admin(client):
    version = cast.current(PRICING)
    ModelVersion.objects.filter(pk=version.pk).update(published_at=timezone.now() - 400 * DAY)
    mia = person("mia", "Marketer", is_staff=True)
    client.force_login(mia)
    here = reverse("admin:scoring_scoringmodel_change", args=[version.model_id])
    assert "The review is due" in client.get(here).content.decode()
    button = reverse("admin:scoring_scoringmodel_reviewed", args=[version.model_id])
    assert client.get(button).status_code == 405
    assert client.post(button).url == here
    model = ScoringModel.objects.get(pk=version.model_id)
    assert model.reviewed_by == mia
    page = client.get(here).content.decode()
    assert "The review is due" not in page
    assert "by mia" in page
    client.force_login(person("ron", "Sales manager", is_staff=True))
    assert client.post(button).status_code == 403


def test_whom_a_model_judges_is_fixed_once_it_was_agreed(client):
    client.force_login(person("mia", "Marketer", is_staff=True))
    version = cast.draft(PRICING)
    here = reverse("admin:scoring_scoringmodel_change", args=[version.model_id])
    assert 'name="applies_to"' in client.get(here).content.decode()
    posted = {"name": "Test", "slug": "test", "review_every_days": "90", "goals": "New",
              "applies_to": '{"is": "company_field", "field": "country", "op": "equals", "value": "DE"}'}  # fmt: skip
    refused = client.post(here, posted)
    assert "must judge everybody" in refused.context["adminform"].form.errors["applies_to"][0]
    ScoringModel.objects.update(routes=False)
    assert client.post(here, posted).status_code == 302
    model = ScoringModel.objects.get(pk=version.model_id)
    assert (model.goals, model.review_every_days, model.applies_to["value"]) == ("New", 90, "DE")
    cast.approved(version)
    page = client.get(here).content.decode()
    assert 'name="applies_to"' not in page
    assert "Company country is “DE”" in page
    assert client.post(here, posted | {"applies_to": "{}", "goals": "Newer"}).status_code == 302
    model.refresh_from_db()
    assert (model.goals, model.applies_to["value"]) == ("Newer", "DE")
