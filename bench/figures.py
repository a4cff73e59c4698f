"""One JSON line per figure."""

import json


def figure(name, *, ours, yardstick, unit, **more):
    """Print a figure. `ratio` is ours / yardstick, None where there is no yardstick."""
    ratio = round(ours / yardstick, 3) if yardstick else None
    line = {"name": name, "ours": _short(ours), "yardstick": _short(yardstick), "ratio": ratio, "unit": unit}
    print(json.dumps(line | more), flush=True)


def percentile(values, share):
    """The value below which `share` (0 to 1) of `values` lie, by rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _short(value):
    return float(f"{value:.4g}") if value is not None else None
