"""The whole answer to "why this score?": the explanation by one model at one instant, the other models that judge the
lead, what keeps it from sales, and how the score moved."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from leads.models import Place, Stage, StageChange
from scoring.explain import Explanation, explain
from scoring.history import History, history
from scoring.models import ScoringModel, Verdict
from scoring.queries import ScoreRow, current_scores, deciding
from scoring.rescore import given_back
from scoring.words import day

RAISED = {Verdict.HAND_RAISE, Verdict.BITE}


class UnknownModel(LookupError):
    """No scoring model of that name; the text names those there are."""


class Judged(NamedTuple):
    """What a model said at a past instant: the columns of a ScoreRow that tell who and what."""

    model: str
    slug: str
    routes: bool
    rating: str
    total: float


@dataclass
class Why:
    lead: object
    model: ScoringModel | None
    at: datetime
    is_past: bool
    explanation: Explanation | None  # None: this model does not judge the lead, or did not yet
    # At that instant, by every model that judges it; the one that routes first.
    scores: list[ScoreRow] | list[Judged] = field(default_factory=list)
    history: History = field(default_factory=History)


def why(*, lead, model=None, at=None):
    """The Why of `lead` by the model with the slug `model` (default: the one that routes) at `at` (default: now).

    Raises UnknownModel. At most eight queries beyond those of `explain`, which the past takes once for each model.
    """
    now = timezone.now()
    is_past = at is not None and at < now
    at = at if is_past else now
    chosen = model_of(model)
    result = Why(lead, chosen, at, is_past, None)
    if not is_past:
        result.scores = current_scores([lead.pk]).get(lead.pk, [])
    if chosen is None:
        return result
    explanation = explain(lead=lead, at=at, model=chosen)
    result.history = history(lead=lead, model=chosen, until=at)
    if explanation is not None:
        reasons = not_passed(lead, explanation, result) if chosen.routes else []
        result.explanation = replace(explanation, not_passed=reasons)
    if is_past:
        result.scores = judged_then(lead, result)
    return result


def judged_then(lead, result):
    """What each model in force at the instant said then, replayed one by one: past scores are asked for rarely."""
    models = ScoringModel.objects.filter(publications__at__lte=result.at).distinct().order_by("-routes", "pk")
    found = []
    for model in models:
        own = model == result.model
        then = result.explanation if own else explain(lead=lead, at=result.at, model=model)
        if then is not None:
            found.append(Judged(model.name, model.slug, model.routes, then.rating, then.total))
    return found


def model_of(slug):
    if not slug:
        return deciding()
    found = ScoringModel.objects.filter(slug=slug, current_version__isnull=False).first()
    if found is None:
        known = ScoringModel.objects.filter(current_version__isnull=False).order_by("-routes", "slug")
        raise UnknownModel(f"No such scoring model. Use {', '.join(known.values_list('slug', flat=True))}.")
    return found


def standing(lead, why):
    """(place, stage, reason, until when) of the lead; what it was parked until in the past is not kept."""
    if not why.is_past:
        return lead.place, lead.stage, lead.place_reason, lead.wake_at
    moved = StageChange.objects.filter(lead=lead)
    before = moved.filter(at__lte=why.at).order_by("-at", "-id").first()
    if before is not None:
        return before.to_place, before.to_stage, before.reason, None
    after = moved.order_by("at", "id").values_list("from_place", "from_stage").first()
    return *(after or (lead.place, lead.stage)), "", None


def not_passed(lead, explanation, why):
    """Why sales does not have the lead, in words, what to act on first first: a decision about it, then what its score
    lacks. Empty for what passes."""
    place, stage, reason, until = standing(lead, why)
    if place == Place.SALES or stage == Stage.CUSTOMER:
        return []
    lacks, holds = explanation.not_passed, []
    if place == Place.CUSTOMER and lacks and reason:  # works for one, and has bought nothing
        holds.append(reason)
    if place == Place.DISQUALIFIED and reason not in lacks:
        holds.append(f"Disqualified: {reason}")
    if explanation.verdict not in RAISED:  # a request passes whoever rests or was given back
        back, because = given_back([lead.pk], at=why.at).get(lead.pk, (None, ""))
        if back:
            said = f" ({because})" if because else ""
            holds.append(
                f"Sales gave it back until {day(back)}{said}: before that only a request or a bite passes it"
            )
        if place == Place.PARKED and (not back or (until and until != back)):
            holds.append(f"Parked{f' until {day(until)}' if until else ''}: {reason}")
    return holds + lacks
