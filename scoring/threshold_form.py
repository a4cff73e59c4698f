"""The thresholds of a version as a form: one number for each, beside a slider where scripts run."""

from django import forms

from scoring.lab import Thresholds, with_minima
from scoring.rules import threshold_problems

LOWEST, HIGHEST = -1000, 1000
LABELS = {
    "mql_fit": "MQL: fit of at least",
    "ready_fit": "Sales-ready: fit of at least",
    "ready_engagement": "Sales-ready: engagement of at least",
}


class ThresholdForm(forms.Form):
    """Always bound: what `data` does not say is as in `version`. `reach`: the most fit and engagement that any lead
    has, where the sliders end."""

    def __init__(self, data=None, *, version, reach=(100, 100)):
        self.version = version
        initial = start(version)
        super().__init__(initial | dict((data or {}).items()))
        for name, value in initial.items():
            most = reach[0] if "fit" in name else reach[1]
            self.fields[name] = forms.FloatField(
                label=label(version.scale, name),
                min_value=LOWEST,
                max_value=HIGHEST,
                widget=forms.NumberInput(
                    attrs={
                        "min": LOWEST, "max": HIGHEST, "step": "any", "inputmode": "decimal", "data-slider": "",
                        "data-from": min(0, int(value)), "data-to": max(10, int(most), int(value)),
                    }
                ),
            )  # fmt: skip

    @property
    def groups(self):
        """(title, fields) as they stand beside each other."""
        bands = [name for name in self.fields if name.startswith("band_")]
        return [
            ("What passes to sales", [self[name] for name in LABELS]),
            ("Bands of the rating", [self[name] for name in bands]),
        ]

    def clean(self):
        if not self.errors:
            self.thresholds = self._thresholds()
            for problem in threshold_problems(self.thresholds):
                self.add_error(None, problem)
        return self.cleaned_data

    def _thresholds(self):
        values = self.cleaned_data
        minima = {
            part: [values[name] for name in values if name.startswith(f"band_{part}_")]
            for part in ("fit", "engagement")
        }
        return Thresholds(
            values["mql_fit"], values["ready_fit"], values["ready_engagement"],
            with_minima(self.version.scale, **minima),
        )  # fmt: skip

    @property
    def is_moved(self):
        return self.is_valid() and any(
            self.cleaned_data[name] != value for name, value in start(self.version).items()
        )


def start(version):
    """{field name: points} as the version has them."""
    scale = version.scale
    values = {name: getattr(version, name) for name in LABELS}
    for part, bands in (("fit", scale.fit_bands), ("engagement", scale.engagement_bands)):
        values |= {f"band_{part}_{number}": minimum for number, (_, minimum) in enumerate(bands[:-1])}
    return {name: int(value) if value == int(value) else value for name, value in values.items()}


def label(scale, name):
    if name in LABELS:
        return LABELS[name]
    _, part, number = name.split("_")
    bands = scale.fit_bands if part == "fit" else scale.engagement_bands
    return f"{part.capitalize()} “{bands[int(number)][0]}” from"
