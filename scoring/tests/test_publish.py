"""Drafts, what may be published, filling, the flip, rolling back."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from leads.models import Lead
from scoring.models import ModelVersion, Rule, Score, ScoreChange
from scoring.publish import (
    NotPublishable,
    ask_publish,
    call_off,
    fill_published,
    forget_replaced,
    new_draft,
    problems,
    publish,
)
from scoring.queries import routing_scores
from scoring.rescore import rescore, rescore_due
from scoring.tests.cast import (
    DAY,
    DECISION_MAKER,
    HAND_RAISE,
    NOW,
    PRICING,
    SECOND,
    activity,
    approved,
    current,
    did,
    draft,
    fit,
    lead,
    test_model,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def marta(db):
    return User.objects.create(username="marta")


@pytest.fixture
def leads():
    people = [lead(f"p{n}@example.com", role="decision maker" if n % 2 else "") for n in range(6)]
    for who in people:
        did(who, "page_view", "/pricing", ago=DAY)
    return people


def seen(people):
    rows = routing_scores([who.pk for who in people])
    return [(rows[who.pk].fit, rows[who.pk].engagement) for who in people]


def test_it_works(marta, leads):
    first = current(PRICING)
    while rescore_due(at=NOW):
        pass
    second = new_draft(model=first.model, by=marta)
    assert [rule.name for rule in second.rules.all()] == [rule.name for rule in first.rules.all()]
    Rule.objects.create(version=second, **DECISION_MAKER | {"name": "Decides"})
    ask_publish(version=approved(second), by=marta, at=NOW)
    assert seen(leads) == [(0, 10)] * 6
    assert fill_published(at=NOW, batch=4)
    second.refresh_from_db()
    assert (second.filled, second.to_fill, second.status) == (4, 6, "approved")
    assert seen(leads) == [(0, 10)] * 6  # readers see the old scores until the flip
    assert fill_published(at=NOW, batch=4)
    assert fill_published(at=NOW, batch=4)
    assert not fill_published(at=NOW, batch=4)
    assert seen(leads) == [(0, 10), (25, 10)] * 3
    first.refresh_from_db(), second.refresh_from_db(), first.model.refresh_from_db()
    assert (first.status, second.status, first.model.current_version) == ("superseded", "published", second)
    assert (second.published_by, second.published_at, second.publish_asked_at) == (marta, NOW, None)
    assert Score.objects.filter(model_version=first).count() == 6  # kept


def test_the_flip_tells_routing_and_raises_stages(marta, leads):
    first = current(PRICING)
    while rescore_due(at=NOW):
        pass
    Lead.objects.update(route_at=None)
    second = new_draft(model=first.model, by=marta)
    Rule.objects.create(version=second, **DECISION_MAKER | {"name": "Decides"})
    publish(version=second, by=marta, at=NOW, approved=True)
    deciders = {who.pk for who in leads[1::2]}
    assert {who.pk for who in Lead.objects.filter(route_at=NOW)} == deciders
    assert {who.pk for who in Lead.objects.filter(stage="mql")} == deciders
    changes = ScoreChange.objects.filter(model_version=second)
    assert {(c.lead_id, c.old_verdict, c.new_verdict) for c in changes} == {
        (pk, "none", "mql") for pk in deciders
    }


def test_rolling_back_is_publishing_the_old_one_again(marta, leads):
    first, second = current(PRICING), draft(DECISION_MAKER)
    publish(version=second, by=marta, at=NOW, approved=True)
    did(leads[0], "page_view", "/pricing", ago=SECOND)
    publish(version=first, by=marta, at=NOW)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, first.superseded_at, second.status) == ("published", None, "superseded")
    assert seen(leads) == [(0, 20), *[(0, 10)] * 5]
    assert list(first.model.publications.order_by("pk").values_list("version", flat=True)[1:]) == [
        second.pk,
        first.pk,
    ]


def test_scores_of_a_replaced_version_go_and_rolling_back_makes_them_anew(marta, leads):
    first = current(PRICING, DECISION_MAKER)
    rescore(lead_ids=[who.pk for who in leads], at=NOW)
    stood = seen(leads)
    assert not forget_replaced(), "the current one stays"
    second = approved(draft(PRICING))
    publish(version=second, by=marta, at=NOW + DAY)
    assert forget_replaced() and not forget_replaced()
    assert set(Score.objects.values_list("model_version", flat=True)) == {second.pk}
    first.refresh_from_db()
    ask_publish(version=first, by=marta, at=NOW + 2 * DAY)
    assert not forget_replaced(), "it is being filled"
    while fill_published(at=NOW, batch=4):
        pass
    assert seen(leads) == stood


def test_scores_go_in_batches_and_a_roll_back_between_two_has_them_all_again(marta, leads):
    first = current(PRICING, DECISION_MAKER)
    rescore(lead_ids=[who.pk for who in leads], at=NOW)
    stood = seen(leads)
    publish(version=approved(draft(PRICING)), by=marta, at=NOW + DAY)
    left = Score.objects.filter(model_version=first)
    assert forget_replaced(batch=4) and left.count() == 2
    first.refresh_from_db()
    ask_publish(version=first, by=marta, at=NOW + 2 * DAY)
    fill_published(at=NOW, batch=4)
    assert not forget_replaced(batch=4), "it is being filled"
    while fill_published(at=NOW, batch=4):
        pass
    assert seen(leads) == stood and left.count() == len(leads)
    while forget_replaced(batch=4):
        pass
    assert set(Score.objects.values_list("model_version", flat=True)) == {first.pk}


def test_what_was_filled_of_a_publication_called_off_goes(marta, leads):
    current(PRICING)
    version = approved(draft(PRICING))
    ask_publish(version=version, by=marta, at=NOW)
    fill_published(at=NOW, batch=4)
    assert call_off(version=version) and forget_replaced()
    assert not Score.objects.filter(model_version=version).exists()


def test_what_is_rescored_while_filling_is_rescored_for_both(marta, leads):
    first, second = current(PRICING), draft(activity(2, "page_view", "/pricing"))
    ask_publish(version=approved(second), by=marta, at=NOW)
    fill_published(at=NOW, batch=3)
    did(leads[0], "page_view", "/pricing", ago=SECOND)  # filled already
    did(leads[5], "page_view", "/pricing", ago=SECOND)  # not yet
    while rescore_due(at=NOW):
        pass
    assert Score.objects.get(model_version=first, lead=leads[0]).engagement == 20
    assert Score.objects.get(model_version=second, lead=leads[0]).engagement == 4
    while fill_published(at=NOW, batch=3):
        pass
    assert seen(leads) == [(0, 4), *[(0, 2)] * 4, (0, 4)]


def test_published_is_read_only(marta):
    version = draft(PRICING)
    rule = version.rules.get()
    ask_publish(version=approved(version), by=marta, at=NOW)

    def refused(action):
        with pytest.raises(IntegrityError), transaction.atomic():
            action()

    refused(lambda: Rule.objects.filter(pk=rule.pk).update(points=99))
    refused(lambda: Rule.objects.create(version=version, **DECISION_MAKER | {"name": "Late"}))
    refused(rule.delete)
    refused(lambda: ModelVersion.objects.filter(pk=version.pk).update(ready_fit=1))
    refused(lambda: type(version.scale).objects.filter(pk=version.scale_id).update(cells={}))
    fill_published(at=NOW)
    refused(lambda: Rule.objects.filter(pk=rule.pk).update(points=99))
    new = new_draft(model=version.model, by=marta)
    assert new.rules.update(points=99) == 1
    assert new.scale_id != version.scale_id


def test_asking_twice_is_asking_once_and_one_at_a_time(marta):
    one, other = approved(draft(PRICING)), approved(draft(DECISION_MAKER))
    ask_publish(version=one, by=marta, at=NOW)
    ask_publish(version=one, by=None, at=NOW + DAY)
    one.refresh_from_db()
    assert (one.publish_asked_at, one.published_by) == (NOW, marta)
    with pytest.raises(NotPublishable, match="Version 1 is being published"):
        ask_publish(version=other, by=marta, at=NOW)
    assert call_off(version=one)
    ask_publish(version=other, by=marta, at=NOW)
    fill_published(at=NOW)
    with pytest.raises(NotPublishable, match="published already"):
        ask_publish(version=other, by=marta, at=NOW)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (fit(5, field="shoe_size", op="known"), "field"),
        ({"kind": "fit", "points": 5, "condition": {"is": "did", "kind": "download"}}, "is: must be one of"),
        (
            {"kind": "fit", "points": 5, "condition": {"is": "touchpoint", "kind": "download"}},
            "is: must be one of",
        ),
        (activity(0, "page_view"), "give it points"),
        (activity(float("nan"), "page_view"), "give it points"),
        (activity(5, "page_view", steps=[[7, 0.5], [30, 1.0]]), "cannot count more"),
        (activity(5, "page_view", steps=[[30, 1.0], [7, 0.5]]), "growing age"),
        (activity(5, "page_view", steps=[[7, 1.5]]), "between 0 and 1"),
        (activity(5, "page_view", steps="soon"), "pairs of days"),
        (activity(5, "page_view", cap_points=-3), "cap the points"),
        ({"kind": "hand_raise", "condition": {}}, "any activity"),
        ({"kind": "exclude", "condition": {}}, "everybody"),
        ({"kind": "age", "points": 5, "days": 99_999}, "after how many days"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(rule, problem):
    version = approved(draft(rule, HAND_RAISE))
    with pytest.raises(NotPublishable, match=problem):
        ask_publish(version=version, by=None, at=NOW)
    version.refresh_from_db()
    assert version.publish_asked_at is None
    assert len(problems(version)) == 1


def test_thresholds_rules_and_scale_are_checked():
    version = draft(mql_fit=30, ready_fit=20)
    version.scale.cells.pop("good/hot")
    assert len(problems(version)) == 3


def test_the_first_version_of_a_model_is_news_to_all(leads):
    version = draft(PRICING, model=test_model())
    publish(version=version, by=None, at=NOW, approved=True)
    assert Lead.objects.filter(route_at=NOW).count() == 6


def test_a_new_version_raises_no_recycled_lead_before_its_date():
    current(DECISION_MAKER, PRICING)
    kept, free = lead("kept@x.example", role="decision maker"), lead("free@x.example", role="decision maker")
    for who in (kept, free):
        did(who, "page_view", "/pricing", ago=DAY)
    did(kept, "recycled", ago=DAY, engagement=False, properties={"until": (NOW + DAY).isoformat()})
    rescore(lead_ids=[kept.pk, free.pk], at=NOW)
    new = draft(DECISION_MAKER, PRICING, model=test_model(), ready_engagement=5)
    publish(version=new, by=None, at=NOW, approved=True)
    assert set(Score.objects.filter(model_version=new).values_list("verdict", flat=True)) == {"sales_ready"}
    assert dict(Lead.objects.values_list("email", "stage")) == {
        "kept@x.example": "mql",
        "free@x.example": "sales_ready",
    }
