"""Rating scales: labels, what each calls for, bands and the matrix."""

from django.contrib import admin
from unfold.decorators import display

from leads.admin_parts import Admin
from scoring.admin.versions import EDITABLE, DraftOnly
from scoring.models import ModelVersion, Scale
from scoring.scale_form import PairsField, RatingsField, ScaleForm, matrix_of
from scoring.starters import SCALES


@admin.register(Scale)
class ScaleAdmin(DraftOnly, Admin):
    form = ScaleForm
    list_display = ["name", "labels"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = ["name", "ratings", "fit_bands", "engagement_bands", "matrix"]
    save_as = True
    change_form_before_template = "admin/scoring/scale_presets.html"
    empty_text = "A scale turns fit and engagement into a rating, e.g. A to D."

    @display(description="Ratings, best first")
    def labels(self, scale):
        return " · ".join(str(label) for label, *_ in scale.ratings)

    def get_fields(self, request, obj=None):
        if obj is not None and not self.has_change_permission(request, obj):
            return ["name", "all_ratings", "fit", "engagement", "matrix"]
        return self.fields

    def get_readonly_fields(self, request, obj=None):
        return (
            [] if self.has_change_permission(request, obj) else ["all_ratings", "fit", "engagement", "matrix"]
        )

    @display(description="Ratings")
    def all_ratings(self, scale):
        return RatingsField().prepare_value(scale.ratings)

    @display(description="Fit bands")
    def fit(self, scale):
        return PairsField(numbers=True).prepare_value(scale.fit_bands)

    @display(description="Engagement bands")
    def engagement(self, scale):
        return PairsField(numbers=True).prepare_value(scale.engagement_bands)

    @display(description="Rating of each cell")
    def matrix(self, scale):
        return matrix_of(scale)

    def add_view(self, request, form_url="", extra_context=None):
        presets = [(key, name) for key, (name, _) in SCALES.items()]
        return super().add_view(request, form_url, {"presets": presets} | (extra_context or {}))

    def get_changeform_initial_data(self, request):
        """A scale to start from: `?preset=` names one of scoring.starters."""
        name, parts = SCALES.get(request.GET.get("preset", "a-to-d"), ("", None))
        if parts is None:
            return {}
        return {"name": name, **parts, "matrix": matrix_of(Scale(**parts))}

    def has_change_permission(self, request, obj=None):
        """A scale in force is part of what was published: save it as new to change it."""
        in_force = (
            obj is not None and ModelVersion.objects.filter(scale=obj).exclude(status=EDITABLE).exists()
        )
        return not in_force and super().has_change_permission(request, obj)
