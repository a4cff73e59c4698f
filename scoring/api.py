"""The lead of the API with its scores: extends `leads.api`, is extended by `distribution.api`."""

import django_filters
from django.db.models import Exists, F, OuterRef
from rest_framework import serializers

from leads.api import LeadFilter, LeadSerializer, LeadViewSet
from scoring.models import Score
from scoring.queries import current_scores


class ScoreSerializer(serializers.Serializer):
    model = serializers.SlugField(source="slug")
    fit = serializers.FloatField()
    engagement = serializers.FloatField()
    total = serializers.FloatField()
    rating = serializers.CharField()
    as_of = serializers.DateTimeField(help_text="The score is true at this moment")


class ScoredLeadSerializer(LeadSerializer):
    scores = ScoreSerializer(many=True, source="api_scores", help_text="One per scoring model; the one that routes first")

    @classmethod
    def load(cls, leads):
        super().load(leads)
        scores = current_scores([lead.pk for lead in leads])
        for lead in leads:
            lead.api_scores = scores.get(lead.pk, [])


class ScoredLeadFilter(LeadFilter):
    rating = django_filters.CharFilter(method="rated", label="Current rating; repeat for several")

    def rated(self, queryset, name, value):
        scores = Score.objects.filter(
            lead=OuterRef("pk"), rating__in=self.data.getlist(name), model_version=F("model_version__model__current_version")
        )
        return queryset.filter(Exists(scores))


class ScoredLeadViewSet(LeadViewSet):
    serializer_class = ScoredLeadSerializer
    filterset_class = ScoredLeadFilter
