"""A rating scale in a form: lists and the matrix as plain lines instead of brackets.

`static/js/admin-scale.js` shows the lines as tables and a matrix of choices; without scripts they can be typed.
"""

import re

from django import forms
from django.forms import Script
from unfold.widgets import UnfoldAdminTextareaWidget

from scoring.models import Scale
from scoring.ratings import problems

# How it is typed where no script shows it as tables.
EXAMPLES = {
    "ratings": "A = Call within the hour (30 min)",
    "fit_bands": "good = 40",
    "engagement_bands": "hot = 40",
    "matrix": "A, A, B",
}
MINUTES = re.compile(r"\s*\((\d{1,5})\s*min\)$")


class PairsField(forms.CharField):
    """Lines `label = value`, kept as [[label, value], …]. With `numbers` the value is a number, 0 where left out."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, *, numbers=False, **kwargs):
        super().__init__(**kwargs)
        self.numbers = numbers
        self.widget.attrs["rows"] = 4

    def prepare_value(self, value):
        if not isinstance(value, list):
            return value
        return "\n".join(f"{row[0]} = {self.told(*row[1:])}" for row in value)

    def told(self, value):
        return f"{value:g}" if self.numbers else value

    def to_python(self, value):
        rows = []
        for number, line in enumerate(filter(None, map(str.strip, (value or "").splitlines())), start=1):
            label, _, told = (part.strip() for part in line.partition("="))
            if "," in label:
                raise forms.ValidationError(f"Line {number}: leave the comma out of the name.")
            rows.append([label, *self.read(told, number)])
        return rows

    def read(self, told, line):
        return [self.number(told, line) if self.numbers else told]

    def number(self, text, line):
        try:
            found = float(text or 0)
        except ValueError:
            found = float("nan")
        if not abs(found) < 1e6:  # also refuses what is not a number
            raise forms.ValidationError(f"Line {line}: write a number of points after the =.")
        return found

    def has_changed(self, initial, data):
        try:
            return self.to_python(data) != self.to_python(self.prepare_value(initial or []))
        except forms.ValidationError:
            return True


class RatingsField(PairsField):
    """Lines `label = what to do (30 min)`, kept as [[label, action, minutes], …]; the minutes may be left out."""

    def told(self, action, minutes=None):
        return action if minutes is None else f"{action} ({minutes} min)"

    def read(self, told, line):
        minutes = MINUTES.search(told)
        return [told[: minutes.start()], int(minutes[1])] if minutes else [told]


class MatrixField(forms.CharField):
    """One line per fit band, ratings separated by commas; the form turns it into cells."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.widget.attrs["rows"] = 4

    def to_python(self, value):
        return [
            [cell.strip() for cell in line.split(",")] for line in (value or "").splitlines() if line.strip()
        ]

    def has_changed(self, initial, data):
        return self.to_python(data) != self.to_python(initial)


class ScaleForm(forms.ModelForm):
    ratings = RatingsField(
        label="Ratings",
        help_text="Best first: its name, what it asks of a rep, and how many minutes a lead is worth",
    )
    fit_bands = PairsField(
        numbers=True,
        label="Fit bands",
        help_text="Best first: a lead is in the first band whose points its fit reaches, else in the last",
    )
    engagement_bands = PairsField(
        numbers=True,
        label="Engagement bands",
        help_text="The same for engagement; with a single band fit alone makes the rating",
    )
    matrix = MatrixField(
        label="Rating of each cell",
        help_text="What a lead is rated whose fit and engagement are in these bands",
    )

    class Media:
        js = (Script("js/admin-scale.js", type="module"),)

    class Meta:
        model = Scale
        fields = ["name", "ratings", "fit_bands", "engagement_bands"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["ratings"].widget.attrs["data-scale"] = True
        for name in EXAMPLES.keys() & self.fields.keys():
            self.fields[name].widget.attrs["placeholder"] = EXAMPLES[name]
        if self.instance.pk:
            self.initial["matrix"] = matrix_of(self.instance)

    def clean(self):
        cleaned = super().clean()
        if self.errors:
            return cleaned
        fits, engagements = cleaned["fit_bands"], cleaned["engagement_bands"]
        rows = cleaned["matrix"]
        if len(rows) != len(fits) or any(len(row) != len(engagements) for row in rows):
            self.add_error(
                "matrix",
                f"Write {len(fits)} lines of {len(engagements)} ratings: one line per fit band, one rating per engagement band.",
            )
            return cleaned
        self.instance.cells = {
            f"{fit}/{engagement}": rating
            for (fit, _), row in zip(fits, rows, strict=True)
            for (engagement, _), rating in zip(engagements, row, strict=True)
        }
        asked = Scale(
            ratings=cleaned["ratings"],
            fit_bands=fits,
            engagement_bands=engagements,
            cells=self.instance.cells,
        )
        for problem in problems(asked):
            name, _, words = problem.partition(": ")
            self.add_error({"cells": "matrix"}.get(name, name), words[:1].upper() + words[1:])
        return cleaned


def matrix_of(scale):
    return "\n".join(
        ", ".join(scale.cells.get(f"{fit}/{engagement}", "?") for engagement, _ in scale.engagement_bands)
        for fit, _ in scale.fit_bands
    )
