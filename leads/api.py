"""The lead as the API shows and takes it. `scoring` and `distribution` extend these classes upward."""

from functools import cache

import django_filters
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, mixins, serializers, viewsets
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response

from leads import capture, content, intake
from leads.authentication import CAPTURE, READ
from leads.idempotency import HEADER, answered_once, key_of
from leads.models import (
    Activity,
    BuyingStage,
    Campaign,
    Company,
    ExternalId,
    Lead,
    Place,
    Relationship,
    Source,
    Stage,
)
from leads.pagination import NewestFirst
from leads.rows import fetch
from leads.schema import ErrorSerializer

WORDS = 10  # of a search
RELATIONS = """
SELECT c.id, c.name, c.domain, c.relationship, c.custom::json, s.slug, a.slug
FROM (VALUES (%s::bigint, %s::bigint, %s::bigint)) AS l(company, source, campaign)
LEFT JOIN leads_company c ON c.id = l.company
LEFT JOIN leads_source s ON s.id = l.source
LEFT JOIN leads_campaign a ON a.id = l.campaign
"""


class LeadInputSerializer(serializers.Serializer):
    """At least an e-mail, a phone, an external id, or a last name with a company."""

    # For the description only: `leads.intake` does the cleaning, and a test holds the two together.

    email = serializers.EmailField(required=False)
    first_name = serializers.CharField(required=False)
    last_name = serializers.CharField(required=False)
    company = serializers.CharField(required=False, help_text="Name of the company")
    company_domain = serializers.CharField(required=False, help_text="e.g. acme.example")
    company_size = serializers.IntegerField(required=False, min_value=0, help_text="Number of employees")
    role = serializers.CharField(required=False, help_text="Role in buying, e.g. decision maker; any text")
    job_title = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)
    country = serializers.CharField(required=False, help_text="ISO 3166 code or English name")
    industry = serializers.CharField(required=False)
    timeline = serializers.CharField(required=False, help_text="When they mean to buy; any text")
    product_interest = serializers.CharField(required=False, help_text="Slug or name of a product; any text")
    source = serializers.CharField(  # type: ignore[assignment]
        required=False, help_text="Slug of a lead source; one that is not set up is kept as text"
    )
    campaign = serializers.CharField(required=False, help_text="Slug of the campaign; made at its first use")
    external_id = serializers.CharField(required=False, help_text="Key of the lead in your system")
    utm_source = serializers.CharField(required=False)
    utm_medium = serializers.CharField(required=False)
    utm_campaign = serializers.CharField(required=False)
    utm_term = serializers.CharField(required=False)
    utm_content = serializers.CharField(required=False)
    occurred_at = serializers.DateTimeField(required=False, help_text="When it happened; now when left out")
    message_id = serializers.CharField(
        required=False, help_text="Your id of this event: the second time it is not logged again"
    )
    custom = serializers.DictField(
        required=False, help_text="Fields added in the admin, by key; one that does not exist is refused"
    )


@extend_schema_field({"type": "string"})
class SlugField(serializers.Field):
    """The slug by which a related row is known."""

    def to_representation(self, row):
        return row.slug


class CompanySerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    domain = serializers.CharField(allow_null=True)
    relationship = serializers.ChoiceField(choices=Relationship.choices)
    custom = serializers.DictField(help_text="As of the lead")


class ExternalIdSerializer(serializers.Serializer):
    system = serializers.CharField()
    value = serializers.CharField()


class LeadSerializer(serializers.Serializer):
    """One lead, as everybody sees it."""

    id = serializers.IntegerField()
    email = serializers.EmailField(allow_null=True)
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    job_title = serializers.CharField()
    role = serializers.CharField()
    phone = serializers.CharField()
    country = serializers.CharField()
    product_interest = serializers.CharField()
    custom = serializers.DictField(
        help_text="Fields that were added in the admin, by key; only those that are known"
    )
    company = CompanySerializer(allow_null=True)
    source = SlugField(allow_null=True)  # type: ignore[assignment]
    lead_type = serializers.CharField()
    campaign = SlugField(allow_null=True)
    stage = serializers.ChoiceField(choices=Stage.choices)
    place = serializers.ChoiceField(choices=Place.choices)
    external_ids = ExternalIdSerializer(many=True, source="api_external_ids")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    last_activity_at = serializers.DateTimeField(allow_null=True)

    @classmethod
    def load(cls, leads, *, are_new=False):
        """Put on each lead what its fields read, in a fixed number of queries for a whole page: here its external ids.

        `are_new`: just created, so that nothing later can belong to them yet.
        """
        ids = [lead.pk for lead in leads if lead.has_external_id]
        found = {}
        for row in ExternalId.objects.filter(lead__in=ids).order_by("id") if ids else []:
            found.setdefault(row.lead_id, []).append(row)
        for lead in leads:
            lead.api_external_ids = found.get(lead.pk, [])

    @classmethod
    def shown(cls, leads, *, are_new=False):
        """The leads as JSON-able dicts."""
        cls.load(leads, are_new=are_new)
        show = one(cls).to_representation
        return [show(lead) for lead in leads]


class Detailed(serializers.Serializer):
    """What only the page of one lead shows: how far it is with buying, and what it probably wants."""

    buying_stage = serializers.ChoiceField(
        source="api_buying.stage", choices=BuyingStage.choices, allow_blank=True,
        help_text="From what was read lately and the stated timeline, unless a person said otherwise; empty: unknown",
    )  # fmt: skip
    likely_product = serializers.CharField(
        source="api_product.slug", allow_blank=True, help_text="Slug; empty: unknown"
    )

    @classmethod
    def load(cls, leads, *, are_new=False):
        super().load(leads, are_new=are_new)  # type: ignore[misc]
        ids, at = [lead.pk for lead in leads], timezone.now()
        stages = content.buying_stage_of(lead_ids=ids, at=at)
        products = content.likely_product_of(lead_ids=ids, at=at)
        for lead in leads:
            lead.api_buying, lead.api_product = stages[lead.pk], products[lead.pk]


class LeadDetailSerializer(Detailed, LeadSerializer):
    """One lead in full."""


@cache
def one(serializer):
    """A serializer that only shows is built once: DRF copies every field for every new one."""
    return serializer()


class ActivitySerializer(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.CharField(source="touchpoint.kind")
    asset = serializers.CharField(source="touchpoint.asset")
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    source = SlugField(allow_null=True)  # type: ignore[assignment]
    campaign = SlugField(allow_null=True)
    message_id = serializers.CharField(allow_null=True)
    engagement = serializers.BooleanField(help_text="False: kept, never scored")
    properties = serializers.JSONField()


class LeadFilter(FilterSet):
    stage = django_filters.MultipleChoiceFilter(choices=Stage.choices)
    place = django_filters.MultipleChoiceFilter(choices=Place.choices)
    source = django_filters.CharFilter(field_name="source__slug")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    search = django_filters.CharFilter(
        method="find", max_length=200, label="Every word occurs in e-mail, name, company or external id"
    )

    class Meta:
        model = Lead
        fields: list[str] = []

    def find(self, queryset, name, text):
        words = text.split()
        if len(words) > WORDS:
            raise ValidationError({"search": [f"More than {WORDS} words. Search for fewer."]})
        for word in words:
            queryset = queryset.filter(Q(search_text__icontains=word))
        return queryset


# What a POST may answer besides what every request may; the topmost extension puts in its own lead.
TAKEN = dict.fromkeys((200, 201), LeadSerializer) | dict.fromkeys((409, 413, 422), ErrorSerializer)


class StrictFilterBackend(DjangoFilterBackend):
    """A filter that does not exist is refused: a misspelt one would silently return everybody."""

    def filter_queryset(self, request, queryset, view):
        filterset = self.get_filterset_class(view, queryset)
        known = [*(filterset.base_filters if filterset else ()), *view.paginator.parameters]
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            raise ValidationError({name: [f"No such filter. Use {', '.join(known)}."] for name in unknown})
        return super().filter_queryset(request, queryset, view)


class LeadViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Take in a lead, list leads, read one."""

    scopes = {"GET": READ, "HEAD": READ, "POST": CAPTURE}
    not_found = "No lead with this id."
    queryset = Lead.objects.select_related("company", "source", "campaign")
    serializer_class = LeadSerializer
    detail_class = LeadDetailSerializer
    filterset_class = LeadFilter
    filter_backends = [StrictFilterBackend]
    pagination_class = NewestFirst

    def list(self, request):
        """Leads, newest first."""
        leads = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.serializer_class.shown(leads))

    def retrieve(self, request, pk):
        """One lead."""
        return Response(self.detail_class.shown([get_object_or_404(self.get_queryset(), pk=pk)])[0])

    @extend_schema(
        request=LeadInputSerializer,
        parameters=[
            OpenApiParameter(
                HEADER, str, OpenApiParameter.HEADER, description="1 to 255 characters, e.g. a UUID"
            )
        ],
        responses=TAKEN,
    )
    def create(self, request):
        """Take in a lead: 201 when it is new, 200 when it was known.

        Each request is one activity in its log, unless `Idempotency-Key` or `message_id` says that it was sent before.
        """
        at = timezone.now()
        key = key_of(request)
        if key is None:
            status, body = self.take(request, at)
            return Response(body, status=status)
        return answered_once(
            client=request.auth.prefix,
            key=key,
            data=request.data,
            at=at,
            answer=lambda: self.take(request, at),
        )

    def take(self, request, at):
        try:
            values, _ = intake.clean(request.data, strict=True, at=at)
            captured = capture.submit(values=values, at=at, source=request.auth.source)
        except intake.InvalidLead as error:
            raise ValidationError(named(error.problems)) from None
        lead = with_relations(captured.lead)
        return (201 if captured.created else 200), self.serializer_class.shown(
            [lead], are_new=captured.created
        )[0]


def with_relations(lead):
    """Give a lead fresh from capture the rows it refers to, in one query."""
    (found,) = fetch(RELATIONS, [lead.company_id, lead.source_id, lead.campaign_id])
    company, source, campaign = found[:5], found[5], found[6]
    lead.company = (
        Company(**dict(zip(("id", "name", "domain", "relationship", "custom"), company, strict=True)))
        if company[0]
        else None
    )
    lead.source = Source(pk=lead.source_id, slug=source) if source else None
    lead.campaign = Campaign(pk=lead.campaign_id, slug=campaign) if campaign else None
    return lead


class ActivityPagination(NewestFirst):
    moment = "occurred_at"


class LeadActivitiesView(generics.ListAPIView):
    """What happened to a lead, newest first."""

    scopes = {"GET": READ, "HEAD": READ}
    not_found = "No lead with this id."
    queryset = Activity.objects.select_related("touchpoint", "source", "campaign")
    serializer_class = ActivitySerializer
    filter_backends = [StrictFilterBackend]
    pagination_class = ActivityPagination

    def get_queryset(self):
        lead = get_object_or_404(Lead.objects.only("pk"), pk=self.kwargs["pk"])
        return super().get_queryset().filter(lead=lead)


def named(problems):
    return {
        field or "lead": [ErrorDetail(f"{field or 'The lead'} {problem} {remedy}", code="invalid")]
        for field, problem, remedy in problems
    }
