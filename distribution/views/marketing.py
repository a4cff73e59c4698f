"""The marketer's pages: home, lists of leads behind every figure, and what is not known of them."""

from django.db.models import Count, F, Q
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe
from rest_framework.exceptions import ValidationError

from distribution import limbo
from distribution import marketing as home_of
from distribution.access import leads_for, sees_all
from leads import pagination
from leads.content import undescribed
from leads.criteria import BadCondition, matching
from leads.models import Source
from scoring import gaps as known
from scoring import mix
from scoring.approval import waiting_for
from scoring.documents import review_due
from scoring.queries import routing_scores, routing_version

TOP = 3  # gaps, and pages nobody has described, on the home
PAGE = 50


class Refused(ValueError):
    """A filter that cannot be applied: which one, and what it takes."""


@require_safe
def home(request):
    now = timezone.now()
    months, sources, first = home_of.mix_rows(now, request.GET.get("month", ""))
    waiting, stranded, models = waiting_for(request.user), home_of.stranded(now), home_of.in_force(now)
    version = routing_version()
    gaps = known.gaps(version, at=now)[:TOP] if version else []
    for gap in gaps:
        gap.url = home_of.gap_url(gap)
    finding = home_of.finding(
        broken=home_of.gone_bad(models), waiting=waiting, stranded=stranded, months=months, models=models, gaps=gaps,
        may_set_up=request.user.is_staff,
    )  # fmt: skip
    return render(request, "marketing/home.html", {
        "now": now, "months": months, "sources": sources, "chosen": first, "models": models, "waiting": waiting,
        "stranded": stranded, "stranded_url": home_of.leads_url(next_step="none"), "most_stranded": home_of.STRANDED,
        "given_back": home_of.given_back(now), "back_days": home_of.BACK.days, "gaps": gaps, "undescribed": undescribed(most=TOP)["paths"], "reviews": review_due(at=now),
        "outcomes": mix.OUTCOMES.values(), "note_meaning": home_of.note_meaning(), "finding": finding,
    })  # fmt: skip


@require_safe
def gaps(request):
    now = timezone.now()
    version = routing_version()
    found = known.gaps(version, at=now) if version else []
    for gap in found:
        gap.url = home_of.gap_url(gap)
    return render(request, "marketing/gaps.html", {"version": version, "gaps": found, "now": now})


@require_safe
def leads(request):
    """Leads by month, source and what became of them, or by what they lack; the newest first, by position."""
    now = timezone.now()
    try:
        found, words = filtered(request, now)
        _, position = pagination.read_cursor(request.GET.get("cursor") or None)
    except (Refused, ValidationError) as error:
        refused = (
            str(error) if isinstance(error, Refused) else "cursor: take it from the button below the list."
        )
        return render(request, "marketing/leads.html", {"refused": refused}, status=400)
    count, is_estimate = pagination.count(found)
    if position:
        moment, pk = position
        found = found.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=pk))
    rows = list(found.select_related("company", "source").order_by("-created_at", "-pk")[: PAGE + 1])
    has_more, rows = len(rows) > PAGE, rows[:PAGE]
    scores = routing_scores([lead.pk for lead in rows])
    for lead in rows:
        lead.score = scores.get(lead.pk)
    reason = request.GET.get("given_back", "")
    if reason:
        home_of.tell_given_back(rows, reason, now)
    kept = {key: value for key, value in request.GET.items() if key != "cursor"}
    last = pagination.write_cursor(True, rows[-1].created_at, rows[-1].pk) if has_more else ""
    return render(request, "marketing/leads.html", {
        "now": now, "rows": rows, "count": count, "is_estimate": is_estimate, "words": words,
        "sees_all": sees_all(request.user), "is_first": not position, "tells_given_back": bool(reason),
        "next_page": f"?{urlencode(kept | {'cursor': last})}" if last else "", "first_page": f"?{urlencode(kept)}",
    })  # fmt: skip


def filtered(request, now):
    """(queryset, what it is in words). A value that is none of its filter's is refused, never ignored."""
    found, words = leads_for(request.user).filter(is_test=False), []
    for name, narrow in FILTERS.items():
        if value := request.GET.get(name, ""):
            found, said = narrow(found, value, now)
            words.append(said)
    return found, words


def by_month(found, value, now):
    month = mix.month_of(value)
    if month is None:
        raise Refused("month: use a year and a month, e.g. 2026-05.")
    return found.filter(created_at__gte=month[0], created_at__lt=month[1]), f"captured in {month[0]:%B %Y}"


def by_source(found, value, now):
    if value == home_of.NO_SOURCE:
        return found.filter(source__isnull=True), "without a source"
    source = Source.objects.filter(slug=value[:100].replace("\x00", "")).first()
    if source is None:
        raise Refused("source: there is no such source.")
    return found.filter(source=source), f"from {source}"


def by_outcome(found, value, now):
    if value not in mix.OUTCOMES:
        raise Refused(f"became: use one of {', '.join(mix.OUTCOMES)}.")
    return found.filter(mix.became(value)), f"now counted as {mix.OUTCOMES[value].words.lower()}"


def by_repeat(found, value, now):
    arrivals = Q(stage_changes__to_stage__in=mix.PASSED) & ~Q(
        stage_changes__to_stage=F("stage_changes__from_stage")
    )
    cycles = Count("stage_changes__cycle_no", filter=arrivals, distinct=True)
    repeat = found.model.objects.annotate(cycles=cycles).filter(cycles__gt=1).values("pk")
    return found.filter(pk__in=repeat), "sales-ready more than once"


def by_ready_week(found, value, now):
    week = mix.week_of(value)
    if week is None:
        raise Refused("ready_week: use the day on which a week begins, e.g. 2026-05-04.")
    return found.filter(mix.arrived(*week)), f"sales-ready in the week from {week[0]:%-d %B %Y} on"


def by_given_back(found, value, now):
    if value != home_of.ANY and value not in home_of.BACK_REASONS:
        raise Refused(f"given_back: use {home_of.ANY} or one of {', '.join(home_of.BACK_REASONS)}.")
    said = f"given back by sales in the last {home_of.BACK.days} days"
    if value != home_of.ANY:
        said += f": {home_of.BACK_REASONS[value]}"
    return found.filter(pk__in=home_of.back_of(now, value).values("lead")), said


def by_gap(found, value, now):
    try:
        lacking = matching.queryset(known.condition_of(value), at=now)
        criterion, _, name = value.partition(".")
        label = known.label_of(criterion, name)
    except BadCondition as error:
        raise Refused("lacks: there is no such field.") from error
    return found.filter(pk__in=lacking.values("pk")), f"without {label}"


def by_next_step(found, value, now):
    orphans = [orphan.lead_id for orphan in limbo.orphans(at=now, limit=home_of.STRANDED)]
    return found.filter(pk__in=orphans), "without a next step"


FILTERS = {
    "month": by_month,
    "source": by_source,
    "became": by_outcome,
    "again": by_repeat,
    "ready_week": by_ready_week,
    "given_back": by_given_back,
    "lacks": by_gap,
    "next_step": by_next_step,
}
