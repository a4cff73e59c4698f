"""Fields of the installation's own: made here, and edited on the pages of leads and companies."""

import re

from django import forms
from django.forms import Script
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from leads import custom_fields
from leads.admin_parts import Admin, LinesField
from leads.cleaners import Problem
from leads.models import CustomField

KEY = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
KEY_WORDS = "Write it in lower-case letters, digits and _, e.g. erp_system."


class CustomFieldForm(forms.ModelForm):
    choices = LinesField(label="Choices (one per line)", help_text="Only where the type is Choice")

    class Meta:
        model = CustomField
        fields = ["owner", "label", "key", "type", "choices", "help_text", "position", "is_active"]
        labels = {"owner": "Describes a", "help_text": "Hint below the field", "is_active": "In use"}
        error_messages = {"key": {"invalid": KEY_WORDS}}
        help_texts = {
            "key": "Its name in the API, imports and templates, e.g. erp_system. Fixed once made.",
            "is_active": "Taken out of use, it is no longer asked and taken in; its values and their history stay.",
        }

    def clean_key(self):
        key = self.cleaned_data["key"]
        if not KEY.fullmatch(key):
            raise forms.ValidationError(KEY_WORDS)
        if CustomField.objects.filter(key=key).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(
                "There is a field with this key already, of leads or of companies. Choose another, so that forms"
                " and imports know which one is meant."
            )
        return key

    def clean(self):
        cleaned = super().clean()
        kind = cleaned.get("type") or self.instance.type
        choices = cleaned.get("choices") or []
        folded = [choice.casefold() for choice in choices]
        again = [choice for n, choice in enumerate(choices) if folded[n] in folded[:n]]
        if kind == CustomField.Type.CHOICE and again:
            self.add_error("choices", f"“{again[0]}” stands here twice. Take one of the two away.")
        elif kind == CustomField.Type.CHOICE and len(choices) < 2:
            self.add_error("choices", "Write at least two different choices, one per line.")
        if kind != CustomField.Type.CHOICE and choices:
            self.add_error("choices", "Only a field of the type Choice has choices. Leave this empty.")
        return cleaned


class CustomFieldAdmin(Admin):
    """Registered by `scoring`, which knows whose scores hang on a field."""

    class Media:
        js = [Script("js/admin-key.js", type="module")]

    form = CustomFieldForm
    list_display = ["label", "name_everywhere", "owner", "type", "shown_active"]
    list_filter = [("owner", ChoicesDropdownFilter), "is_active"]
    search_fields = ["label", "key"]
    ordering = ["owner", "position", "label"]
    prepopulated_fields = {"key": ["label"]}
    fields = ["owner", "label", "key", "type", "choices", "help_text", "position", "is_active"]
    empty_text = (
        "What you ask about leads and companies beyond the fields there are: the ERP system in use, the date a"
        " contract ends. Forms, imports, the API, conditions and e-mail templates can use it at once."
    )

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return []
        return ["owner", "key", "type"] if custom_fields.has_values(obj) else ["owner", "key"]

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else self.prepopulated_fields

    def has_delete_permission(self, request, obj=None):
        return False

    @display(description="Name elsewhere", ordering="key")
    def name_everywhere(self, field):
        return custom_fields.PREFIX + field.key

    @display(description="In use", boolean=True, ordering="is_active")
    def shown_active(self, field):
        return field.is_active


# --- their values on the page of a lead or company ---------------------------------------------------


class ValueField(forms.Field):
    """The value of one custom field, cleaned as everywhere."""

    def __init__(self, field):
        self.custom = field
        super().__init__(
            label=field.label, required=False, help_text=field.help_text, widget=widget_of(field)
        )

    def prepare_value(self, value):
        return {True: "Yes", False: "No"}.get(value, value) if isinstance(value, bool) else value

    def to_python(self, value):
        try:
            return custom_fields.clean(self.custom, value)
        except Problem as problem:
            raise forms.ValidationError(f"{self.label} {problem.problem} {problem.remedy}") from None


def widget_of(field):
    if choices := custom_fields.answers(field):
        options = [("", "Unknown"), *((choice, choice) for choice in choices)]
        return UnfoldAdminSelectWidget(choices=options)
    kind = {"number": "number", "date": "date"}.get(field.type, "text")
    attrs = {"type": kind} | ({"step": "any"} if kind == "number" else {})
    return UnfoldAdminTextInputWidget(attrs=attrs)


class WithCustomFields:
    """Mixin of a ModelAdmin: the custom fields of `custom_owner` as fields of the form, named `custom.<key>`."""

    custom_owner = CustomField.Owner.LEAD

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        names = list(self.value_fields(request))
        if not names:
            return fieldsets
        if not self.has_change_permission(request, obj):
            names = ["shown_custom"]
        first, *rest = fieldsets
        return [first, ("Custom fields", {"fields": names}), *rest]

    def get_form(self, request, obj=None, change=False, **kwargs):
        values = obj.custom if obj else {}

        def start(form, *args, initial=None, **rest):
            given = {custom_fields.PREFIX + key: value for key, value in values.items()}
            super(made, form).__init__(*args, initial=given | (initial or {}), **rest)

        made = type("ValuesForm", (self.form,), {**self.value_fields(request), "__init__": start})
        return super().get_form(request, obj, change, **kwargs | {"form": made})

    def value_fields(self, request):
        """{name: form field}, read once per request."""
        if not hasattr(request, "custom_fields_in_use"):
            request.custom_fields_in_use = custom_fields.active(self.custom_owner)
        return {
            custom_fields.PREFIX + key: ValueField(field)
            for key, field in request.custom_fields_in_use.items()
        }

    @display(description="Known")
    def shown_custom(self, obj):
        lines = custom_fields.lines(custom_fields.active(self.custom_owner), obj.custom)
        return "; ".join(f"{label}: {value}" for label, value in lines) or "—"
