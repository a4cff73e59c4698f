"""HOW GOOD they are, and WHY: models, versions, rules, and the scores that follow from them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Scale(models.Model):
    """How fit and engagement become a rating.

    `fit_bands` and `engagement_bands` are lists of `[label, minimum points]`, best first; the last
    band's minimum is ignored. `cells` maps "fit label/engagement label" to a rating. `ratings`
    lists the ratings best first, each with the action it calls for. A scale with a single
    engagement band is a plain list of thresholds.
    """

    name = models.CharField(max_length=100)
    ratings = models.JSONField(help_text='[["A", "Call within the hour"], …], best first')
    fit_bands = models.JSONField(help_text='[["1", 40], ["2", 20], ["3", 0]], best first')
    engagement_bands = models.JSONField(help_text='[["1", 40], ["2", 15], ["3", 0]], best first')
    cells = models.JSONField(help_text='{"1/1": "A", "1/2": "B", …}')

    def __str__(self):
        return self.name


class ScoringModel(models.Model):
    """One way to judge leads. `current_version` is the flip: readers see only its scores."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    current_version = models.ForeignKey(
        "ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    routes = models.BooleanField(default=False, help_text="The one model that decides what passes to sales")
    goals = models.TextField(blank=True, help_text="Target market, products, this quarter's target")
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["routes"], condition=Q(routes=True), name="scoring_model_one_routes"
            )
        ]

    def __str__(self):
        return self.name


class ModelVersion(models.Model):
    """A set of rules and thresholds. Editable as a draft; read-only once publishing was asked for.

    A trigger refuses changes of rules, thresholds and scale from then on, as scores were computed by them:
    `scoring.publish.new_draft` copies them for the next version. While `publish_asked_at` is set, the version
    is being filled; it becomes the model's current one by the flip.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        PUBLISHED = "published", "Published"
        SUPERSEDED = "superseded", "Superseded"

    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    scale = models.ForeignKey(Scale, on_delete=models.PROTECT, related_name="+")
    mql_fit = models.FloatField(default=20, help_text="MQL: fit of at least this")
    ready_fit = models.FloatField(default=20, help_text="Sales-ready: fit of at least this …")
    ready_engagement = models.FloatField(default=30, help_text="… and engagement of at least this")
    note = models.TextField(blank=True, help_text="What changed, and why")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    approved_by_marketing = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by_sales = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True, help_text="In force from")
    superseded_at = models.DateTimeField(null=True, blank=True)
    # Publishing fills scores in the background; these say how far it is and survive a crash.
    publish_asked_at = models.DateTimeField(
        null=True, blank=True, help_text="Set while scores are being filled, empty after the flip"
    )
    filled_to = models.BigIntegerField(default=0, help_text="Last lead id filled")
    filled = models.PositiveIntegerField(default=0)
    to_fill = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="model_version_number"),
            models.UniqueConstraint(
                fields=["model"], condition=Q(status="published"), name="model_one_published"
            ),
            models.UniqueConstraint(
                fields=["model"], condition=Q(publish_asked_at__isnull=False), name="model_one_being_filled"
            ),
        ]
        ordering = ["model", "-number"]

    def __str__(self):
        return f"{self.model} v{self.number}"

    @property
    def is_read_only(self):
        return self.publish_asked_at is not None or self.status in (
            self.Status.PUBLISHED,
            self.Status.SUPERSEDED,
        )


class Publication(models.Model):
    """One flip: from `at` on, until the next one of its model, readers saw the scores of `version`.

    A version that was rolled back to has several; so any past instant knows the version then in force.
    """

    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="publications")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="publications")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes = [models.Index("model", F("at").desc(), name="publication_of_model")]

    def __str__(self):
        return f"{self.version} from {self.at:%Y-%m-%d %H:%M}"


class Rule(models.Model):
    """One line of a score: a condition, points, and how time and caps bear on them.

    kind          condition                       arithmetic
    fit           about the lead and company      points when it holds
    activity      about touchpoints               points per match: cap_count, cap_points,
                                                  window_days, steps
    inactivity    none                            points when nothing happened for `days`
    age           none                            points when the lead is older than `days`
    exclude       about the lead and company      disqualifies, whatever the points
    hand_raise    about touchpoints               sales-ready at once, whatever the points
    """

    class Kind(models.TextChoices):
        FIT = "fit", "Fit"
        ACTIVITY = "activity", "Activity"
        INACTIVITY = "inactivity", "Inactivity"
        AGE = "age", "Age"
        EXCLUDE = "exclude", "Exclude"
        HAND_RAISE = "hand_raise", "Hand-raise"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=150, help_text="The reason in words, as sales reads it")
    condition = models.JSONField(default=dict, blank=True)
    points = models.FloatField(default=0)
    cap_count = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Count at most this many matches, the most recent ones"
    )
    cap_points = models.FloatField(null=True, blank=True, help_text="At most this many points")
    window_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Only matches newer than this count"
    )
    steps = models.JSONField(
        default=list,
        blank=True,
        help_text="Step decay [[7, 1.0], [30, 0.5]]: full to 7 days, half to 30, then nothing",
    )
    days = models.PositiveIntegerField(
        null=True, blank=True, help_text="For inactivity and age: after this many days"
    )

    class Meta:
        ordering = ["version", "position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=["inactivity", "age"]) | Q(days__gt=0), name="rule_has_days"
            )
        ]

    def __str__(self):
        return self.name


class Verdict(models.TextChoices):
    """What the score says should become of a lead; `places` decides whether it may."""

    NONE = "none", "Not qualified"
    MQL = "mql", "MQL"
    SALES_READY = "sales_ready", "Sales-ready"
    HAND_RAISE = "hand_raise", "Hand-raise: sales-ready at once"
    EXCLUDED = "excluded", "Excluded"


class Score(models.Model):
    """The score of one lead under one model version, true from `as_of` until `next_change_at`.

    No index on a column that moves: every re-score stays a heap-only update (fillfactor 45).
    """

    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    fit = models.FloatField()
    engagement = models.FloatField()
    total = models.FloatField()
    rating = models.CharField(max_length=20)
    verdict = models.CharField(max_length=12, choices=Verdict, default=Verdict.NONE)
    hand_raised_at = models.DateTimeField(
        null=True, blank=True, help_text="The latest hand-raise of this cycle; a newer one is news to routing"
    )
    next_change_at = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField(help_text="When it came to be what it is")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "lead"],
                name="score_once_per_version",
            )
        ]

    def __str__(self):
        return f"{self.rating} ({self.fit:g} fit, {self.engagement:g} engagement)"


class ScoreChange(models.Model):
    """A rating or verdict that moved under the version then current. Its lines are replayed by `scoring.explain`."""

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    old_rating = models.CharField(max_length=20, blank=True)
    new_rating = models.CharField(max_length=20)
    old_verdict = models.CharField(max_length=12, blank=True)
    new_verdict = models.CharField(max_length=12)
    fit = models.FloatField()
    engagement = models.FloatField()
    total = models.FloatField()

    class Meta:
        indexes = [models.Index("lead", F("at").desc(), name="score_change_lead")]

    def __str__(self):
        return f"{self.old_rating or '—'} → {self.new_rating}"
