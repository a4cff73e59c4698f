"""Leads and companies: looked up, and corrected through the one door for values."""

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from leads import content, custom_fields, identity, places
from leads.admin.custom_fields import WithCustomFields
from leads.admin.lists import ListActions, OnList
from leads.admin_parts import Admin, Inline, LargeTable
from leads.models import (
    BuyingStage,
    Company,
    CompanyDomain,
    CustomField,
    FieldChange,
    Lead,
    Product,
)
from leads.weighing import SAID

CORRECTED = {*SAID, "is_test"} - {"email"}


class DomainInline(Inline):
    model = CompanyDomain
    verbose_name_plural = "Domains"


@admin.register(Company)
class CompanyAdmin(WithCustomFields, LargeTable, Admin):
    custom_owner = CustomField.Owner.COMPANY
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


class LeadForm(forms.ModelForm):
    """What a colleague may correct."""

    product_interest = forms.ChoiceField(
        required=False, widget=UnfoldAdminSelectWidget, help_text="As stated; it outweighs what was read"
    )

    class Meta:
        model = Lead
        fields = ["product_interest", "buying_stage"]
        help_texts = {
            "buying_stage": "Where you know better. Empty: from what was read lately and the timeline."
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "product_interest" in self.fields:
            names = dict(Product.objects.filter(is_active=True).values_list("slug", "name"))
            stated = self.instance.product_interest
            kept = {stated: stated} if stated and stated not in names else {}
            self.fields["product_interest"].choices = [("", "Unknown"), *(names | kept).items()]
        if "buying_stage" in self.fields:
            self.fields["buying_stage"].choices = [("", "From what was read"), *BuyingStage.choices]


class LeadAdmin(WithCustomFields, ListActions, LargeTable, Admin):
    """Base: who a lead is and where it is now."""

    form = LeadForm

    list_display = ["person", "company", "job_title", "shown_stage", "shown_place", "source", "created"]
    list_select_related = ["company", "source"]
    list_filter = [
        ("stage", ChoicesDropdownFilter), ("place", ChoicesDropdownFilter), ("source", RelatedDropdownFilter), OnList,
    ]  # fmt: skip
    search_fields = ["search_text"]
    search_help_text = "E-mail, name, company or external id"
    ordering = ["-created_at", "-id"]
    fieldsets = [
        ("Who", {"fields": [
            "email", "first_name", "last_name", "job_title", "role", "phone", "country", "industry", "company",
            "company_size", "timeline", "timeline_until",
        ]}),
        ("What it wants", {"fields": ["buying_stage", "shown_buying", "product_interest", "shown_product"]}),
        ("Where now", {"fields": ["shown_stage", "shown_place", "shown_reason", "shown_wake", "shown_cycle"]}),
        ("Where from", {"fields": ["origin", "lead_type", "source", "latest_source", "campaign"]}),
        ("Record", {"fields": ["created_at", "last_activity_at", "is_test"]}),
    ]  # fmt: skip
    actions = ["put_on_list", "take_off_list"]
    empty_text = "No lead yet. Post one to a capture form, or load the demo company."
    empty_step = ("admin:leads_captureform_changelist", "Open the forms")

    def get_readonly_fields(self, request, obj=None):
        every = [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]
        return [name for name in every if name not in CORRECTED and not custom_fields.is_custom(name)]

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
        return date_format(timezone.localtime(lead.created_at), "DATETIME_FORMAT")

    @display(description="Lifecycle stage", ordering="stage")
    def shown_stage(self, lead):
        return lead.get_stage_display()

    @display(description="Where now", ordering="place")
    def shown_place(self, lead):
        return lead.get_place_display()

    @display(description="Buying stage now")
    def shown_buying(self, lead):
        found = content.buying_stage_of(lead_ids=[lead.pk], at=timezone.now())[lead.pk]
        return f"{found.label}: {content.because(found)}" if found.stage else found.label

    @display(description="Likely product")
    def shown_product(self, lead):
        found = content.likely_product_of(lead_ids=[lead.pk], at=timezone.now())[lead.pk]
        return f"{found.label}: {content.because(found)}" if found.slug else found.label

    @display(description="Why it is there")
    def shown_reason(self, lead):
        return lead.place_reason or "—"

    @display(description="Parked until", empty_value="—")
    def shown_wake(self, lead):
        return lead.wake_at

    @display(description="Times given back by sales")
    def shown_cycle(self, lead):
        return lead.cycle_no - 1
