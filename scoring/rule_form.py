"""One scoring rule in a form: which parts a kind asks for, and step decay without brackets."""

import re

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from leads.condition_form import condition_field
from leads.criteria import LEAD
from scoring.models import Profile, Rule, RuleGroup
from scoring.rules import CRITERIA_OF, KINDS, problems_of

RULE_CRITERIA = {key: criterion for table in CRITERIA_OF.values() for key, criterion in table.items()}
# kind → what its condition is about; None: it has none. And kind → the figures it asks for.
SCOPES = {str(kind): scope for kind, (scope, _) in KINDS.items()}
FIGURES = {str(kind): arithmetic for kind, (_, arithmetic) in KINDS.items()}
EMPTY = {"points": 0, "steps": [], "who": {}} | dict.fromkeys(
    ["cap_count", "cap_points", "window_days", "min_count", "half_life_days", "days", "profile", "group"]
)
STEP = re.compile(r"(\d{1,5})\s*(?:days?|d)?\s*[:=]?\s*(\d{1,3}(?:\.\d+)?)\s*%?")


class StepsField(forms.CharField):
    """Step decay as lines `7 days: 100 %`, kept as [[7, 1.0], …]: older than the last line counts nothing."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, **kwargs):
        super().__init__(required=False, **kwargs)
        self.widget.attrs.update(rows=3, placeholder="7 days: 100 %\n30 days: 50 %")

    def prepare_value(self, value):
        if not isinstance(value, list):
            return value
        return "\n".join(f"{days:g} days: {share * 100:g} %" for days, share in value)

    def to_python(self, value):
        steps = []
        for number, line in enumerate(filter(None, map(str.strip, (value or "").splitlines())), start=1):
            match = STEP.fullmatch(line)
            if not match:
                raise forms.ValidationError(f"Line {number}: write it like “7 days: 100 %”.")
            days, share = int(match[1]), float(match[2]) / 100
            if not (days > 0 and 0 < share <= 1):
                raise forms.ValidationError(
                    f"Line {number}: at least 1 day, and a share above 0 and up to 100 %."
                )
            if steps and (days <= steps[-1][0] or share >= steps[-1][1]):
                raise forms.ValidationError(
                    f"Line {number}: list more days, each with a smaller share than before."
                )
            steps.append([days, share])
        return steps

    def has_changed(self, initial, data):
        try:
            return self.to_python(data) != (initial or [])
        except forms.ValidationError:
            return True


class RuleForm(forms.ModelForm):
    condition = condition_field(Rule, RULE_CRITERIA, scope=None, follows="kind", scopes=SCOPES)
    who = condition_field(Rule, RULE_CRITERIA, scope=LEAD, empty="No condition: it is for all leads.")
    steps = StepsField(
        label="Fading in steps",
        help_text="One per line: up to that age a match counts with that share. Empty: no fading.",
    )

    class Meta:
        model = Rule
        fields = [
            "version", "kind", "name", "condition", "who", "points", "days", "min_count", "window_days", "steps",
            "half_life_days", "cap_count", "cap_points", "profile", "group", "position",
        ]  # fmt: skip

        labels = {
            "name": "Reason",
            "cap_count": "Count at most",
            "cap_points": "At most this many points",
            "window_days": "Only the last days",
            "days": "After days",
            "min_count": "Only from so many matches on",
            "half_life_days": "Worth half after days",
            "profile": "Ideal customer",
        }
        help_texts = {
            "name": "In words, as sales reads it",
            "cap_count": "matches, the most recent ones; empty: all",
            "cap_points": "Empty: no limit",
            "window_days": "Older matches do not count; empty: all count",
            "days": "",
            "min_count": "Then the points are given once, while so many are young enough; empty: points for each match",
            "half_life_days": "Fading all the time instead of in steps; needs “at most this many points”",
            "profile": "Only counts towards this one; empty: towards all of them",
            "group": "Rules that together give at most so many points; empty: none",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["who"].label = "Only for these leads"
        version = self.data.get("version") or self.instance.version_id or self.initial.get("version")
        version = int(version) if str(version).isdecimal() and len(str(version)) < 19 else None
        for name, parts in (("profile", Profile), ("group", RuleGroup)):
            if name in self.fields:  # a published rule is only read
                self.fields[name].queryset = parts.objects.filter(version=version)

    def clean(self):
        cleaned = super().clean()
        kind = cleaned.get("kind")
        if kind:
            self.forget_what_is_not_asked(cleaned, kind)
        if not self.errors:
            rule = Rule(**{name: cleaned.get(name) for name in ("kind", "name", "condition", *EMPTY)})
            for problem in problems_of(rule):
                self.add_error(place_of(problem, kind), problem[:1].upper() + problem[1:])
        return cleaned

    def forget_what_is_not_asked(self, cleaned, kind):
        """Figures of the kind that was chosen before stay hidden on the page; they must not count."""
        for name in EMPTY.keys() - FIGURES[kind]:
            cleaned[name] = EMPTY[name]
            self.errors.pop(name, None)
        if SCOPES[kind] is None:
            cleaned["condition"] = {}
            self.errors.pop("condition", None)


def place_of(problem, kind):
    """The field that a sentence of `problems_of` is about."""
    for words, name in (
        ("give it points", "points"),
        ("after how many days", "days"),
        ("half-life", "half_life_days"),
        ("at least so many", "min_count"),
        ("ask for at least", "min_count"),
        ("who,", "who"),
        ("count at least", "cap_count"),
        ("cap the points", "cap_points"),
        ("the window", "window_days"),
        ("step", "steps"),
        ("share", "steps"),
    ):
        if words in problem:
            return name
    return "condition" if SCOPES[kind] else None
