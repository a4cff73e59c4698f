"""The lead of the API as a whole, with who has it in sales. `leadmgmt/urls.py` binds this one."""

from datetime import datetime
from typing import NamedTuple

import django_filters
from django.db.models import Exists, OuterRef
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers

from distribution.models import Handoff
from leads.api import TAKEN, Detailed
from leads.rows import fetch
from scoring.api import ScoredLeadFilter, ScoredLeadSerializer, ScoredLeadViewSet

ORDER = [
    "id", "email", "first_name", "last_name", "job_title", "role", "phone", "country", "company", "source", "lead_type", "campaign",
    "stage", "place", "owner", "scores", "handoff", "product_interest", "custom", "external_ids", "created_at", "updated_at", "last_activity_at",
]  # fmt: skip


LATEST = """
SELECT DISTINCT ON (h.lead_id) h.lead_id, h.status, h.offered_at, h.first_response_at, u.username
FROM distribution_handoff h
LEFT JOIN distribution_rep r ON r.id = h.owner_id
LEFT JOIN auth_user u ON u.id = r.user_id
WHERE h.lead_id = ANY(%s) ORDER BY h.lead_id, h.created_at DESC, h.id DESC
"""


class LatestHandoff(NamedTuple):
    lead_id: int
    status: str
    offered_at: datetime | None
    first_response_at: datetime | None
    owner: str | None


class HandoffSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=Handoff.Status.choices)
    offered_at = serializers.DateTimeField(allow_null=True)
    first_response_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="Lead")
class OwnedLeadSerializer(ScoredLeadSerializer):
    owner = serializers.CharField(
        source="api_owner", allow_null=True, help_text="User name of the rep who has the lead now"
    )
    handoff = HandoffSerializer(source="api_handoff", allow_null=True, help_text="The latest")

    @classmethod
    def load(cls, leads, *, are_new=False):
        super().load(leads, are_new=are_new)
        latest = (
            {}
            if are_new
            else {row[0]: LatestHandoff(*row) for row in fetch(LATEST, [[lead.pk for lead in leads]])}
        )
        for lead in leads:
            handoff = lead.api_handoff = latest.get(lead.pk)
            lead.api_owner = handoff.owner if handoff and handoff.status in Handoff.OPEN else None

    def get_fields(self):
        fields = super().get_fields()
        return {name: fields.pop(name) for name in ORDER} | fields


@extend_schema_serializer(component_name="LeadInFull")
class OwnedLeadDetailSerializer(Detailed, OwnedLeadSerializer):
    """One lead in full."""


class OwnedLeadFilter(ScoredLeadFilter):
    owner = django_filters.CharFilter(method="owned", label="User name of the rep who has the lead now")

    def owned(self, queryset, name, value):
        mine = Handoff.objects.filter(
            lead=OuterRef("pk"), status__in=Handoff.OPEN, owner__user__username=value
        )
        return queryset.filter(Exists(mine))


@extend_schema_view(
    create=extend_schema(responses=TAKEN | dict.fromkeys((200, 201), OwnedLeadSerializer)),
    retrieve=extend_schema(responses=OwnedLeadDetailSerializer),
)
class OwnedLeadViewSet(ScoredLeadViewSet):
    serializer_class = OwnedLeadSerializer
    detail_class = OwnedLeadDetailSerializer  # type: ignore[assignment]
    filterset_class = OwnedLeadFilter
