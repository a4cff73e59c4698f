"""What somebody did, how often and when: shared by every condition on a lead's own history.

Days are 24 h, counted back from `at`; calendar days run from midnight to midnight UTC. Only activity that counts as
engagement; one exactly `days` old is outside a window of so many days.
"""

from datetime import UTC, datetime, time, timedelta

from leads.criteria.base import MAX_DAYS, counted, day_in_words, days_before, so_often, span
from leads.criteria.content import CONTENT, asks_content, content_sql, content_words
from leads.criteria.parameters import BadValue, Choice, Day, WholeNumber
from leads.criteria.touchpoint import TOUCHPOINT_PARAMETERS, touchpoint_sql, touchpoint_words

WHAT = (*TOUCHPOINT_PARAMETERS, *CONTENT)
HOW_OFTEN = (
    Choice(
        "op",
        "How often",
        default="at_least",
        choices={"at_least": "at least", "at_most": "at most", "exactly": "exactly"},
    ),
    WholeNumber("times", "Times", default=1, minimum=0, maximum=10_000),
)
TIMES = {
    "ever": "at any time",
    "within": "in the last … days",
    "before": "more than … days ago",
    "between": "between … and … days ago",
    "dates": "between two dates",
}


def days(**more):
    return WholeNumber("days", "Days", minimum=1, maximum=MAX_DAYS, **more)


WHEN = (
    Choice("when", "When", default="ever", choices=TIMES),
    days(shown_when={"when": ("within", "before", "between")}),
    WholeNumber(
        "to_days", "And days", minimum=2, maximum=MAX_DAYS, shown_when={"when": ("between",)}
    ),
    Day("since", "From", default="", help="empty = from the first", shown_when={"when": ("dates",)}),
    Day("until", "To and including", default="", help="empty = up to now", shown_when={"when": ("dates",)}),
)  # fmt: skip


def check_often(params):
    if params["op"] == "at_least" and params["times"] == 0:
        raise BadValue("must be 1 or more; who never did so is met by “exactly” 0", name="times")
    return params


def clean_when(clean, given):
    """Cleaned params. Days without a word of when mean the last so many days."""
    if given.get("when") in (None, "") and given.get("days") not in (None, ""):
        given = given | {"when": "within"}
    params = clean(given)
    if params["when"] == "between" and params["to_days"] <= params["days"]:
        raise BadValue("must be more than days", name="to_days")
    if params["when"] == "dates":
        if not (params["since"] or params["until"]):
            raise BadValue("is missing; give one date or both", name="since")
        if params["since"] and params["until"] and params["until"] < params["since"]:
            raise BadValue("must not be before since", name="until")
    return params


def when_sql(params, at):
    """(SQL over `a`, bound): the time window. Nothing later than `at` ever counts."""
    when = params["when"]
    if when == "before":
        return "a.occurred_at <= %s", [days_before(at, params["days"])]
    if when == "between":
        window = [days_before(at, params["to_days"]), days_before(at, params["days"])]
        return "a.occurred_at > %s AND a.occurred_at <= %s", window
    if when == "within":
        return "a.occurred_at > %s AND a.occurred_at <= %s", [days_before(at, params["days"]), at]
    sql, bound = "a.occurred_at <= %s", [at]
    if when == "dates" and params["since"]:
        sql, bound = f"{sql} AND a.occurred_at >= %s", [*bound, midnight(params["since"])]
    if when == "dates" and params["until"]:
        sql, bound = f"{sql} AND a.occurred_at < %s", [*bound, midnight(params["until"], days=1)]
    return sql, bound


def midnight(day, days=0):
    """The beginning of a day, or of that so many `days` later; after the last year that there is, its end."""
    try:
        return datetime.combine(datetime.fromisoformat(day), time(), tzinfo=UTC) + timedelta(days=days)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def when_words(params):
    when = params["when"]
    if when == "within":
        return f" in the {span('last', params['days'])}"
    if when == "before":
        return f" more than {counted(params['days'], 'day')} ago"
    if when == "between":
        return f" between {params['days']:,} and {params['to_days']:,} days ago"
    if when == "dates" and params["since"] and params["until"]:
        return f" between {day_in_words(params['since'])} and {day_in_words(params['until'])}"
    if when == "dates" and params["since"]:
        return f" since {day_in_words(params['since'])}"
    return f" until {day_in_words(params['until'])}" if when == "dates" else ""


def what_sql(params, at):
    """(FROM … WHERE …, bound): the engagement `a` that is meant, of whomever."""
    touchpoint, bound = touchpoint_sql("t", params)
    content, more = content_sql("t", params, at)
    asked = " AND ".join(sql for sql in (touchpoint, content) if sql != "true")
    if not asked:
        return "FROM leads_activity a WHERE a.engagement", []
    return (
        "FROM leads_activity a JOIN leads_touchpoint t ON t.id = a.touchpoint_id"
        f" WHERE a.engagement AND {asked}"
    ), [*bound, *more]


def what_words(params):
    return touchpoint_words(params, content_words(params))


def did_sql(params, when, at):
    """(SQL, bound): whether the lead did so at least once in the window `when`, a (SQL, bound) over `a`."""
    if asks_content(params):
        return counted_sql(params, when, at, ">=", 1)
    found, bound = what_sql(params, at)
    return f"EXISTS (SELECT 1 {found} AND a.lead_id = l.id AND {when[0]})", [*bound, *when[1]]


def did_often_sql(params, when, at, op, times):
    """(SQL, bound): whether the lead did so at least, at most or exactly so many times in the window."""
    if op == "exactly" and times:  # who never did so is in no group to count
        return counted_sql(params, when, at, "=", times)
    if op in ("at_most", "exactly"):
        more, bound = counted_sql(params, when, at, ">", times)
        return f"NOT ({more})", bound
    return did_sql(params, when, at) if times == 1 else counted_sql(params, when, at, ">=", times)


def counted_sql(params, when, at, comparison, times):
    """The group stands in a subquery and the whole under IS TRUE, so that PostgreSQL chooses by the number of leads:
    one pass over what happened, or for a few leads a look at theirs alone. How much content there is of a kind it
    cannot tell, so that is always asked in this way."""
    found, bound = what_sql(params, at)
    return (
        f"(EXISTS (SELECT 1 FROM (SELECT a.lead_id {found} AND {when[0]}"
        f" GROUP BY a.lead_id HAVING count(*) {comparison} %s) AS enough WHERE enough.lead_id = l.id)) IS TRUE"
    ), [*bound, *when[1], times]


def often_words(op, times):
    if op == "at_least" and times == 1:
        return ""
    return f" {op.replace('_', ' ')} {so_often(times)}"
