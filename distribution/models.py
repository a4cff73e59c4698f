"""READY: queues, routing, hand-off to a rep, follow-up, opportunities and what sales says."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nurturing.models import Delivery


class Team(models.Model):
    name = models.CharField(max_length=100, unique=True)
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_demo = models.BooleanField(default=False)

    def __str__(self):
        return self.name


class Rep(models.Model):
    """A sales person; signs in as the Django user it belongs to."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rep")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="reps")
    phone = models.CharField(max_length=40, blank=True)
    is_present = models.BooleanField(default=True, help_text="Off: gets no new leads")
    absent_until = models.DateTimeField(null=True, blank=True, help_text="Gets no new leads before this")
    capacity = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Open hand-offs at most; empty = no limit"
    )
    is_demo = models.BooleanField(default=False)

    def __str__(self):
        return self.user.get_full_name() or self.user.get_username()


class SalesQueue(models.Model):
    """Where leads wait for a rep, and who takes turns."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_default = models.BooleanField(default=False)
    is_review = models.BooleanField(
        default=False, help_text="For marketing to review: competitors that raise a hand"
    )
    first_response_minutes = models.PositiveIntegerField(
        default=60, help_text="Promise: a first touch within this many minutes"
    )
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="queue_one_default"
            ),
            models.UniqueConstraint(
                fields=["is_review"], condition=Q(is_review=True), name="queue_one_review"
            ),
        ]

    def __str__(self):
        return self.name


class QueueMember(models.Model):
    """A rep's seat in a queue; the one who was served longest ago is next."""

    queue = models.ForeignKey(SalesQueue, on_delete=models.CASCADE, related_name="members")
    rep = models.ForeignKey(Rep, on_delete=models.CASCADE, related_name="seats")
    last_assigned_at = models.DateTimeField(null=True, blank=True)
    assigned = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "rep"], name="queue_member_once")]

    def __str__(self):
        return f"{self.rep} in {self.queue}"


class RoutingRule(models.Model):
    """Which queue a sales-ready lead goes to: first match by position, else the default queue."""

    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)
    condition = models.JSONField(default=dict, blank=True)
    queue = models.ForeignKey(SalesQueue, on_delete=models.CASCADE, related_name="+")
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self):
        return self.name


class CompanyOwner(models.Model):
    """Who looks after a company: set by the first hand-off or, for named accounts, by a manager."""

    company = models.OneToOneField("leads.Company", on_delete=models.CASCADE, related_name="+")
    rep = models.ForeignKey(Rep, on_delete=models.CASCADE, related_name="+")
    is_named_account = models.BooleanField(default=False)
    since = models.DateTimeField()
    last_handoff_at = models.DateTimeField(
        null=True, blank=True, help_text="Colleagues follow to the same rep for 90 days from here"
    )

    def __str__(self):
        return f"{self.company}: {self.rep}"


class RoutingDecision(models.Model):
    """What routing did with a lead and why: the numbered step of the order that matched."""

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    step = models.PositiveSmallIntegerField(help_text="Number in the routing order, 1 to 13")
    outcome = models.CharField(max_length=20)
    reason = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index("lead", F("at").desc(), name="routing_decision_lead")]

    def __str__(self):
        return f"{self.step}: {self.reason}"


class Handoff(models.Model):
    """A lead offered to sales, until sales closes it or gives it back."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting for a free rep"
        OFFERED = "offered", "Offered"
        ACCEPTED = "accepted", "Accepted"
        RETURNED = "returned", "Given back"
        CLOSED = "closed", "Closed"

    class Progress(models.TextChoices):
        """Lead status in a hand-off, as sales counts it."""

        NEW = "new", "New"
        ATTEMPTING = "attempting", "Attempting"
        CONNECTED = "connected", "Connected"
        MEETING = "meeting", "Meeting"
        OPPORTUNITY = "opportunity", "Opportunity"
        RECYCLED = "recycled", "Given back"
        DISQUALIFIED = "disqualified", "Disqualified"

    OPEN = ["waiting", "offered", "accepted"]
    MAX_ATTEMPTS = 6  # unanswered ones, then recycling is suggested

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    queue = models.ForeignKey(SalesQueue, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(Rep, null=True, blank=True, on_delete=models.PROTECT, related_name="handoffs")
    status = models.CharField(max_length=10, choices=Status)
    progress = models.CharField(max_length=12, choices=Progress, default=Progress.NEW)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Call attempts so far")
    cycle_no = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=200, help_text="Why it was handed off")
    flags = models.JSONField(default=list, blank=True, help_text="Warnings for the rep, in words")
    why_now = models.CharField(max_length=200, help_text="The latest reason to act")
    why_now_at = models.DateTimeField()
    rating = models.CharField(max_length=20, blank=True, help_text="At hand-off")
    is_hand_raise = models.BooleanField(default=False)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(help_text="Sales-ready since")
    respond_by = models.DateTimeField(null=True, blank=True)
    offered_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    first_response_at = models.DateTimeField(
        null=True, blank=True, help_text="First call attempt, sent mail or meeting"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)
    recycle_until = models.DateTimeField(
        null=True, blank=True, help_text="Before this only a hand-raise passes again"
    )
    woken_at = models.DateTimeField(
        null=True, blank=True, help_text="When the recycle-until date was acted upon"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lead"],
                condition=Q(status__in=["waiting", "offered", "accepted"]),
                name="handoff_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["offered", "accepted"]) | Q(owner__isnull=False),
                name="handoff_offered_has_owner",
            ),
        ]
        indexes = [
            models.Index(
                "owner", F("why_now_at").desc(),
                condition=Q(status__in=["waiting", "offered", "accepted"]), name="handoff_my_leads",
            ),
            models.Index(
                "queue", "created_at", condition=Q(status="waiting"), name="handoff_waiting"
            ),
            models.Index(
                "created_at",
                condition=Q(status__in=["waiting", "offered", "accepted"])
                & Q(first_response_at__isnull=True),
                name="handoff_untouched",
            ),
            models.Index("lead", F("created_at").desc(), name="handoff_of_lead"),
            models.Index(
                "recycle_until",
                condition=Q(recycle_until__isnull=False, woken_at__isnull=True),
                name="handoff_recycled_until",
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.lead} → {self.owner or self.queue}"

    @property
    def progress_words(self):
        """Lead status as sales says it: "New", "Accepted, not contacted yet", "Attempting (2 of 6)"."""
        if self.progress == self.Progress.NEW and self.status == self.Status.ACCEPTED:
            return "Accepted, not contacted yet"
        if self.progress == self.Progress.ATTEMPTING and self.attempts:
            return f"Attempting ({self.attempts} of {self.MAX_ATTEMPTS})"
        return self.get_progress_display()


class FollowUp(models.Model):
    """A dated next action of a rep: "call back next month" as a row, not a memory."""

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="follow_ups")
    owner = models.ForeignKey(Rep, on_delete=models.CASCADE, related_name="+")
    due_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index("owner", "due_at", condition=Q(done_at__isnull=True), name="follow_up_due")]

    def __str__(self):
        return f"{self.note or 'Follow up'} on {self.due_at:%Y-%m-%d}"


class Action(models.Model):
    """What a person did in a hand-off and what it replaced, so that a slip can be undone."""

    class Kind(models.TextChoices):
        ACCEPT = "accept", "Accepted"
        CALL = "call", "Call logged"
        MAIL = "mail", "Mail logged"
        MEETING = "meeting", "Meeting logged"
        NOTE = "note", "Note added"
        FOLLOW_UP = "follow_up", "Follow-up set"
        FOLLOW_UP_DONE = "follow_up_done", "Follow-up done"
        FEEDBACK = "feedback", "Feedback given"

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="actions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField()
    before = models.JSONField(default=dict, help_text="The fields it changed, as they were")
    activity = models.ForeignKey(
        "leads.Activity", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index("handoff", F("at").desc(), name="action_of_handoff")]

    def __str__(self):
        return self.get_kind_display()


class Opportunity(models.Model):
    """A possible deal with a company. Won and lost belong to it, never to a person."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        WON = "won", "Closed won"
        LOST = "lost", "Closed lost"

    company = models.ForeignKey(
        "leads.Company", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    handoff = models.ForeignKey(Handoff, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    owner = models.ForeignKey(Rep, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=150)
    product = models.CharField(max_length=100, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    list_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    status = models.CharField(max_length=5, choices=Status, default=Status.OPEN)
    lost_reason = models.CharField(max_length=200, blank=True)
    competitor = models.CharField(max_length=100, blank=True)
    campaign = models.ForeignKey(
        "leads.Campaign", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_demo = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    expected_close = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "opportunities"
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="won") | Q(amount__isnull=False), name="opportunity_won_amount"
            ),
            models.CheckConstraint(
                condition=~Q(status="lost") | ~Q(lost_reason=""), name="opportunity_lost_reason"
            ),
            models.CheckConstraint(
                condition=Q(status="open") | Q(closed_at__isnull=False),
                name="opportunity_closed_has_date",
            ),
        ]
        indexes = [
            models.Index("company", condition=Q(status="open"), name="opportunity_open_company"),
            models.Index("owner", condition=Q(status="open"), name="opportunity_open_owner"),
            models.Index("lead", name="opportunity_of_lead"),
        ]

    def __str__(self):
        return self.name


class OpportunityContact(models.Model):
    """Another person of the buying committee, with the role they play."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="contacts")
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "lead"], name="opportunity_contact_once")
        ]

    def __str__(self):
        return f"{self.lead}: {self.role}"


class Feedback(models.Model):
    """The rep's word on lead quality, one per hand-off; a change of mind replaces it."""

    class Verdict(models.TextChoices):
        GOOD = "good", "Good lead"
        TOO_EARLY = "too_early", "Too early"
        BAD = "bad", "Bad lead"

    handoff = models.OneToOneField(Handoff, on_delete=models.CASCADE, related_name="feedback")
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    def __str__(self):
        return self.get_verdict_display()


class Notice(Delivery):
    """A mail to our own people: a hand-off, a customer who asks again."""

    handoff = models.ForeignKey(
        Handoff, null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    rep = models.ForeignKey(Rep, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    text = models.TextField()
    is_demo = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index("due_at", "id", condition=Q(status="due"), name="notice_due"),
            models.Index("lease_until", condition=Q(status__in=["claimed", "sending"]), name="notice_leased"),
        ]

    def __str__(self):
        return self.subject
