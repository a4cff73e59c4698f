"""What becomes of a score: without new activity, and what it would take to be rated better."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scoring.engine import arithmetic, facts
from scoring.engine.touchpoints import matching
from scoring.engine.units import NEVER, instant, micros

STEPS, DAYS = 200, 400


@dataclass
class Step:
    """What a better rating takes. The points are what is missing."""

    rating: str
    action: str
    fit: float
    engagement: float


@dataclass
class Forecast:
    """Without new activity, what becomes of the lead at an instant."""

    at: datetime
    rating: str
    verdict: str
    total: float


def next_rating(book, fit, engagement, verdict):
    """The nearest Step within the caps on fit and engagement, or None: the best is reached, or the lead is excluded."""
    if verdict == arithmetic.EXCLUDED:
        return None
    for label, more_fit, more_engagement in book.table.steps_up(fit, engagement):
        within = fit + more_fit <= book.cap_fit and engagement + more_engagement <= book.cap_engagement
        if within:
            return Step(
                book.table.labels[label], book.table.actions[label], more_fit / 100, more_engagement / 100
            )
    return None


def outlook(book, judged, *, at, known_at=None):
    """The changes of rating or verdict that time alone brings, in order, as Forecasts.

    What is dated later counts when its time comes. Facts that change by time are read again when they do.
    """
    leads, log = judged.leads, judged.log
    matches = matching(book, log.touchpoint, at=at, known_at=known_at)
    seen = int(judged.scores[0].rating[0]), int(judged.scores[0].verdict[0])
    forecast, when, last = [], micros(at), micros(at + timedelta(days=DAYS))
    for _ in range(STEPS):
        # A half-life may drift: only where it turns a rating or verdict is asked.
        scores = arithmetic.score(book, leads, log, matches, when, tolerance=NEVER)
        now = int(scores.rating[0]), int(scores.verdict[0])
        if now != seen:
            total = int(scores.fit[0] + scores.engagement[0]) / 100
            words = book.table.labels[now[0]], str(arithmetic.VERDICTS[now[1]])
            forecast.append(Forecast(instant(when), *words, total))
            seen = now
        when = int(scores.next_change[0])
        if when > last:
            break
        if when >= leads.changes[book.version_id][0]:
            leads = facts.lead_facts([int(leads.ids[0])], [book], at=instant(when), known_at=known_at)
    return forecast
