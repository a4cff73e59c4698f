"""Starter models to copy: software, services, industrial, event follow-up. Sensible beginnings, meant to be changed.

Each is a table: what the model is for, thresholds, scale, ideal customers, groups with their caps, and rules.
`scoring.publish.first_draft` makes a draft of one. A rule names its profile and its group.
"""

from scoring.starter import DECIDES, FREE_MAIL, RECOMMENDS, SCALE, company, lead, seen

COMPETITOR = company("relationship", "equals", "competitor")
INVITES = seen("hand_raise")


def soon(days):
    return {"is": "timeline_within", "days": days}


def any_of(*conditions):
    return {"any": list(conditions)}


def all_of(*conditions):
    return {"all": list(conditions)}


def staff(least, most=None):
    """A company of `least` to `most` people."""
    bounds = [company("size", "at_least", least)] + ([company("size", "at_most", most)] if most else [])
    return all_of(*bounds)


def titles(*texts):
    return any_of(*(lead("job_title", "contains", text) for text in texts))


def fit(name, points, condition, **more):
    return {"kind": "fit", "name": name, "points": points, "condition": condition, **more}


def did(name, points, condition, **more):
    return {"kind": "activity", "name": name, "points": points, "condition": condition, **more}


def quiet(days, points):
    return {"kind": "inactivity", "name": f"Quiet for {days} days", "days": days, "points": points}


ALWAYS = [
    {"kind": "hand_raise", "name": "Asks for sales", "condition": INVITES},
    {"kind": "exclude", "name": "Works for a competitor", "condition": COMPETITOR},
    {
        "kind": "exclude",
        "name": "Looks for a job or studies",
        "condition": any_of(lead("role", "equals", "student"), lead("job_title", "contains", "job seeker")),
    },
]
FADING = [[30, 1.0], [90, 0.5]]  # full for a month, half for a quarter

HOT_MEDIUM_COLD = {
    "ratings": [
        ["Hot", "Call today", 30],
        ["Medium", "Invite and nurture", 5],
        ["Cold", "Leave in the newsletter", 0],
    ],
    "fit_bands": [["Right", 30], ["Possible", 10], ["Wrong", 0]],
    "engagement_bands": [["Active", 25], ["Aware", 8], ["Quiet", 0]],
    "cells": {
        "Right/Active": "Hot", "Right/Aware": "Hot", "Right/Quiet": "Medium",
        "Possible/Active": "Hot", "Possible/Aware": "Medium", "Possible/Quiet": "Cold",
        "Wrong/Active": "Medium", "Wrong/Aware": "Cold", "Wrong/Quiet": "Cold",
    },
}  # fmt: skip
ONE_TO_FIVE = {
    "ratings": [
        ["5", "Call within the hour", 45],
        ["4", "Call this week", 30],
        ["3", "Personal mail, then nurture", 10],
        ["2", "Nurture", 2],
        ["1", "No effort until something changes", 0],
    ],
    "fit_bands": [["High", 40], ["Medium", 20], ["Low", 0]],
    "engagement_bands": [["High", 30], ["Medium", 10], ["Low", 0]],
    "cells": {
        "High/High": "5", "High/Medium": "4", "High/Low": "3",
        "Medium/High": "4", "Medium/Medium": "3", "Medium/Low": "2",
        "Low/High": "3", "Low/Medium": "2", "Low/Low": "1",
    },
}  # fmt: skip
A_TO_D = {part: SCALE[part] for part in ("fit_bands", "engagement_bands", "cells")} | {
    "ratings": [
        ["A", "Sales: call within the hour", 45],
        ["B", "Call this week if sales-ready, else nurture closely", 15],
        ["C", "Nurture", 2],
        ["D", "No effort until something changes", 0],
    ]
}
# Scales to copy, by the name a marketer chooses them by.
SCALES = {
    "a-to-d": ("A to D, fit and engagement", A_TO_D),
    "1-to-5": ("5 to 1, fit and engagement", ONE_TO_FIVE),
    "hot-medium-cold": ("Hot, medium, cold", HOT_MEDIUM_COLD),
}

SOFTWARE = {
    "title": "Software: subscriptions for companies",
    "note": "From the software starter",
    "goals": "Find teams that try the product and have somebody who can sign.",
    "target_market": "Companies of 50 to 2,000 people with their own IT; decision makers in operations, IT and finance.",
    "hypothesis": "Who fits, has seen prices and comes back within two weeks buys within a quarter. It is wrong if A leads"
    " win no more often than B leads after two quarters.",
    "thresholds": {"mql_fit": 20, "ready_fit": 40, "ready_engagement": 30, "cap_engagement": 100},
    "scale": A_TO_D,
    "profiles": [
        {"name": "Midmarket", "description": "50 to 999 people, one decision maker"},
        {"name": "Enterprise", "description": "1,000 people and more, a buying group"},
    ],
    "groups": [
        {"name": "Interest in buying", "cap_points": 60},
        {"name": "Reading along", "cap_points": 25},
    ],
    "rules": [
        fit("Decides: VP, director, head, chief", 25, DECIDES),
        fit("Recommends or evaluates", 10, RECOMMENDS),
        fit("Wants to buy within three months", 10, soon(90)),
        fit("Free-mail address", -5, FREE_MAIL),
        fit("Company of 50 to 999", 20, staff(50, 999), profile="Midmarket"),
        fit("Company of 1,000 or more", 15, staff(1000), profile="Enterprise"),
        fit("Security, architecture or procurement", 10, titles("security", "architect", "procurement"), profile="Enterprise"),
        did("Looked at prices", 10, seen("page_view", asset="/pricing"), cap_count=3, steps=[[7, 1.0], [30, 0.5]], group="Interest in buying"),
        did("Looked at prices twice in 14 days", 15, seen("page_view", asset="/pricing"), min_count=2, window_days=14, group="Interest in buying"),
        did("Started a trial", 30, seen("trial_started"), cap_count=1, steps=[[14, 1.0], [30, 0.5]], group="Interest in buying"),
        did("Looked at the demo page", 8, seen("page_view", asset="/demo"), cap_count=2, steps=[[14, 1.0], [30, 0.5]], group="Interest in buying"),
        did("Downloaded something", 10, seen("download", "form_submit"), cap_count=3, steps=FADING),
        did("Attended a webinar", 12, seen("webinar"), cap_count=2, steps=FADING),
        did("Clicked in our mail", 3, seen("mail_click"), cap_points=12, window_days=60, group="Reading along"),
        did("Visited or searched the site", 1, seen("page_view", "search"), half_life_days=14, cap_points=15, group="Reading along"),
        quiet(30, -5),
        quiet(90, -10),
        *ALWAYS,
    ],
}  # fmt: skip

SERVICES = {
    "title": "Services: consulting, agencies, outsourcing",
    "note": "From the services starter",
    "goals": "Find companies with a project, a budget and somebody who owns it, early enough to shape the brief.",
    "target_market": "Companies of 100 people and more in regulated or growing industries; owners of a budget.",
    "hypothesis": "Services are bought from people: who reads case studies and comes to an event talks to us. It is wrong"
    " if most won projects came by referral without any of it.",
    "thresholds": {"mql_fit": 20, "ready_fit": 30, "ready_engagement": 20},
    "scale": HOT_MEDIUM_COLD,
    "profiles": [{"name": "Project sponsor", "description": "Owns a budget and a problem with a date"}],
    "groups": [{"name": "Reading", "cap_points": 20}],
    "rules": [
        fit("Owns a budget: director, head, partner, owner", 20, DECIDES),
        fit("Company of 100 or more", 15, staff(100)),
        fit("Company of fewer than 10", -15, company("size", "at_most", 9)),
        fit("Has a project within six months", 20, soon(180), profile="Project sponsor"),
        fit("Named the service they want", 10, lead("product_interest", "known"), profile="Project sponsor"),
        fit("Free-mail address", -5, FREE_MAIL),
        did("Read a case study", 6, {"is": "touchpoint", "kind": "page_view", "asset": "/case-studies"}, cap_count=4, steps=FADING, group="Reading"),
        did("Downloaded something", 8, seen("download", "form_submit"), cap_count=3, steps=FADING, group="Reading"),
        did("Met us at an event", 15, seen("event"), cap_count=2, steps=[[60, 1.0], [180, 0.5]]),
        did("Attended a webinar", 10, seen("webinar"), cap_count=2, steps=FADING),
        did("Looked at who we are", 5, seen("page_view", asset="/team"), cap_count=2, window_days=60),
        quiet(60, -5),
        quiet(180, -15),
        *ALWAYS,
    ],
}  # fmt: skip

INDUSTRIAL = {
    "title": "Industrial: machines, components, long cycles",
    "note": "From the industrial starter",
    "goals": "Find plants with a capacity or quality problem, and the engineer and the buyer in them.",
    "target_market": "Manufacturers of 200 people and more; plant managers, engineers, procurement.",
    "hypothesis": "Engineers specify before buyers ask for quotes: data sheets and drawings come first. It is wrong if"
    " quotes come without an engineer having been here.",
    "thresholds": {"mql_fit": 25, "ready_fit": 40, "ready_engagement": 20},
    "scale": ONE_TO_FIVE,
    "profiles": [
        {"name": "Engineer", "description": "Specifies: technical titles"},
        {"name": "Buyer", "description": "Compares and orders: procurement"},
    ],
    "groups": [{"name": "Technical documents", "cap_points": 40}],
    "rules": [
        fit("Manufacturer", 15, company("industry", "one_of", ["Manufacturing", "Automotive", "Machinery", "Electronics"])),
        fit("Company of 200 or more", 15, staff(200)),
        fit("Runs a plant or a line", 15, titles("plant", "production", "operations")),
        fit("Engineers or designs", 15, titles("engineer", "design", "R&D"), profile="Engineer"),
        fit("Buys", 15, titles("purchas", "procurement", "buyer", "sourcing"), profile="Buyer"),
        fit("Wants to buy within a year", 10, soon(365)),
        fit("Free-mail address", -10, FREE_MAIL),
        did("Took a data sheet", 8, {"is": "touchpoint", "kind": "download", "asset": "/spec-sheets"}, cap_count=4, steps=[[90, 1.0], [365, 0.5]], group="Technical documents"),
        did("Took a drawing or a model", 12, {"is": "touchpoint", "kind": "download", "asset": "/cad"}, cap_count=3, steps=[[90, 1.0], [365, 0.5]], group="Technical documents"),
        did("Came to the booth", 15, seen("event"), cap_count=2, steps=[[90, 1.0], [365, 0.5]]),
        did("Looked at delivery or prices", 8, any_of(seen("page_view", asset="/pricing"), seen("page_view", asset="/delivery")), cap_count=3, steps=FADING),
        did("Back three times in a month", 10, seen("page_view"), min_count=3, window_days=30),
        quiet(180, -10),
        *ALWAYS,
    ],
}  # fmt: skip

EVENT = {
    "title": "Event follow-up: fairs, webinars, round tables",
    "note": "From the event follow-up starter",
    "goals": "Tell within two days of an event whom to call, whom to invite again and whom to leave in peace.",
    "target_market": "Those who met us: visitors of fairs and webinars, and their companies.",
    "hypothesis": "What people do in the two weeks after an event says more than that they came. It is wrong if the"
    " silent visitors buy as often.",
    "thresholds": {"mql_fit": 10, "ready_fit": 20, "ready_engagement": 30},
    "scale": HOT_MEDIUM_COLD,
    "profiles": [{"name": "Met in person", "description": "Talked to us at the booth and named a project"}],
    "groups": [{"name": "After the event", "cap_points": 40}],
    "rules": [
        fit("Decides: VP, director, head, chief", 20, DECIDES),
        fit("Recommends or evaluates", 10, RECOMMENDS),
        fit("Company of 50 or more", 10, staff(50)),
        fit("Wants to buy within six months", 15, soon(180), profile="Met in person"),
        fit("Free-mail address", -5, FREE_MAIL),
        did("Came to an event", 15, seen("event"), cap_count=2, steps=[[14, 1.0], [45, 0.5]]),
        did("Attended a webinar", 10, seen("webinar"), cap_count=2, steps=[[14, 1.0], [45, 0.5]]),
        did("Opened what we sent: clicked", 8, seen("mail_click"), cap_count=2, window_days=30, group="After the event"),
        did("Visited the site", 4, seen("page_view"), cap_count=5, window_days=14, group="After the event"),
        did("Took the slides or a paper", 10, seen("download", "form_submit"), cap_count=2, window_days=30, group="After the event"),
        quiet(14, -5),
        quiet(45, -15),
        {"kind": "bite", "name": "Asked to be called after the event", "condition": seen("call_back")},
        *ALWAYS,
    ],
}  # fmt: skip

STARTERS = {"software": SOFTWARE, "services": SERVICES, "industrial": INDUSTRIAL, "event": EVENT}
PURPOSE = ("goals", "target_market", "hypothesis")  # goes into the model that begins with a starter
