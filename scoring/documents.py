"""What a model is for and what counts as a quality lead: in words, from its rules; and the yearly look at both."""

from django.db.models.functions import Coalesce, Greatest

from leads.criteria import LEAD, BadCondition
from leads.criteria.tree import sentence
from leads.models import Product
from scoring.engine.rulebook import LEAD_CRITERIA
from scoring.models import Rule, ScoringModel
from scoring.rule_words import in_order, rule_line
from scoring.words import amount

Kind = Rule.Kind
# What the rules of these kinds are together, as a reader asks for it.
SECTIONS = (
    ("Who fits", "Points for fit: who they are.", (Kind.FIT,)),
    ("What they do", "Points for engagement: what they do, and how lately.", (Kind.ACTIVITY,)),
    ("What time takes back", "Points for engagement that go when nothing happens.", (Kind.INACTIVITY, Kind.AGE)),
    ("Passes at once", "Sales-ready whatever the points.", (Kind.HAND_RAISE, Kind.BITE)),
    ("Never passes", "Disqualifies whatever the points.", (Kind.EXCLUDE,)),
)  # fmt: skip
OF_ALL = ""  # the heading of rules that belong to no profile and no group


def what_counts(version):
    """Everything a version says, in words: thresholds, ratings with their matrix, profiles, rules by group."""
    rules = in_order(version.rules.select_related("profile", "group"))
    return {
        "thresholds": _thresholds(version, rules),
        "ratings": [_rating(*row) for row in version.scale.ratings],
        "matrix": _matrix(version.scale),
        "profiles": list(version.profiles.all()),
        "sections": [
            {
                "title": title,
                "about": about,
                "blocks": _blocks([rule for rule in rules if rule.kind in kinds]),
            }
            for title, about, kinds in SECTIONS
            if any(rule.kind in kinds for rule in rules)
        ],
    }


def _thresholds(version, rules):
    """[(what a lead is called, from when on)]: the sentences that sales agreed to."""
    found = [
        (
            "MQL",
            f"fit of at least {version.mql_fit:g}, an e-mail address or phone, and nothing that excludes.",
        ),
        (
            "Sales-ready",
            f"an MQL with a fit of at least {version.ready_fit:g} and an engagement of at least"
            f" {version.ready_engagement:g}. Fit alone never passes.",
        ),
    ]
    for kind, called in ((Kind.HAND_RAISE, "Hand-raise"), (Kind.BITE, "Bite")):
        names = [rule.name for rule in rules if rule.kind == kind]
        if names:
            found.append((called, f"sales-ready at once, whatever the points: {'; '.join(names)}."))
    for cap, part in ((version.cap_fit, "Fit"), (version.cap_engagement, "Engagement")):
        if cap is not None:
            found.append((f"{part} in all", f"at most {amount(cap, 'point')}."))
    return found


def _rating(label, action, minutes=None):
    return {"label": label, "action": action, "minutes": minutes}


def _matrix(scale):
    """The rating of each cell, with the points of each band in words: {"columns": […], "rows": [(band, […])]}."""
    columns = _bands(scale.engagement_bands)
    rows = [
        (band, [scale.cells.get(f"{band['label']}/{column['label']}", "") for column in columns])
        for band in _bands(scale.fit_bands)
    ]
    return {"columns": columns, "rows": rows}


def _bands(bands):
    """[{label, points}]: each band with its points in words; the last takes the rest."""
    found, above = [], None
    for label, minimum in bands[:-1]:
        found.append({"label": label, "points": f"{minimum:g} or more"})
        above = minimum
    rest = "any" if above is None else f"below {above:g}"
    return [*found, {"label": bands[-1][0], "points": rest}]


def _blocks(rules):
    """Rules by profile and group, those of neither first: [{"title", "cap", "lines"}]."""
    blocks = {}
    for rule in rules:
        profile = f"Profile: {rule.profile.name}" if rule.profile else ""
        title = " · ".join(filter(None, [profile, rule.group.name if rule.group else ""])) or OF_ALL
        cap = rule.group.cap_points if rule.group else None
        block = blocks.setdefault(title, {"title": title, "cap": cap, "lines": []})
        block["lines"].append(rule_line(rule))
    return sorted(blocks.values(), key=lambda block: block["title"] != OF_ALL)


def whom_in_words(model):
    """The leads a model judges, as a sentence without a full stop."""
    try:
        return sentence(model.applies_to or {}, criteria=LEAD_CRITERIA, scope=LEAD)
    except BadCondition as bad:
        return f"cannot be read: {bad}"


def product_names(model):
    """The products a model is for, by name; a slug that is gone is said as it is."""
    names = dict(Product.objects.filter(slug__in=model.products).values_list("slug", "name"))
    return [names.get(slug, slug) for slug in model.products]


# --- The yearly review -----------------------------------------------------------------------------


def review_due(at):
    """Models in force that nobody has reviewed for `review_every_days`, longest first.

    Approving a version counts as a review: marketing and sales have agreed on it; rolling back to it does not. Each model
    has `reviewed_last`, the instant since which the days are counted.
    """
    version = "current_version__"
    approved = Greatest(f"{version}approved_by_marketing_at", f"{version}approved_by_sales_at")
    agreed = Coalesce(approved, f"{version}published_at")
    models = ScoringModel.objects.filter(current_version__isnull=False).annotate(
        reviewed_last=Greatest("reviewed_at", agreed)  # ignores what is unknown
    )
    due = [
        model
        for model in models
        if model.reviewed_last and (at - model.reviewed_last).days >= model.review_every_days
    ]
    return sorted(due, key=lambda model: model.reviewed_last)


def mark_reviewed(*, model, by, at):
    """Marketing and sales have looked at goals, hypothesis and rules; the next reminder is a period away."""
    model.reviewed_by, model.reviewed_at = by, at
    model.save(update_fields=["reviewed_by", "reviewed_at"])
