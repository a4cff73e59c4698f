"""The lab's arithmetic against the plainest reference, and a study of a few people whose story is known."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.models import Lead
from scoring import approval, lab, trial
from scoring.engine.arithmetic import EXCLUDED, HAND_RAISE, MQL, NONE, SALES_READY
from scoring.models import ModelVersion, Scale, Score, ScoreChange
from scoring.tests import cast
from scoring.tests.cast import DAY, DECISION_MAKER, NOW, PRICING
from scoring.trial import NOT_JUDGED, Trial

db = pytest.mark.django_db


# --- pure ----------------------------------------------------------------------------------------


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_interval_holds_the_share_and_shrinks_with_more_of_the_same(hits, misses):
    many = hits + misses
    low, high = lab.wilson(hits, many)
    assert 0 <= low <= high <= 1
    if many:
        assert low - 1e-9 <= hits / many <= high + 1e-9
        wider = lab.wilson(2 * hits, 2 * many)
        assert wider[1] - wider[0] < high - low
        # The ends are where the share is exactly 1.96 standard errors away.
        for end in (low, high):
            if 1e-9 < end < 1 - 1e-9:
                assert abs(hits / many - end) == pytest.approx(1.96 * (end * (1 - end) / many) ** 0.5)
    else:
        assert (low, high) == (0.0, 1.0)


def test_the_interval_of_nothing_and_of_a_known_case():
    assert lab.wilson(0, 0) == (0.0, 1.0)
    assert lab.wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=1e-4)  # as published for Wilson's score


outcome = st.sampled_from([1, 0, -1])


@given(st.lists(st.tuples(st.integers(-1, 3), outcome), max_size=120))  # -1: the version does not judge it
def test_rates_and_lift_are_those_of_counting_by_hand(pasts):
    ratings, hits = (np.array([past[n] for past in pasts], np.int8) for n in (0, 1))
    found = lab.rates([(str(r), ratings == r) for r in range(4)], hits)
    known = [past for past in pasts if past[1] >= 0 and past[0] >= 0]
    won = sum(hit for _, hit in known)
    for r, rate in enumerate(found):
        mine = [hit for rating, hit in known if rating == r]
        assert (rate.many, rate.hits, rate.too_few) == (len(mine), sum(mine), len(mine) < 20)
        if len(mine) >= 20 and won:
            assert rate.lift == pytest.approx(
                float(Fraction(sum(mine), len(mine)) / Fraction(won, len(known)))
            )
        else:
            assert rate.lift is None


def tried(ratings, verdicts=None, **columns):
    n = len(ratings)
    values = {
        "fit": np.zeros(n, int), "engagement": np.zeros(n, int), "hand_raised": np.zeros(n, int), "reachable": np.ones(n, bool),
    } | {name: np.array(column) for name, column in columns.items()}  # fmt: skip
    verdict = np.full(n, NONE) if verdicts is None else np.array(verdicts)
    return Trial(ids=np.arange(1, n + 1), rating=np.array(ratings, np.int8), verdict=verdict, **values)


def test_whom_a_version_does_not_judge_it_neither_passes_nor_holds_back():
    past = tried([0, 1, -1], [SALES_READY, NONE, NONE])
    found = [inside.tolist() for _, inside in lab.by_pass(past)]
    assert found == [[True, False, False], [False, True, False]]


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 1)), max_size=60))
def test_the_matrix_counts_every_lead_once_in_its_cell(moves):
    old, new = tried([a for a, _ in moves]), tried([b for _, b in moves])
    counts = lab.matrix(old, new, "ABC", "XY")
    assert counts.shape == (4, 3) and counts.sum() == len(moves)
    for a in range(-1, 3):
        for b in range(-1, 2):
            assert counts[a, b] == moves.count((a, b))
            ids = lab.moved(old, new, a, b).tolist()
            assert ids == [n + 1 for n, move in enumerate(moves) if move == (a, b)][::-1]


class By:
    mql_fit, ready_fit, ready_engagement = 10, 20, 30


entries = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, lab.WEEKS), st.integers(0, 60), st.booleans()), max_size=60
)
people = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([NONE, MQL, SALES_READY, HAND_RAISE, EXCLUDED]), st.booleans()),
    min_size=5, max_size=5,
)  # fmt: skip


@given(people, entries)
def test_a_lead_counts_in_the_first_week_at_whose_end_it_is_ready(people, entries):
    entries = sorted({(lead, week): (lead, week, *rest) for lead, week, *rest in entries}.values())
    now = tried(
        [0] * 5, [verdict for _, verdict, _ in people], fit=[100 * fit for fit, _, _ in people],
        reachable=[reachable for _, _, reachable in people],
    )  # fmt: skip
    columns = list(zip(*entries, strict=True)) or [()] * 4
    crossings = lab.Crossings(
        np.array(columns[0], int),
        np.array(columns[1], int),
        100 * np.array(columns[2], int),
        np.array(columns[3], bool),
    )
    expected = [0] * lab.WEEKS
    for number, (fit, verdict, reachable) in enumerate(people):
        ready = [
            week for lead, week, engagement, at_once in entries
            if lead == number and verdict != EXCLUDED
            and (at_once or (reachable and fit >= 20 and engagement >= 30))
        ]  # fmt: skip
        if ready and min(ready) > 0:
            expected[min(ready) - 1] += 1
    assert lab.ready_per_week(now, crossings, By).tolist() == expected


# --- a study -------------------------------------------------------------------------------------


def crowd():
    """Sarah crossed three weeks ago and has cooled since, Hana asked last week, Old was ready long before, Tom never."""
    made = {}
    for name, fields in (
        ("sarah", {"role": "decision maker"}),
        ("hana", {}),
        ("old", {"role": "decision maker"}),
        ("tom", {}),
    ):
        made[name] = cast.lead(f"{name}@northwind.example", at=NOW - 100 * DAY, **fields)
    for ago in (22, 23):
        cast.did(made["sarah"], "page_view", "/pricing", ago=ago * DAY)
    cast.did(made["hana"], "hand_raise", ago=3 * DAY)
    for ago in (58, 59, 20):
        cast.did(made["old"], "page_view", "/pricing", ago=ago * DAY)
    return made


def versions():
    """In force, and a draft for which one look at the prices is enough."""
    rules = (DECISION_MAKER, PRICING, cast.HAND_RAISE)
    return cast.draft(*rules, ready_engagement=5), cast.current(*rules, ready_engagement=15)


def study_of(draft, old, **options):
    study = lab.begin(at=NOW, **options)
    lab.advance(study, [draft, old], seconds=None)
    assert study.is_done
    return study


@db
def test_a_study_of_known_people():
    crowd()
    draft, old = versions()
    study = study_of(draft, old)
    draft_half, old_half = study.halves
    assert draft_half.trial.ids.tolist() == old_half.trial.ids.tolist() and len(draft_half.trial) == 4
    # With 15 Sarah was ready 3 weeks ago (2 looks of 7 days or less), Old before the first week, Hana last week.
    assert lab.ready_per_week(old_half.trial, old_half.crossings[0], old).tolist() == [0, 0, 0, 0, 1, 0, 0, 1]
    assert lab.ready_per_week(draft_half.trial, draft_half.crossings[0], draft).tolist() == [
        0,
        0,
        0,
        0,
        1,
        0,
        0,
        1,
    ]
    assert not Score.objects.filter(model_version=draft).exists() and not ScoreChange.objects.exists()


@db
def test_a_study_made_in_steps_is_the_same(monkeypatch):
    crowd()
    draft, old = versions()
    whole = study_of(draft, old)
    monkeypatch.setattr(lab, "CHUNK", 1)
    study, steps = lab.begin(at=NOW), 0
    while not study.is_done:
        lab.advance(study, [draft, old], seconds=0)
        steps += 1
        assert 0 < study.share <= 1
    assert steps > 4
    for one, other in zip(whole.halves, study.halves, strict=True):
        assert one.trial.ids.tolist() == other.trial.ids.tolist()
        assert (
            lab.ready_per_week(one.trial, one.crossings[0], draft).tolist()
            == lab.ready_per_week(other.trial, other.crossings[0], draft).tolist()
        )


@db
def test_past_leads_are_rated_by_what_was_known_at_the_hand_off():
    made = crowd()
    draft, old = versions()
    sarah = made["sarah"]
    moments = [(sarah.pk, NOW - 22 * DAY), (sarah.pk, NOW - 30 * DAY), (made["tom"].pk, NOW - DAY)]
    pasts = lab.Pasts(moments, np.array([1, 0, 0], np.int8), np.array([-1, -1, 1], np.int8))
    study = study_of(draft, old, pasts=pasts)
    past = study.halves[0].past
    assert past.engagement.tolist() == [2000, 0, 0] and past.ready.tolist() == [True, False, False]
    passed, held = lab.rates(lab.by_pass(past), pasts.won)
    assert (passed.hits, passed.many, held.hits, held.many) == (1, 1, 0, 2)


@db
def test_a_lead_that_is_gone_or_a_test_keeps_its_place():
    made = crowd()
    draft, _ = versions()
    gone, test = made["tom"].pk, made["hana"].pk
    Lead.objects.filter(pk=test).update(is_test=True)
    Lead.objects.filter(pk=gone).delete()
    moments = [(gone, NOW), (made["sarah"].pk, NOW - 22 * DAY), (test, NOW)]
    past = trial.scores_then([draft], moments)[0]
    assert past.ids.tolist() == [pk for pk, _ in moments]
    assert (past.rating == NOT_JUDGED).tolist() == [True, False, True]


# --- thresholds ------------------------------------------------------------------------------------


def thresholds(version, **values):
    given = {"mql_fit": 5, "ready_fit": 15, "ready_engagement": 25} | values
    return lab.Thresholds(**given, scale=lab.with_minima(version.scale, [50, 25], [45, 5]))


@db
def test_thresholds_are_saved_in_a_draft():
    draft = cast.draft(DECISION_MAKER)
    lab.save_thresholds(version=draft, thresholds=thresholds(draft))
    saved = ModelVersion.objects.get(pk=draft.pk)
    assert (saved.mql_fit, saved.ready_fit, saved.ready_engagement) == (5, 15, 25)
    assert saved.scale.fit_bands == [["good", 50], ["fair", 25], ["poor", 0]]
    assert saved.scale.engagement_bands == [["hot", 45], ["warm", 5], ["cold", 0]]


@db
def test_a_scale_that_another_version_uses_is_copied():
    draft, other = cast.draft(DECISION_MAKER), cast.draft(DECISION_MAKER)
    ModelVersion.objects.filter(pk=other.pk).update(scale=draft.scale)
    lab.save_thresholds(version=draft, thresholds=thresholds(draft))
    saved, kept = ModelVersion.objects.get(pk=draft.pk), ModelVersion.objects.get(pk=other.pk)
    assert saved.scale_id != kept.scale_id and kept.scale.fit_bands[0] == ["good", 40]


@db
def test_only_a_draft_and_only_what_fits_together():
    draft = cast.draft(DECISION_MAKER)
    with pytest.raises(ValueError, match="at least the fit of an MQL"):
        lab.save_thresholds(version=draft, thresholds=thresholds(draft, mql_fit=50))
    crossed = lab.Thresholds(5, 15, 25, lab.with_minima(draft.scale, [20, 30], [45, 5]))
    with pytest.raises(ValueError, match="best first"):
        lab.save_thresholds(version=draft, thresholds=crossed)
    approval.ask_review(version=draft, by=None, at=NOW)
    with pytest.raises(approval.NotNow, match="in review"):
        lab.save_thresholds(version=draft, thresholds=thresholds(draft))
    assert ModelVersion.objects.get(pk=draft.pk).mql_fit == 20
    assert Scale.objects.get(pk=draft.scale_id).fit_bands[0] == ["good", 40]


@db
def test_the_fingerprint_follows_the_points_and_not_the_thresholds():
    draft = cast.draft(DECISION_MAKER)
    before = lab.fingerprint(draft)
    lab.save_thresholds(version=draft, thresholds=thresholds(draft))
    assert lab.fingerprint(ModelVersion.objects.get(pk=draft.pk)) == before
    draft.rules.update(points=7)
    assert lab.fingerprint(ModelVersion.objects.get(pk=draft.pk)) != before
