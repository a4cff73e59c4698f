"""How marketers shape nurturing: programs, their versions and steps, e-mail templates, and mail that needs a person."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F
from django.http import HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from leads.admin_parts import Admin, Inline, LargeTable, ReadOnly, since_words
from leads.condition_form import ConditionAdmin, condition_field
from nurturing import mail, sending, versions
from nurturing.letter import BadTemplate, compiled
from nurturing.models import EmailTemplate, Program, ProgramVersion, Step, Touch
from nurturing.step_form import StepForm, save_in_order
from scoring.criteria import SCORED_CRITERIA

DRAFT = ProgramVersion.Status.DRAFT


class ProgramForm(forms.ModelForm):
    entry = condition_field(Program, SCORED_CRITERIA, empty="No condition: nobody enters by one.")

    class Meta:
        model = Program
        fields = ["name", "slug", "entry", "position", "is_main", "is_default", "is_paused"]
        labels = {
            "entry": "Enters when",
            "position": "Asked in this order",
            "is_main": "Main program",
            "is_default": "Default program",
            "is_paused": "Paused",
        }

    def clean_is_default(self):
        wanted = self.cleaned_data["is_default"]
        other = Program.objects.filter(is_default=True).exclude(pk=self.instance.pk).first()
        if wanted and other:
            raise forms.ValidationError(f"“{other}” is the default now. Take it off there first.")
        return wanted


@admin.register(Program)
class ProgramAdmin(ConditionAdmin, Admin):
    form = ProgramForm
    condition_criteria = SCORED_CRITERIA
    list_display = ["name", "in_force", "step_count", "shown_default", "shown_running"]
    list_select_related = ["current_version"]
    search_fields = ["name"]
    ordering = ["position", "id"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "is_paused"]}),
        ("Who enters", {"fields": ["entry", "position", "is_main", "is_default"]}),
    ]
    change_form_outer_after_template = "admin/nurturing/versions.html"
    empty_text = (
        "A program nurtures qualified leads that are not ready yet. Add the first, then write its steps."
    )

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(steps=Count("current_version__steps"))

    @display(description="In force", ordering="current_version__number")
    def in_force(self, program):
        return since_words(program.current_version)

    @display(description="Steps", ordering="steps")
    def step_count(self, program):
        return program.steps

    @display(description="Default", boolean=True, ordering="is_default")
    def shown_default(self, program):
        return program.is_default

    @display(description="Running", boolean=True)
    def shown_running(self, program):
        return bool(program.current_version_id) and not program.is_paused

    def get_urls(self):
        view = self.admin_site.admin_view(require_POST(self.edit))
        return [path("<int:pk>/edit/", view, name="nurturing_program_edit"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        program = self.get_object(request, object_id)
        found = ProgramVersion.objects.filter(program=program).annotate(step_count=Count("steps"))
        context = {"versions": found.order_by("-number")[:50]}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and "is_paused" in form.changed_data:
            (versions.pause if obj.is_paused else versions.go_on)(program=obj)

    def edit(self, request, pk):
        """Open the draft of a program; make one where there is none."""
        if not request.user.has_perm("nurturing.change_programversion"):
            raise PermissionDenied
        draft = versions.new_draft(program=get_object_or_404(Program, pk=pk))
        return redirect("admin:nurturing_programversion_change", draft.pk)

    def response_add(self, request, obj, post_url_continue=None):
        draft = versions.new_draft(program=obj)
        messages.success(request, f"{obj.name} has its first draft. Add its steps, then publish it.")
        return redirect("admin:nurturing_programversion_change", draft.pk)


class StepInline(Inline):
    model = Step
    form = StepForm
    fields = ["order", "kind", "wait_hours", "template", "instruction"]
    ordering = ["position"]
    verbose_name_plural = "Steps, in order"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("template", "version__program")


@admin.register(ProgramVersion)
class ProgramVersionAdmin(Admin):
    """One version: its steps, and publishing. Reached from its program."""

    list_display = ["name", "shown_status", "created_at", "published_at"]
    list_select_related = ["program"]
    list_filter = ["status", "program"]
    ordering = ["program", "-number"]
    exclude = ["program", "number", "status", "published_at"]  # written by publishing only
    inlines = [StepInline]
    change_form_outer_before_template = "admin/nurturing/version_state.html"
    empty_text = "Versions belong to a program."
    empty_step = ("admin:nurturing_program_changelist", "Open the programs")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("program")

    @display(description="Version")
    def name(self, version):
        return str(version)

    @display(description="Status", label={"Draft": "info", "Published": "success"}, ordering="status")
    def shown_status(self, version):
        return version.get_status_display()

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return (obj is None or obj.status == DRAFT) and super().has_change_permission(request, obj)

    def get_inline_instances(self, request, obj=None):
        inlines = super().get_inline_instances(request, obj)
        if obj is not None and obj.status != DRAFT:
            for inline in inlines:
                inline.has_add_permission = inline.has_change_permission = inline.has_delete_permission = (
                    refuse
                )
                inline.form, inline.fields = forms.ModelForm, ["position", *StepInline.fields[1:]]
        return inlines

    def save_formset(self, request, form, formset, change):
        save_in_order(formset)

    def get_urls(self):
        view = self.admin_site.admin_view(require_POST(self.publish))
        return [path("<int:pk>/publish/", view, name="nurturing_programversion_publish"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        version = self.get_object(request, object_id)
        context = {
            "version": version,
            "may_edit": version is not None and self.has_change_permission(request, version),
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def publish(self, request, pk):
        version = get_object_or_404(ProgramVersion.objects.select_related("program"), pk=pk)
        if not super().has_change_permission(request):
            raise PermissionDenied
        try:
            versions.publish(version=version, at=timezone.now())
        except versions.NotPublishable as refused:
            for problem in refused.problems:
                messages.error(request, problem)
        else:
            self.log_change(request, version, "Published.")
            messages.success(
                request, f"{version} is in force. Who is inside already finishes the version they entered."
            )
        return redirect("admin:nurturing_programversion_change", pk)


def refuse(request, obj=None):
    return False


class EmailTemplateForm(forms.ModelForm):
    class Meta:
        model = EmailTemplate
        fields = ["name", "slug", "subject", "body"]
        labels = {"body": "Text"}
        help_texts = {
            "body": "Plain paragraphs; a blank line begins a new one. Begin with the mjml tag for full control of the layout."
        }

    def clean(self):
        cleaned = super().clean()
        if not self.errors:
            for problem in mail.check(
                EmailTemplate(name=cleaned["name"], subject=cleaned["subject"], body=cleaned["body"])
            ):
                self.add_error("body", problem)
        return cleaned


@admin.register(EmailTemplate)
class EmailTemplateAdmin(Admin):
    form = EmailTemplateForm
    list_display = ["name", "subject"]
    search_fields = ["name", "subject"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "subject", "body"]
    change_form_outer_after_template = "admin/nurturing/preview.html"
    empty_text = "A template is a mail with gaps for the lead's name and company. Write the first, then use it in a program."

    def get_urls(self):
        view = self.admin_site.admin_view(self.preview)
        return [path("preview/", view, name="nurturing_emailtemplate_preview"), *super().get_urls()]

    def preview(self, request):
        """The mail as a sample lead would get it, from what is typed now. Never sent, never stored."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        template = EmailTemplate(
            name="Preview", subject=request.POST.get("subject", "")[:200], body=request.POST.get("body", "")
        )
        context = {"to": f"{mail.SAMPLE_LEAD['name']} <{mail.SAMPLE_LEAD['email']}>"}
        try:
            subject, html, text = compiled(template).render(mail.sample_values())
            context |= {"subject": mail.one_line(subject), "html": html, "text": text}
        except BadTemplate as bad:
            context["problem"] = str(bad)
        return render(request, "admin/nurturing/_preview.html", context)


@admin.register(Touch)
class TouchAdmin(LargeTable, ReadOnly, Admin):
    """Mail whose fate is uncertain or that failed: the product never resends it by itself, a person decides."""

    list_display = ["lead", "what", "program", "shown_status", "reason", "settled_at"]
    list_select_related = ["lead", "step__template", "enrollment__program"]
    list_filter = [("status", ChoicesDropdownFilter)]
    ordering = [F("settled_at").desc(nulls_last=True), "-id"]
    fields = [
        "lead",
        "program",
        "what",
        "shown_status",
        "reason",
        "due_at",
        "settled_at",
        "attempts",
        "message_id",
    ]
    readonly_fields = fields
    actions = ["send_again", "mark_sent"]
    empty_text = "No mail is uncertain and none has failed. Should one, it waits here for you and is never sent twice by itself."
    empty_step = ("admin:nurturing_program_changelist", "Open the programs")

    def get_queryset(self, request):
        needing = [Touch.Status.UNCERTAIN, Touch.Status.FAILED]
        return super().get_queryset(request).filter(status__in=needing)

    @display(description="Mail or call")
    def what(self, touch):
        return touch.step.template or touch.get_kind_display()

    @display(description="Program")
    def program(self, touch):
        return touch.enrollment.program

    @display(description="Status", ordering="status", label={"Uncertain": "warning", "Failed": "danger"})
    def shown_status(self, touch):
        return touch.get_status_display()

    def has_decide_permission(self, request):
        return request.user.has_perm("nurturing.change_touch")

    @admin.action(description="Send once more", permissions=["decide"])
    def send_again(self, request, queryset):
        done = sum(sending.send_again(Touch, pk=pk, at=timezone.now()) for pk in chosen(queryset))
        messages.success(request, f"{done} will be sent once more.")

    @admin.action(description="It did arrive: mark as sent", permissions=["decide"])
    def mark_sent(self, request, queryset):
        done = sum(sending.mark_sent(Touch, pk=pk, at=timezone.now()) for pk in chosen(queryset))
        messages.success(request, f"{done} marked as sent.")


def chosen(queryset):
    return list(queryset.values_list("pk", flat=True)[:200])
