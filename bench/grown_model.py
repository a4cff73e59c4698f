"""The model of the scoring bench: rules in the proportions of one that has been worked on for years, and the loop
over leads and rules that one would write first, in the words of the ORM."""

from datetime import timedelta


def lead(field, op, value):
    return {"is": "lead_field", "field": field, "op": op, "value": value}


def company(field, op, value):
    return lead(field, op, value) | {"is": "company_field"}


def seen(kind, asset):
    return {"is": "touchpoint", "kind": kind, "asset": asset}


FITS = [
    lead("role", "equals", "decision maker"), lead("role", "contains", "influencer"), lead("job_title", "contains", "VP"),
    lead("job_title", "one_of", ["CTO", "CEO", "CFO", "COO"]), lead("job_title", "contains", "director"),
    lead("job_title", "contains", "manager"), lead("job_title", "contains", "student"), lead("country", "one_of", ["DE", "AT", "CH"]),
    lead("country", "equals", "US"), lead("timeline", "one_of", ["within 30 days", "within 3 months"]),
    lead("phone", "contains", "+49"), company("size", "at_least", 200), company("size", "at_least", 1000),
    company("size", "at_most", 20), company("industry", "one_of", ["Software", "Manufacturing", "Energy"]),
    company("relationship", "equals", "partner"),
]  # fmt: skip
ACTS = [
    ("page_view", "/pricing"), ("page_view", "/product/1"), ("page_view", "/product/2"), ("page_view", "/product"),
    ("page_view", "/blog"), ("page_view", "/docs"), ("page_view", "/careers"), ("page_view", ""), ("download", ""),
    ("download", "/papers/1"), ("download", "/papers/2"), ("webinar", ""), ("mail_click", ""), ("mail_click", "/news/1"),
    ("search", ""), ("form_submit", ""), ("form_submit", "form-1"), ("event", ""),
]  # fmt: skip
FADING = [
    {"steps": [[7, 1.0], [30, 0.5]], "cap_count": 3}, {"steps": [[14, 1.0], [60, 0.4]], "cap_points": 20},
    {"window_days": 60, "cap_count": 5}, {"cap_count": 4}, {"window_days": 90, "cap_points": 15},
    {"steps": [[30, 1.0], [90, 0.5], [180, 0.1]], "cap_count": 6},
]  # fmt: skip
ALWAYS = [
    {"kind": "inactivity", "points": -5, "days": 30}, {"kind": "inactivity", "points": -10, "days": 90},
    {"kind": "age", "points": -3, "days": 180}, {"kind": "age", "points": -5, "days": 365},
    {"kind": "exclude", "condition": company("relationship", "equals", "competitor")},
    {"kind": "hand_raise", "condition": seen("hand_raise", "")},
]  # fmt: skip


def rules(*, fit=16, activity=18, more=0):
    """Dicts of Rule fields: `fit` and `activity` rules and the six that every model has. `more` is added to all points."""
    fits = [
        {"kind": "fit", "points": 2 + n % 5 * 4 + more, "condition": FITS[n % len(FITS)]} for n in range(fit)
    ]
    acts = [
        {"kind": "activity", "points": 1 + n % 7 + more, "condition": seen(*ACTS[n % len(ACTS)])}
        | FADING[n % len(FADING)]
        for n in range(activity)
    ]
    return [*fits, *acts, *ALWAYS]


# The loop: a query per lead and rule, and one to save the score. It finds what the engine finds, but for the rating and
# when the score next changes.

LOOKUPS = {"equals": "iexact", "contains": "icontains", "one_of": "in", "at_least": "gte", "at_most": "lte"}


def loop(lead_ids, *, version, at):
    """Score these leads one by one and rule by rule; {lead id: (fit, engagement)}."""
    from scoring.models import Score

    given, found = list(version.rules.all()), {}
    for lead_id in lead_ids:
        fit = sum(points_of_fit(rule, lead_id, at) for rule in given if rule.kind == "fit")
        engagement = sum(
            points_of_time(rule, lead_id, at) for rule in given if rule.kind in ("inactivity", "age")
        )
        engagement += sum(points_of_activity(rule, lead_id, at) for rule in given if rule.kind == "activity")
        Score.objects.filter(model_version=version, lead=lead_id).update(
            fit=fit, engagement=engagement, total=fit + engagement
        )
        found[lead_id] = fit, engagement
    return found


def points_of_fit(rule, lead_id, at):
    from django.db.models import Case, CharField, F, Value, When
    from django.db.models.functions import Coalesce, NullIf

    from leads.models import Lead

    own = {
        "size": Coalesce("company__size", "company_size"),
        "industry": Coalesce(NullIf("company__industry", Value("")), "industry"),
        "timeline": Case(When(timeline_until__lte=at, then=Value("")), default=F("timeline"), output_field=CharField()),
    }  # fmt: skip
    tree = rule.condition
    known = own.get(tree["field"], F(("company__" if tree["is"] == "company_field" else "") + tree["field"]))
    asked = Lead.objects.annotate(asked=known).filter(**{f"asked__{LOOKUPS[tree['op']]}": tree["value"]})
    return rule.points * asked.filter(pk=lead_id).exists()


def points_of_activity(rule, lead_id, at):
    did = done(lead_id, at).filter(
        touchpoint__kind=rule.condition["kind"], touchpoint__asset__startswith=rule.condition["asset"]
    )
    if rule.window_days:
        did = did.filter(occurred_at__gt=at - timedelta(days=rule.window_days))
    worth = 0
    for happened in did.order_by("-occurred_at").values_list("occurred_at", flat=True)[: rule.cap_count]:
        steps = rule.steps or [[None, 1.0]]
        worth += next((share for days, share in steps if not days or at - happened < timedelta(days=days)), 0)
    points = rule.points * worth
    return (
        points if rule.cap_points is None else max(-abs(rule.cap_points), min(abs(rule.cap_points), points))
    )


def points_of_time(rule, lead_id, at):
    from leads.models import Lead

    since = at - timedelta(days=rule.days)
    is_old = Lead.objects.filter(pk=lead_id, created_at__lte=since).exists()
    if rule.kind == "age":
        return rule.points * is_old
    last = done(lead_id, at).order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    return rule.points * (last <= since if last else is_old)


def done(lead_id, at):
    from leads.models import Activity

    return Activity.objects.filter(lead=lead_id, engagement=True, occurred_at__lte=at)
