"""The criteria language with what scoring adds: for programs, routing and segments.

Scoring rules themselves use `leads.criteria.CRITERIA`: a score never asks about a score.
"""

from leads.criteria import CRITERIA
from leads.criteria.base import Criterion, either
from leads.criteria.parameters import Choice, Number, Texts

# Of the model that routes, and only the version its readers see.
SCORE = (
    "EXISTS (SELECT 1 FROM scoring_score s JOIN scoring_scoringmodel m"
    " ON m.current_version_id = s.model_version_id AND m.routes WHERE s.lead_id = l.id AND {})"
)


class RatingIs(Criterion):
    key = "rating"
    label = "Rating"
    parameters = (Texts("one_of", "One of", max_length=20, max_items=50),)

    def sql(self, params, at):
        ratings = ", ".join(["%s"] * len(params["one_of"]))
        return SCORE.format(f"s.rating IN ({ratings})"), list(params["one_of"])

    def sentence(self, params):
        return f"rating is {either(params['one_of'])}"


class ScoreAtLeast(Criterion):
    key = "score"
    label = "Score"
    COLUMNS = {"fit": "s.fit", "engagement": "s.engagement", "total": "s.total"}
    parameters = (
        Choice(
            "of",
            "Of",
            choices={"fit": "Fit", "engagement": "Engagement", "total": "Total"},
        ),
        Number("at_least", "At least"),
    )

    def sql(self, params, at):
        return SCORE.format(f"{self.COLUMNS[params['of']]} >= %s"), [params["at_least"]]

    def sentence(self, params):
        of = "total score" if params["of"] == "total" else params["of"]
        return f"{of} is at least {params['at_least']:g}"


SCORED_CRITERIA = CRITERIA | {"rating": RatingIs(), "score": ScoreAtLeast()}
