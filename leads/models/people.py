from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Upper

from leads.models.content import BuyingStage


class Place(models.TextChoices):
    """Where a lead is now. Exactly one, always; the API uses these strings."""

    SCORING = "scoring", "Being scored"
    NURTURE = "nurture", "Nurture"
    SALES = "sales", "Sales"
    PARKED = "parked", "Parked"
    CUSTOMER = "customer", "Customer"
    DISQUALIFIED = "disqualified", "Disqualified"


class Stage(models.TextChoices):
    """Lifecycle stage, in order; stages may be skipped. Moved only by `leads.places`."""

    INQUIRY = "inquiry", "Inquiry"
    MQL = "mql", "MQL"
    SALES_READY = "sales_ready", "Sales-ready"
    SAL = "sal", "Accepted (SAL)"
    SQL = "sql", "Opportunity (SQL)"
    CUSTOMER = "customer", "Customer"
    DISQUALIFIED = "disqualified", "Disqualified"


class Relationship(models.TextChoices):
    PROSPECT = "prospect", "Prospect"
    CUSTOMER = "customer", "Customer"
    FORMER = "former", "Former customer"
    PARTNER = "partner", "Partner"
    COMPETITOR = "competitor", "Competitor"


class Company(models.Model):
    """An organisation; its people inherit its relationship to us.

    Found by any of its registrable domains (`CompanyDomain`); `domain` is the one shown and the
    key that keeps two simultaneous posts from making two companies. A company known only from a
    typed name has none and is found by `name_key`.
    """

    name = models.CharField(max_length=255, blank=True)
    name_key = models.CharField(max_length=255, blank=True, help_text="Name folded for comparison")
    domain = models.CharField(max_length=253, null=True, blank=True, unique=True)
    relationship = models.CharField(max_length=12, choices=Relationship, default=Relationship.PROSPECT)
    size = models.PositiveIntegerField(null=True, blank=True, help_text="Number of employees")
    industry = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166 code, e.g. DE")
    custom = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="{key: value} of CustomField"
    )
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "companies"
        constraints = [
            models.UniqueConstraint(
                fields=["name_key"],
                condition=Q(domain__isnull=True) & ~Q(name_key=""),
                name="company_one_per_name_without_domain",
            ),
            models.CheckConstraint(
                condition=Q(domain__isnull=False) | ~Q(name=""), name="company_named_or_domain"
            ),
            models.CheckConstraint(
                condition=Q(relationship__in=Relationship.values), name="company_relationship"
            ),
        ]

    def __str__(self):
        return self.name or self.domain or "?"


class CompanyDomain(models.Model):
    """Every registrable domain of a company, the shown one included."""

    domain = models.CharField(max_length=253, unique=True)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="domains")

    def __str__(self):
        return self.domain


class Lead(models.Model):
    """One person. One e-mail address, where there is one, is one lead: by constraint."""

    email = models.CharField(max_length=254, null=True, blank=True)  # unique: see Meta
    is_role_address = models.BooleanField(default=False, help_text="info@, sales@ …: not a person")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    job_title = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=60, blank=True, help_text="Buying role, e.g. decision maker")
    phone = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166 code, e.g. DE")
    industry = models.CharField(max_length=100, blank=True)
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.PROTECT, related_name="leads"
    )
    company_size = models.PositiveIntegerField(
        null=True, blank=True, help_text="As the person stated it; the company keeps its own"
    )
    timeline = models.CharField(max_length=60, blank=True, help_text="Buying timeline as stated")
    timeline_until = models.DateTimeField(
        null=True, blank=True, help_text="End of the stated window; afterwards it is unknown"
    )

    product_interest = models.CharField(
        max_length=100,
        default="",
        db_default="",
        blank=True,
        help_text="Stated: the slug or name of a product",
    )
    buying_stage = models.CharField(
        max_length=14,
        choices=BuyingStage,
        default="",
        db_default="",
        blank=True,
        help_text="Where a person said otherwise; empty: derived from what was read",
    )
    custom = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="{key: value} of CustomField"
    )

    origin = models.CharField(max_length=10, default="marketing", help_text="Fixed at creation")
    lead_type = models.CharField(max_length=20, blank=True)
    source = models.ForeignKey(
        "leads.Source", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    latest_source = models.ForeignKey(
        "leads.Source", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    campaign = models.ForeignKey(
        "leads.Campaign", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    place = models.CharField(max_length=12, choices=Place, default=Place.SCORING)
    place_reason = models.CharField(max_length=200, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True, help_text="Parked until")
    stage = models.CharField(max_length=12, choices=Stage, default=Stage.INQUIRY)
    cycle_no = models.PositiveSmallIntegerField(default=1, help_text="1 + times recycled")

    # Due columns: a row is the queue. NULL means nothing is asked for.
    rescore_at = models.DateTimeField(null=True, blank=True)
    route_at = models.DateTimeField(null=True, blank=True)

    is_test = models.BooleanField(
        default=False, help_text="Internal or test: kept, never scored, routed or counted"
    )
    is_demo = models.BooleanField(default=False)
    has_external_id = models.BooleanField(default=False)
    search_text = models.TextField(
        blank=True, help_text="E-mail, name, company and external ids; kept by leads.identity"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    last_activity_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Not `unique=True`, which would add a second index for LIKE.
            models.UniqueConstraint(fields=["email"], name="lead_email_once"),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="lead_email_folded"),
            models.CheckConstraint(
                condition=Q(email__isnull=False)
                | ~Q(phone="")
                | Q(has_external_id=True)
                | (~Q(last_name="") & Q(company__isnull=False)),
                name="lead_has_identifier",
            ),
            models.CheckConstraint(condition=Q(place__in=Place.values), name="lead_place"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="lead_stage"),
            models.CheckConstraint(
                condition=~Q(place=Place.PARKED) | Q(wake_at__isnull=False),
                name="lead_parked_has_wake_at",
            ),
            models.CheckConstraint(
                condition=~Q(place=Place.DISQUALIFIED) | ~Q(place_reason=""),
                name="lead_disqualified_has_reason",
            ),
        ]
        indexes = [
            # What is due, in id order: `rescore_due` and `route_due` claim from these.
            models.Index("rescore_at", "id", condition=Q(rescore_at__isnull=False), name="lead_rescore_due"),
            models.Index("route_at", "id", condition=Q(route_at__isnull=False), name="lead_route_due"),
            models.Index("wake_at", condition=Q(place=Place.PARKED), name="lead_parked_until"),
            models.Index("created_at", "id", name="lead_newest"),
            # Substring search over 1M leads; word by word, so any order of words finds.
            GinIndex(OpClass(Upper("search_text"), name="gin_trgm_ops"), name="lead_search"),
        ]

    def __str__(self):
        return self.name or self.email or self.phone or f"Lead {self.pk}"

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}".strip()


class ExternalId(models.Model):
    """The key under which another system knows a lead."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="external_ids")
    system = models.CharField(max_length=50, default="default")
    value = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "value"], name="external_id_once_per_system")
        ]

    def __str__(self):
        return f"{self.system}:{self.value}"


class FieldChange(models.Model):
    """One value of one field of a lead or a company, with the moment it began to hold.

    Written only by `identity.set_fields()`. Rows with `applied` false are proposals: what a public
    form said about a field that was already filled. Replay reads the applied ones.
    """

    class FieldOrigin(models.TextChoices):
        """Who says so; a higher rank may overwrite a lower one (`leads.survivorship`)."""

        ENRICHMENT = "enrichment", "Enrichment"
        IMPORT = "import", "Import"
        PERSON = "person", "The person"
        REP = "rep", "Sales rep"

    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.CASCADE, related_name="field_changes", db_index=False
    )
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.CASCADE, related_name="field_changes", db_index=False
    )
    field = models.CharField(max_length=40, help_text="A column, or custom.<key>")
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    origin = models.CharField(max_length=10, choices=FieldOrigin)
    applied = models.BooleanField(default=True)
    provider = models.CharField(
        max_length=100, default="", db_default="", blank=True, help_text="Who sold us an enriched value"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lead__isnull=False, company__isnull=True)
                | Q(lead__isnull=True, company__isnull=False),
                name="field_change_of_lead_or_company",
            )
        ]
        indexes = [
            models.Index(
                "lead", "field", "occurred_at", condition=Q(lead__isnull=False),
                name="field_change_lead",
            ),
            models.Index(
                "company", "field", "occurred_at", condition=Q(company__isnull=False),
                name="field_change_company",
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.field}: {self.old} → {self.new}"


class StageChange(models.Model):
    """One move of a lead: lifecycle stage, place, or both, and why. Written only by `places`."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="stage_changes", db_index=False)
    from_stage = models.CharField(max_length=12, choices=Stage)
    to_stage = models.CharField(max_length=12, choices=Stage)
    from_place = models.CharField(max_length=12, choices=Place)
    to_place = models.CharField(max_length=12, choices=Place)
    reason = models.CharField(max_length=200)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    at = models.DateTimeField()
    cycle_no = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [
            models.Index("lead", "at", name="stage_change_lead"),
            # Reports count arrivals per stage and month without reading the moves between places.
            models.Index(
                "to_stage", "at", condition=~Q(from_stage=F("to_stage")), name="stage_change_arrival"
            ),
        ]

    def __str__(self):
        return f"{self.from_stage} → {self.to_stage}: {self.reason}"
