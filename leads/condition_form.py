"""A condition in a form of the admin: rows to choose from, its sentence and its live count.

The field keeps the JSON tree; `static/js/admin-condition.js` shows it as rows and asks
`ConditionAdmin.preview_condition` on every change. Without scripts the JSON itself can be edited.
"""

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Script
from django.forms.fields import InvalidJSONInput
from django.http import Http404, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string
from django.urls import path, reverse, reverse_lazy
from django.utils import timezone
from django.utils.text import capfirst

from leads.criteria import CRITERIA, LEAD, TOUCHPOINT, BadCondition, matching
from leads.criteria.base import MAX_DAYS, counted, either, percent, span
from leads.criteria.suggestions import values_of
from leads.criteria.tree import check, denied, sentence
from leads.parsers import BadBody, loads

# Together under 300 ms: an exact count, else an estimate; and some examples.
COUNT_WITHIN_MS = 130
SAMPLES_WITHIN_MS = 40
UNKNOWN_WITHIN_MS = 60
SCOPES = (LEAD, TOUCHPOINT)


class ConditionWidget(forms.Textarea):
    """`scopes`: value of the select named `follows` → scope or None (no condition there). Without
    `follows` the scope is fixed. `preview`: URL name of the live count. `empty`: what no condition
    means, where that is not everybody."""

    def __init__(self, *, criteria, preview, scope=LEAD, follows="", scopes=None, empty="", attrs=None):
        super().__init__(attrs={"rows": 4, **(attrs or {})})
        self.criteria = criteria
        self.scope = scope
        self.follows = follows
        self.scopes = scopes or {}
        self.empty = empty
        self.preview = reverse_lazy(preview)
        self.values = reverse_lazy(f"{preview}_values")

    @property
    def media(self):
        return forms.Media(js=[Script("js/admin-condition.js", type="module")])

    def render(self, name, value, attrs=None, renderer=None):
        context = self.get_context(name, value, attrs)
        context["catalogue"] = {
            "scopes": {
                scope: [c.describe() for c in self.criteria.values() if c.scope == scope] for scope in SCOPES
            },
            "scope": self.scope,
            "follows": self.follows,
            "scopeOf": self.scopes,
            "empty": self.empty,
            "preview": str(self.preview),
            "values": str(self.values),
        }
        return render_to_string("admin/condition.html", context)


class ConditionField(forms.JSONField):
    """A tree of the criteria language; refuses a bad one with the path of the fault.

    `scope` None accepts any scope: the form then checks again when it knows (`check_scope`).
    """

    widget = ConditionWidget

    def __init__(self, *, criteria=CRITERIA, scope=LEAD, **kwargs):
        super().__init__(required=False, **kwargs)
        self.criteria = criteria
        self.scope = scope

    def bound_data(self, data, initial):
        """What the page shows again: the posted text as it is where it cannot be read."""
        try:
            return read_tree(data)
        except ValidationError:
            return InvalidJSONInput(data)

    def prepare_value(self, value):
        return super().prepare_value({} if value is None else value)

    def to_python(self, value):
        tree = value if isinstance(value, dict) else read_tree(value)
        self.check_scope(tree, self.scope)
        return tree

    def check_scope(self, tree, scope):
        try:
            check(tree, criteria=self.criteria, scope=scope)
        except BadCondition as bad:
            raise ValidationError(in_words(bad), code="condition") from None

    def stored_words(self, value):
        """The tree as a sentence; a tree of any scope where the form decides which."""
        for scope in [self.scope] if self.scope else SCOPES:
            try:
                return sentence(value or {}, criteria=self.criteria, scope=scope)
            except BadCondition:
                continue
        return str(value)


def in_words(bad):
    return f"{bad.path}: {bad.message}." if bad.path else f"The condition {bad.message}."


def read_tree(text):
    """The tree of a posted text; empty is everybody. Raises ValidationError, never RecursionError."""
    if not text or not text.strip():
        return {}
    try:
        return loads(text.encode("utf-8", "surrogatepass"))
    except BadBody as bad:
        message = str(bad.detail).replace("The body", "The condition")
        raise ValidationError(message, code="condition") from None


def condition_field(model, criteria, **widget):
    """The form field of `model.condition` (or entry) with the live count of that model's admin."""
    preview = f"admin:{model._meta.app_label}_{model._meta.model_name}_condition"
    scope = widget.pop("scope", LEAD)
    return ConditionField(
        criteria=criteria,
        scope=scope,
        widget=ConditionWidget(criteria=criteria, preview=preview, scope=scope or LEAD, **widget),
    )


class ConditionAdmin:
    """Mixin of a ModelAdmin whose model holds a condition: the endpoints of its live count and of suggested values."""

    condition_criteria = CRITERIA

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_condition"
        wrap = self.admin_site.admin_view
        return [
            path("condition/", wrap(self.preview_condition), name=name),
            path("condition/values/", wrap(self.offered_values), name=f"{name}_values"),
            *super().get_urls(),
        ]

    def offered_values(self, request):
        """The values that occur and hold what was typed, each with about how many: for the builder's inputs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        criterion, _, field = request.GET.get("of", "").partition(".")
        try:
            found = values_of(
                criterion, field, request.GET.get("typed", "").strip(),
                kind=request.GET.get("kind", "")[:40], property=request.GET.get("property", "")[:40],
            )  # fmt: skip
        except LookupError:
            raise Http404("Nothing is suggested for this.") from None
        return JsonResponse({"values": found})

    def preview_condition(self, request):
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        scope = request.POST.get("scope")
        days = request.POST.get("days", "")
        return JsonResponse(
            preview(
                text=request.POST.get("tree", ""),
                criteria=self.condition_criteria,
                scope=scope if scope in SCOPES else LEAD,
                days=int(days) if days.isdecimal() and len(days) < 6 and 0 < int(days) <= MAX_DAYS else None,
                at=timezone.now(),
            )
        )


def preview(*, text, criteria, scope, days, at):
    """Sentence, count, warning and samples in words; or the fault and its path."""
    try:
        tree = read_tree(text)
        check(tree, criteria=criteria, scope=scope)
        words = sentence(tree, criteria=criteria, scope=scope)
    except BadCondition as bad:
        return {"path": bad.path, "error": bad.message}
    except ValidationError as bad:
        return {"path": "", "error": bad.message}
    asked = {"criteria": criteria, "at": at, "scope": scope, "days": days}
    found = matching.count(tree, **asked, timeout_ms=COUNT_WITHIN_MS)
    samples = matching.sample(tree, **asked, timeout_ms=SAMPLES_WITHIN_MS) if found.count else []
    return {
        "sentence": words[:1].upper() + words[1:] + ".",
        "count": count_in_words(found, of_doings=scope == TOUCHPOINT, days=days),
        "warning": warning_in_words(found, bool(tree))
        or (unknown_in_words(tree, asked) if found.count else ""),
        "samples": [
            {"words": sample_in_words(lead), "url": reverse("lead-page", args=[lead.pk])} for lead in samples
        ],
    }


def count_in_words(found, *, of_doings=False, days=None):
    """`of_doings`: the condition is about what leads did, in the last `days` where they are told, not about leads."""
    if not found.total:
        return "There are no leads yet to count."
    if found.count is None:
        return f"Counting among {found.total:,} leads takes too long to show while you type."
    among = f"of {counted(found.total, 'lead')}"
    if found.is_estimate:
        some, share = f"about {found.share:.0f} % {among}", "estimated from a sample"
    else:
        some, share = f"{found.count:,} {among}", percent(found.count, found.total)
    if of_doings:
        when = f" in the {span('last', days)}" if days else ""
        return f"{capfirst(some)} did this at least once{when} ({share})."
    return f"Matches {some} ({share})."


def warning_in_words(found, asks_something):
    if found.warning == "nobody":
        return "Nobody matches now. Check the values, or widen a condition."
    if found.warning == "everybody" and asks_something:
        return "Everybody matches, so this tells no lead from another."
    return ""


def unknown_in_words(tree, asked):
    """Of whom something is denied that nobody knows: they match, which may not be meant."""
    criteria, scope = asked["criteria"], asked["scope"]
    fields = denied(tree, criteria=criteria, scope=scope) if scope == LEAD else []
    if not fields:
        return ""
    unknown = {"any": [{"is": key, "field": name, "op": "unknown"} for key, name in fields]}
    found = matching.count(tree, **asked, also=unknown, timeout_ms=UNKNOWN_WITHIN_MS)
    if not found.count:
        return ""
    labels = either([criteria[key].field({"field": name}).label for key, name in fields])
    many = f"{'about ' if found.is_estimate else ''}{found.count:,}"
    return f"Of {many} of them {labels} is unknown. To leave them out, add that it is known."


def sample_in_words(lead):
    details = ", ".join(str(part) for part in (lead.job_title, lead.company) if part)
    return f"{lead} ({details})" if details else str(lead)
