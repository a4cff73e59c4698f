"""The activity log: the only door through which something comes to have happened."""

import json
from urllib.parse import urlsplit

from django.db import transaction

from leads import doorbell, places, properties
from leads.kinds import OPEN, SEARCHES
from leads.models import Activity
from leads.rows import fetch, insert

# Ids of touchpoints never change, so each process keeps those it has seen committed.
known = {}
KNOWN_LIMIT = 50_000

SEEN = """
WITH news AS (
  SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS n(id, last)
), held AS MATERIALIZED (
  SELECT id FROM leads_lead WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
)
UPDATE leads_lead l SET rescore_at = least(l.rescore_at, %s), last_activity_at = greatest(l.last_activity_at, n.last)
FROM held h JOIN news n USING (id) WHERE l.id = h.id
"""
ADD = "(source_id, message_id) WHERE message_id IS NOT NULL DO NOTHING"


def record(*, lead, kind, at, asset="", received_at=None, source=None, campaign=None, message_id=None,
           engagement=True, properties=None):  # fmt: skip
    """One thing that happened to `lead` at `at`; None where `message_id` was seen before from this source."""
    received_at = received_at or at
    item = {
        "lead": lead, "kind": kind, "asset": asset, "at": at, "source": source, "campaign": campaign,
        "message_id": message_id, "engagement": engagement, "properties": properties,
    }  # fmt: skip
    with transaction.atomic(savepoint=False):
        rows = add([item], received_at=received_at)
        if not rows:
            return None
        after(rows, now=received_at)
        after_opens([item], now=received_at)
    return Activity(**rows[0])


def record_many(items, *, received_at):
    """Log `items`, dicts with the keyword arguments of `record` (`lead` or `lead_id`); how many were new."""
    with transaction.atomic(savepoint=False):
        rows = add(items, received_at=received_at)
        after(rows, now=received_at)
        after_opens(items, now=received_at)
    return len(rows)


def add(items, *, received_at):
    """Insert the log rows and nothing else; the rows that were new, with their ids, in the order given."""
    if not items:
        return []
    rows = log_rows(items, received_at=received_at)
    ids = {(row["source_id"], row["message_id"]): None for row in rows if row["message_id"]}
    if len(ids) < sum(1 for row in rows if row["message_id"]):
        rows = without_repetitions(rows)
    new = insert("leads_activity", rows, on_conflict=ADD, returning="id, source_id, message_id, lead_id")
    return numbered(rows, new)


def log_rows(items, *, received_at):
    points = [point(item["kind"], item.get("asset") or "", item.get("properties")) for item in items]
    ids = touchpoint_ids(points)
    return [
        {
            "lead_id": item["lead"].pk if item.get("lead") is not None else item.get("lead_id"),
            "touchpoint_id": ids[where],
            "occurred_at": item["at"],
            "received_at": item.get("received_at") or received_at,
            "source_id": pk(item.get("source")),
            "campaign_id": pk(item.get("campaign")),
            "message_id": item.get("message_id") or None,
            "engagement": item.get("engagement", True) and item["kind"] != OPEN,
            "properties": item.get("properties") or {},
        }
        for item, where in zip(items, points, strict=True)
    ]


def pk(thing):
    """The id of a row given as object, as id, or not at all."""
    return getattr(thing, "pk", thing)


def without_repetitions(rows):
    seen, kept = set(), []
    for row in rows:
        key = (row["source_id"], row["message_id"])
        if row["message_id"] is None or key not in seen:
            kept.append(row)
        seen.add(key)
    return kept


def numbered(rows, new):
    """Which of `rows` came back from the INSERT, each with its id. Rows without a message id always do, in order."""
    by_message = {(source_id, message_id): pk for pk, source_id, message_id, _ in new if message_id}
    plain = iter(sorted(pk for pk, _, message_id, _ in new if not message_id))
    result = []
    for row in rows:
        number = by_message.get((row["source_id"], row["message_id"])) if row["message_id"] else next(plain)
        if number:
            result.append({"id": number, **row})
    return result


def after(rows, *, now):
    """What engagement entails: the leads are to be scored again, and show when they were last active."""
    latest = {}
    for row in rows:
        if row["engagement"] and row["lead_id"]:
            latest[row["lead_id"]] = max(row["occurred_at"], latest.get(row["lead_id"], row["occurred_at"]))
    if not latest:
        return
    ids = list(latest)
    fetch(SEEN, [ids, list(latest.values()), ids, now], returns=False)
    doorbell.ring("score")


def normal(kind, asset):
    """The asset as the touchpoint keeps it: of a search the words, of everything else a path."""
    return normal_keyword(asset) if kind in SEARCHES else normal_asset(asset)


def normal_keyword(words):
    """What was searched for: lower-case, single spaces, at most 120 characters."""
    return " ".join(str(words).replace("\x00", " ").casefold().split())[:120].rstrip()


def after_opens(items, *, now):
    """Opens are no engagement, but a scoring rule may count them."""
    ids = {pk(item.get("lead")) or item.get("lead_id") for item in items if item["kind"] == OPEN} - {None}
    if ids:
        places.ask_rescore(lead_ids=sorted(ids), at=now)


def normal_asset(asset):
    """The asset of a touchpoint: a path without host, query and fragment, lower-case, at most 300 characters."""
    asset = str(asset).replace("\x00", "").strip()
    if "://" in asset or asset.startswith("//"):
        try:
            asset = urlsplit(asset).path or "/"
        except ValueError:
            pass
    asset = asset.split("?", 1)[0].split("#", 1)[0].casefold()
    if len(asset) > 1 and asset.startswith("/"):
        asset = asset.rstrip("/") or "/"
    return asset[:300]


def point(kind, asset="", said=None):
    """What a touchpoint is known by: the kind, the normal asset, and what of the properties `said` is declared."""
    return kind, normal(kind, asset), properties.part_of(kind, said) if said else ()


def touchpoint_ids(points):
    """`{point: id}`, adding those that never happened before."""
    wanted = set(points)
    found = {one: known[one] for one in wanted if one in known}
    missing = sorted(wanted - found.keys())
    if missing:
        found |= intern(missing)
    return found


def intern(points):
    found = look_up(points)
    new = [
        {"kind": kind, "asset": asset, "properties": dict(said)}
        for kind, asset, said in points
        if (kind, asset, said) not in found
    ]
    if new:
        insert("leads_touchpoint", new, on_conflict="DO NOTHING")
        found |= look_up(points)
    # Only what is committed is remembered: the id of a rolled-back row is worth nothing.
    transaction.on_commit(lambda: remember(found))
    return found


def look_up(points):
    kinds, assets, said = zip(*points, strict=True)
    rows = fetch(
        "SELECT w.place, t.id FROM leads_touchpoint t"
        " JOIN unnest(%s::text[], %s::text[], %s::jsonb[]) WITH ORDINALITY AS w(kind, asset, properties, place)"
        " USING (kind, asset, properties)",
        [list(kinds), list(assets), [json.dumps(dict(each)) for each in said]],
    )
    return {points[place - 1]: number for place, number in rows}


def remember(found):
    if len(known) > KNOWN_LIMIT:
        known.clear()
    known.update(found)


def forget(**kwargs):
    """After a flush of the database its ids mean nothing any more (`LeadsConfig.ready`)."""
    known.clear()
