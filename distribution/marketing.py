"""The marketer's home: what to see first, the mix of leads, and what waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from distribution import limbo
from distribution.models import Handoff
from distribution.opportunities import LOST_REASONS
from distribution.recycling import RECYCLE_REASONS
from leads.criteria.base import counted
from leads.criteria.reading import reading
from leads.models import Activity, Lead, Source
from scoring import bars, mix
from scoring.models import ModelVersion, ScoringModel
from scoring.publish import problems
from scoring.words import amount

ENOUGH = 20  # leads of a month before its shares mean something
NO_SOURCE = "none"
STRANDED = 100  # leads without a next step that are counted exactly
BACK = timedelta(days=28)  # how long what sales gave back is shown
ANY = "any"
# What sales gives leads back for, also at the end of a deal: key → the words of the hand-off
BACK_REASONS = {key: words for key, (words, _) in RECYCLE_REASONS.items()} | {
    f"lost_{key}": f"Closed lost: {words}" for key, (words, _) in LOST_REASONS.items()
}


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


def gap_url(gap):
    return leads_url(lacks=gap.key)


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


def note_meaning():
    usual = [
        f"{one.usual[0]}–{one.usual[1]} % {one.words.lower()}" for one in mix.OUTCOMES.values() if one.usual
    ]
    return f"“Above” and “below”: outside {', '.join(usual)}, only from {ENOUGH} leads on."


@dataclass
class InForce:
    """A model whose scores are in use, with the drafts that would follow."""

    model: ScoringModel
    version: ModelVersion
    drafts: list
    ready: int | None  # sales-ready since `monday`; None where the model does not route
    monday: datetime

    @property
    def target(self):
        return self.model.ready_per_week

    @property
    def ready_url(self):
        return leads_url(ready_week=f"{self.monday:%Y-%m-%d}")


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
            became_ready(monday, at) if model.routes else None, monday,
        )
        for model in models
    ]  # fmt: skip


def became_ready(since, until):
    return Lead.objects.filter(mix.arrived(since, until), is_test=False).count()


def week_of(at):
    """Monday's midnight in the reader's zone."""
    day = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def stranded(at):
    """How many leads have no next step, counted up to STRANDED."""
    return len(limbo.orphans(at=at, limit=STRANDED))


def given_back(at):
    """[(reason in words, leads, address of their list)] of what sales gave back within BACK, the commonest first."""
    keys = {words: key for key, words in BACK_REASONS.items()}
    rows = back_of(at).filter(lead__is_test=False).values_list("end_reason")
    rows = rows.annotate(leads=Count("lead", distinct=True)).order_by("-leads", "end_reason")
    return [(words, leads, leads_url(given_back=keys.get(words, ANY))) for words, leads in rows]


def back_of(at, reason=ANY):
    """Hand-offs that sales gave back within BACK, for a key of BACK_REASONS or ANY."""
    rows = Handoff.objects.filter(status=Handoff.Status.RETURNED, ended_at__gt=at - BACK, ended_at__lte=at)
    return rows if reason == ANY else rows.filter(end_reason=BACK_REASONS[reason])


def tell_given_back(leads, reason, at):
    """Give each lead of a list its latest hand-off of `back_of` as `given_back`, with the rep's `note`. Two queries."""
    rows = back_of(at, reason).filter(lead__in=leads).select_related("owner__user", "queue")
    latest = {row.lead_id: row for row in rows.order_by("ended_at", "id")}
    logged = Activity.objects.filter(
        lead__in=leads, touchpoint__kind="recycled", engagement=False, occurred_at__gt=at - BACK
    )
    notes = {log.properties.get("handoff"): log.properties.get("note") for log in logged}
    for lead in leads:
        lead.given_back = latest.get(lead.pk)
        if lead.given_back:
            lead.given_back.note = notes.get(lead.given_back.pk) or ""


@reading()
def gone_bad(models):
    """(version, what has ceased to work) of the first of `in_force` of which a part can be evaluated no more, or None."""
    found = ((row.version, problems(row.version)) for row in models)
    return next(((version, faults) for version, faults in found if faults), None)


def finding(*, broken, waiting, stranded, months, models, gaps, may_set_up=True):
    """The one thing to see first and the one thing to do, as `say` puts it; `may_set_up`: whether this person may open
    the settings."""
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
        text = f" became sales-ready since Monday; sales wants {routing.target} a week."
        leads = (counted(routing.ready, "lead"), routing.ready_url)
        return say(text, lab, "Try higher thresholds", leads=leads)
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
        text = (
            f" {'lacks' if gap.lack == 1 else 'lack'} {gap.label}, worth up to {amount(gap.worth, 'point')}."
        )
        leads = (counted(gap.lack, "lead"), gap_url(gap))
        return say(text, reverse("gaps"), "See what to ask", leads=leads)
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


def say(text, url, label, *, is_clear=False, leads=None):
    """`leads`: (how many, the address of their list), which begin the sentence."""
    return {"leads": leads, "text": text, "url": url, "label": label, "is_clear": is_clear}
