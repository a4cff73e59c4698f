"""Rules that ask what others at the company do: who is due when one of them has news."""

from datetime import timedelta

import pytest

from leads import identity, telling
from leads.models import Company, Lead
from scoring.models import Score
from scoring.rescore import rescore_due
from scoring.tests.cast import DAY, NOW, current, did, lead

pytestmark = pytest.mark.django_db
TWO_ACTIVE = {"kind": "fit", "points": 10, "condition": {"is": "active_people", "at_least": 2, "days": 30}}


@pytest.fixture
def people():
    ann = lead("ann@acme.example", company={"domain": "acme.example"})
    ben = lead("ben@acme.example")
    Lead.objects.filter(pk=ben.pk).update(company=ann.company)
    return ann, Lead.objects.get(pk=ben.pk)


def score_of(who, version):
    return Score.objects.get(lead=who, model_version=version)


def tell_all():
    return telling.go_on_with_all()


def all_due(at):
    """Score until nobody is due and nothing is left to tell, as the tasks do."""
    while rescore_due(at=at) or tell_all():
        pass


def test_who_does_something_makes_colleagues_due_once(people):
    version, (ann, ben) = current(TWO_ACTIVE), people
    did(ann, "page_view", "/pricing", ago=DAY)
    rescore_due(at=NOW)
    assert score_of(ann, version).fit == 0
    later = NOW + DAY
    did(ben, "page_view", "/pricing", now=later)
    assert rescore_due(at=later) == 1
    assert (score_of(ben, version).fit, score_of(ann, version).fit) == (10, 0)
    assert tell_all() and rescore_due(at=later + timedelta(minutes=1)) == 1
    assert score_of(ann, version).fit == 10
    # Neither wakes the other again.
    for minutes in (2, 3, 4):
        tell_all()
        assert rescore_due(at=later + timedelta(minutes=minutes)) == 0
    # Ann's visit is the first of the two that grows too old.
    assert score_of(ann, version).next_change_at == NOW - DAY + 30 * DAY


def test_who_changes_company_makes_the_colleagues_of_both_due(people):
    version, (ann, ben) = current(TWO_ACTIVE), people
    cora = lead("cora@blue.example")
    blue = Company.objects.create(name="Blue", domain="blue.example", created_at=NOW, updated_at=NOW)
    Lead.objects.filter(pk=cora.pk).update(company=blue)
    for who in (ann, ben, cora):
        did(who, "page_view", "/pricing", ago=DAY)
    all_due(NOW)
    assert [score_of(who, version).fit for who in (ann, ben, cora)] == [10, 10, 0]
    identity.set_fields(lead=ben, values={"company": blue}, origin="rep", at=NOW + DAY)
    all_due(NOW + DAY)
    all_due(NOW + DAY + timedelta(minutes=1))
    assert [score_of(who, version).fit for who in (ann, ben, cora)] == [0, 10, 10]
