"""HOW GOOD they are, and WHY: models, versions, rules, and the scores that follow from them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
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
    applies_to = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Which leads it judges; empty: all of them"
    )
    goals = models.TextField(
        blank=True, help_text="What we want from it: the market's goals in a few sentences"
    )
    target_market = models.TextField(blank=True, default="", db_default="")
    products = ArrayField(
        models.CharField(max_length=60),
        default=list,
        db_default=[],
        blank=True,
        help_text="Slugs of products",
    )
    quarter_target = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="This quarter's target, in words"
    )
    ready_per_week = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many sales-ready leads a week sales wants and can take"
    )
    hypothesis = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Why we believe these rules find buyers, and what would prove it wrong",
    )
    review_every_days = models.PositiveIntegerField(default=365, db_default=365)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
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
    """A set of rules and thresholds. Editable as a draft only.

    From the review on, triggers refuse changes of rules, profiles, groups, caps, thresholds and scale: what was
    approved is what was read, and what is published is what was approved. `scoring.approval.reopen` makes a draft of
    it again; of a published one, `scoring.publish.new_draft` copies everything for the next version. While
    `publish_asked_at` is set, the version is being filled; it becomes the model's current one by the flip.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        PUBLISHED = "published", "Published"
        SUPERSEDED = "superseded", "Superseded"

    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    scale = models.ForeignKey(Scale, on_delete=models.PROTECT, related_name="+")
    mql_fit = models.FloatField(default=20, help_text="MQL: fit of at least this")
    ready_fit = models.FloatField(default=20, help_text="Sales-ready: fit of at least this …")
    ready_engagement = models.FloatField(default=30, help_text="… and engagement of at least this")
    cap_fit = models.FloatField(null=True, blank=True, help_text="Fit is at most this")
    cap_engagement = models.FloatField(null=True, blank=True, help_text="Engagement is at most this")
    note = models.TextField(blank=True, help_text="What changed, and why")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    review_asked_at = models.DateTimeField(null=True, blank=True)
    review_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by_marketing = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by_sales = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by_marketing_at = models.DateTimeField(null=True, blank=True)
    approved_by_sales_at = models.DateTimeField(null=True, blank=True)
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
            models.CheckConstraint(
                condition=~Q(status="approved")
                | Q(approved_by_marketing_at__isnull=False, approved_by_sales_at__isnull=False),
                name="version_approved_by_both",
            ),
            models.CheckConstraint(
                condition=Q(publish_asked_at=None) | Q(status__in=["approved", "superseded"]),
                name="version_filled_once_approved",
            ),
        ]
        ordering = ["model", "-number"]
        permissions = [
            ("approve_for_marketing", "Can approve a version for marketing"),
            ("approve_for_sales", "Can approve a version for sales"),
        ]

    def __str__(self):
        return f"{self.model} v{self.number}"

    @property
    def is_read_only(self):
        return self.status != self.Status.DRAFT


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


class VersionComment(models.Model):
    """What marketing or sales said about a version while it was being agreed."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="comments")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self):
        return self.text[:60]


class Profile(models.Model):
    """An ideal customer of a version. Fit is that of all rules without a profile plus the best profile's own."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="profiles")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["version", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["version", "name"], name="profile_once_per_version")]

    def __str__(self):
        return self.name


class RuleGroup(models.Model):
    """Rules of a version that belong together, and together give at most `cap_points` (of either sign)."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=100)
    cap_points = models.FloatField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["version", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="rule_group_once_per_version")
        ]

    def __str__(self):
        return self.name


class Rule(models.Model):
    """One line of a score: a condition, points, and how time and caps bear on them.

    kind          condition                       arithmetic
    fit           about the lead and company      points when it holds; may belong to a profile
    activity      about touchpoints               points per match: cap_count, cap_points, window_days,
                                                  steps or half_life_days; with min_count points once,
                                                  while at least so many matches are young enough
    inactivity    none                            points when nothing happened for `days`
    age           none                            points when the lead is older than `days`
    exclude       about the lead and company      disqualifies, whatever the points
    hand_raise    about touchpoints               sales-ready at once, whatever the points
    bite          about touchpoints               the same: a response to an offer of a next step

    `who` narrows activity, inactivity, age, hand-raise and bite rules to some leads. `group` caps rules together.
    """

    class Kind(models.TextChoices):
        FIT = "fit", "Fit"
        ACTIVITY = "activity", "Activity"
        INACTIVITY = "inactivity", "Inactivity"
        AGE = "age", "Age"
        EXCLUDE = "exclude", "Exclude"
        HAND_RAISE = "hand_raise", "Hand-raise"
        BITE = "bite", "Bite"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=150, help_text="The reason in words, as sales reads it")
    condition = models.JSONField(default=dict, blank=True)
    who = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Only for these leads; empty: for all"
    )
    profile = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.RESTRICT, related_name="rules", db_index=False
    )
    group = models.ForeignKey(
        RuleGroup, null=True, blank=True, on_delete=models.RESTRICT, related_name="rules", db_index=False
    )
    points = models.FloatField(default=0)
    min_count = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Needs at least so many matches, and then gives its points once"
    )
    half_life_days = models.FloatField(
        null=True, blank=True, help_text="A match is worth half after so many days; needs a cap on points"
    )
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
    BITE = "bite", "Bite: sales-ready at once"
    HAND_RAISE = "hand_raise", "Hand-raise: sales-ready at once"
    EXCLUDED = "excluded", "Excluded"


class Score(models.Model):
    """The score of one lead under one model version, true from `as_of` until `next_change_at`.

    No index on a column that moves: every re-score stays a heap-only update (fillfactor 45). None on the lead alone, a
    quarter of what inserting costs, and no foreign keys, a third of a publication. Whoever writes a score holds its lead locked, and a
    trigger takes the scores of a deleted lead or version along.
    """

    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    lead = models.ForeignKey(
        "leads.Lead", on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    fit = models.FloatField()
    engagement = models.FloatField()
    total = models.FloatField()
    rating = models.CharField(max_length=20)
    verdict = models.CharField(max_length=12, choices=Verdict, default=Verdict.NONE)
    hand_raised_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="The latest hand-raise or bite of this cycle; a newer one is news to routing",
    )
    next_change_at = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField(help_text="When it came to be what it is")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model_version", "lead"], name="score_once_per_version")
        ]

    def __str__(self):
        return f"{self.rating} ({self.fit:g} fit, {self.engagement:g} engagement)"


class Segment(models.Model):
    """A condition saved under a name: always whoever meets it now. Static lists are `leads.LeadList`."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    condition = models.JSONField(default=dict, blank=True)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


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
