from django.db import models
from django.db.models import F, Q


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    PHONE = "phone", "Phone"
    POST = "post", "Direct mail"
    ALL = "all", "Every channel"


class Purpose(models.TextChoices):
    MARKETING = "marketing", "Marketing"
    SALES = "sales", "Sales"
    ALL = "all", "Any purpose"


class Basis(models.TextChoices):
    CONSENT = "consent", "Consent"
    LEGITIMATE_INTEREST = "legitimate_interest", "Legitimate interest"


class Consent(models.Model):
    """What a person allowed, by channel and purpose, with the words they saw. Append-only."""

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="consents", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel)
    purpose = models.CharField(max_length=10, choices=Purpose)
    basis = models.CharField(max_length=20, choices=Basis)
    granted = models.BooleanField(default=True, help_text="False: withdrawn")
    text_version = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()
    submission = models.ForeignKey(
        "leads.Submission", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes = [models.Index("lead", "channel", "purpose", F("at").desc(), name="consent_latest")]

    def __str__(self):
        return f"{self.channel}/{self.purpose}: {'yes' if self.granted else 'withdrawn'}"


class Suppression(models.Model):
    """An address that must not be contacted. Kept by address, so it outlives the lead."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        BOUNCED = "bounced", "Mailbox does not exist"
        COMPLAINED = "complained", "Marked as spam"
        OBJECTED = "objected", "Objected to all contact"
        DO_NOT_CALL = "do_not_call", "Do not call"

    address = models.CharField(max_length=254, help_text="Folded e-mail address or phone number")
    channel = models.CharField(max_length=10, choices=Channel)
    purpose = models.CharField(max_length=10, choices=Purpose)
    reason = models.CharField(max_length=20, choices=Reason)
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address", "channel", "purpose"],
                condition=Q(lifted_at__isnull=True),
                name="suppression_in_force_once",
            )
        ]

    def __str__(self):
        return f"{self.address}: {self.get_reason_display()}"
