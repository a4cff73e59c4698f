"""The criteria language with what scoring adds: for programs, routing and segments.

Scoring rules themselves use `leads.criteria.CRITERIA`: a score never asks about a score.
"""

from leads.criteria import CRITERIA, LEAD, BadCondition
from leads.criteria.base import LISTS, Criterion, either, quoted
from leads.criteria.parameters import BadValue, Choice, Named, Number, Texts
from leads.criteria.reading import named, once, reading
from leads.criteria.tree import MAX_LEAVES, check, parse, to_sql, walk
from scoring.models import ScoringModel, Segment

MAX_SEGMENTS = 5  # within one another
# Only the version its readers see.
SCORE = (
    "EXISTS (SELECT 1 FROM scoring_score s JOIN scoring_scoringmodel m"
    " ON m.current_version_id = s.model_version_id AND {} WHERE s.lead_id = l.id AND {})"
)
MODEL = Named(
    "model",
    "Scoring model",
    default="",
    empty="The one that decides",
    what="scoring model",
    rows=lambda: named(ScoringModel),
)


def score_sql(params, condition, bound):
    model = ("m.slug = %s", [params["model"]]) if params["model"] else ("m.routes", [])
    return SCORE.format(model[0], condition), [*model[1], *bound]


def by_model(params):
    return f" by the model {quoted(MODEL.name_of(params['model']))}" if params["model"] else ""


class RatingIs(Criterion):
    key = "rating"
    label = "Rating"
    group = "Score"
    has_subject = True
    parameters = (Texts("one_of", "One of", max_length=20, max_items=50), MODEL)

    def sql(self, params, at):
        ratings = ", ".join(["%s"] * len(params["one_of"]))
        return score_sql(params, f"s.rating IN ({ratings})", params["one_of"])

    def sentence(self, params):
        return f"rating is {either(params['one_of'])}{by_model(params)}"


class ScoreAtLeast(Criterion):
    key = "score"
    label = "Score"
    group = "Score"
    has_subject = True
    COLUMNS = {"fit": "s.fit", "engagement": "s.engagement", "total": "s.total"}
    parameters = (
        Choice(
            "of",
            "Of",
            choices={"fit": "Fit", "engagement": "Engagement", "total": "Total"},
        ),
        Number("at_least", "At least"),
        MODEL,
    )

    def sql(self, params, at):
        return score_sql(params, f"{self.COLUMNS[params['of']]} >= %s", [params["at_least"]])

    def sentence(self, params):
        of = "total score" if params["of"] == "total" else params["of"]
        return f"{of} is at least {params['at_least']:g}{by_model(params)}"


class InSegment(Criterion):
    """The condition of the segment, whatever it is by now. One that is not there is always refused: it has none."""

    key = "segment"
    label = "In a segment"
    group = LISTS
    parameters = (Named("segment", "Segment", what="segment", rows=lambda: named(Segment)),)

    def clean(self, given):
        params = super().clean(given)
        node = condition_of(params["segment"])
        left = once("leaves left to segments", lambda: [MAX_LEAVES])
        left[0] -= size(node)
        if left[0] < 0:
            raise BadValue(
                f"is too much; {MAX_LEAVES} conditions in all segments are the limit", name="segment"
            )
        return params

    def sql(self, params, at):
        return to_sql(condition_of(params["segment"]), at)

    def sentence(self, params):
        return f"is in the segment {quoted(self.parameters[0].name_of(params['segment']))}"


def condition_of(slug):
    """The parsed condition of a segment, read once. Raises BadValue where it is missing, faulty or goes in a circle."""
    inside = once("segments being read", list)

    def read():
        if slug in inside:
            circle = " → ".join([*inside[inside.index(slug) :], slug])
            raise BadValue(f"goes in a circle: {circle}", name="segment")
        if len(inside) >= MAX_SEGMENTS:
            raise BadValue(f"is nested too deeply; {MAX_SEGMENTS} segments are enough", name="segment")
        segment = Segment.objects.filter(slug=slug).first()
        if segment is None:
            raise BadValue(f"there is no segment “{slug}”", name="segment")
        inside.append(slug)
        try:
            return parse(segment.condition or {}, criteria=SCORED_CRITERIA, scope=LEAD)
        except BadCondition as bad:
            raise BadValue(f"cannot be used, “{slug}” has a fault at {bad}", name="segment") from None
        finally:
            inside.pop()

    return once((Segment, slug), read)


def size(node):
    """How many conditions there are once the segments are put in."""
    return sum(
        size(condition_of(leaf.params["segment"])) if isinstance(leaf.criterion, InSegment) else 1
        for leaf in walk(node)
    )


def check_segment(*, slug, condition):
    """Raises BadCondition where the segment called `slug` cannot have this condition: also where that leads back to it."""
    with reading():
        once("segments being read", list).append(slug)
        check(condition, criteria=SCORED_CRITERIA)


SCORED_CRITERIA = CRITERIA | {"rating": RatingIs(), "score": ScoreAtLeast(), "segment": InSegment()}
