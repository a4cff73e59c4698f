"""How marketers shape scoring: models, their versions, the rules of a draft, and rating scales.

Published is read-only. `Edit` makes a draft, `Publish` asks for it to be filled and shows how far it is; readers see
the scores of the version before until the flip.
"""

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

from leads.admin import LeadAdmin
from leads.admin_parts import Admin
from leads.condition_form import ConditionAdmin
from scoring import publish
from scoring.models import ModelVersion, Rule, Scale, ScoringModel
from scoring.queries import routing_scores
from scoring.rule_form import FIGURES, RULE_CRITERIA, SCOPES, RuleForm
from scoring.rule_words import in_order, rule_line, when_in_words, worth_in_words
from scoring.scale_form import ScaleForm, matrix_of

EDITABLE = ModelVersion.Status.DRAFT


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


def first_draft(model, *, by):
    """Version 1 of a new model: no rules yet, on a copy of the newest scale in use."""
    scale = Scale.objects.order_by("-pk").first()
    if scale is None:
        raise PermissionDenied("Make a rating scale first.")
    scale.pk = None
    scale.name = f"{model}: ratings"[:100]
    scale.save(force_insert=True)
    return ModelVersion.objects.create(model=model, number=1, scale=scale, created_by=by)


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
        """Open the draft of a model; make one where there is none."""
        if not request.user.has_perm("scoring.change_modelversion"):
            raise PermissionDenied
        model = get_object_or_404(ScoringModel, pk=pk)
        draft = model.versions.filter(status=EDITABLE, publish_asked_at=None).first()
        if draft is None and model.versions.exists():
            draft = publish.new_draft(model=model, by=request.user)
        draft = draft or first_draft(model, by=request.user)
        return redirect("admin:scoring_modelversion_change", draft.pk)

    def response_add(self, request, obj, post_url_continue=None):
        """A new model starts with a draft to write rules into, on the scale of the model that routes."""
        draft = first_draft(obj, by=request.user)
        messages.success(request, f"{obj.name} has its first draft. Add rules, then publish it.")
        return redirect("admin:scoring_modelversion_change", draft.pk)


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


@admin.register(Rule)
class RuleAdmin(ConditionAdmin, Admin):
    """One rule of a draft, with its sentence and live count. Reached from its version."""

    form = RuleForm
    condition_criteria = RULE_CRITERIA
    list_display = ["name", "version", "kind", "points"]
    list_select_related = ["version__model"]
    list_filter = ["kind"]
    search_fields = ["name"]
    empty_text = "Rules belong to a version of a scoring model."
    empty_step = ("admin:scoring_scoringmodel_changelist", "Open the scoring models")
    conditional_fields = {
        name: f"{sorted(kind for kind, asked in FIGURES.items() if name in asked)}.includes(kind)"
        for name in ("points", "days", "cap_count", "cap_points", "window_days", "steps")
    } | {"condition": f"{sorted(kind for kind, scope in SCOPES.items() if scope)}.includes(kind)"}
    fieldsets = [
        (None, {"fields": ["version", "kind", "name", "condition", "days", "points"]}),
        ("Time and limits", {"fields": ["window_days", "steps", "cap_count", "cap_points", "position"]}),
    ]

    READ_ONLY = ["version", "kind", "name", "when", "worth"]

    def get_fieldsets(self, request, obj=None):
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": self.READ_ONLY})]
        return self.fieldsets

    def get_readonly_fields(self, request, obj=None):
        return ["when", "worth"]

    @display(description="When")
    def when(self, rule):
        return when_in_words(rule)

    @display(description="Points")
    def worth(self, rule):
        return worth_in_words(rule)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "version":
            drafts = ModelVersion.objects.filter(status=EDITABLE, publish_asked_at=None).select_related(
                "model"
            )
            kwargs["queryset"] = drafts
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        version = form.base_fields.get("version")
        if version:  # a version is left by its own page, not by a window over a half-written rule
            version.widget.can_add_related = version.widget.can_change_related = (
                version.widget.can_view_related
            ) = False
        return form

    def get_changeform_initial_data(self, request):
        return {"kind": "fit", **super().get_changeform_initial_data(request)}

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("version__model")

    def in_draft(self, rule):
        return rule is None or (rule.version.status == EDITABLE and rule.version.publish_asked_at is None)

    def has_change_permission(self, request, obj=None):
        return self.in_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return self.in_draft(obj) and super().has_delete_permission(request, obj)

    def back_to_version(self, rule):
        return redirect("admin:scoring_modelversion_change", rule.version_id)

    def response_add(self, request, obj, post_url_continue=None):
        if {"_addanother", "_continue", "_popup"} & request.POST.keys():
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, f"Rule “{obj.name}” is in the draft.")
        return self.back_to_version(obj)

    def response_change(self, request, obj):
        if {"_addanother", "_continue", "_popup"} & request.POST.keys():
            return super().response_change(request, obj)
        messages.success(request, f"Rule “{obj.name}” is saved in the draft.")
        return self.back_to_version(obj)

    def delete_model(self, request, obj):
        request.version_of_deleted = obj.version_id
        super().delete_model(request, obj)

    def response_delete(self, request, obj_display, obj_id):
        messages.success(request, f"Rule “{obj_display}” is taken out of the draft.")
        return redirect("admin:scoring_modelversion_change", request.version_of_deleted)


@admin.register(Scale)
class ScaleAdmin(Admin):
    form = ScaleForm
    list_display = ["name", "labels"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = ["name", "ratings", "fit_bands", "engagement_bands", "matrix"]
    save_as = True
    empty_text = "A scale turns fit and engagement into a rating, e.g. A to D."

    @display(description="Ratings, best first")
    def labels(self, scale):
        return " · ".join(str(label) for label, _ in scale.ratings)

    def matrix(self, scale):
        return matrix_of(scale)

    def has_change_permission(self, request, obj=None):
        """A scale in force is part of what was published: save it as new to change it."""
        in_force = (
            obj is not None and ModelVersion.objects.filter(scale=obj).exclude(status=EDITABLE).exists()
        )
        return not in_force and super().has_change_permission(request, obj)


class ScoredLeadAdmin(LeadAdmin):
    """LeadAdmin with the rating of the model that routes, read for the whole page at once."""

    list_display = [
        "person",
        "company",
        "job_title",
        "rating",
        "shown_stage",
        "shown_place",
        "source",
        "created_at",
    ]

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        scores = routing_scores([lead.pk for lead in changelist.result_list])
        for lead in changelist.result_list:
            lead.routing_score = scores.get(lead.pk)
        return changelist

    @display(description="Rating")
    def rating(self, lead):
        score = lead.routing_score
        return (
            f"{score.rating} (fit {score.fit:g}, engagement {score.engagement:g})" if score else "not scored"
        )
