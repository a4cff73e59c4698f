"""A version is reviewed, commented, signed by both sides, reopened; and nothing changes under a signature."""

import pytest
from django.db import IntegrityError, transaction

from leads.tests.cast import colleague
from leads.tests.races import together
from scoring import approval
from scoring.approval import NotNow, approve, ask_review, comment, missing, reopen, to_comment_on, waiting_for
from scoring.models import ModelVersion, Profile, Rule, RuleGroup, Scale
from scoring.publish import NotPublishable, ask_publish, new_draft, publish
from scoring.tests.cast import DAY, DECISION_MAKER, NOW, PRICING, current, draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def mia():
    return colleague("mia", "Marketer")


@pytest.fixture
def mona():
    return colleague("mona", "Sales manager")


@pytest.fixture
def version():
    return draft(DECISION_MAKER, PRICING)


def test_it_works(mia, mona, version):
    ask_review(version=version, by=mia, at=NOW)
    assert (version.status, version.review_asked_by, version.review_asked_at) == ("in_review", mia, NOW)
    comment(version=version, by=mona, text=" Pricing counts too little. ", at=NOW)
    assert version.comments.get().text == "Pricing counts too little."
    approve(version=version, by=mia, side="marketing", at=NOW)
    assert (version.status, missing(version)) == ("in_review", ["sales"])
    approve(version=version, by=mona, side="sales", at=NOW + DAY)
    assert (version.status, missing(version)) == ("approved", [])
    assert (version.approved_by_sales, version.approved_by_sales_at) == (mona, NOW + DAY)
    publish(version=version, by=mia, at=NOW + DAY)
    assert version.status == "published"


def test_publishing_names_the_side_that_is_missing(mia, mona, version):
    with pytest.raises(NotPublishable, match="is a draft"):
        ask_publish(version=version, by=mia, at=NOW)
    ask_review(version=version, by=mia, at=NOW)
    with pytest.raises(NotPublishable, match="waits for the approval of marketing and sales"):
        ask_publish(version=version, by=mia, at=NOW)
    approve(version=version, by=mia, side="marketing", at=NOW)
    with pytest.raises(NotPublishable, match="waits for the approval of sales"):
        ask_publish(version=version, by=mia, at=NOW)
    version.refresh_from_db()
    assert version.publish_asked_at is None


def test_a_version_with_faults_is_not_put_before_anybody(mia):
    version = draft()
    with pytest.raises(NotPublishable, match="at least one rule"):
        ask_review(version=version, by=mia, at=NOW)
    assert ModelVersion.objects.get(pk=version.pk).status == "draft"


def test_reopening_takes_the_approvals_back_and_keeps_what_was_said(mia, mona, version):
    ask_review(version=version, by=mia, at=NOW)
    comment(version=version, by=mona, text="Not yet", at=NOW)
    approve(version=version, by=mia, side="marketing", at=NOW)
    reopen(version=version, by=mona, at=NOW, why="Directors are missing.")
    assert (version.status, version.approved_by_marketing, version.approved_by_marketing_at) == ("draft", None, None)  # fmt: skip
    assert [said.text for said in version.comments.all()] == [
        "Not yet",
        "Back to draft. Directors are missing.",
    ]
    version.rules.update(points=7)
    ask_review(version=version, by=mia, at=NOW + DAY)
    with pytest.raises(NotNow, match="was changed since"):
        approve(version=version, by=mona, side="sales", at=NOW + DAY, seen=NOW)
    approve(version=version, by=mona, side="sales", at=NOW + DAY, seen=NOW + DAY)


def test_what_was_published_is_neither_signed_nor_reopened(mia):
    version = current(PRICING)
    for act in (
        lambda: approve(version=version, by=mia, side="marketing", at=NOW),
        lambda: reopen(version=version, by=mia, at=NOW),
        lambda: ask_review(version=version, by=mia, at=NOW),
    ):
        with pytest.raises(NotNow):
            act()


def test_a_version_being_published_is_not_reopened(mia, version):
    ask_review(version=version, by=mia, at=NOW)
    for side in approval.SIDES:
        approve(version=version, by=mia, side=side, at=NOW)
    ask_publish(version=version, by=mia, at=NOW)
    with pytest.raises(NotNow, match="stop that first"):
        reopen(version=version, by=mia, at=NOW)


def test_doing_it_twice_is_doing_it_once(mia, mona, version):
    ask_review(version=version, by=mia, at=NOW)
    ask_review(version=version, by=mona, at=NOW + DAY)
    approve(version=version, by=mia, side="marketing", at=NOW)
    approve(version=version, by=mona, side="marketing", at=NOW + DAY)
    assert (version.review_asked_by, version.approved_by_marketing) == (mia, mia)
    reopen(version=version, by=mia, at=NOW)
    reopen(version=version, by=mia, at=NOW)
    assert version.comments.count() == 1


@pytest.mark.parametrize("text", ["", "  \n", "x" * 5001])
def test_an_empty_or_endless_comment_is_refused(mia, version, text):
    with pytest.raises(ValueError, match=r"comment|Write"):
        comment(version=version, by=mia, text=text, at=NOW)


def test_only_a_draft_can_be_edited(mia, version):
    profile = Profile.objects.create(version=version, name="Midmarket")
    group = RuleGroup.objects.create(version=version, name="Interest", cap_points=20)
    version.rules.filter(kind="fit").update(profile=profile)
    for state in ("in_review", "approved"):
        if state == "in_review":
            ask_review(version=version, by=mia, at=NOW)
        else:
            for side in approval.SIDES:
                approve(version=version, by=mia, side=side, at=NOW)
        assert version.status == state
        for edit in (
            lambda: version.rules.update(points=99),
            lambda: Rule.objects.create(version=version, kind="fit", name="Late", points=1),
            version.rules.first().delete,
            lambda: Profile.objects.filter(pk=profile.pk).update(name="Other"),
            lambda: RuleGroup.objects.filter(pk=group.pk).update(cap_points=99),
            lambda: ModelVersion.objects.filter(pk=version.pk).update(ready_fit=1),
            lambda: ModelVersion.objects.filter(pk=version.pk).update(cap_fit=1),
            lambda: Scale.objects.filter(pk=version.scale_id).update(cells={}),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                edit()
    reopen(version=version, by=mia, at=NOW)
    assert version.rules.update(points=99) == 2


@pytest.mark.parametrize(
    "values",
    [{"status": "approved"}, {"status": "approved", "approved_by_sales_at": NOW}, {"publish_asked_at": NOW}],
)
def test_the_database_itself_asks_for_both_signatures(version, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=version.pk).update(**values)


def test_a_copy_holds_all_parts(mia, version):
    profile = Profile.objects.create(version=version, name="Midmarket", description="50 to 500 people")
    group = RuleGroup.objects.create(version=version, name="Interest", cap_points=20)
    version.rules.filter(kind="fit").update(profile=profile)
    version.rules.filter(kind="activity").update(
        group=group, who={"is": "lead_field", "field": "email", "op": "known"}
    )
    ModelVersion.objects.filter(pk=version.pk).update(cap_fit=50, cap_engagement=60)
    version.refresh_from_db()
    copy = new_draft(model=version.model, by=mia, of=version)
    assert (copy.number, copy.cap_fit, copy.cap_engagement, copy.scale.cells) == (
        2,
        50,
        60,
        version.scale.cells,
    )
    fit, activity = copy.rules.order_by("position")
    assert (fit.profile.name, fit.profile.version, fit.profile.description) == (
        "Midmarket",
        copy,
        "50 to 500 people",
    )
    assert (activity.group.cap_points, activity.group.version, activity.who["field"]) == (20, copy, "email")
    assert (activity.steps, activity.cap_count) == ([[7, 1.0], [30, 0.5]], 3)


def test_it_waits_where_those_who_can_sign_see_it(mia, mona, version):
    rita = colleague("rita", "Sales rep")
    assert waiting_for(mia) == []
    ask_review(version=version, by=mia, at=NOW)
    assert (waiting_for(mia), waiting_for(mona), waiting_for(rita)) == ([version], [version], [])
    approve(version=version, by=mia, side="marketing", at=NOW)
    assert (waiting_for(mia), waiting_for(mona)) == ([], [version])


def test_who_signs_for_no_side_is_asked_for_a_comment(mia, mona, version):
    rita = colleague("rita", "Sales rep")
    comment(version=version, by=rita, text="A draft?", at=NOW)
    assert to_comment_on(rita) == []
    ask_review(version=version, by=mia, at=NOW + DAY)
    assert (to_comment_on(rita), to_comment_on(mona), to_comment_on(mia)) == ([version], [], [])
    comment(version=version, by=rita, text="Good.", at=NOW + 2 * DAY)
    assert to_comment_on(rita) == []
    reopen(version=version, by=mia, at=NOW + 3 * DAY)
    ask_review(version=version, by=mia, at=NOW + 4 * DAY)
    assert to_comment_on(rita) == [version]


# --- Races -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_review_and_edit_at_once():
    """Either the edit came first and is reviewed, or it is refused: never an edit under a review."""
    for _ in range(8):
        version = draft(DECISION_MAKER)
        review, edit = together(
            lambda mine=version: ask_review(version=ModelVersion.objects.get(pk=mine.pk), by=None, at=NOW),
            lambda mine=version: Rule.objects.filter(version=mine).update(points=float("nan")),
            refused=(IntegrityError, NotPublishable),
        )
        points = version.rules.get().points
        version.refresh_from_db()
        assert (version.status == "in_review") == (points == 25), (version.status, points)
        assert isinstance(edit, IntegrityError) == (points == 25), (review, edit)


@pytest.mark.django_db(transaction=True)
def test_both_sides_sign_at_once():
    for _ in range(8):
        version = draft(DECISION_MAKER)
        ask_review(version=version, by=None, at=NOW)
        together(*[
            lambda side=side, mine=version: approve(
                version=ModelVersion.objects.get(pk=mine.pk), by=None, side=side, at=NOW
            )
            for side in approval.SIDES
        ])  # fmt: skip
        version.refresh_from_db()
        assert version.status == "approved"


@pytest.mark.django_db(transaction=True)
def test_publish_and_reopen_at_once():
    """One of the two wins; a draft is never filled."""
    for _ in range(8):
        version = draft(DECISION_MAKER)
        ask_review(version=version, by=None, at=NOW)
        for side in approval.SIDES:
            approve(version=version, by=None, side=side, at=NOW)
        outcomes = together(
            lambda mine=version: ask_publish(version=ModelVersion.objects.get(pk=mine.pk), by=None, at=NOW),
            lambda mine=version: reopen(version=ModelVersion.objects.get(pk=mine.pk), by=None, at=NOW),
            refused=(NotNow, NotPublishable),
        )
        version.refresh_from_db()
        assert (version.status, version.publish_asked_at) in [("approved", NOW), ("draft", None)]
        assert sum(isinstance(outcome, NotNow | NotPublishable) for outcome in outcomes) == 1, outcomes
        ModelVersion.objects.filter(pk=version.pk).update(publish_asked_at=None)
