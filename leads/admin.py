"""What marketers configure about capture, and what they look up about leads.

`LeadAdmin` is not registered here: scoring adds the rating, distribution the owner, and registers it.
"""

import json

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, F
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from leads import consent, identity, places
from leads.admin_parts import Admin, Inline, LargeTable, LinesField, ReadOnly
from leads.intake import FIELDS
from leads.models import (
    ApiKey,
    Campaign,
    CaptureForm,
    Company,
    CompanyDomain,
    FieldChange,
    Lead,
    Question,
    Source,
    Submission,
    Suppression,
)

NOT_ASKED = {"message_id", "occurred_at", "source", "campaign"}  # set by the product, not by an answer
SCOPES = [("capture", "Capture: post leads"), ("read", "Read: leads and scores")]


@admin.register(Source)
class SourceAdmin(Admin):
    list_display = ["name", "slug", "origin"]
    list_filter = [("origin", ChoicesDropdownFilter)]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["write_key"]
    fieldsets = [(None, {"fields": ["name", "slug", "origin", "write_key"]})]
    empty_text = (
        "A lead source is a channel: paid search, a fair, a partner. Add the first, then name it in a form."
    )


@admin.register(Campaign)
class CampaignAdmin(Admin):
    list_display = ["name", "source", "cost"]
    list_select_related = ["source"]
    list_filter = [("source", RelatedDropdownFilter)]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "source", "cost"]
    empty_text = (
        "A campaign is one push within a source, with its cost. Add the first to compare what they win."
    )


def in_field_words(name):
    return name.replace("_", " ").capitalize().replace("Utm", "UTM")


class QuestionForm(forms.ModelForm):
    field = forms.ChoiceField(
        label="Fills lead field",
        choices=[("", "Select a field")]
        + [(name, in_field_words(name)) for name in FIELDS if name not in NOT_ASKED],
        widget=UnfoldAdminSelectWidget,
    )
    choices = LinesField(label="Choices (one per line)")

    class Meta:
        model = Question
        fields = ["position", "label", "name", "field", "required", "choices"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("field", "choices"):
            self.fields[name].widget.attrs["aria-label"] = self.fields[name].label


class QuestionInline(Inline):
    model = Question
    form = QuestionForm
    ordering = ["position", "id"]


class CaptureFormForm(forms.ModelForm):
    origins = LinesField(
        label="Sites that may post", help_text="One per line, e.g. https://www.acme.example. Empty: any site."
    )
    thank_you_urls = LinesField(
        label="Thank-you pages", help_text="One per line; a browser is sent to the first afterwards."
    )

    class Meta:
        model = CaptureForm
        fields = [
            "name", "slug", "lead_type", "asset", "is_active", "marketing_basis", "basis_text", "basis_version", "source",
            "campaign", "origins", "thank_you_urls",
        ]  # fmt: skip
        labels = {"is_active": "Takes submissions", "asset": "Gives"}
        widgets = {"basis_text": UnfoldAdminTextareaWidget(attrs={"rows": 3})}


@admin.register(CaptureForm)
class CaptureFormAdmin(Admin):
    form = CaptureFormForm
    list_display = ["name", "lead_type", "marketing_basis", "asks", "shown_active"]
    list_filter = [("lead_type", ChoicesDropdownFilter), "is_active"]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [QuestionInline]
    readonly_fields = ["posts_to"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "lead_type", "asset", "is_active", "posts_to"]}),
        ("Permission to write", {"fields": ["marketing_basis", "basis_text", "basis_version"]}),
        ("Attribution", {"fields": ["source", "campaign"]}),
        ("Where it stands", {"fields": ["origins", "thank_you_urls"]}),
    ]
    empty_text = (
        "A capture form says what you ask, what a submission means, and on which basis you may write."
    )

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(question_count=Count("questions"))

    @display(description="Questions", ordering="question_count")
    def asks(self, form):
        return form.question_count

    @display(description="Active", boolean=True, ordering="is_active")
    def shown_active(self, form):
        return form.is_active

    @display(description="Posts to")
    def posts_to(self, form):
        if not form.pk:
            return "Shown once the form is saved."
        return format_html("<code>POST /api/v1/forms/{}/submissions/</code>", form.slug)


@admin.register(Submission)
class SubmissionAdmin(LargeTable, ReadOnly, Admin):
    list_display = ["received_at", "form", "shown_status", "lead", "problems"]
    list_select_related = ["form", "lead"]
    list_filter = [("status", ChoicesDropdownFilter), ("form", RelatedDropdownFilter)]
    ordering = [F("received_at").desc()]
    fields = [
        "received_at", "form", "shown_status", "lead", "problems", "unmapped_answers", "raw_body", "content_type", "ip",
        "referrer", "user_agent",
    ]  # fmt: skip
    readonly_fields = fields
    empty_text = "Nothing was submitted yet. Post to a form to see the raw answer arrive here."
    empty_step = ("admin:leads_captureform_changelist", "Open the forms")

    def get_queryset(self, request):
        queryset = super().get_queryset(request)
        # The raw body can be 256 KB: 50 of them are not read to show a list.
        return (
            queryset if request.resolver_match.kwargs.get("object_id") else queryset.defer("body", "unmapped")
        )

    @display(description="Status", ordering="status", label={"Accepted": "success", "Invalid": "danger"})
    def shown_status(self, submission):
        return submission.get_status_display()

    @display(description="Problems")
    def problems(self, submission):
        found = submission.errors or []
        return "; ".join(in_words(item) for item in found)[:300] or "—"

    @display(description="Unmapped answers")
    def unmapped_answers(self, submission):
        return json.dumps(submission.unmapped, ensure_ascii=False, indent=1) if submission.unmapped else "—"

    @display(description="Raw body")
    def raw_body(self, submission):
        text = bytes(submission.body).decode("utf-8", "backslashreplace")
        return format_html('<pre class="raw">{}</pre>', text or "(empty)")


def in_words(problem):
    """An entry of Submission.errors: [field, problem, remedy], or the API's error object."""
    if isinstance(problem, dict):
        name = problem.get("field") or problem.get("attr") or ""
        return f"{name}: {problem.get('detail', '')}".strip(": ")
    return ": ".join(str(part) for part in problem) if isinstance(problem, list) else str(problem)


class DomainInline(Inline):
    model = CompanyDomain
    verbose_name_plural = "Domains"


@admin.register(Company)
class CompanyAdmin(LargeTable, Admin):
    list_display = ["name", "domain", "relationship", "size", "industry", "country"]
    list_display_links = ["name", "domain"]
    list_filter = [("relationship", ChoicesDropdownFilter)]
    search_fields = ["name", "domain"]
    ordering = ["-id"]
    inlines = [DomainInline]
    fields = ["name", "domain", "relationship", "size", "industry", "country", "created_at"]
    readonly_fields = ["domain", "created_at"]
    empty_text = (
        "Companies appear with their first lead, by the domain of its e-mail address or the name it typed."
    )
    empty_step = ("admin:leads_captureform_changelist", "Open the forms")

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        save_fields(request, form, company=obj)


def save_fields(request, form, **whose):
    """What a colleague corrects goes through the only door, so that its history is kept."""
    values = {name: form.cleaned_data[name] for name in form.changed_data}
    if values:
        origin = FieldChange.FieldOrigin.REP
        identity.set_fields(**whose, values=values, origin=origin, at=timezone.now(), actor=request.user)


class LeadAdmin(LargeTable, Admin):
    """Base: who a lead is and where it is now."""

    list_display = ["person", "company", "job_title", "shown_stage", "shown_place", "source", "created"]
    list_select_related = ["company", "source"]
    list_filter = [
        ("stage", ChoicesDropdownFilter), ("place", ChoicesDropdownFilter), ("source", RelatedDropdownFilter),
    ]  # fmt: skip
    search_fields = ["search_text"]
    search_help_text = "E-mail, name, company or external id"
    ordering = ["-created_at", "-id"]
    fieldsets = [
        ("Who", {"fields": [
            "email", "first_name", "last_name", "job_title", "role", "phone", "country", "industry", "company",
            "company_size", "timeline", "timeline_until",
        ]}),
        ("Where now", {"fields": ["shown_stage", "shown_place", "shown_reason", "shown_wake", "shown_cycle"]}),
        ("Where from", {"fields": ["origin", "lead_type", "source", "latest_source", "campaign"]}),
        ("Record", {"fields": ["created_at", "last_activity_at", "is_test"]}),
    ]  # fmt: skip
    empty_text = "No lead yet. Post one to a capture form, or load the demo company."
    empty_step = ("admin:leads_captureform_changelist", "Open the forms")

    CORRECTED = [
        "first_name",
        "last_name",
        "job_title",
        "role",
        "phone",
        "country",
        "industry",
        "company_size",
        "timeline",
    ]

    def get_readonly_fields(self, request, obj=None):
        every = [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]
        return [name for name in every if name not in (*self.CORRECTED, "is_test")]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        if "is_test" in form.changed_data:
            form.changed_data.remove("is_test")
            Lead.objects.filter(pk=obj.pk).update(is_test=obj.is_test)
            places.ask_rescore(lead_ids=[obj.pk], at=timezone.now())
            places.ask_route(lead_ids=[obj.pk], at=timezone.now())
        save_fields(request, form, lead=obj)

    @display(description="Lead", ordering="last_name")
    def person(self, lead):
        return str(lead)

    @display(description="Created", ordering="created_at")
    def created(self, lead):
        return f"{timezone.localtime(lead.created_at):%d %b %Y %H:%M}"

    @display(description="Lifecycle stage", ordering="stage")
    def shown_stage(self, lead):
        return lead.get_stage_display()

    @display(description="Where now", ordering="place")
    def shown_place(self, lead):
        return lead.get_place_display()

    @display(description="Why it is there")
    def shown_reason(self, lead):
        return lead.place_reason or "—"

    @display(description="Parked until", empty_value="—")
    def shown_wake(self, lead):
        return lead.wake_at

    @display(description="Times given back by sales")
    def shown_cycle(self, lead):
        return lead.cycle_no - 1


class SuppressionForm(forms.ModelForm):
    class Meta:
        model = Suppression
        fields = ["address", "channel", "purpose", "reason"]
        labels = {"address": "E-mail address or phone number"}
        help_texts = {"address": ""}

    def clean(self):
        cleaned = super().clean()
        address = consent.fold(cleaned.get("address") or "")
        same = {"address": address, "channel": cleaned.get("channel"), "purpose": cleaned.get("purpose")}
        if address and Suppression.objects.filter(**same, lifted_at=None).exists():
            self.add_error("address", "This address is on the list already, for this channel and purpose.")
        return cleaned


@admin.register(Suppression)
class SuppressionAdmin(LargeTable, Admin):
    """Who objected. Rows are added by hand when somebody says so on the phone; they are lifted, never deleted."""

    form = SuppressionForm
    list_display = ["address", "channel", "purpose", "reason", "at", "in_force"]
    list_filter = [("reason", ChoicesDropdownFilter), ("channel", ChoicesDropdownFilter)]
    search_fields = ["address"]
    ordering = ["-id"]
    fields = ["address", "channel", "purpose", "reason"]
    actions = ["lift"]
    empty_text = "Nobody asked not to be contacted. Who unsubscribes, bounces or objects is listed here."

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_lift_permission(self, request):
        return request.user.has_perm("leads.add_suppression")

    @display(description="In force", boolean=True, ordering="lifted_at")
    def in_force(self, suppression):
        return suppression.lifted_at is None

    def save_model(self, request, obj, form, change):
        values = {name: form.cleaned_data[name] for name in self.fields}
        consent.suppress(**values, at=timezone.now())
        # The log of the admin wants the row that the verb wrote.
        kept = {name: values[name] for name in ("channel", "purpose")}
        obj.pk = Suppression.objects.get(address=consent.fold(obj.address), lifted_at=None, **kept).pk

    @admin.action(description="May be contacted again: lift", permissions=["lift"])
    def lift(self, request, queryset):
        lifted = 0
        for row in queryset.filter(lifted_at=None)[:200]:
            lifted += consent.lift(
                address=row.address, channel=row.channel, purpose=row.purpose, at=timezone.now()
            )
        messages.success(request, f"{lifted} lifted. The row stays, with its dates.")


class ApiKeyForm(forms.ModelForm):
    name = forms.CharField(
        max_length=50, widget=UnfoldAdminTextInputWidget, help_text="Which server uses it, e.g. Website"
    )
    scopes = forms.MultipleChoiceField(
        choices=SCOPES, widget=forms.CheckboxSelectMultiple, initial=["capture"]
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "source", "expiry_date", "revoked"]


@admin.register(ApiKey)
class ApiKeyAdmin(Admin):
    form = ApiKeyForm
    list_display = ["name", "prefix", "shown_scopes", "source", "created", "expiry_date", "revoked"]
    list_select_related = ["source"]
    search_fields = ["name", "prefix"]
    ordering = ["-created"]
    empty_text = "A server posts leads with a key of its own. Add one; it is shown once."

    @display(description="May")
    def shown_scopes(self, key):
        return ", ".join(key.scopes)

    def save_model(self, request, obj, form, change):
        if change:
            return super().save_model(request, obj, form, change)
        key = ApiKey.objects.assign_key(obj)
        obj.save()
        return messages.warning(
            request,
            f"The key of {obj.name} is {key} – copy it now, it is never shown again. Send it as: Authorization: Api-Key …",
        )
