"""The marketer's home: what to see first, the mix of leads, and what waits."""

from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from distribution import limbo
from leads.criteria.base import counted
from leads.criteria.reading import reading
from leads.models import Lead, Source
from scoring import bars, mix
from scoring.models import ModelVersion, ScoringModel
from scoring.publish import problems
from scoring.words import amount

ENOUGH = 20  # leads of a month before its shares mean something
NO_SOURCE = "none"
STRANDED = 100  # leads without a next step that are counted exactly


@dataclass
class Cell:
    count: int
    share: float | None  # percent
    url: str
    words: str = ""
    note: str = ""  # "above" or "below" what is usual


@dataclass
class MixRow:
    label: str
    total: Cell
    cells: list  # per key of mix.OUTCOMES
    again: Cell
    bars: list
    url: str = ""
    is_chosen: bool = False


def leads_url(**filters):
    return f"{reverse('marketing-leads')}?{urlencode({k: v for k, v in filters.items() if v})}"


def mix_rows(at, chosen):
    """(rows of the last months, the newest first; rows of the sources in the `chosen` one; its first instant)."""
    edges = mix.months(at)
    found = mix.mix(edges)
    texts = [f"{edge:%Y-%m}" for edge in edges[:-1]]
    if chosen not in texts:
        chosen = latest_with_leads(texts, found)
    by_month = [
        row_of(f"{edge:%B %Y}", mix.sum_of(part.values()), month=text)
        for edge, text, part in zip(edges, texts, found, strict=False)
    ]
    for row, text in zip(by_month, texts, strict=True):
        row.url, row.is_chosen = f"?{urlencode({'month': text})}", text == chosen
    part = found[texts.index(chosen)]
    sources = Source.objects.in_bulk([source for source in part if source])
    by_source = [
        row_of(
            str(sources[pk]) if pk else "No source",
            one,
            month=chosen,
            source=sources[pk].slug if pk else NO_SOURCE,
        )
        for pk, one in sorted(part.items(), key=lambda item: -item[1].total)
    ]
    return by_month[::-1], by_source, edges[texts.index(chosen)]


def latest_with_leads(texts, found):
    """The last full month, or the current one where that has no leads."""
    return texts[-2] if found[-2] else texts[-1]


def row_of(label, one, **filters):
    return MixRow(
        label=label,
        total=Cell(one.total, None, leads_url(**filters)),
        cells=[
            Cell(
                count,
                one.share(key),
                leads_url(**filters, became=key),
                mix.OUTCOMES[key].words,
                note(one, key),
            )
            for key, count in one.counts.items()
        ],
        again=Cell(one.again, None, leads_url(**filters, became=mix.READY, again="1")),
        bars=bars.stacked(list(one.counts.values())),
    )


def note(one, key):
    usual = mix.OUTCOMES[key].usual
    if usual is None or one.total < ENOUGH:
        return ""
    share = round(one.share(key))  # as it is shown
    return "below" if share < usual[0] else "above" if share > usual[1] else ""


@dataclass
class InForce:
    """A model whose scores are in use, with the drafts that would follow."""

    model: ScoringModel
    version: ModelVersion
    drafts: list
    ready: int | None  # sales-ready this week; None where the model does not route
    week: float  # how much of the week is gone, 0 to 1

    @property
    def target(self):
        return self.model.ready_per_week


def in_force(at):
    """Models with a version in force, the one that routes first, their rules read. Six queries."""
    monday = week_of(at)
    models = (
        ScoringModel.objects.filter(current_version__isnull=False)
        .select_related("current_version__scale")
        .prefetch_related(*(f"current_version__{part}" for part in ("rules", "groups", "profiles")))
        .order_by("-routes", "name")
    )
    for model in models:
        model.current_version.model = model
    drafts = {}
    for version in ModelVersion.objects.filter(status__in=("draft", "in_review", "approved")).select_related(
        "model"
    ):
        drafts.setdefault(version.model_id, []).append(version)
    return [
        InForce(
            model, model.current_version, drafts.get(model.pk, [])[:3],
            mix.arrived(monday, at) if model.routes else None, (at - monday) / timedelta(days=7),
        )
        for model in models
    ]  # fmt: skip


def week_of(at):
    """Monday's midnight in the reader's zone."""
    day = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def stranded(at):
    """How many leads have no next step, counted up to STRANDED."""
    return len(limbo.orphans(at=at, limit=STRANDED))


@reading()
def gone_bad(models):
    """(version, what has ceased to work) of the first of `in_force` of which a part can be evaluated no more, or None."""
    found = ((row.version, problems(row.version)) for row in models)
    return next(((version, faults) for version, faults in found if faults), None)


def finding(*, broken, waiting, stranded, months, models, gaps, may_set_up=True):
    """The one thing to see first and the one thing to do: {"text", "is_clear", "url", "label"}; `may_set_up`: whether
    this person may open the settings."""
    if broken:
        version, faults = broken
        more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
        text = f"Part of {version} has ceased to work and holds for nobody. {faults[0]}{more}"
        return say(text, page_of(version), "See what to mend")
    if waiting:
        return say(f"{waiting[0]} waits for your approval.", page_of(waiting[0]), "Read and approve it")
    if stranded:
        text = f"{counted(stranded, 'lead')} {'has' if stranded == 1 else 'have'} no next step: nobody will hear from us unless somebody acts."
        return say(text, leads_url(next_step="none"), "See them")
    routing = next((row for row in models if row.ready is not None), None)
    lab = reverse("lab", args=[(routing.drafts or [routing.version])[0].pk]) if routing else ""
    if routing and routing.target and routing.ready > routing.target:
        text = f"{counted(routing.ready, 'lead')} became sales-ready this week; sales wants {routing.target}."
        return say(text, lab, "Try higher thresholds")
    if not any(row.total.count for row in months):
        return nobody_came(may_set_up)
    month = next((row for row in months if row.total.count >= ENOUGH and row is not months[0]), None)
    ready = month.cells[0] if month else None
    if ready and ready.note and lab:
        usual = mix.OUTCOMES[mix.READY].reported
        text = f"{ready.share:.0f} % of the leads of {month.label} became sales-ready; {usual} is usual."
        label = "Try lower thresholds" if ready.note == "below" else "Try higher thresholds"
        return say(text, lab, label)
    if gaps:
        gap = gaps[0]
        text = f"{counted(gap.lack, 'lead lacks', 'leads lack')} {gap.label}, worth up to {amount(gap.worth, 'point')}."
        return say(text, reverse("gaps"), "See what to ask")
    return say("Nothing waits, and the mix is as usual.", lab, "Try other thresholds", is_clear=True)


def nobody_came(may_set_up):
    text = (
        "No lead has come in the last six months."
        if Lead.objects.exists()
        else "There is no lead yet: a form, the API or an import brings the first."
    )
    url = reverse("admin:leads_captureform_changelist") if may_set_up else ""
    return say(text, url, "Set up a form")


def page_of(version):
    return reverse("model-version", args=[version.model.slug, version.number])


def say(text, url, label, *, is_clear=False):
    return {"text": text, "url": url, "label": label, "is_clear": is_clear}
