"""Who matches a condition: live counts, samples, and the leads themselves.

Internal and test leads are never counted. For a condition about activities a lead matches with at
least one such activity.
"""

from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from django.db.models.expressions import RawSQL

from leads.criteria import CRITERIA
from leads.criteria.base import LEAD, days_before
from leads.criteria.tree import where
from leads.models import Lead

QUERY_CANCELED = "57014"
EXACT_TOTAL_TO = 200_000  # beyond it, how many leads there are comes from the planner's statistics
SAMPLED = 2_000  # leads looked at for an estimate
FROM = "FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id WHERE NOT l.is_test AND "
FROM_SOME = FROM.replace("leads_lead l ", "leads_lead l TABLESAMPLE SYSTEM (%s) REPEATABLE (1) ")
DID_SO = (
    "EXISTS (SELECT 1 FROM leads_activity a JOIN leads_touchpoint t ON t.id = a.touchpoint_id"
    " WHERE a.lead_id = l.id AND a.engagement"
)


@dataclass(frozen=True)
class Matches:
    """`count` of `total` leads; an estimate, or None, where counting took longer than allowed."""

    count: int | None
    total: int
    is_estimate: bool = False

    @property
    def share(self):
        """Percent of all leads, or None."""
        if self.count is None:
            return None
        return 100 * self.count / self.total if self.total else 0.0

    @property
    def warning(self):
        if self.is_estimate or not self.total:
            return ""
        return {0: "nobody", self.total: "everybody"}.get(self.count, "")


def matching_sql(tree, *, criteria=CRITERIA, at, scope=LEAD, days=None, also=None):
    """(FROM … WHERE …, bound) over `l` and `c`. `days` bounds the age of activities (TOUCHPOINT); `also` is a second
    condition, about leads."""
    sql, bound = where(tree, criteria=criteria, at=at, scope=scope)
    if also:
        more, values = where(also, criteria=criteria, at=at, scope=LEAD)
        sql, bound = f"{sql} AND {more}", [*bound, *values]
    if scope == LEAD:
        return FROM + sql, bound
    sql, bound = f"{sql} AND a.occurred_at <= %s", [*bound, at]
    if days:
        sql, bound = f"{sql} AND a.occurred_at > %s", [*bound, days_before(at, days)]
    return f"{FROM}{DID_SO} AND {sql})", bound


def count(tree, *, criteria=CRITERIA, at, scope=LEAD, days=None, also=None, timeout_ms=None):
    """Matches, exact; with `timeout_ms` an estimate from a sample of leads where exact takes longer than that."""
    sql, bound = matching_sql(tree, criteria=criteria, at=at, scope=scope, days=days, also=also)
    total = total_leads()
    found = bounded(timeout_ms, lambda cursor: row(cursor, f"SELECT count(*) {sql}", bound))
    if found is not None:
        return Matches(found[0], max(total, found[0]))
    return estimate(sql.removeprefix(FROM), bound, total, timeout_ms)


def estimate(condition, bound, total, timeout_ms):
    """Matches from the share among some pages of leads: the same ones each time, so that it does not flicker."""
    percent = min(100.0, 100 * SAMPLED / max(total, 1))
    sql = f"SELECT count(*) FILTER (WHERE {condition}), count(*) {FROM_SOME} true"  # noqa: S608 only %s
    found = bounded(timeout_ms, lambda cursor: row(cursor, sql, [*bound, percent]))
    if found is None or not found[1]:
        return Matches(None, total)
    return Matches(round(total * found[0] / found[1]), total, is_estimate=True)


def total_leads():
    """How many leads there are to match; internal and test leads are none of them."""
    with connection.cursor() as cursor:
        known = row(cursor, "SELECT reltuples::bigint FROM pg_class WHERE oid = 'leads_lead'::regclass", [])[
            0
        ]
    return known if known > EXACT_TOTAL_TO else Lead.objects.filter(is_test=False).count()


def row(cursor, sql, bound):
    cursor.execute(sql, bound)
    return cursor.fetchone()


def bounded(timeout_ms, ask, otherwise=None):
    """`ask(cursor)`, or `otherwise` where that takes longer than `timeout_ms` (None: no limit)."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if timeout_ms:
                cursor.execute("SET LOCAL statement_timeout = %s", [timeout_ms])
            answer = ask(cursor)
            if timeout_ms:  # the caller's transaction, if there is one, goes on unbounded
                cursor.execute("SET LOCAL statement_timeout = 0")
            return answer
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != QUERY_CANCELED:
            raise
        return otherwise


def sample(tree, *, criteria=CRITERIA, at, scope=LEAD, days=None, n=5, timeout_ms=None):
    """The n newest leads that match, with their company; none where that takes too long."""
    matches = queryset(tree, criteria=criteria, at=at, scope=scope, days=days)
    newest = matches.select_related("company").order_by("-created_at", "-id")[:n]
    return bounded(timeout_ms, lambda cursor: list(newest), otherwise=[])


def queryset(tree, *, criteria=CRITERIA, at, scope=LEAD, days=None):
    """The leads that match, as a queryset to filter, order and page further."""
    sql, bound = matching_sql(tree, criteria=criteria, at=at, scope=scope, days=days)
    return Lead.objects.filter(id__in=RawSQL(f"SELECT l.id {sql}", bound))  # noqa: S611 bound


def ids(tree, *, lead_ids, criteria=CRITERIA, at, scope=LEAD):
    """Which of these leads match, as a set, in one statement."""
    sql, bound = matching_sql(tree, criteria=criteria, at=at, scope=scope)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT l.id {sql} AND l.id = ANY(%s)", [*bound, list(lead_ids)])
        return {row[0] for row in cursor.fetchall()}
