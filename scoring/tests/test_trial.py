"""Trying a version: the same scores as by publishing it, without a row; other thresholds from the arrays alone."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from django.db import InternalError
from hypothesis import given
from hypothesis import strategies as st

from leads.models import Lead
from scoring import trial
from scoring.engine.arithmetic import EXCLUDED, HAND_RAISE, LONG_AGO, MQL, NONE, SALES_READY, VERDICTS
from scoring.models import Score
from scoring.publish import publish
from scoring.tests import cast
from scoring.tests.cast import COMPETITOR, DAY, DECISION_MAKER, NOW, PRICING

db = pytest.mark.django_db


def people():
    """Sarah decides and looks at prices, Tom is nobody yet, Hana asks, Cora works for a competitor."""
    sarah = cast.lead(role="decision maker")
    for _ in range(3):
        cast.did(sarah, "page_view", "/pricing")
    tom = cast.lead("tom@elsewhere.example")
    hana = cast.lead("hana@elsewhere.example")
    cast.did(hana, "hand_raise")
    cora = cast.lead("cora@rival.example", company={"relationship": "competitor"})
    cast.lead("test@elsewhere.example", is_test=True, role="decision maker")
    return sarah, tom, hana, cora


def version():
    return cast.draft(DECISION_MAKER, PRICING, cast.HAND_RAISE, COMPETITOR)


@db
def test_a_draft_is_tried_without_a_row():
    sarah, tom, hana, cora = people()
    tried = trial.scores_of(version(), at=NOW)
    assert tried.ids.tolist() == [sarah.pk, tom.pk, hana.pk, cora.pk]
    assert tried.fit.tolist() == [2500, 0, 0, 0] and tried.engagement.tolist() == [3000, 0, 0, 0]
    assert tried.verdict.tolist() == [SALES_READY, NONE, HAND_RAISE, EXCLUDED]
    assert tried.ready.tolist() == [True, False, True, False]
    assert (tried.hand_raised > LONG_AGO).tolist() == [False, False, True, False]
    assert not Score.objects.filter(model_version__model__slug="test").exists()


@db
def test_it_is_what_publishing_would_write():
    people()
    draft = version()
    tried = trial.scores_of(draft, at=NOW)
    publish(version=draft, by=None, at=NOW, approved=True)
    rows = Score.objects.filter(model_version=draft).order_by("lead")
    labels = [label for label, _ in draft.scale.ratings]
    assert [(row.lead_id, row.fit, row.engagement, row.rating, row.verdict) for row in rows] == [
        (int(pk), fit / 100, engagement / 100, labels[rating], VERDICTS[verdict])
        for pk, fit, engagement, rating, verdict in zip(
            tried.ids, tried.fit, tried.engagement, tried.rating, tried.verdict, strict=True
        )
    ]


@db
def test_chunks_samples_and_chosen_leads_agree_with_everybody():
    sarah, tom, *_ = people()
    draft = version()
    everybody = trial.scores_of(draft, at=NOW)
    assert trial.scores_of(draft, at=NOW, chunk=1).verdict.tolist() == everybody.verdict.tolist()
    assert trial.scores_of(draft, at=NOW, sample=50).ids.tolist() == everybody.ids.tolist()
    assert len(trial.scores_of(draft, at=NOW, sample=2)) == 2
    assert trial.scores_of(draft, at=NOW, lead_ids=[tom.pk, sarah.pk]).ids.tolist() == [sarah.pk, tom.pk]
    assert len(trial.scores_of(draft, at=NOW, lead_ids=[])) == 0


@db
def test_a_sample_does_not_trust_statistics_of_what_is_gone(monkeypatch):
    ids = [lead.pk for lead in people()]
    monkeypatch.setattr(trial, "TOTAL", "SELECT 1000000")
    assert trial.scores_of(version(), at=NOW, sample=50).ids.tolist() == ids


@db
def test_nothing_can_be_written_meanwhile():
    cast.lead()
    with pytest.raises(InternalError, match="read-only"), trial.read_only():
        Lead.objects.update(role="x")
    assert Lead.objects.update(role="y") == 1  # and afterwards it can


@db
def test_a_past_lead_is_judged_by_what_was_known_then():
    """Sarah looked at prices and was handed off; that she decides, and her later visits, came afterwards."""
    from leads import identity

    sarah = cast.lead(at=NOW - 40 * DAY)
    cast.did(sarah, "page_view", "/pricing", ago=20 * DAY, now=NOW)
    identity.set_fields(lead=sarah, values={"role": "decision maker"}, origin="rep", at=NOW - 5 * DAY)
    cast.did(sarah, "page_view", "/pricing", ago=2 * DAY)
    draft = version()
    pasts = [(sarah.pk, NOW - 30 * DAY), (sarah.pk, NOW - 18 * DAY), (sarah.pk, NOW)]
    then = trial.scores_then([draft], pasts)[0]
    assert then.ids.tolist() == [sarah.pk] * 3
    assert then.fit.tolist() == [0, 0, 2500]
    assert then.engagement.tolist() == [0, 1000, 1500]


# Other thresholds, against the plainest reference


@dataclass
class Scale:
    ratings: list
    fit_bands: list
    engagement_bands: list
    cells: dict


@dataclass
class Version:
    mql_fit: float
    ready_fit: float
    ready_engagement: float
    scale: Scale


points = st.integers(-2000, 8000)
thresholds = st.integers(0, 60)
minima = st.lists(thresholds, min_size=1, max_size=3, unique=True).map(
    lambda found: sorted(found, reverse=True)
)
lead = st.tuples(
    points, points, st.sampled_from([NONE, MQL, SALES_READY, HAND_RAISE, EXCLUDED]), st.booleans()
)


def scale_of(fit, engagement):
    bands = [[[str(n), low] for n, low in enumerate(found)] + [["rest", 0]] for found in (fit, engagement)]
    labels = [f"r{n}" for n in range(len(bands[0]) * len(bands[1]))]
    keys = [f"{a}/{b}" for a, _ in bands[0] for b, _ in bands[1]]
    return Scale([[label, ""] for label in labels], *bands, dict(zip(keys, labels, strict=True)))


def plainly(version, fit, engagement, verdict, reachable):
    """(rating label, verdict) of one lead, spelled out."""

    def band(bands, value):
        return next((label for label, low in bands[:-1] if value >= low * 100), bands[-1][0])

    scale = version.scale
    rating = scale.cells[f"{band(scale.fit_bands, fit)}/{band(scale.engagement_bands, engagement)}"]
    if verdict == EXCLUDED:
        return scale.ratings[-1][0], EXCLUDED
    if verdict == HAND_RAISE:
        return rating, HAND_RAISE
    if fit < version.mql_fit * 100 or not reachable:
        return rating, NONE
    if fit >= version.ready_fit * 100 and engagement >= version.ready_engagement * 100:
        return rating, SALES_READY
    return rating, MQL


@given(st.lists(lead, max_size=30), thresholds, thresholds, thresholds, minima, minima)
def test_other_thresholds_rate_as_plain_code_does(
    leads, mql_fit, ready_fit, ready_engagement, fit, engagement
):
    version = Version(mql_fit, ready_fit, ready_engagement, scale_of(fit, engagement))
    columns = list(zip(*leads, strict=True)) or [()] * 4
    tried = replace(
        trial.joined([]), ids=np.arange(len(leads)), fit=np.array(columns[0], int), engagement=np.array(columns[1], int),
        verdict=np.array(columns[2], int), reachable=np.array(columns[3], bool), rating=np.zeros(len(leads), int),
    )  # fmt: skip
    found = trial.thresholds(tried, version)
    labels = [label for label, _ in version.scale.ratings]
    assert [(labels[r], v) for r, v in zip(found.rating, found.verdict, strict=True)] == [
        plainly(version, *one) for one in leads
    ]
