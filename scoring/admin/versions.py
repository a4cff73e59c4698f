"""One version of a scoring model: thresholds, its rules as sentences, publishing and how far it is."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from leads.admin_parts import Admin
from scoring import publish
from scoring.models import ModelVersion
from scoring.rule_words import in_order, rule_line

EDITABLE = ModelVersion.Status.DRAFT


class VersionForm(forms.ModelForm):
    class Meta:
        model = ModelVersion
        fields = ["note", "scale", "mql_fit", "ready_fit", "ready_engagement"]
        widgets = {"note": UnfoldAdminTextareaWidget(attrs={"rows": 3})}
        labels = {
            "note": "What changed, and why",
            "scale": "Rating scale",
            "mql_fit": "MQL from this fit",
            "ready_fit": "Sales-ready from this fit",
            "ready_engagement": "and this engagement",
        }
        help_texts = dict.fromkeys(["note", "mql_fit", "ready_fit", "ready_engagement"], "")


@admin.register(ModelVersion)
class ModelVersionAdmin(Admin):
    """One version: thresholds, its rules as sentences, and publishing. Reached from its model."""

    list_display = ["name", "shown_status", "rule_count", "created_by", "published_by", "published_at"]
    list_select_related = ["model", "created_by", "published_by"]
    list_filter = ["status", "model"]
    ordering = ["model", "-number"]
    fieldsets = [
        (None, {"fields": ["note", "scale"]}),
        ("What counts as enough", {"fields": ["mql_fit", "ready_fit", "ready_engagement"]}),
    ]
    form = VersionForm
    change_form_outer_before_template = "admin/scoring/version_state.html"
    change_form_outer_after_template = "admin/scoring/rules.html"
    empty_text = "Versions belong to a scoring model."
    empty_step = ("admin:scoring_scoringmodel_changelist", "Open the scoring models")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("model").annotate(rule_count_=Count("rules"))

    @display(description="Version")
    def name(self, version):
        return str(version)

    @display(description="Status", label={"Draft": "info", "Published": "success"}, ordering="status")
    def shown_status(self, version):
        return version.get_status_display()

    @display(description="Rules")
    def rule_count(self, version):
        return version.rule_count_

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        editable = obj is None or (obj.status == EDITABLE and obj.publish_asked_at is None)
        return editable and super().has_change_permission(request, obj)

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/publish/", wrap(require_POST(self.publish)), name="scoring_modelversion_publish"),
            path(
                "<int:pk>/call-off/", wrap(require_POST(self.call_off)), name="scoring_modelversion_call_off"
            ),
            path("<int:pk>/progress/", wrap(self.progress), name="scoring_modelversion_progress"),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        version = self.get_object(request, object_id)
        context = {} if version is None else {
            "version": version,
            "may_edit": self.has_change_permission(request, version),
            "rules": [rule_line(rule) for rule in in_order(version.rules.all())],
        } | state_of(version)  # fmt: skip
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def publish(self, request, pk):
        version = get_object_or_404(ModelVersion, pk=pk)
        if not super().has_change_permission(request):
            raise PermissionDenied
        try:
            publish.ask_publish(version=version, by=request.user, at=timezone.now())
        except ValueError as refused:
            messages.error(request, str(refused))
        else:
            self.log_change(request, version, "Asked to publish.")
        return redirect("admin:scoring_modelversion_change", pk)

    def call_off(self, request, pk):
        version = get_object_or_404(ModelVersion, pk=pk)
        if not super().has_change_permission(request):
            raise PermissionDenied
        if publish.call_off(version=version):
            self.log_change(request, version, "Called publishing off.")
            messages.success(request, "Publishing is called off. Everybody keeps the scores they have.")
        return redirect("admin:scoring_modelversion_change", pk)

    def progress(self, request, pk):
        """The part of the page that shows how far publishing is; the whole page again once it is done."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
        state = state_of(version)
        if not state["is_filling"]:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return render(request, "admin/scoring/_progress.html", {"version": version} | state)


def state_of(version):
    """What the version page says about publishing: whether it is filling, and how far in percent."""
    filling = version.publish_asked_at is not None and version.status != ModelVersion.Status.PUBLISHED
    share = min(100, 100 * version.filled // version.to_fill) if version.to_fill else 0
    done = f"{version.filled:,} of {version.to_fill:,} leads scored"
    return {"is_filling": filling, "share": share, "done": done, "is_draft": version.status == EDITABLE}
