"""What assets are about, and what that says about those who read them: buying stage and likely product.

An activity is about the asset with its path and about every asset that covers it, as they are described at the instant
asked for; so do the conditions about content read it (`leads.criteria.content`). Nothing is stored per lead: both answers
come from the log, each in two statements for any number of leads.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from leads import telling
from leads.kinds import did
from leads.models import Asset, AssetState, BuyingStage
from leads.past import leads_known
from leads.rows import fetch

# What an asset is called, as SQL over leads_touchpoint `t`: its own title, else the name of the form or campaign that it
# is the address of; NULL where nobody gave it one.
TITLE = """coalesce(
  (SELECT x.title FROM leads_asset x WHERE x.path = t.asset),
  (SELECT f.name FROM leads_captureform f
   WHERE t.kind IN ('hand_raise', 'form_submit', 'download', 'event') AND t.asset IN (lower(f.slug), nullif(lower(f.asset), ''))
   ORDER BY f.id LIMIT 1),
  (SELECT c.name FROM leads_campaign c WHERE t.kind IN ('webinar', 'event') AND c.slug = t.asset))"""

# A stage is shown while content of it was consumed within so many days; the most advanced wins.
FRESH_DAYS = {BuyingStage.DECISION: 30, BuyingStage.CONSIDERATION: 60, BuyingStage.AWARENESS: 180}
TIMELINE_DAYS = 90  # who means to buy within these is deciding
HALF_LIFE_DAYS = 30  # of the weight of a touch in the likely product
LOOK_BACK_DAYS = 365  # older touches weigh less than a four-thousandth
STATED = 3  # fresh touches that a stated interest weighs
LEAST = 0.25  # weight below which nothing is likely: one touch, two months ago
EVIDENCE = 3
COUNTED_DAYS, COUNTED_TO = 30, 1_000  # what the list of assets counts, and how far
RECENT = 50_000  # activities that are looked at for pages nobody has described


def classify(*, asset, at, buying_stage="", products=(), tags=(), changed=False):
    """Say what `asset` is about from `at` on; the new AssetState, or None where that is what it was.

    Everybody who consumed it is asked to be scored again, the first `telling.AT_ONCE` before this returns. `changed`: a new
    state in any case, as the asset itself now covers other paths. Raises ValueError where `at` is before the last change.
    """
    said = {"buying_stage": buying_stage, "products": sorted(set(products)), "tags": sorted(set(tags))}
    with transaction.atomic():
        Asset.objects.select_for_update().get(pk=asset.pk)
        current = AssetState.objects.filter(asset=asset, until=None).first()
        if current is None and not any(said.values()) and not changed:
            return None
        if current is not None:
            if not changed and all(getattr(current, name) == value for name, value in said.items()):
                return None
            if at < current.since:
                raise ValueError("an asset is classified in the order of time")
            AssetState.objects.filter(pk=current.pk).update(until=at)
        state = AssetState.objects.create(asset=asset, since=at, **said)
        request = telling.ask(what="asset", asset=asset.pk, at=at)
    telling.go_on(request, at_most=telling.AT_ONCE)
    return state


def close(*, asset, at):
    """Take an asset out of use: from `at` on it is about nothing."""
    with transaction.atomic():
        Asset.objects.select_for_update().get(pk=asset.pk)
        if not AssetState.objects.filter(asset=asset, until=None).update(until=at):
            return
        request = telling.ask(what="asset", asset=asset.pk, at=at)
    telling.go_on(request, at_most=telling.AT_ONCE)


def titles_of(touchpoint_ids):
    """`{touchpoint id: title}` of those whose asset has one."""
    rows = fetch(f"SELECT t.id, {TITLE} FROM leads_touchpoint t WHERE t.id = ANY(%s)", [list(touchpoint_ids)])  # noqa: S608
    return {number: title for number, title in rows if title}


# --- what a lead reads -------------------------------------------------------------------------------

SEEN = """
seen AS MATERIALIZED (
  SELECT a.lead_id, a.touchpoint_id, a.campaign_id, max(a.occurred_at) AS last, count(*) AS times,
    sum(exp(-ln(2) * extract(epoch FROM %(at)s - a.occurred_at)::float8 / %(half_life)s)) AS weight
  FROM leads_activity a
  WHERE a.lead_id = ANY(%(ids)s) AND a.engagement AND a.occurred_at <= %(at)s AND a.occurred_at > %(since)s
  GROUP BY 1, 2, 3
), about AS MATERIALIZED (
  SELECT t.id AS touchpoint_id, t.kind, x.path, x.title, s.buying_stage, s.products
  FROM leads_touchpoint t
  JOIN leads_asset x ON x.path = t.asset OR (x.covers_below AND starts_with(t.asset, x.path))
  JOIN leads_assetstate s ON s.asset_id = x.id AND s.since <= %(at)s AND (s.until IS NULL OR s.until > %(at)s)
  WHERE t.id IN (SELECT touchpoint_id FROM seen)
)
"""
STAGES = f"""
WITH {SEEN}, found AS (
  SELECT s.lead_id, b.buying_stage, b.kind, b.title, max(s.last) AS last, sum(s.times) AS times,
    row_number() OVER (PARTITION BY s.lead_id, b.buying_stage ORDER BY max(s.last) DESC, b.title) AS place
  FROM seen s JOIN about b USING (touchpoint_id)
  WHERE b.buying_stage <> '' GROUP BY 1, 2, 3, 4
)
SELECT lead_id, buying_stage, kind, title, last, times FROM found WHERE place <= %(most)s ORDER BY last DESC
"""  # noqa: S608 constants
SAID_BY = leads_known(at="%(at)s", which="x.id = ANY(%(ids)s)")
STATED_STAGES = f"""
SELECT id, buying_stage, timeline, timeline_until FROM ({SAID_BY}) l WHERE buying_stage <> '' OR timeline_until IS NOT NULL
"""  # noqa: S608 constants
# What a touch is about: its assets, the form that was sent in, the campaign that led there; each product once.
PRODUCTS = f"""
WITH {SEEN}, named AS (
  SELECT touchpoint_id, p AS slug, title, length(path) AS closeness FROM about CROSS JOIN unnest(products) AS p
  UNION ALL
  SELECT t.id, p, f.name, 0 FROM leads_touchpoint t
  JOIN leads_captureform f ON t.asset IN (lower(f.slug), nullif(lower(f.asset), ''))
  CROSS JOIN unnest(f.products) AS p
  WHERE t.kind IN ('hand_raise', 'form_submit', 'download', 'event') AND t.id IN (SELECT touchpoint_id FROM seen)
), of_touchpoint AS MATERIALIZED (
  SELECT DISTINCT ON (touchpoint_id, slug) touchpoint_id, slug, title FROM named ORDER BY 1, 2, closeness DESC
), touched AS (
  SELECT s.lead_id, n.slug, s.weight, s.last, s.times, t.kind, n.title
  FROM seen s JOIN of_touchpoint n USING (touchpoint_id) JOIN leads_touchpoint t ON t.id = s.touchpoint_id
  UNION ALL
  SELECT s.lead_id, p, s.weight, s.last, s.times, t.kind, c.name
  FROM seen s JOIN leads_campaign c ON c.id = s.campaign_id CROSS JOIN unnest(c.products) AS p
  JOIN leads_touchpoint t ON t.id = s.touchpoint_id
  WHERE NOT EXISTS (SELECT 1 FROM of_touchpoint n WHERE n.touchpoint_id = s.touchpoint_id AND n.slug = p)
), ranked AS (
  SELECT *, sum(weight) OVER (PARTITION BY lead_id, slug) AS total,
    row_number() OVER (PARTITION BY lead_id, slug ORDER BY weight DESC, last DESC) AS place FROM touched
)
SELECT r.lead_id, p.slug, p.name, r.total, r.kind, r.title, r.last, r.times
FROM ranked r JOIN leads_product p ON p.slug = r.slug AND p.is_active WHERE place <= %(most)s ORDER BY r.weight DESC
"""  # noqa: S608 constants
STATED_PRODUCTS = f"""
SELECT l.id, p.slug, p.name, coalesce((
  SELECT max(h.occurred_at) FROM leads_fieldchange h
  WHERE h.lead_id = l.id AND h.field = 'product_interest' AND h.applied AND h.recorded_at <= %(at)s), l.created_at)
FROM ({SAID_BY}) l JOIN leads_product p ON p.is_active AND lower(l.product_interest) IN (lower(p.slug), lower(p.name))
WHERE l.product_interest <> ''
"""  # noqa: S608 constants


@dataclass(frozen=True)
class Evidence:
    """One thing that decided: what was consumed (`kind`, `title`), how often, and last when; or what was said."""

    kind: str
    title: str
    at: datetime | None
    times: int = 1


@dataclass(frozen=True)
class Buying:
    """`stage` is a BuyingStage, "" where unknown; `is_set`: a person said so."""

    stage: str = ""
    is_set: bool = False
    evidence: list = field(default_factory=list)

    @property
    def label(self):
        return BuyingStage(self.stage).label if self.stage else "Unknown"


@dataclass
class Likely:
    """The product a lead probably wants, "" where nothing points to one; `weight` in fresh touches."""

    slug: str = ""
    name: str = ""
    weight: float = 0.0
    evidence: list = field(default_factory=list)

    @property
    def label(self):
        return self.name or "Unknown"


def parameters(lead_ids, at, days):
    return {
        "ids": list(lead_ids), "at": at, "since": at - timedelta(hours=24 * days), "most": EVIDENCE,
        "half_life": HALF_LIFE_DAYS * 86_400.0,
    }  # fmt: skip


def buying_stage_of(*, lead_ids, at):
    """`{lead id: Buying}` for each of `lead_ids`, as it stood at `at`: set by a person, else from content and timeline."""
    read = {}
    stated = {row[0]: row[1:] for row in fetch(STATED_STAGES, {"ids": list(lead_ids), "at": at})}
    for lead_id, stage, *what in fetch(STAGES, parameters(lead_ids, at, max(FRESH_DAYS.values()))):
        read.setdefault((lead_id, stage), []).append(Evidence(*what[:2], at=what[2], times=int(what[3])))
    return {number: stage_of(number, read, stated.get(number, ("", "", None)), at) for number in lead_ids}


def stage_of(number, read, stated, at):
    override, timeline, until = stated
    if override:
        return Buying(override, is_set=True)
    for stage, days in FRESH_DAYS.items():
        since = at - timedelta(hours=24 * days)
        evidence = [item for item in read.get((number, stage), []) if item.at > since]
        if stage == BuyingStage.DECISION and until and at < until <= at + timedelta(hours=24 * TIMELINE_DAYS):
            evidence.insert(0, Evidence("timeline", timeline, None))
        if evidence:
            return Buying(str(stage), evidence=evidence)
    return Buying()


def likely_product_of(*, lead_ids, at):
    """`{lead id: Likely}` for each of `lead_ids`: the product with the most, and freshest, touches."""
    found = {}
    for lead_id, slug, name, stated_at in fetch(STATED_PRODUCTS, {"ids": list(lead_ids), "at": at}):
        age = max((at - stated_at).total_seconds(), 0) / 86_400
        weight = STATED * 2 ** (-age / HALF_LIFE_DAYS)
        said = Evidence("product_interest", name, stated_at)
        found.setdefault(lead_id, {})[slug] = Likely(slug, name, weight, [said])
    for lead_id, slug, name, total, *what in fetch(PRODUCTS, parameters(lead_ids, at, LOOK_BACK_DAYS)):
        mine = found.setdefault(lead_id, {}).setdefault(slug, Likely(slug, name))
        if not any(item.kind != "product_interest" for item in mine.evidence):
            mine.weight += total  # the total stands on each of its lines
        mine.evidence.append(Evidence(*what[:2], at=what[2], times=int(what[3])))
    return {number: likeliest(found.get(number, {}).values()) for number in lead_ids}


def likeliest(candidates):
    best = max(candidates, key=lambda one: (one.weight, one.slug), default=None)
    return best if best and best.weight >= LEAST else Likely()


# --- for those who keep the list of assets -------------------------------------------------------------

CONSUMED = """
SELECT x.id, (SELECT count(*) FROM (
  SELECT 1 FROM leads_activity a
  WHERE a.touchpoint_id = ANY(ARRAY(
    SELECT t.id FROM leads_touchpoint t WHERE t.asset = x.path OR (x.covers_below AND starts_with(t.asset, x.path))))
    AND a.engagement AND a.occurred_at > %s LIMIT %s) AS few)
FROM leads_asset x WHERE x.id = ANY(%s)
"""
UNDESCRIBED = """
WITH recent AS MATERIALIZED (
  SELECT touchpoint_id, count(*) AS times FROM (
    SELECT touchpoint_id, engagement FROM leads_activity ORDER BY id DESC LIMIT %s) AS latest
  WHERE engagement GROUP BY 1
), paths AS (
  SELECT t.asset, sum(r.times) AS times FROM recent r JOIN leads_touchpoint t ON t.id = r.touchpoint_id
  WHERE t.asset LIKE '/%%' GROUP BY 1 HAVING sum(r.times) >= %s
)
SELECT asset, times::int, count(*) OVER ()::int FROM paths p
WHERE NOT EXISTS (
  SELECT 1 FROM leads_asset x WHERE x.path = p.asset OR (x.covers_below AND starts_with(p.asset, x.path)))
ORDER BY times DESC, asset LIMIT %s
"""


def consumed(*, asset_ids, at):
    """`{asset id: how often it was consumed in the last COUNTED_DAYS}`, counted to a little over COUNTED_TO."""
    since = at - timedelta(hours=24 * COUNTED_DAYS)
    return dict(fetch(CONSUMED, [since, COUNTED_TO + 1, list(asset_ids)])) if asset_ids else {}


def undescribed(*, at_least=2, most=12):
    """Paths that leads read lately and no asset covers: {"paths": [(path, times)], "count": of all}."""
    rows = fetch(UNDESCRIBED, [RECENT, at_least, most])
    return {"paths": [row[:2] for row in rows], "count": rows[0][2] if rows else 0}


def because(found):
    """What decided, in words: viewed “Pricing” on 2 Mar (3 times); downloaded “ROI guide” on 28 Feb."""
    if isinstance(found, Buying) and found.is_set:
        return "a colleague said so"
    return "; ".join(in_words(item) for item in found.evidence)


def in_words(item):
    if item.kind == "timeline":
        return f"said “{item.title}” about the timeline"
    day = timezone.localtime(item.at)
    if item.kind == "product_interest":
        return f"asked for it on {day.day} {day:%b}"
    times = f" ({item.times} times)" if item.times > 1 else ""
    return f"{did(item.kind, f'“{item.title}”')} on {day.day} {day:%b}{times}"
