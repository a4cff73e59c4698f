"""Whom we may contact, by channel and purpose. Suppression wins every race.

A suppression belongs to an address, not to a lead: it outlives the lead and holds for the next one with the
same address. It is guarded by an advisory lock on the address, because the row that a sender must not overlook
does not exist yet when it looks: `suppress` takes the lock alone, a sender shares it (`nurturing.touches`).
"""

from django.db import transaction

from leads.models import Channel, Consent, Purpose, Suppression
from leads.rows import fetch

LOCK_CLASS = 7411  # our key space among PostgreSQL's advisory locks

IN_FORCE = """
SELECT DISTINCT ON (l.id) l.id, s.reason
FROM leads_lead l
JOIN leads_suppression s ON s.address = ANY(ARRAY[l.email, nullif(l.phone, '')])
WHERE l.id = ANY(%s) AND s.lifted_at IS NULL
  AND s.channel IN (%s, 'all') AND s.purpose IN (%s, 'all')
ORDER BY l.id, s.at
"""
ALLOWED = """
SELECT l.id FROM leads_lead l
JOIN LATERAL (
  SELECT granted FROM leads_consent c
  WHERE c.lead_id = l.id AND c.channel IN (%s, 'all') AND c.purpose IN (%s, 'all')
  ORDER BY at DESC, id DESC LIMIT 1
) latest ON latest.granted
WHERE l.id = ANY(%s)
"""
# All that may refuse, in one statement: routing and nurture ask at every step of every lead.
ASKED = """
SELECT l.id, {reachable}, {allowed}, (
  SELECT s.reason FROM leads_suppression s
  WHERE s.address = ANY(ARRAY[l.email, nullif(l.phone, '')]) AND s.lifted_at IS NULL
    AND s.channel IN (%(channel)s, 'all') AND s.purpose IN (%(purpose)s, 'all')
  ORDER BY s.at LIMIT 1)
FROM leads_lead l WHERE l.id = ANY(%(ids)s)
"""
LATEST_CONSENT = """coalesce((
  SELECT c.granted FROM leads_consent c
  WHERE c.lead_id = l.id AND c.channel IN (%(channel)s, 'all') AND c.purpose IN (%(purpose)s, 'all')
  ORDER BY c.at DESC, c.id DESC LIMIT 1), false)"""
REACHABLE = {"email": "l.email IS NOT NULL", "phone": "l.phone <> ''"}
NO_ADDRESS = {"email": "no e-mail address", "phone": "no phone number"}


def grant(*, lead, channel, purpose, basis, text_version, at, submission=None):
    """Keep what the person allowed, with the version of the words they saw."""
    check(channel, purpose)
    return Consent.objects.create(
        lead=lead, channel=channel, purpose=purpose, basis=basis, text_version=text_version[:120], at=at,
        submission=submission,
    )  # fmt: skip


def withdraw(*, lead, channel, purpose, basis, at, text_version=""):
    """The person took their permission back; the grant stays in the history."""
    check(channel, purpose)
    return Consent.objects.create(
        lead=lead, channel=channel, purpose=purpose, basis=basis, text_version=text_version[:120], at=at,
        granted=False,
    )  # fmt: skip


def suppress(*, address, channel, purpose, reason, at):
    """Never contact `address` again on this channel for this purpose; True where that is news.

    Waits for senders that are deciding about the address right now. Inside a larger transaction call it last.
    """
    check(channel, purpose)
    address = fold(address)
    if not address:
        raise ValueError("a suppression needs an address")
    with transaction.atomic():
        fetch("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_CLASS, address])
        _, created = Suppression.objects.get_or_create(
            address=address,
            channel=channel,
            purpose=purpose,
            lifted_at=None,
            defaults={"reason": reason, "at": at},
        )
    return created


def lift(*, address, channel, purpose, at):
    """End suppressions of exactly this channel and purpose; how many were in force."""
    return Suppression.objects.filter(
        address=fold(address), channel=channel, purpose=purpose, lifted_at=None
    ).update(lifted_at=at)  # fmt: skip


def refusals(lead_ids, *, channel, purpose):
    """`{lead id: reason}` for those who may not be contacted. Locks nothing."""
    check(channel, purpose)
    ids = list(lead_ids)
    if not ids:
        return {}
    sql = ASKED.format(
        reachable=REACHABLE.get(channel, "true"),
        allowed=LATEST_CONSENT if purpose == Purpose.MARKETING else "true",
    )
    labels = dict(Suppression.Reason.choices)
    refused = {}
    for lead_id, reachable, allowed, reason in fetch(
        sql, {"ids": ids, "channel": channel, "purpose": purpose}
    ):
        if reason:
            refused[lead_id] = f"suppressed: {labels.get(reason, reason).lower()}"
        elif not reachable:
            refused[lead_id] = NO_ADDRESS[channel]
        elif not allowed:
            refused[lead_id] = "no consent"
    return refused


def fold(address):
    return str(address or "").replace("\x00", "").strip().casefold()[:254]


def check(channel, purpose):
    if channel not in Channel.values or purpose not in Purpose.values:
        raise ValueError(f"unknown channel or purpose: {channel!r}, {purpose!r}")
