"""The hosted page of a public form, built from its questions; `leads.submissions` judges what is posted."""

from django import forms
from django.forms.utils import ErrorDict

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


class PublicForm(forms.Form):
    """Shows the questions, the answers given so far and the problems found; validates nothing itself."""

    error_css_class = "bad"

    def __init__(self, form, *, answers=None, problems=None):
        shown = None if answers is None else {name: as_text(answer) for name, answer in answers.items()}
        super().__init__(shown, auto_id="%s")
        self.problems = problems or {}
        for question in form.asked:
            self.fields[question.name] = field_of(question)

    def full_clean(self):
        self._errors = ErrorDict(
            {name: self.error_class([text]) for name, text in self.problems.items() if name in self.fields}
        )
        self.cleaned_data = {}

    def elsewhere(self):
        """Problems that belong to no question."""
        return [text for name, text in self.problems.items() if name not in self.fields]


def field_of(question):
    attrs = HINTS.get(question.field, {})
    if question.choices:
        choices = [("", "Choose …"), *((choice, choice) for choice in question.choices)]
        widget = forms.Select(attrs, choices=choices)
    else:
        widget = WIDGETS.get(question.field, forms.TextInput)(attrs)
    return forms.Field(label=question.label, required=question.required, widget=widget)
