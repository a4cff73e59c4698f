"""The starter model judges the examples of the trade as the trade does."""

import pytest

from scoring.models import Rule, ScoringModel
from scoring.publish import problems
from scoring.queries import routing_scores
from scoring.rescore import rescore_due
from scoring.starter import RULES, create_starter_model
from scoring.tests.cast import DAY, NOW, did, lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def vera():
    """A decision maker at a company of 300, as the white-paper form made her known."""
    vera = lead("vera@northwind.example", role="Decision maker", at=NOW - 3 * DAY,
                company={"size": 300, "domain": "northwind.example"})  # fmt: skip
    did(vera, "form_submit", "/white-papers/roi", ago=3 * DAY)
    return vera


def judged(who):
    rescore_due(at=NOW)
    score = routing_scores([who.pk])[who.pk]
    return score.verdict, score.rating, score.fit, score.engagement


def test_every_database_has_it_published():
    model = ScoringModel.objects.get(slug="starter")
    assert (model.routes, model.current_version.status) == (True, "published")
    assert model.current_version.publications.count() == 1
    assert problems(model.current_version) == []
    assert create_starter_model() == model.current_version
    assert Rule.objects.count() == len(RULES)


def test_a_decision_maker_with_one_download_is_nurtured(vera):
    assert judged(vera) == ("mql", "B", 45, 10)


def test_prices_and_a_second_download_make_her_sales_ready(vera):
    did(vera, "page_view", "/pricing", ago=DAY)
    did(vera, "page_view", "/pricing/plans", ago=DAY)
    did(vera, "download", "/white-papers/security", ago=DAY)
    assert judged(vera) == ("sales_ready", "A", 45, 42)


def test_free_mail_and_a_university_disqualify_nobody():
    professor = lead(
        "professor@university.edu",
        job_title="Head of laboratory",
        company={"size": 5000, "domain": "university.edu"},
    )
    assert judged(professor)[0] == "mql"
    freelancer = lead("someone@gmail.com", job_title="Director")
    assert judged(freelancer)[::2] == ("mql", 20)


def test_who_asks_for_sales_is_passed_at_once():
    anybody = lead("anybody@example.com")
    did(anybody, "hand_raise", "demo-request", ago=DAY)
    assert judged(anybody)[:2] == ("hand_raise", "C")


def test_a_coordinator_is_no_chief():
    assert judged(lead("c@example.com", job_title="Sales coordinator"))[2] == 0
