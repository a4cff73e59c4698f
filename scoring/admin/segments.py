"""Segments: named conditions with their sentence, live count and samples, the leads in them, and who asks for them."""

from django import forms
from django.contrib import admin
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from leads.admin_parts import Admin
from leads.condition_form import ConditionAdmin, condition_field
from scoring import segments
from scoring.criteria import SCORED_CRITERIA
from scoring.models import Segment

COUNTED_WITHIN = 100  # ms for each segment of a page; then a share of some leads is told of all


class SegmentForm(forms.ModelForm):
    condition = condition_field(Segment, SCORED_CRITERIA)

    class Meta:
        model = Segment
        fields = ["name", "slug", "condition", "note"]
        widgets = {"note": UnfoldAdminTextareaWidget(attrs={"rows": 2})}
        help_texts = {
            "slug": "How programs, routing and the API name it; it stays.",
            "note": "What it is for",
        }

    def clean(self):
        cleaned = super().clean()
        slug = cleaned.get("slug") or self.instance.slug
        if path := segments.circle(slug, cleaned.get("condition") or {}):
            self.add_error("condition", f"It would ask for itself: {' → '.join([slug, *path])}.")
        return cleaned


class SegmentAdmin(ConditionAdmin, Admin):
    """Registered by the topmost app, which says where else a segment may be asked for."""

    asked_in = segments.ASKED_IN
    form = SegmentForm
    condition_criteria = SCORED_CRITERIA
    list_display = ["name", "leads_now", "who", "note"]
    list_per_page = 20  # each counts its leads
    search_fields = ["name", "slug"]
    ordering = ["name"]
    change_form_outer_after_template = "admin/scoring/segment_uses.html"
    empty_text = "A segment is a condition under a name: whoever meets it now. Programs, routing and lists may ask for it."

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else {"slug": ["name"]}

    def get_readonly_fields(self, request, obj=None):
        """The slug is what others ask for: it stays as it is."""
        return ["slug"] if obj else []

    @display(description="Leads now")
    def leads_now(self, segment):
        found = segments.size(segment, at=timezone.now(), timeout_ms=COUNTED_WITHIN)
        if found is None:
            return None
        words = (
            "too many to count"
            if found.count is None
            else f"{'about ' if found.is_estimate else ''}{found.count:,}"
        )
        listed = f"{reverse('admin:leads_lead_changelist')}?{urlencode({'segment': segment.slug})}"
        return format_html('<a class="underline" href="{}">{}</a>', listed, words)

    @display(description="Who is in it")
    def who(self, segment):
        words = segments.in_words(segment)
        return words[:1].upper() + words[1:]

    def save_model(self, request, obj, form, change):
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            obj.created_by = request.user
            obj.save()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        segment = self.get_object(request, object_id)
        context = {"uses": self.uses(segment)} if segment else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def get_deleted_objects(self, objs, request):
        """What asks for a segment protects it, as a foreign key would."""
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return (
            deleted,
            counts,
            lacking,
            protected + [str(use) for segment in objs for use in self.uses(segment)],
        )

    def delete_queryset(self, request, queryset):
        queryset.exclude(pk__in=[segment.pk for segment in queryset if self.uses(segment)]).delete()

    def uses(self, segment):
        return segments.uses(segment, asked_in=self.asked_in)


class InSegment(admin.SimpleListFilter):
    """Those of the leads who are in a segment now; the link of its page sets it."""

    title = "segment"
    parameter_name = "segment"

    def lookups(self, request, model_admin):
        return list(Segment.objects.order_by("name").values_list(F("slug"), "name")[:100])

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        segment = Segment.objects.filter(slug=self.value()).first()
        return segments.narrow(queryset, segment, at=timezone.now()) if segment else queryset.none()
