"""What a lead did, did not do, and since when we know it. Days are 24 h, counted back from `at`."""

from leads.criteria.base import Criterion, Texts, WholeNumber, counted, days_before, either, quoted
from leads.criteria.touchpoint import ASSET, KIND, touchpoint_sql, touchpoint_words

MAX_DAYS = 36_500
DAYS = WholeNumber("days", "Days", minimum=1, maximum=MAX_DAYS)


class Did(Criterion):
    """At least `times` matching activities within the last `days` days (without days: ever).

    Only activity that counts as engagement; one exactly `days` old is outside.
    """

    key = "did"
    label = "Did something"
    parameters = (
        KIND,
        ASSET,
        WholeNumber("times", "At least times", default=1, minimum=1, maximum=10_000),
        WholeNumber(
            "days", "In the last days", default=None, minimum=1, maximum=MAX_DAYS, help="empty = ever"
        ),
    )

    def sql(self, params, at):
        touchpoint, bound = touchpoint_sql("t", params)
        found = (
            "FROM leads_activity a JOIN leads_touchpoint t ON t.id = a.touchpoint_id"
            f" WHERE a.lead_id = l.id AND a.engagement AND {touchpoint} AND a.occurred_at <= %s"
        )
        bound = [*bound, at]
        if params["days"] is not None:
            found += " AND a.occurred_at > %s"
            bound.append(days_before(at, params["days"]))
        exists = f"EXISTS (SELECT 1 {found})"
        if params["times"] == 1:
            return exists, bound
        # EXISTS becomes one semi-join over the whole set; only those who remain are counted one by
        # one, and never further than needed.
        enough = f"(SELECT count(*) FROM (SELECT 1 {found} LIMIT %s) AS enough) = %s"  # noqa: S608 only %s
        times = params["times"]
        return f"({exists} AND {enough})", [*bound, *bound, times, times]

    def sentence(self, params):
        words = touchpoint_words(params)
        if params["times"] > 1:
            words += f" at least {counted(params['times'], 'time')}"
        if params["days"] is not None:
            words += f" in the last {counted(params['days'], 'day')}"
        return words


class DidNothing(Criterion):
    """No engagement within the last `days` days, by somebody known at least that long."""

    key = "did_nothing"
    label = "Did nothing for a while"
    parameters = (DAYS,)

    def sql(self, params, at):
        since = days_before(at, params["days"])
        return (
            "(l.created_at <= %s AND NOT EXISTS (SELECT 1 FROM leads_activity a"
            " WHERE a.lead_id = l.id AND a.engagement AND a.occurred_at > %s AND a.occurred_at <= %s))"
        ), [since, since, at]

    def sentence(self, params):
        return f"did nothing for {counted(params['days'], 'day')}"


class OlderThan(Criterion):
    key = "older_than"
    label = "Known for longer than"
    parameters = (DAYS,)

    def sql(self, params, at):
        return "l.created_at <= %s", [days_before(at, params["days"])]

    def sentence(self, params):
        return f"has been known for {counted(params['days'], 'day')} or more"


class FromSource(Criterion):
    """The lead source (original), by the slug of the source."""

    key = "source"
    label = "Lead source"
    in_rules = True
    parameters = (Texts("one_of", "One of", max_length=100),)

    def sql(self, params, at):
        slugs = ", ".join(["%s"] * len(params["one_of"]))
        return (
            f"EXISTS (SELECT 1 FROM leads_source s WHERE s.id = l.source_id AND s.slug IN ({slugs}))"  # noqa: S608 only %s
        ), list(params["one_of"])

    def sentence(self, params):
        return f"lead source is {either([quoted(slug) for slug in params['one_of']])}"
