"""How leads come in: sources, campaigns, forms with their questions, and what was submitted."""

import json

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, F
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from leads import custom_fields
from leads.admin_parts import Admin, Inline, LargeTable, LinesField, ProductsField, ReadOnly
from leads.intake import FIELDS
from leads.models import Campaign, CaptureForm, Question, Source, Submission
from leads.money import money

NOT_ASKED = {"message_id", "occurred_at", "source", "campaign"}  # set by the product, not by an answer


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


class CampaignForm(forms.ModelForm):
    products = ProductsField(help_text="Whoever comes through it is interested in these")

    class Meta:
        model = Campaign
        fields = ["name", "slug", "source", "cost", "products"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "products" in self.fields:
            self.fields["products"].offer(self.instance.products)
        if "cost" in self.fields:
            self.fields["cost"].label = f"Cost in {settings.CURRENCY}"


@admin.register(Campaign)
class CampaignAdmin(Admin):
    form = CampaignForm
    list_display = ["name", "source", "shown_cost"]
    list_select_related = ["source"]
    list_filter = [("source", RelatedDropdownFilter)]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "source", "cost", "products"]
    empty_text = (
        "A campaign is one push within a source, with its cost. Add the first to compare what they win."
    )

    @display(description="Cost", ordering="cost", empty_value="—")
    def shown_cost(self, campaign):
        return None if campaign.cost is None else money(campaign.cost)


def in_field_words(name):
    return name.replace("_", " ").capitalize().replace("Utm", "UTM")


def asked_fields():
    """What a question may fill: (name, words), custom fields in a group of their own."""
    own = [(custom_fields.PREFIX + key, field.label) for key, field in custom_fields.active().items()]
    given = [(name, in_field_words(name)) for name in FIELDS if name not in NOT_ASKED]
    return [("", "Select a field"), *given] + ([("Custom fields", own)] if own else [])


class QuestionForm(forms.ModelForm):
    field = forms.ChoiceField(label="Fills lead field", widget=UnfoldAdminSelectWidget)
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

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.base_fields["field"].choices = asked_fields()  # once for all rows
        return formset


class CaptureFormForm(forms.ModelForm):
    origins = LinesField(
        label="Sites that may post",
        help_text="One per line, e.g. https://www.acme.example. Empty: only our own page of the form, and servers.",
    )
    thank_you_urls = LinesField(
        label="Thank-you pages", help_text="One per line; a browser is sent to the first afterwards."
    )
    products = ProductsField(help_text="Whoever sends it is interested in these")

    class Meta:
        model = CaptureForm
        fields = [
            "name", "slug", "lead_type", "asset", "is_active", "marketing_basis", "basis_text", "basis_version", "source",
            "campaign", "products", "origins", "thank_you_urls",
        ]  # fmt: skip
        labels = {"is_active": "Takes submissions", "asset": "Gives"}
        widgets = {"basis_text": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "products" in self.fields:
            self.fields["products"].offer(self.instance.products)


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
        ("Attribution", {"fields": ["source", "campaign", "products"]}),
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
