"""A schema of its own for the history while it is being played.

The history is full of rows that were due months ago; a worker or a page that met them half-way would
act on them today. So the tables that hold a lead's life are doubled in the schema `demo_play`, the
verbs find those first by `search_path`, and at the end all rows move to the real tables in one
transaction. Ids come from the real sequences, so nothing collides; whatever configures the product
(forms, rules, programs, queues, touchpoints) is read from the real tables all along.
"""

from contextlib import contextmanager

from django.db import connection, transaction

SCHEMA = "demo_play"
LOCK = 4_201_955  # advisory lock: one history at a time

# In an order in which foreign keys hold.
LIFE = (
    "leads_company",
    "leads_companydomain",
    "leads_lead",
    "leads_externalid",
    "leads_fieldchange",
    "leads_stagechange",
    "leads_submission",
    "leads_activity",
    "leads_consent",
    "leads_suppression",
    "scoring_score",
    "scoring_scorechange",
    "nurturing_enrollment",
    "nurturing_touch",
    "nurturing_trackedlink",
    "nurturing_localmail",
    "distribution_companyowner",
    "distribution_routingdecision",
    "distribution_handoff",
    "distribution_followup",
    "distribution_opportunity",
    "distribution_opportunitycontact",
    "distribution_feedback",
    "distribution_notice",
)
# Rows that the play changes but that stay as they are: whose turn it is.
COUNTERS = ("distribution_queuemember",)


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
            yield
            cursor.execute("SET search_path = public")
            _move_rows(cursor)
        finally:
            cursor.execute("SET search_path = public")
            cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _double_tables(cursor):
    cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    cursor.execute(f"CREATE SCHEMA {SCHEMA}")
    for table in LIFE + COUNTERS:
        cursor.execute(
            f"CREATE UNLOGGED TABLE {SCHEMA}.{table} "
            f"(LIKE public.{table} INCLUDING ALL EXCLUDING IDENTITY)"
        )
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f"public.{table}"])
        if sequence := cursor.fetchone()[0]:
            cursor.execute(
                f"ALTER TABLE {SCHEMA}.{table} ALTER id SET DEFAULT nextval('{sequence}')"
            )
    for table in COUNTERS:
        cursor.execute(f"INSERT INTO {SCHEMA}.{table} SELECT * FROM public.{table}")


def _move_rows(cursor):
    with transaction.atomic():
        for table in LIFE:
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
