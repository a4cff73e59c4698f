"""What we offer and what people read: products, and assets with their place in the buying cycle."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class BuyingStage(models.TextChoices):
    """How far somebody is with buying; not the lifecycle stage, which is how far we are with them."""

    AWARENESS = "awareness", "Awareness"
    CONSIDERATION = "consideration", "Consideration"
    DECISION = "decision", "Decision"


class Product(models.Model):
    """Something we sell. Assets, campaigns and forms name it by its slug."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    cycle_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Typical days from first contact to a closed deal"
    )
    price_from = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    price_to = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Asset(models.Model):
    """A page or a piece of content, known by the path that activities carry.

    What it is about (`AssetState`) has a history, so that a past score can be computed as it stood.
    """

    path = models.CharField(
        max_length=300,
        unique=True,
        help_text="As activities carry it, in lower case: /pricing, /white-papers/roi",
    )
    covers_below = models.BooleanField(
        default=False, help_text="Also everything whose path begins with this one"
    )
    title = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["path"]

    def __str__(self):
        return self.title


class AssetState(models.Model):
    """What an asset was about from `since` to `until`. Written only by `leads.content.classify`."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="states")
    buying_stage = models.CharField(max_length=14, choices=BuyingStage, blank=True)
    products = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset"], condition=Q(until__isnull=True), name="asset_one_current_state"
            )
        ]

    def __str__(self):
        return f"{self.asset} since {self.since:%Y-%m-%d}"
