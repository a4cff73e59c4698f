"""How the score of a lead came to be what it is: when it moved, under which version, and when versions changed."""

from dataclasses import dataclass, field
from datetime import datetime

from scoring.models import Publication, ScoreChange

POINTS, MARKS = 100, 30  # the latest so many


@dataclass(frozen=True)
class Moment:
    """The score from `at` on, as it stood when its rating or verdict moved."""

    at: datetime
    rating: str
    verdict: str
    fit: float
    engagement: float
    total: float
    version: int


@dataclass(frozen=True)
class Mark:
    """From `at` on, readers saw the scores of this version of the model."""

    at: datetime
    version: int


@dataclass
class History:
    """Oldest first. `is_whole`: nothing older was left out."""

    moments: list[Moment] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    is_whole: bool = True


def history(*, lead, model, until):
    """The History of `lead` under `model` up to `until`, the last of it first to be kept. Two queries."""
    changes = ScoreChange.objects.filter(lead=lead, model_version__model=model, at__lte=until)
    changes = changes.select_related("model_version").order_by("-at", "-id")[: POINTS + 1]
    moments = [
        Moment(
            row.at,
            row.new_rating,
            row.new_verdict,
            row.fit,
            row.engagement,
            row.total,
            row.model_version.number,
        )
        for row in changes
    ]
    since = moments[:POINTS][-1].at if moments else lead.created_at
    published = Publication.objects.filter(model=model, at__gt=since, at__lte=until)
    published = published.select_related("version").order_by("-at", "-id")[:MARKS]
    marks = [Mark(row.at, row.version.number) for row in published]
    return History(moments[:POINTS][::-1], marks[::-1], is_whole=len(moments) <= POINTS)
