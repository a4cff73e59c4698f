"""One rule of a draft, with its sentence and live count. Reached from its version."""

from django.contrib import admin, messages
from django.shortcuts import redirect
from unfold.decorators import display

from leads.admin_parts import Admin
from leads.condition_form import ConditionAdmin
from scoring.admin.impact import ImpactAdmin
from scoring.admin.versions import EDITABLE, DraftOnly
from scoring.models import ModelVersion, Rule
from scoring.rule_form import EMPTY, FIGURES, RULE_CRITERIA, SCOPES, RuleForm
from scoring.rule_words import when_in_words, who_in_words, worth_in_words


@admin.register(Rule)
class RuleAdmin(DraftOnly, ImpactAdmin, ConditionAdmin, Admin):
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
        for name in EMPTY
    } | {"condition": f"{sorted(kind for kind, scope in SCOPES.items() if scope)}.includes(kind)"}
    fieldsets = [
        (None, {"fields": ["version", "kind", "name", "condition", "who", "days", "points"]}),
        (
            "Time and limits",
            {
                "fields": [
                    "min_count", "window_days", "steps", "half_life_days", "cap_count", "cap_points", "profile", "group",
                    "position",
                ]
            },
        ),
    ]  # fmt: skip

    READ_ONLY = ["version", "kind", "name", "when", "for_whom", "worth"]

    def get_fieldsets(self, request, obj=None):
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": self.READ_ONLY})]
        return self.fieldsets

    def get_readonly_fields(self, request, obj=None):
        return ["when", "for_whom", "worth"]

    @display(description="When")
    def when(self, rule):
        return when_in_words(rule)

    @display(description="Only for")
    def for_whom(self, rule):
        return who_in_words(rule).removeprefix("only for: ") or "all leads"

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
        for name in (
            "version",
            "profile",
            "group",
        ):  # made on the version's own page, not in a window over the rule
            if name in form.base_fields:
                widget = form.base_fields[name].widget
                widget.can_add_related = widget.can_change_related = widget.can_view_related = False
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
