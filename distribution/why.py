"""Why, as a page shows it: which model and which instant the address asks for, bars, the history, links to the log."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.http import urlencode

from distribution.chart import chart
from distribution.waterfall import waterfall
from scoring.explain import why_none
from scoring.why import UnknownModel, why


@dataclass
class AsOf:
    """The instant that `?as_of=` names, in the reader's zone where it has none of its own."""

    text: str = ""
    at: object = None  # datetime, or None: now
    problem: str = ""

    @property
    def field_value(self):
        """As a datetime-local field wants it."""
        return timezone.localtime(self.at).strftime("%Y-%m-%dT%H:%M") if self.at else self.text


@dataclass
class Tab:
    name: str
    rating: str
    address: str  # "?model=…", keeping the instant
    is_shown: bool
    routes: bool


@dataclass
class WhyPage:
    why: object  # scoring.why.Why
    as_of: AsOf
    query: str  # "?model=…&as_of=…", or "": what the address holds
    text_address: str
    tabs: list = field(default_factory=list)
    parts: list = field(default_factory=list)  # waterfall.Part
    chart: object = None
    rows: list = field(default_factory=list)  # moments and publications, the latest first
    none: str = ""  # why there is nothing to explain


def asked_for(request, lead):
    """The WhyPage that the address of `request` asks for. 404 for a model that does not exist."""
    as_of = instant(request.GET.get("as_of", "").strip())
    slug = request.GET.get("model", "").replace("\x00", "")[:100]
    try:
        found = why(lead=lead, model=slug, at=as_of.at)
    except UnknownModel as error:
        raise Http404(str(error)) from None
    query = address(slug, as_of.at and as_of.text)
    text_address = f"/leads/{lead.pk}/score/{query}{'&' if query else '?'}format=txt"
    page = WhyPage(found, as_of, query, text_address)
    page.tabs = [
        Tab(row.model, row.rating, address("" if row.routes else row.slug, as_of.at and as_of.text) or "?",
            found.model is not None and row.slug == found.model.slug, row.routes)
        for row in found.scores
    ]  # fmt: skip
    if found.explanation is None:
        page.none = why_none(lead=lead, at=found.at, model=found.model)
    else:
        page.parts = waterfall(found.explanation)
        page.chart = chart(found.history, found.explanation, until=found.at)
        page.rows = sorted(found.history.marks + found.history.moments, key=lambda row: row.at)[::-1]
    return page


def address(model, as_of):
    asked = {"model": model, "as_of": as_of}
    kept = {name: value for name, value in asked.items() if value}
    return "?" + urlencode(kept) if kept else ""


def instant(text):
    if not text:
        return AsOf()
    try:
        found = parse_datetime(text.replace(" ", "+") if "T" in text else text)
        if found is None and (day := parse_date(text)):
            found = datetime.combine(day, time())
        if found is not None and timezone.is_naive(found):
            found = timezone.make_aware(found)
        at = found and found.astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None:
        return AsOf(text[:40], problem="This is not a date and time. Choose one, e.g. 2026-03-01 12:30.")
    if at > timezone.now():
        return AsOf(text[:40], problem="This is in the future. Choose a moment that has passed.")
    return AsOf(text[:40], at)
