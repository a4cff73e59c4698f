"""The demo's models and segments: what marketing and sales agreed on, and when each version came into force.

Everything is made by the verbs that people use, at the moment of loading. Then the dates are set back, because an
agreement made this second tells nothing; and `rewind` and `due` let the history live through it.
"""

from datetime import timedelta

from django.contrib.auth.models import User

from scoring import approval, criteria, publish, starter
from scoring.models import ModelVersion, Publication, ScoringModel, Segment

from . import rules
from .population import DAYS

MARKETER, MANAGER = "mia", "mona"
FORECAST = "forecast"
# (model, number): days before the demo's last day on which it came into force. Stories are told after the history, by what
# is in force then; so each of these was before the first of them began.
IN_FORCE = {(starter.SLUG, 1): DAYS + 1, (starter.SLUG, 2): 240, (FORECAST, 1): 210}
IN_REVIEW = {(starter.SLUG, 3): 2}  # days since marketing asked for approval
REVIEWED_BEFORE = timedelta(days=3, hours=14, minutes=40)  # in office hours, while versions flip at midnight

ROUTING_MODEL = {
    "name": "Planner: new customers",
    "goals": "Hand sales fewer leads, and those with a budget and a date. Keep everybody else reading until they have both.",
    "target_market": "Plants and logistics companies of 100 people and more in Europe and the US that plan with"
    " spreadsheets today; heads of operations and planning.",
    "products": ["planner", "floor"],
    "quarter_target": "12 deals of 20,000 or more; two thirds from companies of 200 and more",
    "ready_per_week": 14,
    "hypothesis": "Who decides at a company of 200 or more and looks at prices twice in two weeks buys within a quarter."
    " It is wrong if A leads win no more often than B leads after two quarters.",
}  # fmt: skip
FORECAST_MODEL = {
    "name": "Forecast: food and retail",
    "applies_to": {
        "all": [
            {
                "is": "company_field",
                "field": "industry",
                "op": "one_of",
                "value": ["Food", "Retail", "Logistics"],
            }
        ]
    },
    "goals": "Show who among food and retail companies is looking for forecasting, before the launch. It routes nobody yet.",
    "target_market": "Food, retail and logistics companies of 50 people and more.",
    "products": ["forecast"],
    "quarter_target": "30 hot leads to invite to the launch",
    "hypothesis": "Who reads about forecasting and searches for it joins the launch. It is wrong if cold leads do too.",
    "is_demo": True,
}
SECOND_SAID = (
    (
        MARKETER,
        "Many of those we passed had only read a lot. This asks for a budget and for prices, and counts papers for less.",
    ),
    (MANAGER, "Good: students keep my team from real buyers. Keep an eye on influencers at small plants."),
    (MARKETER, "Agreed: fit 35 to pass. We look at it again after two quarters."),
)
THIRD_SAID = (
    (
        MARKETER,
        "Try it in the lab before you sign: it shows who would no longer pass, and what became of people like them.",
    ),
)

DECIDERS = "decision-makers-at-prices"
# slug, name, note, condition
SEGMENTS = (
    (DECIDERS, "Decision makers who looked at prices", "In the last 30 days",
     {"all": [rules.SENIOR, {"is": "did", "kind": "page_view", "asset": "/pricing", "days": 30}]}),
    ("quiet-customers-colleagues", "Quiet customers' colleagues", "People of customers of whom we hear nothing",
     {"all": [{"is": "company_field", "field": "relationship", "op": "equals", "value": "customer"},
              {"is": "did_nothing", "days": 90}]}),
    ("budget-and-no-call", "Budget, and not with sales", "They said yes to a budget and are rated B or C",
     {"all": [rules.custom("custom.has_budget", "yes"), {"is": "rating", "one_of": ["B", "C"]}]}),
    ("contract-ends-soon", "Contract elsewhere ends soon", "Within 120 days",
     {"all": [rules.custom("company.custom.contract_end", "next_days", 120)]}),
    ("fair-vips-still-cold", "VIPs of the fair who are still quiet", "Invite them again",
     {"all": [{"is": "in_list", "list": rules.VIPS}, {"is": "did_nothing", "days": 30}]}),
    ("deciders-of-prospects", "Decision makers at prices, prospects only", "A segment of a segment",
     {"all": [{"is": "segment", "segment": DECIDERS},
              {"is": "company_field", "field": "relationship", "op": "equals", "value": "prospect"}]}),
)  # fmt: skip


def load(at):
    """Load what is missing; a model that somebody has worked on stays as it is."""
    _routing_model(at)
    _forecast_model(at)
    for slug, name, note, condition in SEGMENTS:
        if not Segment.objects.filter(slug=slug).exists():
            criteria.check_segment(slug=slug, condition=condition)
            Segment.objects.create(slug=slug, name=name, note=note, condition=condition, is_demo=True)


def _routing_model(at):
    model = ScoringModel.objects.filter(slug=starter.SLUG, current_version__number=1).first()
    if model is None or model.versions.count() > 1:
        return
    ScoringModel.objects.filter(pk=model.pk, goals="").update(**ROUTING_MODEL)
    _agreed(publish.first_draft(model=model, by=user(MARKETER), table=rules.SECOND), SECOND_SAID, at=at)
    third = publish.first_draft(model=model, by=user(MARKETER), table=rules.third())
    _reviewed(third, THIRD_SAID, at=at)
    approval.approve(version=third, by=user(MARKETER), side="marketing", at=at)
    set_back(at)


def _forecast_model(at):
    model, created = ScoringModel.objects.get_or_create(slug=FORECAST, defaults=FORECAST_MODEL)
    if created:
        _agreed(publish.first_draft(model=model, by=user(MARKETER), table=rules.FORECAST), (), at=at)
        set_back(at)


def _reviewed(draft, said, *, at):
    approval.ask_review(version=draft, by=user(MARKETER), at=at)
    for username, text in said:
        approval.comment(version=draft, by=user(username), text=text, at=at)


def _agreed(draft, said, *, at):
    _reviewed(draft, said, at=at)
    approval.approve(version=draft, by=user(MARKETER), side="marketing", at=at)
    approval.approve(version=draft, by=user(MANAGER), side="sales", at=at)
    publish.publish(version=draft, by=user(MARKETER), at=at)


def user(username):
    return User.objects.get(username=username)


# --- when it was ----------------------------------------------------------------------------------------


def set_back(anchor):
    """Date the demo's versions relative to `anchor`, the demo's last moment. What somebody did since keeps its dates."""
    for (slug, number), days in IN_FORCE.items():
        first = (
            Publication.objects.filter(version__model__slug=slug, version__number=number)
            .order_by("pk")
            .first()
        )
        if first:
            at = midnight(anchor - timedelta(days=days))
            Publication.objects.filter(pk=first.pk).update(at=at)
            ModelVersion.objects.filter(pk=first.version_id, review_asked_at=None).update(created_at=at)
            _date_review(first.version, at - REVIEWED_BEFORE)
    for (slug, number), days in IN_REVIEW.items():
        version = ModelVersion.objects.filter(model__slug=slug, number=number, status="in_review").first()
        if version:
            _date_review(version, anchor - timedelta(days=days))
    _date_flips()


def midnight(at):
    """When the day begins: the play has caught up with all that it recorded, so a flip finds what was known by then."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _date_review(version, at):
    """Written two days before the review; marketing signs the next day, sales the day after that."""
    for column, days in (("approved_by_marketing_at", 1), ("approved_by_sales_at", 2)):
        ModelVersion.objects.filter(pk=version.pk, **{f"{column}__isnull": False}).update(
            **{column: at + timedelta(days=days)}
        )
    ModelVersion.objects.filter(pk=version.pk, review_asked_at__isnull=False).update(
        created_at=at - timedelta(days=2), review_asked_at=at
    )
    for n, row in enumerate(version.comments.order_by("pk"), start=1):
        version.comments.filter(pk=row.pk).update(at=at + timedelta(hours=2 * n))


def _date_flips():
    """Of each version, the dates that its publications imply."""
    for model in ScoringModel.objects.filter(slug__in={slug for slug, _ in IN_FORCE}):
        flips = list(model.publications.order_by("at", "pk"))
        for flip, following in zip(flips, [*flips[1:], None], strict=True):
            ModelVersion.objects.filter(pk=flip.version_id).update(
                published_at=flip.at, superseded_at=following.at if following else None
            )


def rewind(start):
    """Where the history is played (`sandbox`): as if nothing had been published after `start`.

    Returns what was published since, oldest first: [(instant, version)].
    """
    Status = ModelVersion.Status
    ModelVersion.objects.filter(status=Status.PUBLISHED).update(status=Status.SUPERSEDED)
    for model in ScoringModel.objects.filter(current_version__isnull=False):
        then = model.publications.filter(at__lte=start).order_by("-at", "-pk").first()
        ScoringModel.objects.filter(pk=model.pk).update(current_version=then and then.version_id)
        if then:
            ModelVersion.objects.filter(pk=then.version_id).update(status=Status.PUBLISHED)
    later = Publication.objects.filter(at__gt=start).select_related("version").order_by("at", "pk")
    return [(row.at, row.version) for row in later]
