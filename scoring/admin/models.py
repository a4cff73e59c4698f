"""Scoring models: what each is for, what it starts from, its versions and publications, its yearly review."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from leads.admin_parts import Admin, since_words
from leads.condition_form import ConditionAdmin, condition_field
from leads.models import Product
from scoring import approval, documents, publish, starter, starters
from scoring.engine.rulebook import LEAD_CRITERIA
from scoring.models import ScoringModel
from scoring.queries import deciding
from scoring.words import amount

PURPOSE = ["goals", "target_market", "products", "quarter_target", "ready_per_week", "hypothesis"]
COPY = "copy-"  # a choice of what to start from: the slug of a model follows


class ScoringModelForm(forms.ModelForm):
    applies_to = condition_field(ScoringModel, LEAD_CRITERIA, empty="everybody")
    products = forms.MultipleChoiceField(
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Which of ours it finds buyers for",
    )

    class Meta:
        model = ScoringModel
        fields = ["name", "slug", "routes", "applies_to", *PURPOSE, "review_every_days"]
        labels = {
            "routes": "Decides what passes to sales",
            "quarter_target": "This quarter’s target",
            "ready_per_week": "Sales-ready leads a week",
            "review_every_days": "Review every so many days",
        }
        help_texts = {
            "routes": "One model does; the others inform.",
            "goals": "What we want from it, in a few sentences",
            "target_market": "Who we sell to: industries, sizes, countries",
            "quarter_target": "E.g. 40 opportunities in manufacturing",
            "ready_per_week": "How many sales wants and can take",
        }
        widgets = {
            name: UnfoldAdminTextareaWidget(attrs={"rows": 3})
            for name in ("goals", "target_market", "hypothesis")
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if whom_is_agreed(self.instance):
            self.fields.pop("applies_to", None)
        elif "applies_to" in self.fields:
            self.fields["applies_to"].label = "Which leads it judges"
            self.fields["applies_to"].help_text = "Others have no rating under this model. Empty: all leads"
        if "products" in self.fields:
            names = dict(Product.objects.filter(is_active=True).values_list("slug", "name"))
            kept = {slug: f"{slug} (gone)" for slug in self.instance.products if slug not in names}
            self.fields["products"].choices = (names | kept).items()
            if not names:
                self.fields["products"].help_text = "There are none yet: add them under Content, Products"

    def clean_routes(self):
        wanted = self.cleaned_data["routes"]
        other = deciding()
        if wanted and other:
            raise forms.ValidationError(
                f"“{other}” decides now. Publish a version of this one first; then whoever signs for sales lets it take over."
            )
        return wanted

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("routes", self.instance.routes) and cleaned.get("applies_to"):
            self.add_error(
                "applies_to",
                "Who decides what passes to sales must judge everybody: leave this empty.",
            )
        return cleaned


def whom_is_agreed(model):
    """Whether whom a model judges stands in a version that went to review: it is part of what was agreed, and stays."""
    return model.pk is not None and model.versions.exclude(status=approval.Status.DRAFT).exists()


class NewModelForm(ScoringModelForm):
    begin = forms.ChoiceField(
        label="Start from",
        widget=UnfoldAdminSelectWidget,
        help_text="Rules, thresholds and scale are copied into a draft: yours to change.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        published = ScoringModel.objects.filter(versions__isnull=False).distinct().order_by("name")
        self.fields["begin"].choices = [
            ("Starters", [(key, table["title"]) for key, table in starters.STARTERS.items()]),
            ("A copy of", [(f"{COPY}{model.slug}", model.name) for model in published]),
            ("Nothing", [("empty", "No rules yet")]),
        ]


@admin.register(ScoringModel)
class ScoringModelAdmin(ConditionAdmin, Admin):
    condition_criteria = LEAD_CRITERIA
    list_display = ["name", "in_force", "shown_routes", "rule_count"]
    list_select_related = ["current_version"]
    search_fields = ["name"]
    ordering = ["-routes", "name"]
    prepopulated_fields = {"slug": ["name"]}
    form = ScoringModelForm
    change_form_outer_after_template = "admin/scoring/versions.html"
    empty_text = (
        "A scoring model judges leads for one product or market. Add the first, then write its rules."
    )

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, **kwargs | ({} if obj else {"form": NewModelForm}))

    def get_fieldsets(self, request, obj=None):
        names = ["name", "slug"] if obj else ["name", "slug", "begin"]
        whom = "judges" if obj and whom_is_agreed(obj) else "applies_to"
        return [
            (None, {"fields": [*names, "decides" if obj else "routes", whom]}),
            ("What it is for", {"fields": [*PURPOSE, "review_every_days"]}),
        ]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(rules=Count("current_version__rules"))

    def get_readonly_fields(self, request, obj=None):
        return ["judges", "decides"]

    @display(description="Decides what passes to sales")
    def decides(self, model):
        return "Yes; the others inform." if model.routes else "No, it informs."

    @display(description="Which leads it judges")
    def judges(self, model):
        words = documents.whom_in_words(model)
        return f"{words[:1].upper()}{words[1:]}. This was agreed with its versions; copy the model to judge other leads."

    @display(description="In force", ordering="current_version__number")
    def in_force(self, model):
        return since_words(model.current_version)

    @display(description="What it does", ordering="routes")
    def shown_routes(self, model):
        return "Decides what passes to sales" if model.routes else "Informs"

    @display(description="Rules", ordering="rules")
    def rule_count(self, model):
        return model.rules

    def get_urls(self):
        return [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(require_POST(view)), name=f"scoring_scoringmodel_{name}")
            for name, view in (("edit", self.edit), ("reviewed", self.reviewed))
        ] + super().get_urls()  # fmt: skip

    def change_view(self, request, object_id, form_url="", extra_context=None):
        model = self.get_object(request, object_id)
        context = {} if model is None else {
            "versions": model.versions.select_related("created_by", "published_by", "model")
            .annotate(rule_count=Count("rules"))
            .order_by("-number")[:50],
            "publications": model.publications.select_related("version", "by").order_by("-at", "-pk")[:20],
            "is_due": any(due.pk == model.pk for due in documents.review_due(timezone.now())),
        }  # fmt: skip
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def save_model(self, request, obj, form, change):
        if not change:
            table = starters.STARTERS.get(form.cleaned_data["begin"], {})
            for name in starters.PURPOSE:  # as typed, else as the starter says
                setattr(obj, name, getattr(obj, name) or table.get(name, ""))
            obj.save()
        else:
            obj.save(update_fields=form.changed_data)

    def edit(self, request, pk):
        """Open the version that is being worked on; make a draft where there is none."""
        if not request.user.has_perm("scoring.change_modelversion"):
            raise PermissionDenied
        model = get_object_or_404(ScoringModel, pk=pk)
        draft = model.versions.filter(status__in=approval.OPEN).first()
        if draft is None:
            begin = publish.new_draft if model.versions.exists() else publish.first_draft
            draft = begin(model=model, by=request.user)
        return redirect("admin:scoring_modelversion_change", draft.pk)

    def reviewed(self, request, pk):
        """Record that goals, hypothesis and rules were looked at today."""
        if not request.user.has_perm("scoring.change_scoringmodel"):
            raise PermissionDenied
        model = get_object_or_404(ScoringModel, pk=pk)
        documents.mark_reviewed(model=model, by=request.user, at=timezone.now())
        self.log_change(request, model, "Reviewed.")
        messages.success(
            request,
            f"{model} is reviewed. The next reminder comes in {amount(model.review_every_days, 'day')}.",
        )
        return redirect("admin:scoring_scoringmodel_change", pk)

    def response_add(self, request, obj, post_url_continue=None):
        draft = begun(obj, request.POST.get("begin", ""), by=request.user)
        messages.success(request, f"{obj.name} has its first draft. Change its rules, then ask for review.")
        return redirect("admin:scoring_modelversion_change", draft.pk)


def begun(model, begin, *, by):
    """The first draft of a new model, from what was chosen: a starter, another model, or nothing."""
    if begin.startswith(COPY):
        source = ScoringModel.objects.get(slug=begin.removeprefix(COPY))
        return publish.new_draft(model=model, by=by, of=source.current_version or source.versions.first())
    return publish.first_draft(model=model, by=by, table=starters.STARTERS.get(begin, starter.EMPTY))
