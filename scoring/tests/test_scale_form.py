"""A scale as lines: labels of any kind, actions, minutes, the matrix, presets."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from leads.tests.cast import colleague
from scoring import ratings
from scoring.models import Scale
from scoring.scale_form import RatingsField, ScaleForm, matrix_of
from scoring.starters import SCALES
from scoring.tests import cast

pytestmark = pytest.mark.django_db
POSTED = {
    "name": "Heat", "ratings": "Hot = Call (today) (30 min)\nMedium = Invite\nCold = Leave alone (0 min)",
    "fit_bands": "yes = 20\nno", "engagement_bands": "much = 15.5\nlittle", "matrix": "Hot, Medium\nMedium, Cold",
}  # fmt: skip


def test_it_works():
    form = ScaleForm(POSTED)
    assert form.is_valid(), form.errors
    scale = form.save()
    assert scale.ratings == [["Hot", "Call (today)", 30], ["Medium", "Invite"], ["Cold", "Leave alone", 0]]
    assert scale.engagement_bands == [["much", 15.5], ["little", 0]]
    assert ratings.problems(scale) == []
    again = ScaleForm(instance=scale)
    assert again["ratings"].value() is not None
    assert RatingsField().prepare_value(scale.ratings) == POSTED["ratings"]
    assert matrix_of(scale) == POSTED["matrix"]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"ratings": "Hot, very = Call\nMedium = x\nCold = y"}, "ratings", "leave the comma out"),
        ({"ratings": "Hot = Call (99999 min)\nMedium = x\nCold = y"}, "ratings", "whole minutes"),
        ({"ratings": "Hot = a\nHot = b\nMedium = c\nCold = d"}, "ratings", "each label once"),
        ({"ratings": f"{'x' * 21} = Call\nMedium = c\nCold = d"}, "ratings", "20 characters"),
        ({"fit_bands": "yes = 20\nmaybe = 30\nno"}, "matrix", "3 lines"),
        ({"matrix": "Hot, Medium\nMedium, Warm"}, "matrix", "choose one of"),
    ],
)  # fmt: skip
def test_refusals_name_the_field_and_the_remedy(change, field, words):
    form = ScaleForm(POSTED | change)
    assert not form.is_valid()
    assert words.lower() in " ".join(form.errors[field]).lower()


@pytest.mark.parametrize("preset", SCALES)
def test_presets_are_sound_and_offered(client, preset):
    _, parts = SCALES[preset]
    assert ratings.problems(Scale(**parts)) == []
    user = colleague("mia", "Marketer", is_staff=True)
    client.force_login(user)
    page = client.get(reverse("admin:scoring_scale_add"), {"preset": preset}).content.decode()
    assert f"?preset={preset}" in page
    assert RatingsField().prepare_value(parts["ratings"]).splitlines()[0] in page
    assert matrix_of(Scale(**parts)).splitlines()[0] in page
    assert client.get(reverse("admin:scoring_scale_add"), {"preset": "none"}).status_code == 200


def test_a_scale_under_review_is_read_only(client):
    user = User.objects.create_superuser("ada")
    client.force_login(user)
    version = cast.draft(cast.PRICING)
    here = reverse("admin:scoring_scale_change", args=[version.scale_id])
    assert 'name="matrix"' in client.get(here).content.decode()
    cast.approved(version)
    page = client.get(here).content.decode()
    assert 'name="matrix"' not in page
    assert "A = Call within the hour" in page
    assert "good = 40" in page
    late = client.post(here, POSTED, follow=True)
    assert "not a draft any more, so nothing was saved" in late.content.decode()
    version.scale.refresh_from_db()
    assert version.scale.name == "A to D"
