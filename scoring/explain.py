"""Why a score is what it is: line by line, from the same facts and the same arithmetic that made it.

The lines of a part add up to it exactly (lines.py); what comes of it is in outlook.py, what it lacks in missing.py.
Any past instant can be asked for: then the log is what was known at it, fields of the lead and its company have the
values that stood then, and the version is the one then in force. Points that fade by a half-life are computed here for
the instant itself, where the stored score may be off by less than a point.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from leads.rows import fetch
from scoring import lines, missing, words
from scoring.documents import whom_in_words
from scoring.engine.arithmetic import EXCLUDED, VERDICTS
from scoring.engine.judge import judge
from scoring.engine.rulebook import FIELD_TYPES, Live, rulebook
from scoring.engine.units import NEVER, instant, micros
from scoring.lines import Evidence, Line, Match
from scoring.missing import Unknown
from scoring.models import ModelVersion
from scoring.outlook import Forecast, Step, next_rating, outlook

__all__ = ["Evidence", "Explanation", "Line", "explain", "why_none"]

JUST_NOW = timedelta(seconds=5)  # a page's own `at` needs no replay


IN_FORCE = f"""
SELECT v.id, m.name, v.number, m.applies_to::text, {FIELD_TYPES}
FROM scoring_scoringmodel m JOIN scoring_modelversion v ON v.id =
  (SELECT version_id FROM scoring_publication WHERE model_id = m.id AND at <= %(at)s ORDER BY at DESC, id DESC LIMIT 1)
WHERE CASE WHEN %(model)s::bigint IS NULL THEN m.routes ELSE m.id = %(model)s END
"""  # noqa: S608 constants


@dataclass
class Explanation:
    lead_id: int
    model: str
    version: str
    at: datetime
    fit: float
    engagement: float
    total: float
    rating: str
    action: str
    verdict: str
    lines: list[Line]
    unknown: list[Unknown]
    next_rating: Step | None
    not_passed: list[str]  # why it has not been passed to sales; empty when it has
    outlook: list[Forecast]
    hand_raised_at: datetime | None
    next_change_at: datetime | None
    profiles: list[Match] = field(default_factory=list)
    minutes: int | None = None  # the effort that the rating allows for
    labels: tuple[str, ...] = ()  # every rating of the scale, best first
    because: str = ""  # how fit and engagement make the rating; they are never added up for it

    def as_text(self):
        """The whole explanation as plain text, to be copied into a mail or a ticket."""
        return words.as_text(self)

    @property
    def outlook_words(self):
        """Like "Without new activity: C in 14 days", or an empty text."""
        return words.outlook(self)

    @property
    def next_rating_words(self):
        return words.next_rating(self)

    @property
    def best_match_words(self):
        """Like "Best match: Mid-size software, 45 of 60", or an empty text."""
        return words.best_match(self)


def explain(*, lead, at=None, model=None):
    """The Explanation of `lead` at `at` (default: now) by `model` (default: the one that routes).

    None where there is nothing to explain; `why_none` says why.
    """
    now = timezone.now()
    known_at = at if at is not None and at < now - JUST_NOW else None
    at = at or now
    version = version_in_force(model, at)
    if version is None:
        return None
    version_id, model_name, number, *meaning = version
    book = rulebook(Live(version_id, 0, False, True, None, *meaning))
    return explain_by(
        book, lead=lead, at=at, known_at=known_at, model=model_name, version=f"{model_name} v{number}"
    )


def explain_by(book, *, lead, at, model, version, known_at=None):
    """The Explanation of `lead` by a compiled version, a draft's included; `model` and `version` are their names.

    None where the model does not judge the lead at `at`.
    """
    judged = judge([lead.pk], [book], at=at, known_at=known_at)
    leads = judged.leads
    if not len(leads.ids) or leads.created[0] > micros(at) or not judged.scores[0].applies[0]:
        return None
    scores = judged.scores[0]
    fit, engagement = int(scores.fit[0]), int(scores.engagement[0])
    label = int(scores.rating[0])
    values = lines.field_values(book, lead.pk, at=at, known_at=known_at)
    return Explanation(
        lead_id=lead.pk,
        model=model,
        version=version,
        at=at,
        fit=fit / 100,
        engagement=engagement / 100,
        total=(fit + engagement) / 100,
        rating=book.table.labels[label],
        action=book.table.actions[label],
        verdict=str(VERDICTS[scores.verdict[0]]),
        lines=lines.lines_of(book, judged, values),
        unknown=missing.unknown(book, judged, values, at=at, known_at=known_at),
        next_rating=next_rating(book, fit, engagement, scores.verdict[0]),
        not_passed=missing.not_passed(book, leads, scores),
        outlook=outlook(book, judged, at=at, known_at=known_at),
        hand_raised_at=instant(scores.hand_raised[0]) if scores.hand_raised[0] > -NEVER else None,
        next_change_at=instant(scores.next_change[0]),
        profiles=lines.matches_of(book, scores),
        minutes=book.table.minutes[label],
        labels=book.table.labels,
        because="" if scores.verdict[0] == EXCLUDED else book.table.because(fit, engagement),
    )


def why_none(*, lead, at=None, model=None):
    """Why `explain` has nothing to say, in a sentence."""
    at = at or timezone.now()
    if lead.is_test:
        return "Internal and test leads are never scored."
    if lead.created_at > at:
        return "The lead was not known yet."
    version = version_in_force(model, at)
    if version is None:
        return "No version of the scoring model was in force."
    model = ModelVersion.objects.select_related("model").get(pk=version[0]).model
    return f"{model.name} judges only leads of whom this holds: {whom_in_words(model)}."


def version_in_force(model, at):
    """(version id, model name, version number, applies_to as JSON, types of custom fields) whose scores readers saw at `at`;
    None before the first publication."""
    rows = fetch(IN_FORCE, {"model": model and model.pk, "at": at})
    return rows[0] if rows else None
