"""What the lead's company as a whole is worth and does."""

from leads.criteria.base import COMPANY, Criterion, counted, days_before, span
from leads.criteria.doings import days
from leads.criteria.parameters import Choice, Number, WholeNumber

WON = "deal_won"  # how the log calls a deal closed won; its property `amount` is text with a point
AMOUNT = (
    "CASE WHEN w.properties ->> 'amount' ~ '^[0-9]{1,12}([.][0-9]{1,4})?$'"
    " THEN (w.properties ->> 'amount')::numeric END"
)
DEALS = (
    "leads_activity w JOIN leads_touchpoint k ON k.id = w.touchpoint_id JOIN leads_lead p ON p.id = w.lead_id"
)
OF = {"company": ("p.company_id", "c.id"), "lead": ("p.id", "l.id")}


class Monetary(Criterion):
    """What deals closed won with the company, or with the person alone, brought; from the log."""

    key = "monetary"
    label = "Worth of deals won"
    group = COMPANY
    has_subject = True
    in_rules = True
    uses_colleagues = True
    parameters = (
        Choice(
            "of", "Won with", default="company", choices={"company": "The company", "lead": "This person"}
        ),
        Number("at_least", "At least", minimum=0.01, maximum=10**12),
        days(default=None, help="in the last days; empty = ever"),
    )

    def sql(self, params, at):
        owner, mine = OF[params["of"]]
        window, bound = "w.occurred_at <= %s", [at]
        if params["days"]:
            window, bound = f"{window} AND w.occurred_at > %s", [at, days_before(at, params["days"])]
        return (
            f"(EXISTS (SELECT 1 FROM (SELECT {owner} AS owner FROM {DEALS} WHERE k.kind = %s AND {window}"
            f" GROUP BY {owner} HAVING sum({AMOUNT}) >= %s) AS enough WHERE enough.owner = {mine})) IS TRUE"
        ), [WON, *bound, params["at_least"]]

    def changes_sql(self, params, at):
        owner, mine = OF[params["of"]]
        hours = (params["days"] or 0) * 24
        return (
            "(SELECT min(edge) FROM (SELECT unnest(ARRAY[w.occurred_at, w.occurred_at + make_interval(hours => %s)])"
            f" AS edge FROM {DEALS} WHERE k.kind = %s AND {owner} = {mine}) AS edges WHERE edge > %s)"
        ), [hours, WON, at]

    def sentence(self, params):
        words = f"deals worth at least {params['at_least']:,} were won with {OF_WORDS[params['of']]}"
        return f"{words} in the {span('last', params['days'])}" if params["days"] else words


OF_WORDS = {"company": "the company", "lead": "this person"}
ACTIVE = "leads_activity w JOIN leads_lead p ON p.id = w.lead_id WHERE w.engagement AND NOT p.is_test"


class ActivePeople(Criterion):
    """So many people of the lead's company engaged with us lately, the lead among them or not."""

    key = "active_people"
    label = "People active at the company"
    group = COMPANY
    has_subject = True
    in_rules = True
    uses_colleagues = True
    parameters = (
        WholeNumber("at_least", "At least so many people", default=2, minimum=1, maximum=1_000),
        days(),
    )

    def sql(self, params, at):
        return (
            "(EXISTS (SELECT 1 FROM (SELECT p.company_id FROM leads_lead p WHERE NOT p.is_test AND EXISTS (SELECT 1"
            " FROM leads_activity w WHERE w.lead_id = p.id AND w.engagement AND w.occurred_at > %s"
            " AND w.occurred_at <= %s) GROUP BY p.company_id HAVING count(*) >= %s) AS enough"
            " WHERE enough.company_id = c.id)) IS TRUE"
        ), [days_before(at, params["days"]), at, params["at_least"]]

    def changes_sql(self, params, at):
        """When the person who is just enough falls out of the window, or somebody's next activity begins to count."""
        lasts = "make_interval(hours => %s)"
        return (
            f"LEAST((SELECT last + {lasts} FROM (SELECT max(w.occurred_at) AS last FROM {ACTIVE}"
            " AND p.company_id = c.id AND w.occurred_at <= %s GROUP BY p.id ORDER BY 1 DESC OFFSET %s LIMIT 1) AS just"
            f" WHERE last + {lasts} > %s),"
            f" (SELECT min(w.occurred_at) FROM {ACTIVE} AND p.company_id = c.id AND w.occurred_at > %s))"
        ), [params["days"] * 24, at, params["at_least"] - 1, params["days"] * 24, at, at]

    def sentence(self, params):
        people = counted(params["at_least"], "person at the company was", "people at the company were")
        return f"at least {people} active in the {span('last', params['days'])}"
