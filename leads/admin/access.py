"""Who must not be contacted, and which servers may post and read."""

from django import forms
from django.contrib import admin, messages
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from leads import consent
from leads.admin_parts import Admin, LargeTable
from leads.models import ApiKey, Suppression

SCOPES = [("capture", "Capture: post leads"), ("read", "Read: leads and scores")]


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
