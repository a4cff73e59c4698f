"""The whole answer to "why this score?": the explanation by one model at one instant, the other models that judge the
lead, what keeps it from sales, and how the score moved."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from leads.models import Place, StageChange
from scoring.explain import Explanation, explain
from scoring.history import History, history
from scoring.models import ScoringModel, Verdict
from scoring.queries import ScoreRow, current_scores
from scoring.rescore import held_back

PASSED = {Place.SALES, Place.CUSTOMER}


class UnknownModel(LookupError):
    """No scoring model of that name; the text names those there are."""


@dataclass
class Why:
    lead: object
    model: ScoringModel | None
    at: datetime
    is_past: bool
    explanation: Explanation | None  # None: this model does not judge the lead, or did not yet
    scores: list[ScoreRow] = field(
        default_factory=list
    )  # now, by every model that judges it; the one that routes first
    history: History = field(default_factory=History)


def why(*, lead, model=None, at=None):
    """The Why of `lead` by the model with the slug `model` (default: the one that routes) at `at` (default: now).

    Raises UnknownModel. At most eight queries beyond those of `explain`.
    """
    now = timezone.now()
    is_past = at is not None and at < now
    chosen = model_of(model)
    result = Why(lead, chosen, at or now, is_past, None, current_scores([lead.pk]).get(lead.pk, []))
    if chosen is None:
        return result
    explanation = explain(lead=lead, at=at if is_past else now, model=chosen)
    result.history = history(lead=lead, model=chosen, until=result.at)
    if explanation is not None:
        place = place_at(lead, at) if is_past else lead.place
        reasons = not_passed(lead, explanation, place, result.at) if chosen.routes else []
        result.explanation = replace(explanation, not_passed=reasons)
    return result


def model_of(slug):
    if not slug:
        return ScoringModel.objects.filter(routes=True).first()
    found = ScoringModel.objects.filter(slug=slug, current_version__isnull=False).first()
    if found is None:
        known = ScoringModel.objects.filter(current_version__isnull=False).order_by("-routes", "slug")
        raise UnknownModel(f"No such scoring model. Use {', '.join(known.values_list('slug', flat=True))}.")
    return found


def place_at(lead, at):
    """The place of the lead at a past instant."""
    moved = StageChange.objects.filter(lead=lead)
    before = moved.filter(at__lte=at).order_by("-at", "-id").values_list("to_place", flat=True).first()
    if before is not None:
        return before
    after = moved.order_by("at", "id").values_list("from_place", flat=True).first()
    return after or lead.place


def not_passed(lead, explanation, place, at):
    """Why sales does not have the lead, in words: what the score lacks, or what holds it back although it would pass."""
    if place in PASSED:
        return []
    reasons = list(explanation.not_passed)
    if explanation.verdict == Verdict.SALES_READY and held_back([lead.pk], at=at):
        reasons.append("Sales gave it back until a date that has not come: before it only a request passes")
    if place == Place.PARKED == lead.place and lead.wake_at:
        reasons.append(
            f"Parked until {date_format(timezone.localtime(lead.wake_at), 'j F Y')}: {lead.place_reason}"
        )
    if place == Place.DISQUALIFIED == lead.place:
        reasons.append(f"Disqualified: {lead.place_reason}")
    return reasons
