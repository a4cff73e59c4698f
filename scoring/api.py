"""The lead of the API with its scores: extends `leads.api`, is extended by `distribution.api`."""

import django_filters
from django.db.models import Exists, F, OuterRef
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from leads.api import LeadFilter, LeadSerializer, LeadViewSet
from leads.authentication import READ
from leads.models import Lead
from scoring.explain import explain
from scoring.models import Score
from scoring.queries import current_scores


class ScoreSerializer(serializers.Serializer):
    model = serializers.SlugField(source="slug")
    fit = serializers.FloatField()
    engagement = serializers.FloatField()
    total = serializers.FloatField()
    rating = serializers.CharField()
    as_of = serializers.DateTimeField(help_text="The score is true at this moment")


class EvidenceSerializer(serializers.Serializer):
    what = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class LineSerializer(serializers.Serializer):
    part = serializers.ChoiceField(choices=["fit", "engagement"])
    rule = serializers.CharField()
    kind = serializers.CharField(help_text="Kind of the rule, or `cap`")
    points = serializers.FloatField()
    count = serializers.IntegerField(allow_null=True, help_text="Matches that count")
    raw = serializers.FloatField(allow_null=True, help_text="Points before fading")
    factor = serializers.FloatField(allow_null=True, help_text="What fading leaves of them")
    evidence = EvidenceSerializer(many=True, help_text="The latest three")


class UnknownSerializer(serializers.Serializer):
    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    worth = serializers.FloatField()


class NextRatingSerializer(serializers.Serializer):
    rating = serializers.CharField()
    action = serializers.CharField()
    fit = serializers.FloatField(help_text="Points that are missing")
    engagement = serializers.FloatField(help_text="Points that are missing")


class ForecastSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    rating = serializers.CharField()
    verdict = serializers.CharField()
    total = serializers.FloatField()


class ExplanationSerializer(serializers.Serializer):
    """Why a score is what it is. The lines of a part add up to it."""

    model = serializers.CharField()
    version = serializers.CharField()
    as_of = serializers.DateTimeField(source="at")
    fit = serializers.FloatField()
    engagement = serializers.FloatField()
    total = serializers.FloatField()
    rating = serializers.CharField()
    action = serializers.CharField(help_text="What the rating calls for")
    verdict = serializers.CharField()
    hand_raised_at = serializers.DateTimeField(allow_null=True)
    lines = LineSerializer(many=True)
    unknown = UnknownSerializer(many=True, help_text="Empty fields, and what the best answer would be worth")
    next_rating = NextRatingSerializer(allow_null=True)
    not_passed = serializers.ListField(
        child=serializers.CharField(), help_text="Why sales does not have it; empty when it passes"
    )
    outlook = ForecastSerializer(many=True, help_text="What becomes of it without new activity")
    next_change_at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField(source="as_text", help_text="The same in words")


class ScoredLeadSerializer(LeadSerializer):
    scores = ScoreSerializer(
        many=True, source="api_scores", help_text="One per scoring model; the one that routes first"
    )

    @classmethod
    def load(cls, leads, *, are_new=False):
        super().load(leads, are_new=are_new)
        scores = {} if are_new else current_scores([lead.pk for lead in leads])
        for lead in leads:
            lead.api_scores = scores.get(lead.pk, [])


class ScoredLeadFilter(LeadFilter):
    rating = django_filters.CharFilter(method="rated", label="Current rating; repeat for several")

    def rated(self, queryset, name, value):
        scores = Score.objects.filter(
            lead=OuterRef("pk"),
            rating__in=self.data.getlist(name),
            model_version=F("model_version__model__current_version"),
        )
        return queryset.filter(Exists(scores))


class ScoredLeadViewSet(LeadViewSet):
    serializer_class = ScoredLeadSerializer
    filterset_class = ScoredLeadFilter


class LeadScoreView(APIView):
    """The score of a lead now, line by line."""

    scopes = {"GET": READ, "HEAD": READ}
    not_found = "No lead with this id."

    @extend_schema(responses=ExplanationSerializer)
    def get(self, request, pk):
        explanation = explain(lead=get_object_or_404(Lead, pk=pk))
        if explanation is None:
            raise NotFound("This lead has no score: it is a test lead, or no scoring model is published.")
        return Response(ExplanationSerializer(explanation).data)
