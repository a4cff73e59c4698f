"""What the demo's models say: the tables of their versions, in the shape of `scoring.starters`."""

from copy import deepcopy

from scoring.starter import DECIDES, RECOMMENDS, THRESHOLDS, company, lead, seen
from scoring.starters import A_TO_D, FADING, HOT_MEDIUM_COLD, all_of, any_of, did, fit, quiet, soon, staff

from .offer import COMPETITORS, VIPS

INTEREST, CONTENT, READING = "Interest in buying", "Papers and events", "Reading along"
PLANT, GROUP = "Midsize plant", "Group with several sites"


def custom(field, op, value=None):
    return {"is": "custom_field", "field": field, "op": op} | ({} if value is None else {"value": value})


def about(**what):
    return {"is": "content", **what}


def came_by(source):
    return {"is": "source", "one_of": [source]}


def searched(*words):
    return {"is": "keyword", "match": "any_word", "one_of": list(words)}


SENIOR = any_of(
    *(lead("job_title", "contains", title) for title in ("VP", "director", "head of", "chief")),
    lead("job_title", "one_of", ["CEO", "COO", "CTO", "CFO", "CIO"]),
)


def scale(least):
    """A to D, where the best of both bands is what passes: fit of 35, and engagement of `least`."""
    return A_TO_D | {
        "fit_bands": [["High", 35], ["Medium", 20], ["Low", 0]],
        "engagement_bands": [["High", least], ["Medium", 10], ["Low", 0]],
    }


PRICES = seen("page_view", asset="/pricing")
# Who can never buy: by their company, by a list that people keep, and by what they said; never by a word.
ALWAYS = [
    {"kind": "hand_raise", "name": "Asks for sales", "condition": seen("hand_raise")},
    {
        "kind": "bite",
        "name": "Took up the free trial",
        "condition": seen("mail_click", asset="/free-trial"),
        "who": company("size", "at_least", 50),
    },
    {
        "kind": "exclude",
        "name": "Works for a competitor",
        "condition": any_of(
            company("relationship", "equals", "competitor"),
            {"is": "domain_in_list", "list": COMPETITORS},
        ),
    },
    {
        "kind": "exclude",
        "name": "Student without a buying organisation",
        "condition": all_of(lead("role", "equals", "student"), company("name", "unknown")),
    },
    {
        "kind": "exclude",
        "name": "Says to be looking for a job",
        "condition": lead("job_title", "equals", "Job seeker"),
    },
]
SECOND = {
    "note": "Fewer and better: papers and events alone no longer pass; prices read twice by those who decide,"
    " a budget and what is searched for do.",
    "thresholds": {
        "mql_fit": 30, "ready_fit": 35, "ready_engagement": 35, "cap_fit": None, "cap_engagement": 100,
    },
    "scale": scale(35),
    "profiles": [
        {"name": PLANT, "description": "One site, 100 to 999 people, plans with spreadsheets"},
        {"name": GROUP, "description": "1,000 people and more, an ERP, several planners"},
    ],
    "groups": [
        {"name": INTEREST, "cap_points": 60},
        {"name": CONTENT, "cap_points": 22},
        {"name": READING, "cap_points": 10},
    ],
    "rules": [
        fit("Decides: VP, director, head, chief", 25, DECIDES),
        fit("Recommends or evaluates", 10, RECOMMENDS),
        fit("Wants to buy within three months", 10, soon(90)),
        fit("Has a budget", 10, custom("custom.has_budget", "yes")),
        fit("Has no budget", -25, custom("custom.has_budget", "no")),
        fit("Contract elsewhere ends within half a year", 5, custom("company.custom.contract_end", "next_days", 180)),
        fit("Company of fewer than 10", -10, company("size", "at_most", 9)),
        fit("Free-mail address", -5, {"is": "free_mail"}),
        fit("Company of 100 to 999", 20, staff(100, 999), profile=PLANT),
        fit("Makes things", 10, company("industry", "one_of", ["Manufacturing", "Food", "Energy"]), profile=PLANT),
        fit("Company of 1,000 or more", 20, staff(1000), profile=GROUP),
        fit("Has an ERP that we connect to", 10, custom("custom.erp_system", "one_of", ["SAP", "Oracle"]), profile=GROUP),
        did("Looked at prices", 10, PRICES, cap_count=3, steps=[[7, 1.0], [30, 0.5]], group=INTEREST),
        did(
            "VP or higher at a company of 200 or more saw prices twice in 14 days", 15, PRICES,
            min_count=2, window_days=14, who=all_of(SENIOR, staff(200)), group=INTEREST,
        ),
        did("Read what people read who decide", 4, about(buying_stage="decision"), cap_count=3, steps=FADING, group=INTEREST),
        did(
            "Searched for prices or a comparison", 8, searched("price", "prices", "pricing", "cost", "vs", "comparison"),
            cap_count=2, steps=[[14, 1.0], [30, 0.5]], group=INTEREST,
        ),
        did("Asked for sales", 40, seen("hand_raise"), cap_count=1, steps=FADING, group=INTEREST),
        did("Downloaded something", 10, seen("download", "form_submit"), cap_count=3, steps=FADING, group=CONTENT),
        did("Attended a webinar", 12, seen("webinar"), cap_count=2, steps=FADING, group=CONTENT),
        did("Came to the booth", 4, seen("event"), cap_count=1, window_days=60, group=CONTENT),
        did("Clicked in our mail", 3, seen("mail_click"), cap_points=12, window_days=60, group=READING),
        did("Visited or searched the site", 1, seen("page_view", "search"), half_life_days=14, cap_points=10, group=READING),
        quiet(30, -5),
        quiet(90, -10),
        {"kind": "age", "name": "Known for more than a year", "days": 365, "points": -5},
        *ALWAYS,
    ],
}  # fmt: skip


def third():
    """What marketing proposes next: as many deals from fewer hand-offs, as the lab shows."""
    table = deepcopy(SECOND)
    table["note"] = (
        "The booth brings many and sells little, a partner’s webinar the other way round: guests of the one must do more"
        " now, guests of the other less. Who has no money waits."
    )
    rules = table["rules"]
    next(rule for rule in rules if rule["name"] == "Has no budget")["points"] = -40
    rules[4:4] = [
        fit("Came by a partner’s webinar", 10, came_by("partner-webinar")),
        fit("Met us at the booth", -15, came_by("trade-show")),
        fit("VIP of the trade fair 2026", 15, {"is": "in_list", "list": VIPS}),
    ]
    return table


FORECAST = {
    "note": "First version, for the launch in food and retail",
    "thresholds": THRESHOLDS | {"ready_fit": 20, "ready_engagement": 20, "mql_fit": 15},
    "scale": HOT_MEDIUM_COLD,
    "groups": [{"name": READING, "cap_points": 10}],
    "rules": [
        fit("Decides: VP, director, head, chief", 15, DECIDES),
        fit("Company of 50 or more", 15, staff(50)),
        fit("Asked for Planwell Forecast", 10, {"is": "product_stated", "product": "forecast"}),
        fit("Free-mail address", -5, {"is": "free_mail"}),
        did("Read about Planwell Forecast", 8, about(product="forecast"), cap_count=4, steps=FADING),
        did("Searched for forecasting", 6, searched("forecast", "forecasting", "demand"), cap_count=3, steps=FADING),
        did("Looked at prices", 6, PRICES, cap_count=2, steps=FADING),
        did("Visited the site", 1, seen("page_view"), half_life_days=14, cap_points=10, group=READING),
        quiet(60, -5),
        ALWAYS[0],
        ALWAYS[2],
    ],
}  # fmt: skip
