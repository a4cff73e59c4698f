"""What people do with a mail: they follow a link, or they want no more.

A click is kept whoever made it, but only a person's counts. Scanners follow links before the person
sees the mail; they give themselves away by their name, by HEAD, by haste, or by following them all.
"""

from datetime import timedelta

import crawleruseragents
from django.db import transaction

from leads import activities, consent, places
from leads.models import Activity, Lead, Suppression
from leads.rows import fetch
from nurturing.enrollment import UNSUBSCRIBED, leave, lock, rest, resume
from nurturing.models import Enrollment, Touch, TrackedLink

TOO_SOON = timedelta(seconds=2)  # nobody reads a mail this fast
BURST = timedelta(seconds=60)  # all links of a mail within this time: a machine
BURST_FROM = 3  # links; a person may well follow both of two
MAIL_SCANNERS = (
    "barracuda", "proofpoint", "mimecast", "safelinks", "trendmicro", "symantec", "messagelabs", "fireeye", "sophos",
    "googleimageproxy", "ggpht.com", "yahoomailproxy", "cloudmark", "ironport", "forcepoint", "virustotal", "urlscan",
)  # fmt: skip


def click(token, *, at, user_agent="", method="GET"):
    """Log that a tracked link was followed → its stored address, None for an unknown token."""
    link = TrackedLink.objects.select_related(
        "touch__lead", "touch__enrollment__program", "touch__step__template"
    )
    link = link.filter(token=token).first()
    if link is None:
        return None
    machine = sign_of_a_machine(link.touch, at=at, user_agent=user_agent, method=method)
    mark = "machine" if machine else "person"
    with transaction.atomic():
        activities.record(
            lead=link.touch.lead, kind="mail_click", asset=link.url, at=at, engagement=not machine,
            # Once a minute and link: a reload is not a second click, and a flood fills no log.
            message_id=f"click-{link.pk}-{int(at.timestamp() // 60)}-{mark}",
            properties={
                "touch": link.touch_id, "link": link.pk, "url": link.url, "machine": machine,
                "mail": link.touch.step.template.name, "program": link.touch.enrollment.program.name,
                "user_agent": user_agent[:300],
            },
        )  # fmt: skip
        if not machine:
            discount_burst(link, at=at)
    return link.url


def sign_of_a_machine(touch, *, at, user_agent, method):
    """Why this click is no person's; empty when nothing speaks against it."""
    agent = user_agent.lower()
    if method == "HEAD":
        return "asked for the headers only"
    if not agent or crawleruseragents.is_crawler(user_agent) or any(name in agent for name in MAIL_SCANNERS):
        return "a scanner by its name"
    if touch.settled_at is None or at - touch.settled_at < TOO_SOON:
        return "within two seconds of sending"
    return ""


def discount_burst(link, *, at):
    """All links of one mail followed within a minute: none of these clicks was a person's."""
    siblings = TrackedLink.objects.filter(touch=link.touch_id).count()
    if siblings < BURST_FROM:
        return
    clicks = Activity.objects.filter(
        lead=link.touch.lead_id, touchpoint__kind="mail_click", occurred_at__gt=at - BURST, occurred_at__lte=at,
        properties__touch=link.touch_id,
    )  # fmt: skip
    rows = list(clicks.values_list("pk", "properties__link", "engagement"))
    if len({link_id for _, link_id, _ in rows}) < siblings:
        return
    # The log keeps the facts; only the mark "counts as engagement" is withdrawn, as its trigger allows.
    fetch("SELECT set_config('leadmgmt.attribution', 'on', true)", [])
    Activity.objects.filter(pk__in=[pk for pk, _, counted in rows if counted]).update(engagement=False)
    fetch("SELECT set_config('leadmgmt.attribution', 'off', true)", [])
    places.ask_rescore(lead_ids=[link.touch.lead_id], at=at)


def unsubscribe(token, *, at):
    """No more marketing mail to this person, at once → the lead, None for an unknown token. Idempotent."""
    touch = Touch.objects.select_related("lead", "enrollment__program").filter(link_token=token).first()
    if touch is None:
        return None
    with transaction.atomic():
        lock([touch.lead_id])
        lead = Lead.objects.get(pk=touch.lead_id)
        if lead.email and not is_unsubscribed(lead):
            consent.withdraw(lead=lead, channel="email", purpose="marketing", basis="consent", at=at)
            activities.record(
                lead=lead, kind="mail_unsubscribe", asset=touch.enrollment.program.slug, at=at, engagement=False,
                properties={"touch": touch.pk, "program": touch.enrollment.program.name},
            )  # fmt: skip
            leave(lead_ids=[lead.pk], at=at, reason=UNSUBSCRIBED)
            rest(lead_ids=[lead.pk], at=at, reason=UNSUBSCRIBED)
            # Last, as it waits for senders that are deciding about this address right now.
            consent.suppress(
                address=lead.email, channel="email", purpose="marketing", reason="unsubscribed", at=at
            )
    return lead


def resubscribe(token, *, at):
    """“That was a mistake”: the suppression is lifted and the program goes on → the lead, or None."""
    touch = Touch.objects.select_related("lead").filter(link_token=token).first()
    if touch is None:
        return None
    with transaction.atomic():
        lock([touch.lead_id])
        lead = Lead.objects.get(pk=touch.lead_id)
        if not is_unsubscribed(lead):
            return lead
        consent.lift(address=lead.email, channel="email", purpose="marketing", at=at)
        consent.grant(
            lead=lead, channel="email", purpose="marketing", basis="consent", at=at,
            text_version="Undo on the unsubscribe page",
        )  # fmt: skip
        last = Enrollment.objects.filter(lead=lead, is_main=True).order_by("-entered_at", "-pk").first()
        if last and last.reason == UNSUBSCRIBED:
            resume(enrollment=last, at=at)
    return lead


def is_unsubscribed(lead):
    """By their own wish and for marketing mail; bounces and objections are other matters."""
    return Suppression.objects.filter(
        address=consent.fold(lead.email),
        channel="email",
        purpose="marketing",
        reason="unsubscribed",
        lifted_at=None,
    ).exists()
