"""Reading scores: only those of each model's current version, as everybody else sees them."""

from datetime import datetime
from typing import NamedTuple

from leads.rows import fetch
from scoring.models import ScoringModel

CURRENT = """
SELECT s.lead_id, m.name, m.slug, m.routes, s.model_version_id, s.fit, s.engagement, s.total, s.rating, s.verdict,
  s.as_of, s.next_change_at, s.hand_raised_at, ARRAY(SELECT told ->> 0 FROM jsonb_array_elements(a.ratings) told)
FROM scoring_score s JOIN scoring_scoringmodel m ON m.current_version_id = s.model_version_id
  JOIN scoring_modelversion v ON v.id = s.model_version_id JOIN scoring_scale a ON a.id = v.scale_id
WHERE s.lead_id = ANY(%s) AND (m.routes OR NOT %s) ORDER BY m.routes DESC, m.id
"""


class ScoreRow(NamedTuple):
    lead_id: int
    model: str
    slug: str
    routes: bool
    version_id: int
    fit: float
    engagement: float
    total: float
    rating: str
    verdict: str
    as_of: datetime
    next_change_at: datetime | None
    hand_raised_at: datetime | None
    labels: list[str]  # every rating of its scale, best first


def current_scores(lead_ids):
    """{lead id: [ScoreRow, …]}, the model that routes first. A lead without a score has no entry. One query."""
    found = {}
    for row in fetch(CURRENT, [list(lead_ids), False]):
        found.setdefault(row[0], []).append(ScoreRow(*row))
    return found


def routing_scores(lead_ids):
    """{lead id: ScoreRow} of the model that routes. One query."""
    return {row[0]: ScoreRow(*row) for row in fetch(CURRENT, [list(lead_ids), True])}


def deciding():
    """The model that decides what passes to sales, with its version in force; None where none does. One query."""
    return ScoringModel.objects.filter(routes=True).select_related("current_version__scale").first()


def routing_version():
    """The version in force of the model that decides, or None. One query."""
    model = deciding()
    if model and model.current_version:
        model.current_version.model = model
    return model and model.current_version
