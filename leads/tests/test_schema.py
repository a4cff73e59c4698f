import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from leads.models import Activity, Lead, Touchpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    now = timezone.now()
    return Lead.objects.create(email="ada@example.com", created_at=now, updated_at=now)


@pytest.fixture
def activity(lead):
    now = timezone.now()
    touchpoint = Touchpoint.objects.create(kind="page_view", asset="/pricing")
    return Activity.objects.create(lead=lead, touchpoint=touchpoint, occurred_at=now, received_at=now)


def refused(action):
    with pytest.raises(IntegrityError), transaction.atomic():
        action()


def test_facts_of_the_log_never_change(activity):
    log = Activity.objects.filter(pk=activity.pk)
    refused(lambda: log.update(occurred_at=timezone.now()))
    refused(lambda: log.update(properties={"changed": True}))
    refused(lambda: log.update(lead=None))
    refused(lambda: log.delete())
    assert log.get().properties == {}


def test_attribution_moves_where_it_was_declared(activity):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL leadmgmt.attribution = 'on'")
    Activity.objects.filter(pk=activity.pk).update(lead=None)
    refused(lambda: Activity.objects.filter(pk=activity.pk).update(message_id="other"))


def test_a_lead_needs_an_identifier():
    now = timezone.now()
    refused(lambda: Lead.objects.create(first_name="Ada", created_at=now, updated_at=now))
    Lead.objects.create(phone="+4930123456", created_at=now, updated_at=now)


def test_an_address_is_one_lead(lead):
    now = timezone.now()
    refused(lambda: Lead.objects.create(email=lead.email, created_at=now, updated_at=now))
    refused(lambda: Lead.objects.create(email="Ada@example.com", created_at=now, updated_at=now))


def test_parked_and_disqualified_say_until_when_and_why(lead):
    refused(lambda: Lead.objects.filter(pk=lead.pk).update(place="parked"))
    refused(lambda: Lead.objects.filter(pk=lead.pk).update(place="disqualified"))
    refused(lambda: Lead.objects.filter(pk=lead.pk).update(place="limbo"))
