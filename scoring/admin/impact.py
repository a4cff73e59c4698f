"""The panel below a rule: what it changes as it stands in the form, and one lead's score by the draft with it."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.forms import Script
from django.http import HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone

from leads.criteria import BadCondition
from leads.criteria.base import counted, percent
from leads.criteria.matching import total_leads
from leads.models import Lead
from scoring.bars import columns
from scoring.engine.rulebook import compile_version
from scoring.explain import Explanation, explain, explain_by
from scoring.impact import impact_of
from scoring.models import Rule
from scoring.rule_form import RuleForm
from scoring.rule_words import whole_in_words
from scoring.rules import unreachable, warnings_of

WORDS = 10


@dataclass(frozen=True)
class Tried:
    asked: str
    lead: Lead | None = None
    others: int = 0
    explanation: Explanation | None = None  # by the draft with the rule
    now: Explanation | None = None  # by the version in force


class ImpactAdmin:
    """Mixin of the rules' admin: the endpoint of the panel, and where the form finds it."""

    class Media:
        js = [Script("js/admin-impact.js", type="module")]

    change_form_outer_after_template = "admin/scoring/rule_impact.html"

    def get_urls(self):
        view = self.admin_site.admin_view(self.impact)
        return [path("impact/", view, name="scoring_rule_impact"), *super().get_urls()]

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        if self.has_change_permission(request, obj):
            url = reverse("admin:scoring_rule_impact")
            context["impact_url"] = f"{url}?rule={obj.pk}" if obj else url
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def impact(self, request):
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        pk = request.GET.get("rule", "")
        saved = Rule.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
        form = RuleForm(request.POST, instance=saved)
        if not form.is_valid():
            return render(request, "admin/scoring/_impact.html", {"incomplete": first_error(form)})
        rule, asked = form.instance, request.POST.get("try", "").replace("\x00", "").strip()[:200]
        try:
            context = panel(rule, at=timezone.now()) | {"tried": tried(rule, asked, at=timezone.now())}
        except BadCondition as bad:  # another rule of the draft, which a marketer may have left half-written
            context = {"incomplete": f"another rule of the draft cannot be read ({bad})."}
        return render(request, "admin/scoring/_impact.html", context)


def first_error(form):
    name, errors = next(iter(form.errors.items()))
    label = form[name].label if name in form.fields else ""
    if name in ("condition", "who"):  # the row itself says what is missing
        return f"“{label}” is not finished."
    return f"{label}: {errors[0]}" if label else errors[0]


def panel(rule, *, at):
    found = impact_of(rule.version, rule, at=at)
    with_it = [*rule.version.rules.exclude(pk=rule.pk).select_related("profile", "group"), rule]
    overlaps = [
        f"“{name}” matches {share * 100:.0f} % of the same leads: one of the two may be enough."
        for name, share in found.overlaps
    ]
    is_sample = found.looked_at < total_leads()
    if not found.touched and is_sample:
        overlaps = ["Of the leads looked at nobody's points change: few meet it, or a cap leaves no room."]
    elif not found.touched:
        overlaps = ["Nobody's points change: nobody meets it now, or a cap leaves no room."]
    elif found.touched == found.looked_at and not is_sample:
        overlaps.append("It changes everybody's points, so it tells no lead from another.")
    return {
        "impact": found,
        "whole": whole_in_words(rule),
        "is_sample": is_sample,
        "touched": touched_in_words(found),
        "brief": in_brief(found),
        "warnings": [*warnings_of(rule), *overlaps, *unreachable(rule.version, rules=with_it)],
        "bars": columns([(one.before, one.after) for one in found.histogram]).bars,
    }


def in_brief(found):
    """For the bar of buttons, which is in sight all the time."""
    if not found.touched:
        return "Changes nobody’s points"
    return f"Changes {counted(found.touched, 'lead')}; sales-ready +{found.becomes:,} −{found.stops:,}"


def touched_in_words(found):
    among = counted(found.looked_at, "lead")
    if not found.touched:
        return f"It changes nobody's points among the {among} looked at."
    share = percent(found.touched, found.looked_at)
    return f"It changes the points of {found.touched:,} of {among} looked at ({share})."


def tried(rule, asked, *, at):
    if not asked:
        return None
    found = find(asked)
    if not found:
        return Tried(asked)
    others = rule.version.rules.exclude(pk=rule.pk).select_related("profile", "group")
    book = compile_version(rule.version, [*others, rule])
    lead = found[0]
    by_draft = explain_by(book, lead=lead, at=at, model=rule.version.model.name, version=str(rule.version))
    return Tried(asked, lead, len(found) - 1, by_draft, explain(lead=lead, at=at, model=rule.version.model))


def find(asked):
    """Up to ten leads by number, e-mail address, or words of name and company; the newest first."""
    leads = Lead.objects.select_related("company").order_by("-created_at", "-id")
    if asked.isdecimal() and len(asked) < 19:
        return list(leads.filter(pk=int(asked)))
    if exact := list(leads.filter(email=asked.lower())):
        return exact
    for word in asked.split()[:WORDS]:
        leads = leads.filter(search_text__icontains=word)
    return list(leads[:10])
