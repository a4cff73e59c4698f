import secrets
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F
from rest_framework_api_key.models import AbstractAPIKey


def new_write_key():
    return secrets.token_urlsafe(16)


class Origin(models.TextChoices):
    MARKETING = "marketing", "Marketing"
    SALES = "sales", "Sales"
    PARTNER = "partner", "Partner"


class LeadType(models.TextChoices):
    """What kind of request a form stands for; decides the touchpoint and the routing."""

    HAND_RAISE = "hand_raise", "Hand-raise (asks for sales)"
    INFORMATIONAL = "informational", "Informational (download, webinar, newsletter)"
    EVENT = "event", "Event (booth, badge scan)"
    LIST = "list", "List or import"
    SERVICE = "service", "Support, job or supplier request"


class Source(models.Model):
    """Where leads come from: a channel, never a single campaign."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.MARKETING)
    write_key = models.CharField(
        max_length=40, unique=True, default=new_write_key, help_text="Public key of a tracker"
    )
    is_demo = models.BooleanField(default=False)

    def __str__(self):
        return self.name


class Campaign(models.Model):
    name = models.CharField(max_length=150)
    slug = models.SlugField(max_length=150, unique=True)
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    cost = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    products = ArrayField(
        models.CharField(max_length=60),
        default=list,
        db_default=[],
        blank=True,
        help_text="Slugs of products",
    )
    is_demo = models.BooleanField(default=False)

    def __str__(self):
        return self.name


class CaptureForm(models.Model):
    """A public form: what it asks, what a submission means, and on which basis we may write."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    lead_type = models.CharField(max_length=20, choices=LeadType, default=LeadType.INFORMATIONAL)
    asset = models.CharField(
        max_length=300, blank=True, help_text="What the form gives, e.g. /white-papers/roi"
    )
    marketing_basis = models.CharField(
        max_length=20,
        choices=[
            ("none", "None: no marketing mail"),
            ("consent", "Consent (the form asks for it)"),
            ("legitimate_interest", "Legitimate interest"),
        ],
        default="none",
    )
    basis_text = models.TextField(blank=True, help_text="The words the person saw; kept with each consent")
    basis_version = models.CharField(max_length=20, default="1")
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    origins = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Sites that may post, e.g. https://www.acme.example",
    )
    thank_you_urls = ArrayField(
        models.URLField(max_length=300),
        default=list,
        blank=True,
        help_text="Pages a browser may be sent to afterwards; the first is the default",
    )
    products = ArrayField(
        models.CharField(max_length=60),
        default=list,
        db_default=[],
        blank=True,
        help_text="Slugs of products",
    )
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.name


class Question(models.Model):
    """One question of a form and the lead field its answer fills."""

    form = models.ForeignKey(CaptureForm, on_delete=models.CASCADE, related_name="questions")
    name = models.SlugField(max_length=60, help_text="Name in the posted data")
    field = models.CharField(max_length=40, help_text="Lead field that the answer fills")
    label = models.CharField(max_length=200)
    required = models.BooleanField(default=False)
    choices = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["form", "name"], name="question_once_per_form")]

    def __str__(self):
        return self.label


class Submission(models.Model):
    """What a form received, as bytes, kept also when it was invalid: nothing is lost."""

    class Status(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        INVALID = "invalid", "Invalid"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    form = models.ForeignKey(CaptureForm, on_delete=models.PROTECT, related_name="+")
    lead = models.ForeignKey(
        "leads.Lead", null=True, blank=True, on_delete=models.SET_NULL, related_name="submissions"
    )
    received_at = models.DateTimeField()
    content_type = models.CharField(max_length=200, blank=True)
    body = models.BinaryField()
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    referrer = models.CharField(max_length=400, blank=True)
    status = models.CharField(max_length=10, choices=Status)
    errors = models.JSONField(default=list, blank=True)
    unmapped = models.JSONField(default=dict, blank=True, help_text="Answers to unknown questions")

    class Meta:
        indexes = [
            models.Index("form", F("received_at").desc(), name="submission_of_form"),
            models.Index(
                F("received_at").desc(), condition=models.Q(status="invalid"), name="submission_invalid"
            ),
        ]

    def __str__(self):
        return f"{self.form} {self.received_at:%Y-%m-%d %H:%M}"


class ApiKey(AbstractAPIKey):
    """A server's key: `Authorization: Api-Key …`. Stored hashed; shown once."""

    scopes = ArrayField(models.CharField(max_length=20), default=list, help_text="capture, read")
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"


class IdempotentRequest(models.Model):
    """The first answer to an `Idempotency-Key`, replayed to whoever sends the same again."""

    client = models.CharField(max_length=60, help_text="API key prefix or form slug")
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField()
    response = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="idempotency_key_once")]
        indexes = [models.Index("created_at", name="idempotency_expiry")]

    def __str__(self):
        return self.key
