"""A schema of its own for the history while it is being played.

The history is full of rows that were due months ago; a worker or a page that met them half-way would
act on them today. So the tables that hold a lead's life are doubled in the schema `demo_play`, the
verbs find those first by `search_path`, and at the end all rows move to the real tables in one
transaction. Ids come from the real sequences, so nothing collides; whatever configures the product
(forms, rules, programs, queues, touchpoints) is read from the real tables all along.
"""

from contextlib import contextmanager

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.utils.functional import SimpleLazyObject

from leads.models import Company, Lead
from leads.rows import fetch

SCHEMA = "demo_play"
LOCK = 4_201_955  # advisory lock: one history at a time

# Part of a lead's life though no foreign key says so.
BESIDE = ("leads.Suppression", "nurturing.LocalMail")
# Rows that the play changes but that stay as they are: whose turn it is, and which version is in force.
COPIED = (
    "distribution_queuemember", "scoring_scoringmodel", "scoring_modelversion", "scoring_publication",
)  # fmt: skip
# By the statistics, as whoever counts the rows themselves is in the way when the schema is dropped. The lock ends with
# its process, the schema of one that was killed does not.
LOADING = """
SELECT n_live_tup FROM pg_stat_user_tables WHERE schemaname = %s AND relname = 'leads_lead' AND EXISTS (
  SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


def life():
    """Tables of a lead's life: leads, companies and whatever refers to them, in an order in which
    foreign keys hold."""
    tables = [Company, Lead]
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    while True:
        more = [m for m in models if m not in tables and any(target in tables for target in targets(m))]
        if not more:
            break
        tables += more
    tables += [apps.get_model(label) for label in BESIDE]
    ordered = []
    while len(ordered) < len(tables):
        ordered += [
            model
            for model in tables
            if model not in ordered and all(t in ordered or t is model for t in targets(model) if t in tables)
        ]
    return [model._meta.db_table for model in ordered]


def targets(model):
    return [f.related_model for f in model._meta.local_fields if f.many_to_one or f.one_to_one]


class AlreadyPlaying(Exception):
    """Another process is loading the history."""


@contextmanager
def sandbox():
    """Inside, this connection reads and writes the doubled tables; on success their rows move over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadyPlaying
        try:
            _double_tables(cursor)
            cursor.execute(f"SET search_path = {SCHEMA}, public")
            cursor.execute("SET synchronous_commit = off")
            with no_bells():
                yield
            cursor.execute("SET search_path = public; RESET synchronous_commit")
            _move_rows(cursor)
        finally:
            cursor.execute("SET search_path = public")
            cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def loading():
    """How far the history is that is being loaded, in words; "" when none is."""
    rows = fetch(LOADING, [SCHEMA, LOCK]) if settings.DEMO else []
    return f"{rows[0][0]:,} leads so far" if rows else ""


def context(request):
    """What every page may ask: the same as `loading`, once, and only if the page asks."""
    return {"demo_loading": SimpleLazyObject(loading)}


@contextmanager
def no_bells():
    """What is due in the doubled tables is nothing that a worker could find."""
    before = settings.DOORBELLS_SILENT
    settings.DOORBELLS_SILENT = True
    try:
        yield
    finally:
        settings.DOORBELLS_SILENT = before


def _double_tables(cursor):
    cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    cursor.execute(f"CREATE SCHEMA {SCHEMA}")
    for table in (*life(), *COPIED):
        cursor.execute(
            f"CREATE UNLOGGED TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL EXCLUDING IDENTITY)"
        )
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f"public.{table}"])
        if sequence := cursor.fetchone()[0]:
            cursor.execute(f"ALTER TABLE {SCHEMA}.{table} ALTER id SET DEFAULT nextval('{sequence}')")
    for table in COPIED:
        cursor.execute(f"INSERT INTO {SCHEMA}.{table} SELECT * FROM public.{table}")


def _move_rows(cursor):
    with transaction.atomic():
        for table in life():
            columns = _columns(cursor, table)
            cursor.execute(
                f"INSERT INTO public.{table} ({columns}) OVERRIDING SYSTEM VALUE "
                f"SELECT {columns} FROM {SCHEMA}.{table} ORDER BY id"
            )
    cursor.execute("ANALYZE")


def _columns(cursor, table):
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [f"public.{table}"],
    )
    return cursor.fetchone()[0]
