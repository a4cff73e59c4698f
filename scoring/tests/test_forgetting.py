"""Scores have no foreign keys: whoever deletes a lead or a version, whenever, no score outlives it."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from leads.models import Lead
from leads.tests.races import PATIENCE, beside, somebody_waits
from scoring.models import ModelVersion, Score, ScoreChange
from scoring.publish import ask_publish, fill_published
from scoring.rescore import rescore, rescore_due
from scoring.tests.cast import DAY, DECISION_MAKER, NOW, approved, current, draft, lead

together = pytest.mark.django_db(transaction=True)


def orphans():
    return Score.objects.exclude(
        lead__in=Lead.objects.all(), model_version__in=ModelVersion.objects.all()
    ).count()


def delete_leads(ids):
    """By plain SQL, as removing the demo does; with what foreign keys ask for."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL leadmgmt.erase = 'on'")
        list(Lead.objects.filter(pk__in=ids).select_for_update().order_by("pk").values_list("pk"))
        for table in ("scoring_scorechange", "leads_stagechange"):
            cursor.execute(f"DELETE FROM {table} WHERE lead_id = ANY(%s)", [ids])
        cursor.execute("DELETE FROM leads_lead WHERE id = ANY(%s)", [ids])


@pytest.mark.django_db
def test_it_works():
    version = current(DECISION_MAKER)
    gone, stays = lead("gone@acme.example"), lead("stays@acme.example")
    rescore(lead_ids=[gone.pk, stays.pk], at=NOW)
    ScoreChange.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DELETE FROM leads_lead WHERE id = %s", [gone.pk])
    assert [row.lead_id for row in Score.objects.filter(model_version=version)] == [stays.pk]
    stays.delete()
    assert not Score.objects.exists()


@pytest.mark.django_db
def test_a_version_takes_its_scores_along():
    version, other = current(DECISION_MAKER), draft(DECISION_MAKER)
    sarah = lead()
    rescore(lead_ids=[sarah.pk], at=NOW)
    Score.objects.create(model_version=other, lead=sarah, fit=1, engagement=1, total=2, rating="D", as_of=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL leadmgmt.erase = 'on'")
        cursor.execute("DELETE FROM scoring_rule WHERE version_id = %s", [other.pk])
        cursor.execute("DELETE FROM scoring_modelversion WHERE id = %s", [other.pk])
    assert [row.model_version_id for row in Score.objects.all()] == [version.pk]


@together
def test_a_deletion_waits_for_the_scorer_and_takes_what_it_wrote():
    current(DECISION_MAKER)
    sarah = lead(role="decision maker")
    scored = threading.Event()

    def delete():
        assert scored.wait(PATIENCE)
        delete_leads([sarah.pk])

    with beside(delete), transaction.atomic():
        assert rescore_due(at=NOW) == 1
        scored.set()
        somebody_waits()  # the deletion, for the lead
        assert Score.objects.filter(lead=sarah).exists()
    assert not Lead.objects.filter(pk=sarah.pk).exists()
    assert not Score.objects.exists()


@together
def test_leads_go_while_everybody_is_scored_and_published():
    current(DECISION_MAKER)
    now = timezone.now()
    people = [lead(f"p{n}@example.com", at=now - DAY, role="decision maker").pk for n in range(60)]
    rescore(lead_ids=people, at=now)  # the threads may not come to it before the versions change places
    ask_publish(version=approved(draft(DECISION_MAKER)), by=None, at=now)
    scorer = lambda: rescore(lead_ids=people, at=timezone.now())
    publisher = lambda: fill_published(at=timezone.now(), batch=5)
    with beside(again=[scorer, scorer, publisher]):
        for start in range(0, 50, 5):
            delete_leads(people[start : start + 5])
    while fill_published(at=timezone.now()):
        pass
    assert Lead.objects.count() == 10
    assert orphans() == 0 and Score.objects.count() == 20
