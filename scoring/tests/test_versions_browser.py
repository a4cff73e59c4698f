"""In a real browser: copy a starter, change it, have it approved by two people, publish it, roll back; and its pages."""

import pytest
from django.urls import reverse
from django.utils import timezone

from leads.tests.cast import colleague
from scoring import publish
from scoring.models import ModelVersion, ScoringModel, Segment
from scoring.starter import create_starter_model
from scoring.tests import cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROLES = {"mia": "Marketer", "mona": "Sales manager", "rita": "Sales rep"}


def person(name):
    return colleague(name, ROLES[name], is_staff=name == "mia")


def press(page, words):
    page.get_by_role("button", name=words, exact=True).first.click()


def filled():
    while publish.fill_published(at=timezone.now()):
        pass


@pytest.fixture
def starter_in_force():
    """The database of a browser test is empty: the starter model as every installation has it."""
    version = create_starter_model()
    for number in range(3):
        cast.lead(f"vp{number}@example.com", job_title="VP Sales")
    return version


def test_a_starter_is_copied_changed_approved_published_and_rolled_back(window, starter_in_force):
    mia, mona = window(person("mia")), window(person("mona"))
    mia.goto(reverse("admin:scoring_scoringmodel_add"))
    mia.get_by_label("Name").fill("Planner")
    mia.get_by_label("Start from").select_option("software")
    window.accessible(mia, "model-add")
    press(mia, "Save")
    mia.get_by_role("link", name="Looked at prices", exact=True).wait_for()
    mia.get_by_label("MQL from this fit").fill("25")
    press(mia, "Save and continue editing")
    mia.get_by_role("link", name="Looked at prices", exact=True).wait_for()
    window.accessible(mia, "draft")
    press(mia, "Ask for review")
    mia.get_by_role("button", name="Back to draft").wait_for()

    mona.goto(reverse("team"))
    mona.get_by_role("heading", name="Waiting for your approval").wait_for()
    window.accessible(mona, "team-waiting")
    mona.get_by_role("link", name="Planner v1").click()
    mona.get_by_label("Your comment").fill("Start with plants of 200.")
    press(mona, "Comment")
    mona.get_by_text("Start with plants of 200.").wait_for()
    press(mona, "Approve for sales")
    mona.get_by_text("It still waits for marketing.").wait_for()
    assert mona.get_by_role("button", name="Publish").count() == 0

    first = ModelVersion.objects.get(model__slug="planner")
    mia.goto(reverse("model-version", args=["planner", 1]))
    window.accessible(mia, "review")
    press(mia, "Approve for marketing")
    press(mia, "Publish")
    mia.get_by_text("0 of 3 leads scored").first.wait_for()
    window.accessible(mia, "publishing")
    filled()
    mia.get_by_text("Published", exact=True).first.wait_for()  # the page itself sees that it is done

    second = publish.new_draft(model=ScoringModel.objects.get(slug="planner"), by=None)
    ModelVersion.objects.filter(pk=second.pk).update(ready_fit=40, note="Fewer, better leads")
    publish.publish(version=second, by=None, at=timezone.now(), approved=True)
    mia.goto(reverse("model-version", args=["planner", 1]))
    press(mia, "Publish this one again")
    mia.get_by_text("is being published").first.wait_for()
    filled()
    mia.get_by_text("Published", exact=True).first.wait_for()
    first.refresh_from_db()
    assert (first.status, first.model.current_version) == ("published", first)
    mia.get_by_text("Version 2 was in force before").wait_for()
    window.accessible(mia, "in-force")

    mona.goto(reverse("model-version", args=["planner", 1]))
    window.accessible(mona, "take-over")
    press(mona, "Let it decide what passes to sales")
    mona.get_by_text("Planner decides what passes to sales from now on. Starter model informs").wait_for()


def test_every_page_can_be_read(window, look, starter_in_force):
    model = starter_in_force.model
    ScoringModel.objects.filter(pk=model.pk).update(
        goals="Find plants that plan by hand.", ready_per_week=12, hypothesis="Who sees prices twice buys."
    )
    draft = publish.new_draft(model=model, by=None)
    draft.rules.filter(name="Looked at prices").update(points=15)
    ModelVersion.objects.filter(pk=draft.pk).update(
        status="in_review", review_asked_at=timezone.now(), note="Prices say more"
    )
    segment = Segment.objects.create(name="VPs", slug="vps", condition={"is": "lead_field", "field": "job_title", "op": "contains", "value": "VP"})  # fmt: skip
    page = window(person("mia"), look)
    for title, url in (
        ("quality-lead", reverse("quality-lead", args=["starter"])),
        ("version", reverse("model-version", args=["starter", 2])),
        ("model", reverse("admin:scoring_scoringmodel_change", args=[model.pk])),
        ("version-set-up", reverse("admin:scoring_modelversion_change", args=[draft.pk])),
        ("segment", reverse("admin:scoring_segment_change", args=[segment.pk])),
    ):
        page.goto(url)
        page.wait_for_load_state("networkidle")
        window.accessible(page, title)


def test_a_scale_is_edited_by_keyboard(window, look):
    page = window(person("mia"), look)
    page.goto(reverse("admin:scoring_scale_add") + "?preset=hot-medium-cold")
    page.get_by_label("Rating, number 1").fill("Boiling")
    page.get_by_label("Minutes a lead, number 1").fill("45")
    page.get_by_role("button", name="Move Medium down").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="+ Engagement band").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Gone")  # the new row has the focus
    page.get_by_label("From so many points, number 3").last.fill("1")
    page.get_by_label("Fit Right, engagement Gone").select_option("Cold")
    page.get_by_label("Fit Possible, engagement Gone").select_option("Cold")
    cell = page.get_by_label("Fit Wrong, engagement Gone")
    cell.focus()
    page.keyboard.type("Cold")
    window.accessible(page, "scale")
    press(page, "Save")
    page.get_by_text("was added successfully").wait_for()
    scale = publish.Scale.objects.get(name="Hot, medium, cold")
    assert [row[0] for row in scale.ratings] == ["Boiling", "Cold", "Medium"]
    assert scale.ratings[0][2] == 45
    assert scale.cells["Right/Active"] == "Boiling"
    assert scale.cells["Wrong/Gone"] == "Cold"
    assert [row[0] for row in scale.engagement_bands] == ["Active", "Aware", "Quiet", "Gone"]
