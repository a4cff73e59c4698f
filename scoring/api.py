"""The lead of the API with its scores: extends `leads.api`, is extended by `distribution.api`."""

from datetime import UTC

import django_filters
from django.db.models import Exists, F, OuterRef
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from leads.api import LeadFilter, LeadSerializer, LeadViewSet
from leads.authentication import READ
from leads.models import Lead
from scoring import segments
from scoring.explain import why_none
from scoring.models import Score, Segment
from scoring.queries import current_scores
from scoring.why import UnknownModel, why


class ScoreSerializer(serializers.Serializer):
    model = serializers.SlugField(source="slug")
    fit = serializers.FloatField()
    engagement = serializers.FloatField()
    total = serializers.FloatField()
    rating = serializers.CharField()
    as_of = serializers.DateTimeField(help_text="The score is true at this moment")


class EvidenceSerializer(serializers.Serializer):
    what = serializers.CharField()
    asset = serializers.CharField(
        help_text="The path or slug of that which `what` calls by its title, or empty"
    )
    at = serializers.DateTimeField(
        allow_null=True,
        help_text="When it happened, or since when the field holds that value; null where nobody changed it",
    )
    activity = serializers.IntegerField(
        source="activity_id", allow_null=True, help_text="Its id in the lead's activities, where it is one"
    )


class LineSerializer(serializers.Serializer):
    part = serializers.ChoiceField(choices=["fit", "engagement"])
    rule = serializers.CharField()
    kind = serializers.CharField(help_text="Kind of the rule, or `cap`")
    points = serializers.FloatField()
    count = serializers.IntegerField(allow_null=True, help_text="Matches that count")
    raw = serializers.FloatField(allow_null=True, help_text="Points before fading")
    factor = serializers.FloatField(allow_null=True, help_text="What fading leaves of them")
    needed = serializers.IntegerField(allow_null=True, help_text="So many matches give the points once")
    half_life_days = serializers.FloatField(allow_null=True, help_text="Points halve in so many days")
    group = serializers.CharField(help_text="Group of rules with a cap of its own, or empty")
    profile = serializers.CharField(help_text="Ideal customer that the rule belongs to, or empty")
    who = serializers.CharField(help_text="For whom the rule is, where it is not for everybody")
    evidence = EvidenceSerializer(many=True, help_text="The latest three")


class MatchSerializer(serializers.Serializer):
    profile = serializers.CharField()
    points = serializers.FloatField()
    of = serializers.FloatField()
    is_best = serializers.BooleanField(help_text="Only the best one counts")


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
    because = serializers.CharField(
        help_text="How fit and engagement make the rating; empty for the excluded. Their total has no part in it"
    )
    verdict = serializers.CharField()
    hand_raised_at = serializers.DateTimeField(allow_null=True)
    minutes = serializers.IntegerField(allow_null=True, help_text="The effort that the rating allows for")
    profiles = MatchSerializer(many=True, help_text="How well each ideal customer of the model is met")
    lines = LineSerializer(many=True)
    unknown = UnknownSerializer(many=True, help_text="Empty fields, and what the best answer would be worth")
    next_rating = NextRatingSerializer(allow_null=True)
    not_passed = serializers.ListField(
        child=serializers.CharField(), help_text="Why sales does not have it; empty when it passes"
    )
    outlook = ForecastSerializer(many=True, help_text="What becomes of it without new activity")
    next_change_at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField(source="as_text", help_text="The same in words")


class JudgedSerializer(serializers.Serializer):
    model = serializers.SlugField(source="slug")
    name = serializers.CharField(source="model")
    routes = serializers.BooleanField(help_text="This model decides what passes to sales")
    rating = serializers.CharField()
    total = serializers.FloatField()


class MomentSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    rating = serializers.CharField()
    verdict = serializers.CharField()
    fit = serializers.FloatField()
    engagement = serializers.FloatField()
    total = serializers.FloatField()
    version = serializers.IntegerField()


class MarkSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    version = serializers.IntegerField(help_text="Readers saw the scores of this version from then on")


class HistorySerializer(serializers.Serializer):
    moments = MomentSerializer(many=True, help_text="When the rating or verdict moved, oldest first")
    marks = MarkSerializer(many=True, help_text="When versions of the model were published")
    is_whole = serializers.BooleanField(help_text="False: older moments were left out")


class WhySerializer(ExplanationSerializer):
    """Why a score is what it is, which other models judge the lead, and how the score moved."""

    model_slug = serializers.SlugField()
    routes = serializers.BooleanField(help_text="This model decides what passes to sales")
    is_past = serializers.BooleanField(help_text="Replayed for `as_of`, under the version then in force")
    models = JudgedSerializer(many=True, help_text="Every model that judges this lead, with its rating now")
    history = HistorySerializer()

    @classmethod
    def shown(cls, why):
        """The answer as a JSON-able dict; `why` has an explanation."""
        own = {
            "model_slug": why.model.slug, "routes": why.model.routes, "is_past": why.is_past, "models": why.scores,
            "history": why.history,
        }  # fmt: skip
        fields = {name: getattr(why.explanation, name) for name in EXPLAINED}
        return cls(fields | own).data


EXPLAINED = [
    "model", "version", "at", "fit", "engagement", "total", "rating", "action", "because", "verdict", "hand_raised_at",
    "lines", "minutes", "profiles", "unknown", "next_rating", "not_passed", "outlook", "next_change_at", "as_text",
]  # fmt: skip


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
    rating = django_filters.CharFilter(
        method="rated", label="Rating by the model that decides what passes to sales; repeat for several"
    )
    segment = extend_schema_field(OpenApiTypes.STR)(
        django_filters.ModelChoiceFilter(
            queryset=Segment.objects.all(),
            to_field_name="slug",
            method="in_segment",
            label="Slug of a segment",
        )
    )

    def rated(self, queryset, name, value):
        scores = Score.objects.filter(
            lead=OuterRef("pk"),
            rating__in=self.data.getlist(name),
            model_version=F("model_version__model__current_version"),
            model_version__model__routes=True,
        )
        return queryset.filter(Exists(scores))

    def in_segment(self, queryset, name, value):
        return segments.narrow(queryset, value, at=timezone.now())


class ScoredLeadViewSet(LeadViewSet):
    serializer_class = ScoredLeadSerializer
    filterset_class = ScoredLeadFilter


class AsOfField(serializers.DateTimeField):
    default_error_messages = {
        "invalid": "Not a time. Use ISO 8601 with zone, e.g. 2026-03-01T12:30:00Z.",
        "future": "This is in the future. Leave it out for now; `outlook` says what comes.",
    }

    def to_internal_value(self, value):
        try:
            at = super().to_internal_value(value.replace(" ", "+"))  # a plus sign that nobody quoted
        except OverflowError:
            self.fail("invalid", format="ISO 8601")
        if at > timezone.now():
            self.fail("future")
        return at


class WhyQuerySerializer(serializers.Serializer):
    as_of = AsOfField(
        required=False, default_timezone=UTC, help_text="A past instant to replay; left out: now"
    )
    model = serializers.CharField(
        required=False, max_length=100, help_text="Slug of a scoring model; left out: the one that routes"
    )


class LeadScoreView(APIView):
    """The score of a lead, line by line."""

    scopes = {"GET": READ, "HEAD": READ}
    not_found = "No lead with this id."

    @extend_schema(parameters=[WhyQuerySerializer], responses=WhySerializer)
    def get(self, request, pk):
        """Why a lead has its score: now, or replayed for a past instant under the version then in force."""
        asked = WhyQuerySerializer(data=request.query_params)
        unknown = [name for name in request.query_params if name not in asked.fields]
        if unknown:
            raise ValidationError({name: ["No such parameter. Use as_of or model."] for name in unknown})
        asked.is_valid(raise_exception=True)
        lead = get_object_or_404(Lead, pk=pk)
        try:
            answer = why(
                lead=lead, model=asked.validated_data.get("model"), at=asked.validated_data.get("as_of")
            )
        except UnknownModel as error:
            raise ValidationError({"model": [str(error)]}) from None
        if answer.explanation is None:
            raise NotFound(why_none(lead=lead, at=answer.at, model=answer.model))
        return Response(WhySerializer.shown(answer))
