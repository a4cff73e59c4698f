"""The hosted page of a public form, built from its questions; `leads.submissions` judges what is posted."""

from django import forms
from django.forms.utils import ErrorDict

from leads import custom_fields
from leads.models import CustomField
from leads.submissions import as_text

# What lets a browser fill a field by itself and a phone show the right keyboard.
HINTS = {
    "email": {"autocomplete": "email"},
    "first_name": {"autocomplete": "given-name"},
    "last_name": {"autocomplete": "family-name"},
    "company": {"autocomplete": "organization"},
    "company_domain": {"autocomplete": "url", "inputmode": "url"},
    "company_size": {"inputmode": "numeric", "autocomplete": "off"},
    "job_title": {"autocomplete": "organization-title"},
    "phone": {"autocomplete": "tel"},
    "country": {"autocomplete": "country-name"},
}
WIDGETS = {
    "email": forms.EmailInput,
    "phone": lambda attrs: forms.TextInput(attrs | {"type": "tel"}),
    "consent": forms.CheckboxInput,
}


# What asks for a value of a custom field; a date that a browser sends has always the form we keep.
OF_TYPE = {
    CustomField.Type.TEXT: forms.TextInput,
    CustomField.Type.NUMBER: lambda attrs: forms.NumberInput(attrs | {"step": "any", "inputmode": "decimal"}),
    CustomField.Type.DATE: lambda attrs: forms.DateInput(attrs | {"type": "date"}, format="%Y-%m-%d"),
}


class PublicForm(forms.Form):
    """Shows the questions, the answers given so far and the problems found; validates nothing itself."""

    error_css_class = "bad"

    def __init__(self, form, *, answers=None, problems=None):
        shown = None if answers is None else {name: as_text(answer) for name, answer in answers.items()}
        super().__init__(shown, auto_id="%s")
        self.problems = problems or {}
        asks_custom = any(custom_fields.is_custom(question.field) for question in form.asked)
        custom = custom_fields.active() if asks_custom else {}
        for question in form.asked:
            field = custom.get(question.field.removeprefix(custom_fields.PREFIX))
            self.fields[question.name] = field_of(question, field)

    def full_clean(self):
        self._errors = ErrorDict(
            {name: self.error_class([text]) for name, text in self.problems.items() if name in self.fields}
        )
        self.cleaned_data = {}

    def elsewhere(self):
        """Problems that belong to no question."""
        return [text for name, text in self.problems.items() if name not in self.fields]


def field_of(question, custom):
    """The form field of a question; `custom`: the CustomField its answer fills, if it fills one."""
    widget = widget_of(question, custom)
    hint = custom.help_text if custom else ""
    return forms.Field(label=question.label, required=question.required, widget=widget, help_text=hint)


def widget_of(question, custom):
    attrs = HINTS.get(question.field, {})
    choices = question.choices or (custom_fields.answers(custom) if custom else [])
    if choices:
        return forms.Select(attrs, choices=[("", "Choose …"), *((choice, choice) for choice in choices)])
    if custom:
        return OF_TYPE[custom.type](attrs)
    return WIDGETS.get(question.field, forms.TextInput)(attrs)
