from django.db import models
from django.db.models import Q


class Touchpoint(models.Model):
    """What can happen: a kind and, where it has them, the asset and its declared properties. Interned, so rules are
    matched against thousands of these and never against millions of activities."""

    kind = models.CharField(max_length=40)
    asset = models.CharField(max_length=300, blank=True)
    properties = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="{key: text} of DeclaredProperty"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "asset", "properties"], name="touchpoint_once")
        ]

    def __str__(self):
        return f"{self.kind} {self.asset}".strip()


class Activity(models.Model):
    """One thing that happened. Append-only: a trigger refuses any change of the facts.

    `engagement` is false for what is kept but never scored: scanner clicks, what a rep logged,
    opens, the product's own doings. `lead` moves only in identity's link, merge and unmerge.
    """

    # Ten million rows: no index that the ones below make superfluous.
    lead = models.ForeignKey(
        "leads.Lead",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="activities",
        db_index=False,
    )
    touchpoint = models.ForeignKey(Touchpoint, on_delete=models.PROTECT, related_name="+", db_index=False)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    source = models.ForeignKey(
        "leads.Source", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    campaign = models.ForeignKey(
        "leads.Campaign", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    message_id = models.CharField(max_length=200, null=True, blank=True)
    engagement = models.BooleanField(default=True)
    properties = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "activities"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "message_id"],
                condition=Q(message_id__isnull=False),
                nulls_distinct=False,
                name="activity_message_once_per_source",
            )
        ]
        indexes = [
            # The scorer reads only this index; the timeline walks it backwards.
            models.Index(
                fields=["lead", "occurred_at"],
                include=["touchpoint", "engagement"],
                name="activity_of_lead",
            ),
            models.Index(fields=["touchpoint", "occurred_at"], name="activity_of_touchpoint"),
        ]

    def __str__(self):
        return f"{self.touchpoint} at {self.occurred_at:%Y-%m-%d %H:%M}"
