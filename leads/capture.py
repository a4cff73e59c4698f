"""Capture: a lead comes in, by form, API, list or badge. Recognised, logged and due for scoring, or not at all.

One path for one lead and for a thousand: `submit` is a `submit_many` of one. Each table is written once per batch,
in the order of `arrivals`.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from leads import activities, channels, doorbell
from leads.arrivals import Again, Arrival, take_in
from leads.identity import in_one_transaction
from leads.kinds import OPEN
from leads.models import Activity, Lead, LeadType
from leads.rows import fetch, insert_sql

SEEN = """
SELECT a.source_id, a.message_id, a.lead_id FROM leads_activity a
JOIN unnest(%s::bigint[], %s::text[]) AS w(source_id, message_id)
  ON a.message_id = w.message_id AND a.source_id IS NOT DISTINCT FROM w.source_id
"""
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


class Captured(NamedTuple):
    lead: Lead
    created: bool
    activity: Activity | None  # None: this message id was taken in before, nothing was done


class Taken(NamedTuple):
    """What became of one item of `submit_many`."""

    lead_id: int
    created: bool
    activity_id: int | None  # None: this message id was taken in before, nothing was done


@dataclass(slots=True)
class Post:
    """One thing that came in; the arguments of `submit`."""

    values: dict
    kind: str | None = None
    asset: str = ""
    source: Any = None
    campaign: Any = None
    form: Any = None
    submission: Any = None
    message_id: str | None = None
    occurred_at: Any = None
    properties: dict | None = None
    overwrite: bool = True
    origin: str = "person"
    engagement: bool = True
    is_demo: bool = False
    # Worked out
    source_id: int | None = None
    campaign_id: int | None = None
    lead_origin: str = "marketing"
    point: tuple = ()  # the touchpoint that it is
    search: tuple | None = None  # and the search that led here
    arrival: Arrival | None = None
    repeats: Any = None  # the lead id, or the Post in the same batch, that had this message id first
    extra: dict = field(default_factory=dict)
    is_new_submission: bool = False

    def __post_init__(self):
        self.is_new_submission = self.submission is not None and self.submission._state.adding


def submit(*, values, at, kind=None, asset="", source=None, campaign=None, form=None, submission=None,
           message_id=None, occurred_at=None, properties=None, overwrite=True, origin="person", is_demo=False):  # fmt: skip
    """Take in one lead; committed when this returns (unless the caller holds a transaction of its own).

    `values` come from `intake.clean`; `overwrite` false is for public forms: they fill empty fields and propose
    the rest. A `submission` not yet saved is saved with the lead. Writes one activity: `kind` and `asset` as
    given, else as the form's lead type says; what came without a form is `lead_posted`. With `utm_term` one more, `search_visit`.
    """
    post = Post(
        values, kind=kind, asset=asset, source=source, campaign=campaign, form=form, submission=submission,
        message_id=message_id, occurred_at=occurred_at, properties=properties, overwrite=overwrite, origin=origin,
        is_demo=is_demo,
    )  # fmt: skip
    (taken,), (activity,) = take_posts([post], at=at)
    if activity is None:
        return Captured(Lead.objects.get(pk=taken.lead_id), False, None)
    return Captured(
        Lead(**post.arrival.person.row | {"id": taken.lead_id}), taken.created, Activity(**activity)
    )


def submit_many(items, *, at, **common):
    """`submit` for a batch of about a thousand dicts of its arguments; a Taken for each, in order.

    `common` holds arguments that all items share. The batch is one transaction: all of it or nothing.
    """
    taken, _ = take_posts([Post(**common | item) for item in items], at=at)
    return taken


def take_posts(posts, *, at):
    result = in_one_transaction(lambda: take_posts_once(posts, at=at))
    doorbell.ring("score")
    return result


def take_posts_once(posts, *, at):
    name_channels(posts)
    for post in posts:
        post.point, post.search = happening(post), search_visit(post)
    points = activities.touchpoint_ids([one for post in posts for one in (post.point, post.search) if one])
    mark_repetitions(posts)
    fresh = [post for post in posts if post.repeats is None]
    for post in fresh:
        post.arrival = arrival_of(post, at=at)
    _, changes = take_in([post.arrival for post in fresh], now=at)
    rows = [activity_row(post, points, at=at) for post in fresh]
    rows += [search_row(post, points, at=at) for post in fresh if post.search]
    logged = write_log(fresh, rows, changes, at=at)
    by_post = {id(post): row for post, row in zip(fresh, logged, strict=False)}
    return [outcome(post, by_post) for post in posts], [by_post.get(id(post)) for post in posts]


def outcome(post, logged):
    first = post.repeats
    if first is not None:
        return Taken(first if isinstance(first, int) else first.arrival.person.id, False, None)
    person = post.arrival.person
    return Taken(person.id, person.created and person.arrivals[0] is post.arrival, logged[id(post)]["id"])


def happening(post):
    """The touchpoint of the activity that a post is."""
    kind, asset, form = post.kind, post.asset, post.form
    if kind is None:
        if form is None:
            kind = "lead_posted"
        elif form.lead_type == LeadType.HAND_RAISE:
            kind, asset = "hand_raise", form.slug
        elif form.lead_type == LeadType.EVENT:
            kind, asset = "event", asset or form.asset or form.slug
        elif form.lead_type == LeadType.INFORMATIONAL and form.asset:
            kind, asset = "download", asset or form.asset
        else:
            kind, asset = "form_submit", asset or form.asset or form.slug
    return activities.point(kind, asset, said_of(post))


def search_visit(post):
    """The touchpoint of the search that led here, or None: somebody who searched did one thing more than posting."""
    said = post.values.get("utm_term")
    point = activities.point("search_visit", said) if said else None
    return point if point and point[1] else None


def said_of(post):
    """The properties that came with a post, for its activity."""
    return post.extra | (post.properties or {})


def name_channels(posts):
    """Source and campaign of each post: what was said goes before what the caller and the form assume."""
    said, named = [], {}
    for post in posts:
        values = post.values
        slugs = [channels.slug_of(values[name], 100) for name in ("source", "utm_source") if values.get(name)]
        name = values.get("campaign") or values.get("utm_campaign") or ""
        said.append((slugs, channels.slug_of(name, 150)))
        if said[-1][1]:
            named.setdefault(said[-1][1], name)
    sources = channels.find_sources({slug for slugs, _ in said for slug in slugs})
    campaigns = channels.find_campaigns(named, is_demo=all(post.is_demo for post in posts)) if named else {}
    for post, (slugs, campaign) in zip(posts, said, strict=True):
        assumed = post.source or (post.form and post.form.source)
        stated = next((sources[slug] for slug in slugs if slug in sources), None)
        post.source_id, post.lead_origin = stated or (
            (assumed.pk, assumed.origin) if assumed else (None, "marketing")
        )
        post.campaign_id = campaigns.get(campaign) or activities.pk(
            post.campaign or (post.form and post.form.campaign)
        )
        post.extra = {name: post.values[name] for name in UTM if name in post.values}
        if post.values.get("source") and slugs[0] not in sources:
            post.extra["source"] = post.values["source"]


def mark_repetitions(posts):
    """A message id that this source has sent before makes its post a repetition of the first."""
    first = {}
    for post in posts:
        message_id = post.message_id or post.values.get("message_id")
        if message_id:
            original = first.setdefault((post.source_id, message_id), post)
            post.repeats = original if original is not post else None
    if first:
        params = [[source_id for source_id, _ in first], [message_id for _, message_id in first]]
        for source_id, message_id, lead_id in fetch(SEEN, params):
            if lead_id:
                first[source_id, message_id].repeats = lead_id
        for post in posts:
            if isinstance(post.repeats, Post) and post.repeats.repeats is not None:
                post.repeats = post.repeats.repeats


def arrival_of(post, *, at):
    values, form = post.values, post.form
    post.occurred_at = min(post.occurred_at or values.get("occurred_at") or at, at)
    return Arrival(
        values,
        at=post.occurred_at,
        origin=post.origin,
        overwrite=post.overwrite,
        latest_source_id=post.source_id,
        engaged_at=post.occurred_at,
        creation={
            "origin": post.lead_origin,
            "lead_type": form.lead_type if form else LeadType.LIST if post.origin == "import" else "",
            "source_id": post.source_id,
            "campaign_id": post.campaign_id,
            "is_demo": post.is_demo,
            "is_test": bool(values.get("is_test")),
        },
    )


def activity_row(post, points, *, at):
    return {
        "lead_id": post.arrival.person.id,
        "touchpoint_id": points[post.point],
        "occurred_at": post.occurred_at,
        "received_at": at,
        "source_id": post.source_id,
        "campaign_id": post.campaign_id,
        "message_id": post.message_id or post.values.get("message_id"),
        "engagement": post.engagement and post.point[0] != OPEN,
        "properties": said_of(post) | post.arrival.flags,
    }


def search_row(post, points, *, at):
    """The search beside its post. It has no message id of its own: a repeated post writes neither."""
    return activity_row(post, points, at=at) | {
        "touchpoint_id": points[post.search],
        "message_id": None,
        "properties": {},
    }


def write_log(posts, rows, changes, *, at):
    """Field history, consents, submissions and the log, in one message to PostgreSQL; the activity rows with ids."""
    if not rows:
        return []
    keep_submissions(posts)
    consents = [row for post in posts for row in consent_rows(post, at=at)]
    parts = [insert_sql("leads_fieldchange", changes)] if changes else []
    parts += [insert_sql("leads_consent", consents)] if consents else []
    parts.append(
        insert_sql(
            "leads_activity", rows, on_conflict=activities.ADD, returning="id, source_id, message_id, lead_id"
        )
    )
    new = fetch("; ".join(sql for sql, _ in parts), [param for _, param in parts])
    if len(new) < len(rows):
        raise Again  # the same message is being taken in by somebody else right now
    return activities.numbered(rows, new)


def keep_submissions(posts):
    for post in posts:
        submission = post.submission
        if submission is not None:
            submission.lead_id = post.arrival.person.id
            if (
                post.is_new_submission
            ):  # asked before the first attempt: a rolled-back save looks like a saved row
                submission.save(force_insert=True)
            else:
                submission.save(update_fields=["lead"])


def consent_rows(post, *, at):
    """The permission that the form's basis stands for; none where its question was answered with no."""
    form = post.form
    if form is None or form.marketing_basis == "none" or post.values.get("consent") is False:
        return []
    return [
        {
            "lead_id": post.arrival.person.id,
            "channel": "email",
            "purpose": "marketing",
            "basis": form.marketing_basis,
            "granted": True,
            "text_version": f"{form.slug}:{form.basis_version}"[:120],
            "at": at,
            "submission_id": post.submission.pk if post.submission is not None else None,
        }
    ]
