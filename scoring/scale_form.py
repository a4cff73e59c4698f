"""A rating scale in a form: lists and the matrix as plain lines instead of brackets."""

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from scoring.models import Scale
from scoring.ratings import problems


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
        return "\n".join(f"{label} = {f'{told:g}' if self.numbers else told}" for label, told in value)

    def to_python(self, value):
        pairs = []
        for number, line in enumerate(filter(None, map(str.strip, (value or "").splitlines())), start=1):
            label, _, told = (part.strip() for part in line.partition("="))
            pairs.append([label, self.number(told, number) if self.numbers else told])
        return pairs

    def number(self, text, line):
        try:
            found = float(text or 0)
        except ValueError:
            found = float("nan")
        if not abs(found) < 1e6:  # also refuses what is not a number
            raise forms.ValidationError(f"Line {line}: write a number of points after the =.")
        return found

    def has_changed(self, initial, data):
        return self.prepare_value(initial or []) != self.prepare_value(data)


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
        return True


class ScaleForm(forms.ModelForm):
    ratings = PairsField(
        label="Ratings",
        help_text="Best first, one per line: rating = what to do. E.g. A = Call within the hour",
    )
    fit_bands = PairsField(
        numbers=True,
        label="Fit bands",
        help_text="Best first: name = at least so many points. The last takes the rest.",
    )
    engagement_bands = PairsField(
        numbers=True, label="Engagement bands", help_text="Likewise, for engagement."
    )
    matrix = MatrixField(
        label="Rating of each cell",
        help_text="One line per fit band, one rating per engagement band, separated by commas. E.g. A, A, B",
    )

    class Meta:
        model = Scale
        fields = ["name", "ratings", "fit_bands", "engagement_bands"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
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
