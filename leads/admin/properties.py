"""Which properties of activities conditions may ask, and which occur that nobody has declared yet."""

from django import forms
from django.contrib import admin
from django.db import transaction
from unfold.decorators import display

from leads import kinds, properties
from leads.admin_parts import Admin, LinesField
from leads.models import DeclaredProperty

FROM_NOW_ON = (
    "Conditions and scoring rules can ask it of what happens from now on. What happened before stays as it was recorded,"
    f" and for up to {properties.FRESH_FOR} seconds after saving some activities may still come in without it."
)


class PropertyForm(forms.ModelForm):
    choices = LinesField(
        label="Only these values (one per line)",
        help_text="Empty = every value of at most 60 characters. Capital letters make no difference.",
    )

    class Meta:
        model = DeclaredProperty
        fields = ["kind", "key", "label", "choices", "is_active"]
        labels = {"kind": "Of the activity", "label": "In a sentence", "is_active": "In use"}
        help_texts = {
            "kind": "As it is recorded, e.g. download, webinar, mail_click. Fixed once made.",
            "key": "As activities carry it, e.g. language. Fixed once made.",
            "label": "As in: downloaded something with language “de”",
            "is_active": "Out of use, it is not recorded for conditions any more; those in force keep what they have.",
        }

    def clean_key(self):
        key = self.cleaned_data["key"]
        if not (key.isascii() and key.isprintable()):
            raise forms.ValidationError("Write it in plain letters, digits and signs, e.g. minutes_watched.")
        return key

    def clean_choices(self):
        kept = {line: properties.value_of(line) for line in self.cleaned_data["choices"]}
        for line, value in kept.items():
            if value is None:
                raise forms.ValidationError(
                    f"“{line[:30]}…” is too long: a value has at most {properties.LONGEST} characters."
                )
        return list(dict.fromkeys(kept.values()))

    def clean(self):
        cleaned = super().clean()
        kind = cleaned.get("kind") or self.instance.kind
        others = DeclaredProperty.objects.filter(kind=kind, is_active=True).exclude(pk=self.instance.pk)
        if cleaned.get("is_active") and others.count() >= properties.MOST:
            self.add_error(
                "is_active",
                f"{properties.MOST} properties of {kind} are in use already, which is the most there can be."
                " Take one out of use first.",
            )
        if not self.instance.pk and not cleaned.get("choices") and not self.errors:
            self.refuse_what_tells_apart_too_much(kind, cleaned["key"])
        return cleaned

    def refuse_what_tells_apart_too_much(self, kind, key):
        for of, name, _, different, _ in properties.occurring(most=1_000):
            if (of, name) == (kind, key) and different > properties.MANY:
                self.add_error(
                    "choices",
                    f"It had {different:,} different values lately, more than conditions can tell apart"
                    f" ({properties.MANY}). Write down those that matter.",
                )


@admin.register(DeclaredProperty)
class DeclaredPropertyAdmin(Admin):
    form = PropertyForm
    list_display = ["label", "activity", "key", "values", "shown_active"]
    list_filter = ["is_active"]
    search_fields = ["label", "kind", "key"]
    ordering = ["kind", "label"]
    fieldsets = [(None, {"fields": PropertyForm.Meta.fields, "description": FROM_NOW_ON})]
    change_form_outer_before_template = "admin/leads/occurring.html"
    empty_text = (
        "What activities say of themselves beyond their page or asset: the language of a download, the medium that led"
        " to a form. Declare one, and conditions and scoring rules can ask it from then on."
    )

    def get_readonly_fields(self, request, obj=None):
        return ["kind", "key"] if obj else []  # touchpoints and conditions know it by them

    def get_changeform_initial_data(self, request):
        given = {name: request.GET.get(name, "")[:40] for name in ("kind", "key")}
        words = given["key"].replace("_", " ").strip()
        return super().get_changeform_initial_data(request) | given | {"label": words}

    def has_delete_permission(self, request, obj=None):
        return False

    def add_view(self, request, form_url="", extra_context=None):
        found = [
            {
                "kind": kind, "activity": kinds.label(kind), "key": key, "times": times, "different": different,
                "is_too_much": different > properties.MANY, "examples": examples,
            }
            for kind, key, times, different, examples in properties.occurring()
        ]  # fmt: skip
        return super().add_view(request, form_url, {"occurring": found} | (extra_context or {}))

    def save_model(self, request, obj, form, change):
        obj.save()
        transaction.on_commit(properties.forget)

    @display(description="Of the activity", ordering="kind")
    def activity(self, row):
        return kinds.label(row.kind)

    @display(description="Values")
    def values(self, row):
        return ", ".join(row.choices) or "any"

    @display(description="In use", boolean=True, ordering="is_active")
    def shown_active(self, row):
        return row.is_active
