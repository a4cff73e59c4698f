"""Scoring models: what each is for, its versions, and the way into its draft."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_POST
from unfold.decorators import display

from leads.admin_parts import Admin
from scoring import approval, publish
from scoring.models import ModelVersion, ScoringModel


class ScoringModelForm(forms.ModelForm):
    class Meta:
        model = ScoringModel
        fields = ["name", "slug", "routes", "goals"]
        labels = {"routes": "Decides what passes to sales"}
        help_texts = {"routes": "One model does; the others inform."}

    def clean_routes(self):
        wanted = self.cleaned_data["routes"]
        other = ScoringModel.objects.filter(routes=True).exclude(pk=self.instance.pk).first()
        if wanted and other:
            raise forms.ValidationError(f"“{other}” decides now. Take it off there first.")
        return wanted


@admin.register(ScoringModel)
class ScoringModelAdmin(Admin):
    list_display = ["name", "in_force", "shown_routes", "rule_count"]
    list_select_related = ["current_version"]
    search_fields = ["name"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    form = ScoringModelForm
    change_form_outer_after_template = "admin/scoring/versions.html"
    empty_text = (
        "A scoring model judges leads for one product or market. Add the first, then write its rules."
    )

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(rules=Count("current_version__rules"))

    @display(description="In force", ordering="current_version__number")
    def in_force(self, model):
        version = model.current_version
        return (
            f"v{version.number} since {version.published_at:%d %b %Y}"
            if version and version.published_at
            else "not published"
        )

    @display(description="Decides what passes to sales", boolean=True, ordering="routes")
    def shown_routes(self, model):
        return model.routes

    @display(description="Rules", ordering="rules")
    def rule_count(self, model):
        return model.rules

    def get_urls(self):
        view = self.admin_site.admin_view(require_POST(self.edit))
        return [path("<int:pk>/edit/", view, name="scoring_scoringmodel_edit"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        versions = ModelVersion.objects.filter(model_id=object_id).select_related(
            "created_by", "published_by", "model"
        )
        context = {"versions": versions.annotate(rule_count=Count("rules")).order_by("-number")[:50]}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def edit(self, request, pk):
        """Open the version that is being worked on; make a draft where there is none."""
        if not request.user.has_perm("scoring.change_modelversion"):
            raise PermissionDenied
        model = get_object_or_404(ScoringModel, pk=pk)
        draft = model.versions.filter(status__in=approval.OPEN).first()
        if draft is None:
            begin = publish.new_draft if model.versions.exists() else publish.first_draft
            draft = begin(model=model, by=request.user)
        return redirect("admin:scoring_modelversion_change", draft.pk)

    def response_add(self, request, obj, post_url_continue=None):
        """A new model starts with a draft to write rules into, on the scale of the model that routes."""
        draft = publish.first_draft(model=obj, by=request.user)
        messages.success(request, f"{obj.name} has its first draft. Add rules, then publish it.")
        return redirect("admin:scoring_modelversion_change", draft.pk)
