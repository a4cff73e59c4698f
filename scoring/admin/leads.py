"""The leads of the admin with their rating beside them."""

from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from leads.admin import LeadAdmin
from scoring import segments
from scoring.admin.segments import InSegment
from scoring.models import Segment
from scoring.queries import routing_scores


class ScoredLeadAdmin(LeadAdmin):
    """LeadAdmin with the rating of the model that routes, read for the whole page at once."""

    list_display = [
        "person",
        "company",
        "job_title",
        "rating",
        "shown_stage",
        "shown_place",
        "source",
        "created_at",
    ]
    list_filter = [*LeadAdmin.list_filter, InSegment]
    list_before_template = "admin/scoring/chosen_segment.html"

    def changelist_view(self, request, extra_context=None):
        slug = request.GET.get(InSegment.parameter_name, "").replace("\0", "")
        segment = Segment.objects.filter(slug=slug).first() if slug else None
        chosen = {"segment": segment, "words": segments.in_words(segment)} if segment else None
        return super().changelist_view(request, {"chosen": chosen} | (extra_context or {}))

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        scores = routing_scores([lead.pk for lead in changelist.result_list])
        for lead in changelist.result_list:
            lead.routing_score = scores.get(lead.pk)
        return changelist

    @display(description="Rating")
    def rating(self, lead):
        """With a link to what it means."""
        score = lead.routing_score
        if not score:
            return "not scored"
        return format_html(
            '<a href="{}" title="What counts as a quality lead">{}</a> (fit {}, engagement {})',
            reverse("quality-lead", args=[score.slug]), score.rating, f"{score.fit:g}", f"{score.engagement:g}",
        )  # fmt: skip
