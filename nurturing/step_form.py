"""The steps of a draft program, as one table: an order that can be changed freely, and what each kind needs."""

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from nurturing.models import Step

LONGEST_WAIT = 43_800  # hours, which are five years
APART = 20_000  # beyond any position in use, so that two steps can swap places under the unique constraint


class StepForm(forms.ModelForm):
    # Not the model's own field: that one is unique and would refuse two steps that swap places.
    order = forms.IntegerField(label="Order", min_value=1, max_value=999, required=False)

    class Meta:
        model = Step
        fields = ["order", "kind", "wait_hours", "template", "instruction"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["wait_hours"].required = False
        self.fields["order"].widget = UnfoldAdminIntegerFieldWidget(attrs={"aria-label": "Order", "min": 1})
        if self.instance.pk:
            self.initial["order"] = self.instance.position

    def clean(self):
        cleaned = super().clean()
        cleaned["wait_hours"] = cleaned.get("wait_hours") or 0
        kind = cleaned.get("kind")
        if kind == Step.Kind.MAIL and not cleaned.get("template"):
            self.add_error("template", "Choose the e-mail template to send.")
        if cleaned["wait_hours"] > LONGEST_WAIT:
            self.add_error("wait_hours", f"Wait at most {LONGEST_WAIT:,} hours, which are five years.")
        if kind == Step.Kind.WAIT and not cleaned.get("wait_hours"):
            self.add_error("wait_hours", "Say how many hours to wait; a day is 24.")
        return cleaned


def save_in_order(formset):
    """Save the steps of a formset and number them 1, 2, 3 … by the order given; a step without one comes last."""
    formset.save(commit=False)
    for step in formset.deleted_objects:
        step.delete()
    deleted = set(formset.deleted_forms)
    forms_left = [
        form for form in formset.forms if form not in deleted and (form.instance.pk or form.has_changed())
    ]
    forms_left.sort(key=lambda form: form.cleaned_data.get("order") or APART)
    for number, form in enumerate(forms_left, start=1):
        form.instance.position = APART + number
        form.instance.save()
    for number, form in enumerate(forms_left, start=1):
        form.instance.position = number
        form.instance.save(update_fields=["position"])
    formset.new_objects = [form.instance for form in forms_left if form.instance._state.adding]
    formset.changed_objects = []
