"""An explanation in plain words, for the screen and for copying."""

import math

from django.utils import timezone
from django.utils.formats import date_format

from scoring.models import Verdict


def figure(value, places=2):
    """A number of points: 12.5, −5, 0."""
    text = f"{round(value, places) + 0:.{places}f}"  # + 0: no −0
    return (text.rstrip("0").rstrip(".") if places else text).replace("-", "−")


def points(value):
    """A signed number of points: +12.5, −5, 0."""
    return f"+{figure(value)}" if value > 0 else figure(value)


def day(moment):
    """ "31 July 2026", in the reader's zone."""
    return date_format(timezone.localtime(moment), "j F Y")


def amount(value, one, many=""):
    """A number of things: 1 point, 2.5 points."""
    return f"{value:g} {one if abs(value) == 1 else many or one + 's'}"


def in_days(later, earlier):
    """ "in 14 days", rounded up, "within a day" when sooner."""
    days = math.ceil((later - earlier).total_seconds() / 86_400)
    return "within a day" if days <= 1 else f"in {days} days"


def outlook(explanation):
    if not explanation.outlook:
        return ""
    steps, rating = [], explanation.rating
    for forecast in explanation.outlook[:3]:
        becomes = forecast.rating if forecast.rating != rating else Verdict(forecast.verdict).label
        steps.append(f"{becomes} {in_days(forecast.at, explanation.at)}")
        rating = forecast.rating
    return f"Without new activity: {', '.join(steps)}"


def next_rating(explanation):
    step = explanation.next_rating
    if step is None:
        return ""
    needs = [
        f"{figure(more)} more {what}"
        for more, what in ((step.fit, "fit"), (step.engagement, "engagement"))
        if more
    ]
    return f"{step.rating} needs {' and '.join(needs)}"


def best_match(explanation):
    best = next((match for match in explanation.profiles if match.is_best and match.points > 0), None)
    return f"Best match: {best.profile}, {figure(best.points)} of {figure(best.of)}" if best else ""


def line_words(line):
    words = f"{points(line.points):>8}  {line.group + ': ' if line.group and line.kind != 'cap' else ''}{line.rule}"
    if line.needed is not None:
        words += f" ({line.count} of {line.needed} needed{faded(line)})"
    elif line.count is not None:
        words += f" ({line.count} ×{faded(line)})"
    return words


def faded(line):
    """How much age has left of the points, where it took any."""
    if not line.factor or abs(line.factor - 1) < 0.005:
        return ""
    halves = f", which halves every {amount(line.half_life_days, 'day')}" if line.half_life_days else ""
    return f", of {points(line.raw)} age has left {line.factor:.0%}{halves}"


def evidence_words(evidence):
    where = f" ({evidence.asset})" if evidence.asset else ""
    when = f", {evidence.at:%Y-%m-%d %H:%M} UTC" if evidence.at else ""
    return f"{'':10}{evidence.what}{where}{when}"


def as_text(explanation):
    e = explanation
    rows = [
        f"Rating {e.rating}: {e.action}",
        *([f"{e.because}."] if e.because else []),
        f"{Verdict(e.verdict).label} · fit {figure(e.fit)}, engagement {figure(e.engagement)} · {e.version} at {e.at:%Y-%m-%d %H:%M} UTC",
    ]
    for part, total in (("fit", e.fit), ("engagement", e.engagement)):
        rows += ["", f"{part.capitalize()} {figure(total)}"]
        rows += [e.best_match_words] if part == "fit" and e.profiles else []
        for line in e.lines:
            if line.part == part:
                rows += [line_words(line), *map(evidence_words, line.evidence)]
    rows += ["", *[f"Unknown: {u.label}, worth up to {points(u.worth)}" for u in e.unknown]]
    if e.not_passed:
        rows.append(f"Not passed to sales: {'; '.join(e.not_passed)}.")
    rows += [text for text in (next_rating(e), outlook(e)) if text]
    return "\n".join(rows).strip() + "\n"
