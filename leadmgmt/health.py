"""`/healthz`: this process answers. `/readyz`: it can serve, which needs PostgreSQL with every migration applied.

Redis and beat are reported and never decide: without them requests are answered as ever and due work waits.
"""

from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from leadmgmt.models import Heartbeat

PATIENCE = 0.3  # seconds for Redis


def beat(*, at):
    """Note that beat's tick reached a worker."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name="beat", at=at)], update_conflicts=True, unique_fields=["name"], update_fields=["at"]
    )


def healthz(request):
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request):
    """200 or 503 with `{ready, database, migrations, redis, beat_age_seconds}`."""
    report = {"ready": False, "database": "unreachable", "migrations": "unknown", "beat_age_seconds": None}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '2s'")
            report["database"] = "ok"
            missing = missing_migrations(cursor)
            report["migrations"] = (
                "applied" if not missing else f"{len(missing)} not applied: run `manage.py migrate`"
            )
            report["ready"] = not missing
            if not missing:
                report["beat_age_seconds"] = beat_age(at=timezone.now())
    except DatabaseError as error:
        report |= {"ready": False, "database": f"unreachable: {type(error).__name__}"}
    report["redis"] = redis_state()
    return JsonResponse(report, status=200 if report["ready"] else 503)


def missing_migrations(cursor):
    cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return set(wanted_migrations())
    cursor.execute("SELECT app, name FROM django_migrations")
    return wanted_migrations() - set(cursor.fetchall())


@cache
def wanted_migrations():
    """The migrations that this code ships with; they do not change while it runs."""
    return frozenset(MigrationLoader(None).graph.nodes)


def beat_age(*, at):
    last = Heartbeat.objects.filter(name="beat").values_list("at", flat=True).first()
    return None if last is None else round((at - last).total_seconds(), 1)


def redis_state():
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=PATIENCE,
        socket_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        client.ping()
        return "ok"
    except redis.RedisError as error:
        return f"unreachable: {type(error).__name__}"
    finally:
        client.close()
