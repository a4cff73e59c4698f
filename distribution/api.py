"""The lead of the API as a whole, with who has it in sales. `leadmgmt/urls.py` binds this one."""

import django_filters
from django.db.models import Exists, OuterRef
from rest_framework import serializers

from distribution.models import Handoff
from scoring.api import ScoredLeadFilter, ScoredLeadSerializer, ScoredLeadViewSet

ORDER = [
    "id", "email", "first_name", "last_name", "job_title", "role", "phone", "country", "company", "source", "lead_type", "campaign",
    "stage", "place", "owner", "scores", "handoff", "external_ids", "created_at", "updated_at", "last_activity_at",
]  # fmt: skip


class HandoffSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=Handoff.Status.choices)
    offered_at = serializers.DateTimeField(allow_null=True)
    first_response_at = serializers.DateTimeField(allow_null=True)


class OwnedLeadSerializer(ScoredLeadSerializer):
    owner = serializers.CharField(source="api_owner", allow_null=True, help_text="User name of the rep who has the lead now")
    handoff = HandoffSerializer(source="api_handoff", allow_null=True, help_text="The latest")

    @classmethod
    def load(cls, leads):
        super().load(leads)
        latest = {
            handoff.lead_id: handoff
            for handoff in Handoff.objects.filter(lead__in=leads)
            .order_by("lead", "-created_at", "-id")
            .distinct("lead")
            .select_related("owner__user")
        }
        for lead in leads:
            handoff = lead.api_handoff = latest.get(lead.pk)
            has_it = handoff and handoff.owner and handoff.status in Handoff.OPEN
            lead.api_owner = handoff.owner.user.get_username() if has_it else None

    def get_fields(self):
        fields = super().get_fields()
        return {name: fields[name] for name in ORDER}


class OwnedLeadFilter(ScoredLeadFilter):
    owner = django_filters.CharFilter(method="owned", label="User name of the rep who has the lead now")

    def owned(self, queryset, name, value):
        mine = Handoff.objects.filter(lead=OuterRef("pk"), status__in=Handoff.OPEN, owner__user__username=value)
        return queryset.filter(Exists(mine))


class OwnedLeadViewSet(ScoredLeadViewSet):
    serializer_class = OwnedLeadSerializer
    filterset_class = OwnedLeadFilter
