"""NOT YET: programs of scheduled touches for leads that are not ready, and the mail they send."""

import secrets
import uuid

from django.db import models
from django.db.models import F, Q


def new_token():
    return secrets.token_urlsafe(16)


class EmailTemplate(models.Model):
    """A mail that marketers write: Liquid in subject and text, plain paragraphs or MJML."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    subject = models.CharField(max_length=200)
    body = models.TextField(help_text="Liquid. Starts with <mjml> for full control, else text")
    is_demo = models.BooleanField(default=False)

    def __str__(self):
        return self.name


class Program(models.Model):
    """A nurture track. Those inside stay on the version they entered."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    is_main = models.BooleanField(
        default=True, help_text="A lead is in one main program at a time; it is the lead's place"
    )
    is_default = models.BooleanField(
        default=False, help_text="Receives qualified leads that no other program takes"
    )
    position = models.PositiveSmallIntegerField(default=0)
    entry = models.JSONField(
        default=dict,
        blank=True,
        help_text="Condition under which a lead enters; empty = only as the default, or by hand",
    )
    is_paused = models.BooleanField(default=False, help_text="Nothing is sent; those inside wait")
    current_version = models.ForeignKey(
        "ProgramVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="program_one_default"
            )
        ]

    def __str__(self):
        return self.name


class ProgramVersion(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        SUPERSEDED = "superseded", "Superseded"

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "number"], name="program_version_number"),
            models.UniqueConstraint(
                fields=["program"], condition=Q(status="published"), name="program_one_published"
            ),
        ]
        ordering = ["program", "-number"]

    def __str__(self):
        return f"{self.program} v{self.number}"


class Step(models.Model):
    """One item of a program, in order. A wait delays what follows; the others become touches."""

    class Kind(models.TextChoices):
        MAIL = "mail", "Mail"
        WAIT = "wait", "Wait"
        CALL_TASK = "call_task", "Call task"

    version = models.ForeignKey(ProgramVersion, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind)
    template = models.ForeignKey(
        EmailTemplate, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    wait_hours = models.PositiveIntegerField(default=0)
    instruction = models.CharField(max_length=200, blank=True, help_text="What to say on the call")

    class Meta:
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="step_position"),
            models.CheckConstraint(
                condition=~Q(kind="mail") | Q(template__isnull=False), name="step_mail_has_template"
            ),
            models.CheckConstraint(
                condition=~Q(kind="wait") | Q(wait_hours__gt=0), name="step_wait_has_hours"
            ),
        ]

    def __str__(self):
        return f"{self.position}. {self.get_kind_display()}"


class Enrollment(models.Model):
    """A lead's way through one version of a program."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        FINISHED = "finished", "Finished"
        EXITED = "exited", "Left early"

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(ProgramVersion, on_delete=models.PROTECT, related_name="+")
    is_main = models.BooleanField(default=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it ended")
    cycle_no = models.PositiveSmallIntegerField()
    entered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lead"],
                condition=Q(status="active", is_main=True),
                name="enrollment_one_active_main",
            )
        ]
        indexes = [
            models.Index("lead", F("entered_at").desc(), name="enrollment_of_lead"),
            models.Index("version", condition=Q(status="active"), name="enrollment_inside"),
        ]

    def __str__(self):
        return f"{self.lead} in {self.program}"


class Delivery(models.Model):
    """A message on its way out; the states that make it leave at most once.

    due → claimed (leased) → sending (committed before SMTP) → sent | failed | uncertain.
    A lease that runs out while `claimed` makes it due again; while `sending` it becomes
    `uncertain` and is never resent by itself: only the far side knows what happened.
    """

    class Status(models.TextChoices):
        DUE = "due", "Due"
        CLAIMED = "claimed", "Claimed by a worker"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        OPEN = "open", "Open task"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"
        CANCELLED = "cancelled", "Cancelled"

    status = models.CharField(max_length=10, choices=Status, default=Status.DUE)
    reason = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True, help_text="Fences off a worker that woke late")
    attempts = models.PositiveSmallIntegerField(default=0)
    message_id = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    # What else changes when a person takes a settled message up again.
    REOPENED: dict = {}

    class Meta:
        abstract = True


class Touch(Delivery):
    """One scheduled item of one enrollment. At most one per step and cycle, by constraint."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="touches")
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Step.Kind)
    link_token = models.CharField(max_length=32, unique=True, default=new_token)
    followed_up = models.BooleanField(
        default=False, help_text="Logged, and the next step scheduled; until then it is due work"
    )

    # Settled, one way or another: what comes next may be decided.
    REOPENED = {"followed_up": False}
    SETTLED = ["sent", "done", "skipped", "failed", "uncertain"]

    class Meta:
        verbose_name_plural = "touches"
        constraints = [models.UniqueConstraint(fields=["enrollment", "step"], name="touch_once_per_step")]
        indexes = [
            models.Index("due_at", "id", condition=Q(status="due"), name="touch_due"),
            models.Index(
                "lease_until", condition=Q(status__in=["claimed", "sending"]), name="touch_leased"
            ),
            models.Index("lead", F("due_at").desc(), name="touch_of_lead"),
            models.Index(
                "status", condition=Q(status__in=["uncertain", "failed", "open"]),
                name="touch_attention",
            ),
            models.Index(
                "id",
                condition=Q(
                    status__in=["sent", "done", "skipped", "failed", "uncertain"], followed_up=False
                ),
                name="touch_to_follow_up",
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.get_kind_display()} {self.get_status_display()}"


class TrackedLink(models.Model):
    """A link of a sent mail: an opaque id stands for the stored address."""

    touch = models.ForeignKey(Touch, on_delete=models.CASCADE, related_name="links")
    token = models.CharField(max_length=32, unique=True, default=new_token)
    url = models.URLField(max_length=1000)

    def __str__(self):
        return self.url


class LocalMail(models.Model):
    """The local mailbox: mail that was written but not handed to any server."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField()
    message_id = models.CharField(max_length=200, db_index=True)
    sender = models.CharField(max_length=300)
    recipients = models.TextField()
    subject = models.CharField(max_length=500)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    why = models.CharField(max_length=200, help_text="Why it was not delivered")

    class Meta:
        indexes = [models.Index(F("at").desc(), name="local_mail_newest")]

    def __str__(self):
        return self.subject
