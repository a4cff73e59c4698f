"""The starter model: sensible B2B rules to begin with, published in every new installation and meant to be edited.

A decision maker at a company of 300 with one download is an MQL and is nurtured: fit 45, engagement 10. With two
looks at the prices and a second download it is sales-ready: fit 45 of 30, engagement 40 of 30.
"""

from django.utils import timezone

from scoring import models

SLUG = "starter"


def lead(field, op, value=None):
    return {"is": "lead_field", "field": field, "op": op} | ({} if value is None else {"value": value})


def company(field, op, value=None):
    return lead(field, op, value) | {"is": "company_field"}


def seen(*kinds, asset=""):
    leaves = [{"is": "touchpoint", "kind": kind} | ({"asset": asset} if asset else {}) for kind in kinds]
    return leaves[0] if len(leaves) == 1 else {"any": leaves}


def contains_any(field, *texts):
    return [lead(field, "contains", text) for text in texts]


DECIDES = {
    "any": [
        *contains_any("role", "decision", "executive", "economic buyer"),
        *contains_any(
            "job_title", "VP", "vice president", "director", "head of", "chief", "managing partner", "founder"
        ),
        lead(
            "job_title",
            "one_of",
            ["CEO", "CTO", "CIO", "CFO", "COO", "CMO", "CRO", "CISO", "Owner", "President"],
        ),
    ]
}
RECOMMENDS = {
    "all": [
        {
            "any": contains_any("role", "influencer", "recommend", "evaluator")
            + contains_any("job_title", "manager")
        },
        {"none": [DECIDES]},
    ]
}
FREE_MAIL = {"is": "free_mail"}
TARGET_INDUSTRIES = ["Software", "Technology", "Manufacturing", "Financial services", "Professional services"]
SOON = ["now", "immediately", "within 30 days", "within 3 months", "1-3 months", "0-3 months", "this quarter"]

RULES = [
    # Fit: who they are
    {"kind": "fit", "name": "Decides: VP, director, head, chief", "condition": DECIDES, "points": 25},
    {"kind": "fit", "name": "Recommends or evaluates", "condition": RECOMMENDS, "points": 10},
    {
        "kind": "fit",
        "name": "Company of 200 or more",
        "condition": company("size", "at_least", 200),
        "points": 20,
    },
    {
        "kind": "fit",
        "name": "Company of 50 to 199",
        "condition": {"all": [company("size", "at_least", 50), company("size", "at_most", 199)]},
        "points": 10,
    },
    {
        "kind": "fit",
        "name": "Company of fewer than 10",
        "condition": company("size", "at_most", 9),
        "points": -10,
    },
    {
        "kind": "fit",
        "name": "Target industry",
        "condition": company("industry", "one_of", TARGET_INDUSTRIES),
        "points": 10,
    },
    {
        "kind": "fit",
        "name": "Buys within three months",
        "condition": lead("timeline", "one_of", SOON),
        "points": 10,
    },
    {
        "kind": "fit",
        "name": "Free-mail address",
        "condition": FREE_MAIL,
        "points": -5,
    },
    # Engagement: what they do, and how lately
    {
        "kind": "activity",
        "name": "Looked at prices",
        "condition": seen("page_view", asset="/pricing"),
        "points": 10,
        "cap_count": 3,
        "steps": [[7, 1.0], [30, 0.5]],
    },
    {
        "kind": "activity",
        "name": "Looked at the demo page",
        "condition": seen("page_view", asset="/demo"),
        "points": 8,
        "cap_count": 2,
        "steps": [[14, 1.0], [30, 0.5]],
    },
    {
        "kind": "activity",
        "name": "Downloaded something",
        "condition": seen("download", "form_submit"),
        "points": 10,
        "cap_count": 4,
        "steps": [[30, 1.0], [90, 0.5]],
    },
    {
        "kind": "activity",
        "name": "Attended a webinar or event",
        "condition": seen("webinar", "event"),
        "points": 12,
        "cap_count": 2,
        "steps": [[30, 1.0], [90, 0.5]],
    },
    {
        "kind": "activity",
        "name": "Clicked in our mail",
        "condition": seen("mail_click"),
        "points": 3,
        "cap_points": 12,
        "window_days": 60,
    },
    {
        "kind": "activity",
        "name": "Visited or searched the site",
        "condition": seen("page_view", "search"),
        "points": 1,
        "cap_points": 5,
        "window_days": 30,
    },
    {
        "kind": "activity",
        "name": "Asked for sales",
        "condition": seen("hand_raise"),
        "points": 40,
        "cap_count": 1,
        "steps": [[30, 1.0], [90, 0.5]],
    },
    {"kind": "inactivity", "name": "Quiet for 30 days", "days": 30, "points": -5},
    {"kind": "inactivity", "name": "Quiet for 90 days", "days": 90, "points": -10},
    {"kind": "age", "name": "Known for more than a year", "days": 365, "points": -5},
    # What decides whatever the points
    {"kind": "hand_raise", "name": "Asks for sales", "condition": seen("hand_raise")},
    {
        "kind": "exclude",
        "name": "Works for a competitor",
        "condition": company("relationship", "equals", "competitor"),
    },
]
THRESHOLDS = {"mql_fit": 20, "ready_fit": 30, "ready_engagement": 30}
SCALE = {
    "name": "A to D, fit and engagement",
    "ratings": [
        ["A", "Sales: call within the hour"],
        ["B", "Call this week if sales-ready, else nurture closely"],
        ["C", "Nurture"],
        ["D", "No effort until something changes"],
    ],
    "fit_bands": [["High", 40], ["Medium", 20], ["Low", 0]],
    "engagement_bands": [["High", 30], ["Medium", 10], ["Low", 0]],
    "cells": {
        "High/High": "A", "High/Medium": "B", "High/Low": "C",
        "Medium/High": "B", "Medium/Medium": "C", "Medium/Low": "C",
        "Low/High": "C", "Low/Medium": "D", "Low/Low": "D",
    },
}  # fmt: skip

# What a model without rules begins with; `scoring.starters` holds tables of the same shape.
EMPTY = {"thresholds": THRESHOLDS, "scale": SCALE}


def create_starter_model(apps=None):
    """The starter model, published at once: for a database that has no leads yet. It routes unless another does.

    `apps` is a migration's registry; without it the models of today are used. Returns the version; made only once.
    """
    get = apps.get_model if apps else lambda _app, name: getattr(models, name)
    ScoringModel, ModelVersion = get("scoring", "ScoringModel"), get("scoring", "ModelVersion")
    model, created = ScoringModel.objects.get_or_create(
        slug=SLUG,
        defaults={"name": "Starter model", "routes": not ScoringModel.objects.filter(routes=True).exists()},
    )
    if not created:
        return ModelVersion.objects.get(pk=model.current_version_id)
    scale = get("scoring", "Scale").objects.create(**SCALE)
    version = ModelVersion.objects.create(model=model, number=1, scale=scale, note="As shipped", **THRESHOLDS)
    Rule = get("scoring", "Rule")
    Rule.objects.bulk_create(
        Rule(version=version, position=position, **rule) for position, rule in enumerate(RULES, start=1)
    )
    version.status, version.published_at = "published", timezone.now()
    version.save(update_fields=["status", "published_at"])
    model.current_version = version
    model.save(update_fields=["current_version"])
    get("scoring", "Publication").objects.create(model=model, version=version, at=version.published_at)
    return version
