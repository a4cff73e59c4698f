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
FROM = "FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id WHERE NOT l.is_test AND "

DID_SO = (
    "EXISTS (SELECT 1 FROM leads_activity a JOIN leads_touchpoint t ON t.id = a.touchpoint_id"
    " WHERE a.lead_id = l.id AND a.engagement"
)


@dataclass(frozen=True)
class Matches:
    """`count` of `total` leads; None where counting took longer than allowed."""

    count: int | None
    total: int

    @property
    def share(self):
        """Percent of all leads, or None."""
        if self.count is None:
            return None
        return 100 * self.count / self.total if self.total else 0.0

    @property
    def warning(self):
        if self.count == 0 and self.total:
            return "nobody"
        if self.count == self.total and self.total:
            return "everybody"
        return ""


def matching_sql(tree, *, criteria=CRITERIA, at, scope=LEAD, days=None):
    """(FROM … WHERE …, bound) over `l` and `c`. `days` bounds the age of activities (TOUCHPOINT)."""
    sql, bound = where(tree, criteria=criteria, at=at, scope=scope)
    if scope == LEAD:
        return FROM + sql, bound
    sql, bound = f"{sql} AND a.occurred_at <= %s", [*bound, at]
    if days:
        sql, bound = f"{sql} AND a.occurred_at > %s", [*bound, days_before(at, days)]
    return f"{FROM}{DID_SO} AND {sql})", bound


def count(tree, *, criteria=CRITERIA, at, scope=LEAD, days=None, timeout_ms=None):
    """Matches(count, total). With `timeout_ms` the statement is bounded and count may be None."""
    sql, bound = matching_sql(tree, criteria=criteria, at=at, scope=scope, days=days)
    total = Lead.objects.filter(is_test=False).count()
    found = bounded(timeout_ms, lambda cursor: one(cursor, f"SELECT count(*) {sql}", bound))
    return Matches(found, total)


def one(cursor, sql, bound):
    cursor.execute(sql, bound)
    return cursor.fetchone()[0]


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
