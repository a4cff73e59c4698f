"""One version of a scoring model: thresholds, profiles and groups, its rules as sentences, and how far publishing is.

Its steps (review, approval, publishing, rolling back) are those of scoring.views, which all roles reach.
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.shortcuts import redirect
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from leads.admin_parts import Admin, Inline
from scoring import approval, views
from scoring.models import ModelVersion, Profile, RuleGroup
from scoring.rule_words import in_order, rule_line
from scoring.words import amount

EDITABLE = ModelVersion.Status.DRAFT
RESTRICTED = "23001"
MOST = "Points at most"
GONE_TO_REVIEW = "The version is not a draft any more, so nothing was saved. Send it back to draft, or open the next draft."


class VersionForm(forms.ModelForm):
    class Meta:
        model = ModelVersion
        fields = ["note", "scale", "mql_fit", "ready_fit", "ready_engagement", "cap_fit", "cap_engagement"]
        widgets = {"note": UnfoldAdminTextareaWidget(attrs={"rows": 3})}
        labels = {
            "note": "What changed, and why",
            "scale": "Rating scale",
            "mql_fit": "MQL from this fit",
            "ready_fit": "Sales-ready from this fit",
            "ready_engagement": "and this engagement",
            "cap_fit": "Fit is at most",
            "cap_engagement": "Engagement is at most",
        }
        help_texts = dict.fromkeys(["note", "mql_fit", "ready_fit", "ready_engagement"], "") | dict.fromkeys(
            ["cap_fit", "cap_engagement"], "Empty: no limit"
        )


class DraftPart(Inline):
    """A table of parts of a version, to be edited while it is a draft."""

    def has_add_permission(self, request, obj=None):
        return is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request, obj=None):
        return is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return is_draft(obj) and super().has_delete_permission(request, obj)

    def get_fields(self, request, obj=None):
        return self.fields if is_draft(obj) else self.read_only


class ProfileInline(DraftPart):
    model = Profile
    fields = ["name", "description", "position"]
    read_only = ["name", "description"]
    verbose_name_plural = "Ideal customers: fit is that of the best match"

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "description":
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs={"rows": 1})
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class GroupInline(DraftPart):
    model = RuleGroup
    fields = ["name", "cap_points", "position"]
    read_only = ["name", "most"]
    readonly_fields = ["most"]
    verbose_name_plural = "Groups: rules that together give at most so many points"

    @display(description=MOST)
    def most(self, group):
        return "no limit" if group.cap_points is None else amount(group.cap_points, "point")

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "cap_points":
            kwargs |= {"label": MOST, "help_text": ""}
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class DraftOnly:
    """Mixin of the admin of a version or a part of one: that somebody put the version to review between the page and
    saving is told in words, also where only its trigger noticed."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            with transaction.atomic():
                if not self.comes_too_late(request, object_id):
                    return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as refused:
            if getattr(refused.__cause__, "pgcode", "") != RESTRICTED:
                raise
        messages.error(request, GONE_TO_REVIEW)
        return redirect(request.path if object_id else "admin:scoring_scoringmodel_changelist")

    def comes_too_late(self, request, object_id):
        if request.method != "POST" or object_id is None or "_saveasnew" in request.POST:
            return False
        obj = self.get_object(request, unquote(object_id))
        may = self.has_change_permission
        return obj is not None and may(request) and not may(request, obj)


def is_draft(version):
    return version is None or version.status == EDITABLE


@admin.register(ModelVersion)
class ModelVersionAdmin(DraftOnly, Admin):
    """Reached from its model."""

    list_display = ["name", "shown_status", "rule_count", "created_by", "published_by", "published_at"]
    list_select_related = ["model", "created_by", "published_by"]
    list_filter = ["status", "model"]
    ordering = ["model", "-number"]
    fieldsets = [
        (None, {"fields": ["note", "scale"]}),
        ("What counts as enough", {"fields": ["mql_fit", "ready_fit", "ready_engagement"]}),
        ("Limits of the whole", {"fields": ["cap_fit", "cap_engagement"]}),
    ]
    form = VersionForm
    inlines = [ProfileInline, GroupInline]
    change_form_outer_before_template = "admin/scoring/version_state.html"
    change_form_outer_after_template = "admin/scoring/rules.html"
    empty_text = "Versions belong to a scoring model."
    empty_step = ("admin:scoring_scoringmodel_changelist", "Open the scoring models")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("model").annotate(rule_count_=Count("rules"))

    @display(description="Version")
    def name(self, version):
        return str(version)

    @display(
        description="Status",
        label={"Draft": "info", "In review": "warning", "Approved": "primary", "Published": "success"},
        ordering="status",
    )
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
        return is_draft(obj) and super().has_change_permission(request, obj)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        version = self.get_object(request, object_id)
        context = {} if version is None else {
            "version": version,
            "may_edit": self.has_change_permission(request, version),
            "rules": [rule_line(rule) for rule in in_order(version.rules.select_related("profile", "group"))],
            "missing": approval.missing(version),
        } | views.state_of(version)  # fmt: skip
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def response_post_save_change(self, request, obj):
        return redirect("admin:scoring_scoringmodel_change", obj.model_id)

    def save_model(self, request, obj, form, change):
        """Only what was typed in: the rest of the row belongs to approval and publishing."""
        obj.save(update_fields=form.changed_data)
