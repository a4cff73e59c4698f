import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import Lead, StageChange
from scoring.models import Score, ScoreChange
from scoring.rescore import age_due, rescore, rescore_due
from scoring.tests.cast import (
    COMPETITOR,
    DAY,
    DECISION_MAKER,
    HAND_RAISE,
    NOW,
    PRICING,
    SECOND,
    current,
    did,
    fit,
    lead,
)

pytestmark = pytest.mark.django_db


def score_of(who, version):
    return Score.objects.get(lead=who, model_version=version)


def test_it_works():
    version = current(DECISION_MAKER, PRICING)
    sarah = lead(role="Decision maker")
    did(sarah, "page_view", "/pricing", ago=1 * DAY)
    did(sarah, "page_view", "/pricing", ago=10 * DAY)
    assert rescore_due(at=NOW) == 1
    score = score_of(sarah, version)
    assert (score.fit, score.engagement, score.total) == (25, 15, 40)
    assert (score.rating, score.verdict) == ("B", "mql")
    assert score.next_change_at == NOW + 6 * DAY
    assert rescore_due(at=NOW) == 0
