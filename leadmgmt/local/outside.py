"""Servers that DATABASE_URL and REDIS_URL name: asked once before anything starts, so that a wrong word is one line and no traceback.

No message repeats a password.
"""

import environ
import psycopg2
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from leadmgmt.local.state import LocalError

PATIENCE = 5  # seconds
OLDEST = 15
EXAMPLES = {
    "DATABASE_URL": "postgres://user:password@127.0.0.1:5432/leadmgmt",
    "REDIS_URL": "redis://:password@127.0.0.1:6379/0",
}


def check(variable, url):
    """Raises LocalError with the remedy if the server that `url` names cannot be used."""
    {"DATABASE_URL": check_postgres, "REDIS_URL": check_redis}[variable](url)


def check_postgres(url):
    try:
        if not url.startswith(("postgres://", "postgresql://")):
            raise ValueError
        config = environ.Env.db_url_config(url)
        if not config["NAME"]:
            raise ValueError
    except ValueError:
        raise unreadable("DATABASE_URL") from None
    try:
        connection = psycopg2.connect(
            dbname=config["NAME"], user=config["USER"] or None, password=config["PASSWORD"] or None, host=config["HOST"] or None,
            port=config["PORT"] or None, **{"connect_timeout": PATIENCE} | config.get("OPTIONS", {}),
        )  # fmt: skip
    except psycopg2.Error as error:
        raise unusable("DATABASE_URL", "PostgreSQL", error) from None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_schema_privilege(current_schema(), 'CREATE')")
            may_create = cursor.fetchone()[0]
        version = connection.server_version // 10_000
    finally:
        connection.close()
    if version < OLDEST:
        raise LocalError(f"DATABASE_URL names PostgreSQL {version}. {OLDEST} or newer is needed.")
    if not may_create:
        raise LocalError(
            f"DATABASE_URL names a user who may not make tables in {config['NAME']}. "
            f"Let that user own it: ALTER DATABASE {config['NAME']} OWNER TO {config['USER']}"
        )


def check_redis(url):
    if not url.startswith(("redis://", "rediss://")):
        raise unreadable("REDIS_URL")
    try:
        client = redis.Redis.from_url(
            url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
    except ValueError:
        raise unreadable("REDIS_URL") from None
    try:
        client.ping()
    except redis.RedisError as error:
        raise unusable("REDIS_URL", "Valkey", error) from None
    finally:
        client.close()


def unreadable(variable):
    return LocalError(f"{variable} cannot be read. Write it like {variable}={EXAMPLES[variable]}")


def unusable(variable, label, error):
    said = " ".join(str(error).split()).rstrip(".?")
    return LocalError(
        f"{variable} does not lead to a server that lets us in: {said}. "
        f"Correct {variable}, or leave it out: then `make run` starts its own {label}."
    )
