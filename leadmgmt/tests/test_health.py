import socket
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from leadmgmt import health
from leadmgmt.celery import LostChannel, app
from leadmgmt.models import Heartbeat
from leadmgmt.tasks import heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def silent_redis(settings):
    """A server that takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield server


def test_it_is_alive_and_ready(client):
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True, "database": "ok", "migrations": "applied", "redis": "ok", "beat_age_seconds": None,
    }  # fmt: skip


def test_no_query_is_needed_to_be_alive(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/healthz")


def test_the_age_of_beat_is_told(client):
    heartbeat()
    heartbeat()
    assert 0 <= client.get("/readyz").json()["beat_age_seconds"] < 5
    health.beat(at=timezone.now() - timedelta(minutes=10))
    assert client.get("/readyz").json()["beat_age_seconds"] > 590
    assert Heartbeat.objects.count() == 1


def test_a_missing_migration_is_not_ready(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'leads' AND name = '0001_initial'")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["migrations"] == "1 not applied: run `manage.py migrate`"


def test_a_dead_redis_changes_nothing(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["redis"] == "unreachable: ConnectionError"


def test_a_silent_redis_cannot_hang_it(client, silent_redis):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["redis"] == "unreachable: TimeoutError"
    assert health.PATIENCE < 0.5
    silent_redis.accept()[0].close()
    silent_redis.setblocking(False)
    with pytest.raises(BlockingIOError):
        silent_redis.accept()  # it was tried once, for so long


def test_every_migration_of_the_code_is_wanted():
    call_command("migrate", check_unapplied=True, verbosity=0)
    assert ("leads", "0001_initial") in health.wanted_migrations()


def test_a_closed_connection_to_the_broker_is_a_connection_error():
    """The worker then looks for the broker again; by itself kombu raises an AttributeError there and the worker ends."""
    broker = app.connection_for_read()
    assert issubclass(broker.transport.Channel, LostChannel)
    with pytest.raises(broker.connection_errors):
        LostChannel._connparams(SimpleNamespace(connection=SimpleNamespace(client=None)))
