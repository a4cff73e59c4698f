"""Writers, scorers, agers and publishers at once: at rest every score equals its recomputation."""

import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count

import pytest
from django.db import transaction
from django.utils import timezone

from leads.activities import record
from leads.models import Activity, Lead
from leads.rows import fetch
from leads.tests.races import PATIENCE, at_once, beside, somebody_waits, together, wait_until
from scoring.models import ModelVersion, Publication, Score, ScoreChange
from scoring.publish import (
    NotPublishable,
    ask_publish,
    call_off,
    fill_published,
    forget_replaced,
    new_draft,
    publish,
)
from scoring.rescore import GATE, age_due, rescore, rescore_due
from scoring.tests.cast import DAY, PRICING, activity, approved, current, draft, lead

pytestmark = pytest.mark.django_db(transaction=True)
VIEWS = activity(1, "page_view")


def writer(people):
    """Each call of what this returns writes one activity."""
    turns = count()

    def step():
        turn = next(turns)
        record(lead=people[turn % len(people)], kind="page_view", asset=f"/p{turn % 7}", at=timezone.now())

    return step


def ager():
    if not age_due(at=timezone.now()):
        time.sleep(0.02)


def settle():
    while rescore_due(at=timezone.now() + timedelta(seconds=5)):
        pass


def views_of(version):
    """{lead id: (points stored, activities logged)}"""
    stored = dict(Score.objects.filter(model_version=version).values_list("lead_id", "engagement"))
    return {
        pk: (stored.get(pk), Activity.objects.filter(lead=pk).count())
        for pk in Lead.objects.values_list("pk", flat=True)
    }


@pytest.fixture
def people():
    now = timezone.now()
    return [lead(f"p{n}@example.com", at=now - DAY) for n in range(20)]


def test_four_writers_against_the_scorer(people):
    version, claimed = current(VIEWS), []
    scorer = lambda: claimed.append(rescore_due(at=timezone.now()))
    with beside(again=[*[writer(people) for _ in range(4)], scorer, scorer, ager]):
        wait_until(lambda: sum(claimed) > 100 and Activity.objects.count() > 200)
    settle()
    scores = views_of(version)
    assert all(stored == logged for stored, logged in scores.values()), scores
    assert rescore(lead_ids=[p.pk for p in people], at=timezone.now()) == 0


def test_an_activity_that_commits_after_the_claim_is_scored_next(people):
    """The claim clears what was asked; whoever asks later is not cleared, though the scorer is still at work."""
    version = current(VIEWS)
    settle()
    sarah = people[0]
    record(lead=sarah, kind="page_view", asset="/a", at=timezone.now())
    claimed = threading.Event()

    def late():
        assert claimed.wait(PATIENCE)
        record(lead=sarah, kind="page_view", asset="/b", at=timezone.now())

    with beside(late), transaction.atomic():
        assert rescore_due(at=timezone.now() + timedelta(seconds=1)) == 1
        claimed.set()
        somebody_waits()  # for the scorer's lock, so it commits after the scores of the first activity did
    assert Score.objects.get(lead=sarah, model_version=version).engagement == 1
    assert Lead.objects.get(pk=sarah.pk).rescore_at is not None
    settle()
    assert Score.objects.get(lead=sarah, model_version=version).engagement == 2


def test_two_scorers_never_take_the_same_lead(people):
    current(VIEWS)

    def scorer(_):
        claimed = 0
        while found := rescore_due(at=timezone.now(), limit=3):
            claimed += found
        return claimed

    claimed = at_once(4, scorer)
    settle()
    assert sum(claimed) == len(people)


def test_writers_and_scorers_while_a_version_is_filled(people):
    first, second = current(VIEWS), draft(activity(2, "page_view"))
    ask_publish(version=approved(second), by=None, at=timezone.now())
    batches = []

    def slow_filler():
        while fill_published(at=timezone.now(), batch=2):
            batches.append(Activity.objects.count())
            wait_until(lambda: Activity.objects.count() > batches[-1] + 10)  # somebody writes between any two

    scorer = lambda: rescore_due(at=timezone.now(), limit=5)
    with beside(slow_filler, again=[*[writer(people) for _ in range(3)], scorer]):
        pass
    assert len(batches) >= len(people) / 2
    settle()
    second.refresh_from_db(), first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "published")
    assert all(stored == 2 * logged for stored, logged in views_of(second).values())


class Reader:
    """Whoever reads sees all leads, all by one version; `seen`: which ones, in order."""

    def __init__(self, model):
        self.model, self.seen, self.looks = model, [], 0

    def __call__(self):
        [(version, scored)] = fetch(SEEN, [self.model.pk])
        assert scored == 20
        if self.seen[-1:] != [version]:
            self.seen.append(version)
        self.looks += 1
        time.sleep(0.002)

    def looks_again(self):
        """Returns when a look is through that began after the call."""
        through = self.looks + 2
        wait_until(lambda: self.looks >= through)


SEEN = """
SELECT s.model_version_id, count(*) FROM scoring_scoringmodel m JOIN scoring_score s ON s.model_version_id = m.current_version_id
WHERE m.id = %s GROUP BY 1
"""
ROUNDS = 20


def test_everything_at_once(people):
    """Twenty rounds of four writers, the scorer, the ager, a reader and a publisher, while old views run out. What has
    been scored when a flip commits is right under the new version at that moment; at rest every score is."""
    now = timezone.now()
    version = current(activity(1, "page_view", window_days=1))
    for n, person in enumerate(people):  # they run out one after the other while the rounds go on
        record(
            lead=person,
            kind="page_view",
            asset="/old",
            at=now - DAY + n * timedelta(seconds=0.4),
            received_at=now,
        )
    settle()
    reader, published = Reader(version.model), [version.pk]
    for points in range(2, 2 + ROUNDS):
        draft_version = new_draft(model=version.model, by=None)
        draft_version.rules.update(points=points)

        def publisher(mine=draft_version):
            reader.looks_again()
            publish(version=mine, by=None, at=timezone.now(), approved=True)
            reader.looks_again()

        scorer = lambda: rescore_due(at=timezone.now(), limit=5)
        with beside(publisher, again=[*[writer(people) for _ in range(4)], scorer, ager, reader]):
            pass
        published.append(draft_version.pk)
        if points % 5 == 1:
            assert_true(people, draft_version, points)
    assert reader.seen == published


def assert_true(people, version, points):
    """Every score is what a recomputation makes of it, and what plain counting does."""
    settle()
    at = timezone.now() + timedelta(seconds=5)
    age_due(at=at)
    while rescore_due(at=at):
        pass
    assert rescore(lead_ids=[person.pk for person in people], at=at) == 0
    stored = dict(Score.objects.filter(model_version=version).values_list("lead_id", "engagement"))
    for person in people:
        young = Activity.objects.filter(lead=person, occurred_at__gt=at - DAY).count()
        assert stored[person.pk] == points * young


def test_rolling_back_half_way(people):
    """Called off half-way, asked again, rolled back to what was before, that called off too: readers see whole versions,
    though what was replaced is deleted batch by batch meanwhile."""
    first = current(VIEWS)
    settle()
    second = approved(draft(activity(2, "page_view")))
    reader = Reader(first.model)
    forgetter = lambda: forget_replaced(batch=3)
    with beside(again=[writer(people), writer(people), forgetter, reader]):
        reader.looks_again()
        for there in (second, first):
            ask_publish(version=there, by=None, at=timezone.now())
            fill_published(at=timezone.now(), batch=10)
            reader.looks_again()
            call_off(version=there)
            reader.looks_again()
            ask_publish(version=there, by=None, at=timezone.now())
            while fill_published(at=timezone.now(), batch=7):
                pass
            reader.looks_again()
    settle()
    assert reader.seen == [first.pk, second.pk, first.pk]
    assert all(stored == logged for stored, logged in views_of(first).values())


def test_a_roll_back_waits_for_the_batch_that_is_being_deleted(people):
    first = current(VIEWS)
    settle()
    publish(version=draft(activity(2, "page_view")), by=None, at=timezone.now(), approved=True)
    held = threading.Event()
    asked = ModelVersion.objects.filter(publish_asked_at__isnull=False)

    def roll_back():
        assert held.wait(PATIENCE)
        ask_publish(version=first, by=None, at=timezone.now())

    with beside(roll_back), transaction.atomic():
        assert forget_replaced(batch=8)
        held.set()
        somebody_waits()
        assert not asked.exists()
    assert asked.exists()
    assert not forget_replaced(batch=8), "it is asked for again"
    while fill_published(at=timezone.now(), batch=7):
        pass
    assert Score.objects.filter(model_version=first).count() == 20
    assert all(stored == logged for stored, logged in views_of(first).values())


def test_two_publishers_leave_exactly_one_version_published(people):
    current(VIEWS)
    both = [approved(draft(activity(points, "page_view"))) for points in (2, 3)]

    def publisher(version):
        try:
            ask_publish(version=version, by=None, at=timezone.now())
        finally:
            for _ in range(6):
                fill_published(at=timezone.now(), batch=5)

    outcomes = together(*(partial(publisher, version) for version in both), refused=NotPublishable)
    while fill_published(at=timezone.now()):
        pass
    refused = sum(isinstance(outcome, NotPublishable) for outcome in outcomes)
    assert refused <= 1
    published = ModelVersion.objects.get(model=both[0].model, status="published")
    both[0].model.refresh_from_db()
    assert both[0].model.current_version == published
    assert Publication.objects.filter(version__in=both).count() == 2 - refused


@contextmanager
def at_the_gate(job, *, lock):
    """`job` waits at the gate, held by `lock` in the block's transaction, and goes on when that has committed."""
    held = threading.Event()

    def pass_it():
        assert held.wait(PATIENCE)
        job()

    with beside(pass_it), transaction.atomic():
        fetch(f"SELECT {lock}({GATE})")
        held.set()
        somebody_waits()
        yield


def test_a_score_is_dated_when_its_lead_is_held(people):
    """So it can be replayed: what it was made of was received by then."""
    current(VIEWS)
    with at_the_gate(rescore_due, lock="pg_advisory_xact_lock"):
        received = timezone.now()
        record(lead=people[0], kind="page_view", asset="/p", at=received - DAY, received_at=received)
    change = ScoreChange.objects.get(lead=people[0])
    assert change.engagement == 1 and change.at > received


def test_a_flip_is_dated_when_scoring_stands_still(people):
    """So any instant has the version that scores were made by: nobody scores by the old one after it."""
    first = current(VIEWS)
    second = approved(draft(activity(2, "page_view")))
    ask_publish(version=second, by=None, at=timezone.now())
    fill_published()
    with at_the_gate(fill_published, lock="pg_advisory_xact_lock_shared"):
        rescore_due()
    scored = ScoreChange.objects.filter(model_version=first).latest("at")
    assert Publication.objects.get(version=second).at > scored.at


def fill_and_be_interrupted():
    with transaction.atomic():  # the batch in hand is lost with its transaction
        fill_published(at=timezone.now(), batch=8)
        raise KeyboardInterrupt


def test_a_killed_publisher_is_resumed_where_it_stood(people):
    current(VIEWS)
    version = draft(PRICING)
    ask_publish(version=approved(version), by=None, at=timezone.now())
    fill_published(at=timezone.now(), batch=8)
    with pytest.raises(KeyboardInterrupt):
        fill_and_be_interrupted()
    version.refresh_from_db()
    assert (version.filled, version.filled_to) == (8, people[7].pk)
    while fill_published(at=timezone.now(), batch=8):
        pass
    version.refresh_from_db()
    assert (version.status, version.filled) == ("published", 20)
    assert Score.objects.filter(model_version=version).count() == 20
