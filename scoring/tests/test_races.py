"""Writers, scorers, agers and publishers at once: at rest every score equals its recomputation."""

import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from leads.activities import record
from leads.models import Activity, Lead
from leads.rows import fetch
from leads.tests.races import wait_until
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
SECONDS = 1.5


@contextmanager
def at_once(*jobs):
    """Run `jobs` in threads beside the block; whatever one of them raises is raised here."""
    failures = []

    def run(job):
        try:
            job()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]


def until(stop, step):
    def job():
        while not stop.is_set():
            step()

    return job


def writer(people, stop):
    def job():
        turn = 0
        while not stop.is_set():
            record(
                lead=people[turn % len(people)], kind="page_view", asset=f"/p{turn % 7}", at=timezone.now()
            )
            turn += 1

    return job


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
    version = current(VIEWS)
    stop = threading.Event()
    scorers = [until(stop, lambda: rescore_due(at=timezone.now())) for _ in range(2)]
    ager = until(stop, lambda: age_due(at=timezone.now()) or time.sleep(0.05))
    with at_once(*[writer(people, stop) for _ in range(4)], *scorers, ager):
        time.sleep(SECONDS)
        stop.set()
    settle()
    scores = views_of(version)
    assert all(stored == logged for stored, logged in scores.values()), scores
    assert sum(logged for _, logged in scores.values()) > 100
    assert rescore(lead_ids=[p.pk for p in people], at=timezone.now()) == 0


def test_an_activity_that_commits_after_the_claim_is_scored_next(people):
    """The claim clears what was asked; whoever asks later is not cleared, though the scorer is still at work."""
    version = current(VIEWS)
    settle()
    sarah = people[0]
    record(lead=sarah, kind="page_view", asset="/a", at=timezone.now())
    claimed, recorded = threading.Event(), threading.Event()

    def late():
        claimed.wait()
        # Waits for the scorer's lock, so it commits after the scores of the first activity did.
        threading.Timer(0.3, recorded.set).start()
        record(lead=sarah, kind="page_view", asset="/b", at=timezone.now())

    with at_once(late), transaction.atomic():
        assert rescore_due(at=timezone.now() + timedelta(seconds=1)) == 1
        claimed.set()
        recorded.wait()
    assert Score.objects.get(lead=sarah, model_version=version).engagement == 1
    assert Lead.objects.get(pk=sarah.pk).rescore_at is not None
    settle()
    assert Score.objects.get(lead=sarah, model_version=version).engagement == 2


def test_two_scorers_never_take_the_same_lead(people):
    current(VIEWS)
    claimed = []
    barrier = threading.Barrier(4)

    def scorer():
        barrier.wait()
        while found := rescore_due(at=timezone.now(), limit=3):
            claimed.append(found)

    with at_once(*[scorer] * 4):
        pass
    settle()
    assert sum(claimed) == len(people)


def test_writers_and_scorers_while_a_version_is_filled(people):
    first, second = current(VIEWS), draft(activity(2, "page_view"))
    stop = threading.Event()
    ask_publish(version=approved(second), by=None, at=timezone.now())
    slow_filler = until(stop, lambda: fill_published(at=timezone.now(), batch=2) and time.sleep(0.05))
    scorer = until(stop, lambda: rescore_due(at=timezone.now(), limit=5))
    with at_once(*[writer(people, stop) for _ in range(3)], scorer, slow_filler):
        time.sleep(SECONDS)
        stop.set()
    while fill_published(at=timezone.now()):
        pass
    settle()
    second.refresh_from_db(), first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "published")
    assert all(stored == 2 * logged for stored, logged in views_of(second).values())


def reader(model, versions, stop):
    """Whoever reads sees all leads, all by one version; `versions` are those seen, in order."""

    def job():
        while not stop.is_set():
            with connection.cursor() as cursor:
                cursor.execute(SEEN, [model.pk])
                [(seen, scored)] = cursor.fetchall()
            assert scored == 20
            if versions[-1:] != [seen]:
                versions.append(seen)
            time.sleep(0.005)

    return job


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
    published, seen = [version.pk], []
    for points in range(2, 2 + ROUNDS):
        draft_version = new_draft(model=version.model, by=None)
        draft_version.rules.update(points=points)
        stop = threading.Event()

        def publisher(mine=draft_version, done=stop):
            publish(version=mine, by=None, at=timezone.now(), approved=True)
            time.sleep(0.02)
            done.set()

        with at_once(
            *[writer(people, stop) for _ in range(4)],
            until(stop, lambda: rescore_due(at=timezone.now(), limit=5)),
            until(stop, lambda: age_due(at=timezone.now()) or time.sleep(0.02)),
            reader(version.model, seen, stop),
            publisher,
        ):
            pass
        published.append(draft_version.pk)
        if points % 5 == 1:
            assert_true(people, draft_version, points)
    assert seen == [pk for pk in published if pk in seen]  # in this order, and never one again
    assert len(seen) > ROUNDS // 2


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
    stop, seen = threading.Event(), []
    forgetter = until(stop, lambda: forget_replaced(batch=3))

    def half_way(version):
        ask_publish(version=version, by=None, at=timezone.now())
        fill_published(at=timezone.now(), batch=10)
        call_off(version=version)
        time.sleep(0.05)

    with at_once(*[writer(people, stop) for _ in range(2)], reader(first.model, seen, stop), forgetter):
        for there in (second, first):
            half_way(there)
            ask_publish(version=there, by=None, at=timezone.now())
            while fill_published(at=timezone.now(), batch=7):
                pass
            time.sleep(0.05)
        stop.set()
    settle()
    assert seen == [first.pk, second.pk, first.pk]
    assert all(stored == logged for stored, logged in views_of(first).values())


def test_a_roll_back_waits_for_the_batch_that_is_being_deleted(people):
    first = current(VIEWS)
    settle()
    publish(version=draft(activity(2, "page_view")), by=None, at=timezone.now(), approved=True)
    held = threading.Event()

    def roll_back():
        held.wait()
        ask_publish(version=first, by=None, at=timezone.now())

    with at_once(roll_back):
        with transaction.atomic():
            assert forget_replaced(batch=8)
            held.set()
            wait_until(lambda: fetch(WAITING_FOR_A_ROW)[0][0])
            assert not ModelVersion.objects.filter(publish_asked_at__isnull=False).exists()
        wait_until(lambda: ModelVersion.objects.filter(publish_asked_at__isnull=False).exists())
        assert not forget_replaced(batch=8), "it is asked for again"
    while fill_published(at=timezone.now(), batch=7):
        pass
    assert Score.objects.filter(model_version=first).count() == 20
    assert all(stored == logged for stored, logged in views_of(first).values())


def test_two_publishers_leave_exactly_one_version_published(people):
    current(VIEWS)
    one, other = (approved(draft(activity(points, "page_view"))) for points in (2, 3))
    barrier = threading.Barrier(2)
    refused = []

    def publisher(version):
        def job():
            barrier.wait()
            try:
                ask_publish(version=version, by=None, at=timezone.now())
            except NotPublishable:
                refused.append(version)
            for _ in range(6):
                fill_published(at=timezone.now(), batch=5)

        return job

    with at_once(publisher(one), publisher(other)):
        pass
    while fill_published(at=timezone.now()):
        pass
    assert len(refused) <= 1
    published = ModelVersion.objects.get(model=one.model, status="published")
    one.model.refresh_from_db()
    assert one.model.current_version == published
    assert Publication.objects.filter(version__in=[one, other]).count() == 2 - len(refused)


WAITING = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
# Whoever waits for a row holds its place in the queue for it.
WAITING_FOR_A_ROW = WAITING.replace("'advisory' AND NOT granted", "'tuple'")


@contextmanager
def at_the_gate(job, *, lock):
    """`job` waits at the gate, held by `lock` in the block's transaction, and goes on when that has committed."""
    held = threading.Event()
    with at_once(lambda: held.wait() and job()), transaction.atomic():
        fetch(f"SELECT {lock}({GATE})")
        held.set()
        wait_until(lambda: fetch(WAITING)[0][0])
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
