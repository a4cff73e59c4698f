"""What a lead did, did not do, and since when we know it."""

from leads.criteria.base import DID, PERSON, Criterion, counted, days_before, span
from leads.criteria.doings import (
    HOW_OFTEN,
    WHAT,
    WHEN,
    check_often,
    clean_when,
    days,
    did_often_sql,
    did_sql,
    often_words,
    what_words,
    when_sql,
    when_words,
)
from leads.criteria.parameters import Choice

ANYTHING = {parameter.name: parameter.default for parameter in WHAT}
AGO = Choice(
    "when",
    "When",
    default="within",
    choices={"within": "in the last … days", "before": "more than … days ago"},
)


class Did(Criterion):
    """At least, at most or exactly `times` matching activities, ever or in a window; exactly none is “did not”."""

    key = "did"
    label = "Did something"
    group = DID
    uses_content = True
    parameters = (*WHAT, *HOW_OFTEN, *WHEN)

    def clean(self, given):
        return check_often(clean_when(super().clean, given))

    def sql(self, params, at):
        return did_often_sql(params, when_sql(params, at), at, params["op"], params["times"])

    def sentence(self, params):
        return what_words(params) + often_words(params["op"], params["times"]) + when_words(params)


class Interactions(Criterion):
    """How often somebody engaged with us in any way (frequency)."""

    key = "interactions"
    label = "Number of interactions"
    group = DID
    parameters = (*HOW_OFTEN, days(default=None, help="in the last days; empty = ever"))

    def clean(self, given):
        return check_often(super().clean(given))

    def sql(self, params, at):
        window = {"when": "within" if params["days"] else "ever", "days": params["days"]}
        return did_often_sql(ANYTHING, when_sql(window, at), at, params["op"], params["times"])

    def sentence(self, params):
        words = f"had {params['op'].replace('_', ' ')} {counted(params['times'], 'interaction')}"
        return f"{words} in the {span('last', params['days'])}" if params["days"] else words


class FirstTime(Criterion):
    """The first time somebody did so lies in the last days, or longer ago."""

    key = "first_time"
    label = "Did something for the first time"
    group = DID
    uses_content = True
    parameters = (*WHAT, AGO, days())

    def sql(self, params, at):
        earlier, bound = did_sql(params, when_sql(params | {"when": "before"}, at), at)
        if params["when"] == "before":
            return earlier, bound
        lately, first = did_sql(params, when_sql(params, at), at)
        return f"({lately} AND NOT {earlier})", [*first, *bound]

    def sentence(self, params):
        return f"first {what_words(params)}{when_words(params)}"


class LastTime(Criterion):
    """The last time somebody did so lies in the last days, or longer ago."""

    key = "last_time"
    label = "Did something for the last time"
    group = DID
    uses_content = True
    parameters = (*WHAT, AGO, days())

    def sql(self, params, at):
        return last_sql(params, at)

    def sentence(self, params):
        return f"last {what_words(params)}{when_words(params)}"


def last_sql(params, at):
    lately, bound = did_sql(params, when_sql(params | {"when": "within"}, at), at)
    if params["when"] == "within":
        return lately, bound
    earlier, first = did_sql(params, when_sql(params, at), at)
    return f"({earlier} AND NOT {lately})", [*first, *bound]


class Recency(Criterion):
    """When somebody was last active in any way. Who never was is neither."""

    key = "recency"
    label = "Last active"
    group = DID
    parameters = (AGO, days())

    def sql(self, params, at):
        return last_sql(ANYTHING | params, at)

    def sentence(self, params):
        return f"was last active{when_words(params)}"


class DidNothing(Criterion):
    """No engagement within the last `days` days, by somebody known at least that long."""

    key = "did_nothing"
    label = "Did nothing for a while"
    group = DID
    parameters = (days(),)

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
    group = PERSON
    parameters = (days(),)

    def sql(self, params, at):
        return "l.created_at <= %s", [days_before(at, params["days"])]

    def sentence(self, params):
        return f"has been known for {counted(params['days'], 'day')} or more"
