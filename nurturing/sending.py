"""How a message leaves at most once. Works for every model that inherits `models.Delivery`.

    due ──claim──▶ claimed ──begin──▶ sending ──settle──▶ sent | failed | uncertain | due (later)
     ▲               │ lease over         │ lease over
     └──────reap─────┘                    └──reap──▶ uncertain

`begin` commits before a byte goes to the server, so a worker that dies leaves one message `sending`
and the rest of its batch `claimed`. Claimed ones are simply due again. The one being sent becomes
`uncertain`, as only the far side knows; it is shown to a person and never resent by itself.
Every write compares status and token: a worker that wakes after its lease changes nothing.
Leases are measured by the database's clock; `at` is the time that the product goes by.
"""

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.core.mail import EmailMessage
from django.db import DatabaseError, transaction

from leads.rows import fetch
from nurturing.mailbox import keep, why_local
from nurturing.models import Delivery
from nurturing.smtp import Outcome, Outlet

log = logging.getLogger(__name__)
Status = Delivery.Status

CLAIM_LEASE = timedelta(seconds=60)  # renewed while the worker lives
SEND_LEASE = timedelta(seconds=150)  # longer than the time-outs of one SMTP dialogue together
RENEW_AFTER = 15.0  # seconds
BACKOFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720)]
HOLD = timedelta(hours=1)
LOST = "The worker stopped while sending: the mail may or may not have left"

CLAIM = """
WITH picked AS MATERIALIZED (
  SELECT d.id FROM {table} d WHERE d.status = 'due' AND d.due_at <= %(at)s {condition}
  ORDER BY d.due_at, d.id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE {table} d SET status = 'claimed', token = %(token)s, lease_until = now() + %(lease)s
FROM picked WHERE d.id = picked.id RETURNING d.id
"""
HOLD_ROWS = """
SELECT id FROM {table} WHERE id = ANY(%s) AND token = %s AND status = 'claimed' ORDER BY id FOR NO KEY UPDATE
"""
BEGIN = """
UPDATE {table} d SET status = 'sending', attempts = attempts + 1, lease_until = now() + %s, message_id = w.message_id
FROM unnest(%s::bigint[], %s::text[]) AS w(id, message_id)
WHERE d.id = w.id AND d.token = %s AND d.status = 'claimed' RETURNING d.id
"""
# A worker that outlived its lease still knows best: it may turn its own `uncertain` into the truth.
SETTLE = """
UPDATE {table} d SET status = w.status, reason = w.reason, due_at = coalesce(w.due_at, d.due_at),
  attempts = w.attempts, settled_at = w.settled_at, lease_until = NULL,
  token = CASE WHEN w.status = 'due' THEN NULL ELSE d.token END
FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::int[], %s::timestamptz[])
  AS w(id, token, status, reason, due_at, attempts, settled_at)
WHERE d.id = w.id AND d.token = w.token AND d.status IN ('claimed', 'sending', 'uncertain')
RETURNING d.id
"""


# One message to the server, one commit: the mail before is settled and this one begun. The first
# statement locks, the second looks, as only a statement that starts under the lock sees all.
TURN = """
WITH held AS MATERIALIZED (
  SELECT id FROM {table} WHERE id = %s AND token = %s AND status = 'claimed' FOR NO KEY UPDATE
) SELECT {lock} FROM held;
WITH settled AS ({settle}), begun AS (
  UPDATE {table} d SET status = 'sending', attempts = attempts + 1, lease_until = now() + %s, message_id = %s
  WHERE d.id = %s AND d.token = %s AND d.status = 'claimed' AND {condition} RETURNING d.id
) SELECT count(*) FROM begun
"""


@dataclass(frozen=True)
class Parcel:
    """A composed message and whether it belongs to the demo, which never reaches SMTP."""

    message: EmailMessage
    is_demo: bool


class Guard:
    """The last word before a message leaves, asked while its row is locked. This one lets all pass.

    The same question twice: `condition` in SQL for the usual case that nothing is in the way,
    `refusals` to find out for several rows what is.
    """

    def lock(self, row):
        """(SQL expression that locks what the condition reads, its values)."""
        return "1", []

    def condition(self, row):
        """(SQL condition over alias `d`, its values): may this row leave?"""
        return "TRUE", []

    def refusals(self, rows):
        """{pk: Outcome} of the rows that must not leave; locks what it reads."""
        return {}


def claim(model, *, at, limit, condition="", params=None, related=()):
    """Lease up to `limit` rows due at `at` to the caller → the rows, oldest due first.

    `condition`: SQL over alias `d`, starting with AND, its values in `params` (a dict).
    """
    values = {"at": at, "limit": limit, "token": uuid.uuid4(), "lease": CLAIM_LEASE} | (params or {})
    ids = [row[0] for row in fetch(CLAIM.format(table=model._meta.db_table, condition=condition), values)]
    rows = model.objects.filter(pk__in=ids, token=values["token"])
    return list(
        rows.select_related(*related).order_by("due_at", "pk") if related else rows.order_by("due_at", "pk")
    )


def begin(model, rows, *, at, guard=Guard()):  # noqa: B008 - it has no state
    """Commit that `rows` (of one claim) are going out → those that may; call it before SMTP.

    What `guard` refuses is settled instead. It is asked after the rows are locked and inside the
    transaction, so that what was committed before counts and what comes later waits.
    """
    if not rows:
        return []
    table, token = model._meta.db_table, rows[0].token
    with transaction.atomic():
        held = {pk for (pk,) in fetch(HOLD_ROWS.format(table=table), [[row.pk for row in rows], token])}
        rows = [row for row in rows if row.pk in held]
        refused = guard.refusals(rows) if rows else {}
        settle(model, {row: refused[row.pk] for row in rows if row.pk in refused}, at=at)
        rows = [row for row in rows if row.pk not in refused]
        if rows:
            fetch(
                BEGIN.format(table=table),
                [SEND_LEASE, [row.pk for row in rows], [row.message_id for row in rows], token],
            )
    for row in rows:
        row.status = Status.SENDING
        row.attempts += 1
    return rows


def settle(model, outcomes, *, at):
    """Write {row: Outcome} → the ids that were still this worker's. A temporary failure is due
    again after a growing pause, and failed when the pauses are used up."""
    if not outcomes:
        return set()
    return {pk for (pk,) in fetch(SETTLE.format(table=model._meta.db_table), columns(outcomes, at))}


def columns(outcomes, at):
    """The values of SETTLE: one list per column."""
    rows = [settled(row, outcome, at) for row, outcome in outcomes.items()]
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 7


def settled(row, outcome, at):
    """One row of SETTLE: id, token, status, reason, due_at, attempts, settled_at."""
    status, reason, due_at, attempts = outcome.status, outcome.reason[:300], None, row.attempts
    if status == Status.DUE and (outcome.hold or outcome.unreachable):
        due_at, attempts = (
            at + (HOLD if outcome.hold else BACKOFF[0]),
            attempts - (row.status == Status.SENDING),
        )
    elif status == Status.DUE and attempts > len(BACKOFF):
        status, reason = Status.FAILED, f"gave up after {attempts} attempts: {reason}"[:300]
    elif status == Status.DUE:
        due_at = at + BACKOFF[max(attempts, 1) - 1]
    return row.pk, row.token, str(status), reason, due_at, attempts, None if status == Status.DUE else at


def release(model, rows, *, at, reason):
    """Give claimed rows back, to be tried again in a minute; no attempt is counted."""
    ids = [row.pk for row in rows]
    if ids:
        model.objects.filter(pk__in=ids, token=rows[0].token, status=Status.CLAIMED).update(
            status=Status.DUE, due_at=at + BACKOFF[0], reason=reason[:300], token=None, lease_until=None
        )


def reap(model, *, at):
    """Take back what dead workers held → (due again, uncertain)."""
    over = model.objects.filter(lease_until__lt=clock())
    again = over.filter(status=Status.CLAIMED).update(status=Status.DUE, token=None, lease_until=None)
    uncertain = over.filter(status=Status.SENDING).update(
        status=Status.UNCERTAIN, reason=LOST, settled_at=at, lease_until=None
    )
    return again, uncertain


def clock():
    """The database's time, by which all workers agree."""
    return fetch("SELECT clock_timestamp()", [])[0][0]


def send(model, rows, *, compose, at, guard=Guard(), on_unknown=None):  # noqa: B008
    """Take claimed `rows` through sending → {row: Outcome} of all that were tried.

    `compose(rows)` → {row: Parcel or Outcome}; an Outcome settles the row without sending it.
    `on_unknown(row)` hears of addresses that do not exist.
    """
    started = time.monotonic()
    now = lambda: at + timedelta(seconds=time.monotonic() - started)
    composed = compose(rows)
    outcomes = {row: result for row, result in composed.items() if isinstance(result, Outcome)}
    settle(model, outcomes, at=now())
    local, remote = [], []
    for row, parcel in composed.items():
        if isinstance(parcel, Parcel):
            row.message_id = parcel.message.extra_headers.get("Message-ID", "")
            why = why_local(parcel.message, is_demo=parcel.is_demo)
            (local if why else remote).append((row, parcel.message, why))
    outcomes |= send_local(model, local, at=now(), guard=guard)
    outcomes |= send_remote(model, remote, now=now, guard=guard, on_unknown=on_unknown)
    return outcomes


def send_local(model, items, *, at, guard):
    """Into the local mailbox: the same states, but one transaction holds the whole batch, as the
    mailbox is in the same database and nothing can be left uncertain."""
    if not items:
        return {}
    with transaction.atomic():
        going = {row.pk for row in begin(model, [row for row, _, _ in items], at=at, guard=guard)}
        items = [item for item in items if item[0].pk in going]
        keep([(message, why) for _, message, why in items], at=at)
        outcomes = {row: Outcome(Status.SENT, f"local mailbox: {why}") for row, _, why in items}
        settle(model, outcomes, at=at)
    return outcomes


def send_remote(model, items, *, now, guard, on_unknown):
    """Over one SMTP connection, one message at a time. One commit per mail: it settles the mail
    before and begins this one, so at most one message is ever between `sending` and the truth."""
    outcomes, last, renewed = {}, {}, time.monotonic()
    with Outlet() as outlet:
        for position, (row, message, _) in enumerate(items):
            if time.monotonic() - renewed > RENEW_AFTER:
                renew(model, row.token)
                renewed = time.monotonic()
            going = turn(model, last, row, at=now(), guard=guard)
            last = {}
            if not going:
                continue
            outcome = outlet.send(message)
            outcomes[row] = outcome
            last = {row: outcome}
            if outcome.mailbox_unknown and on_unknown:
                on_unknown(row)
            if outlet.is_unreachable:
                rest = [later for later, _, _ in items[position + 1 :]]
                release(model, rest, at=now(), reason=outcome.reason)
                break
        settle(model, last, at=now())
    return outcomes


def turn(model, last, row, *, at, guard):
    """Settle the mail before and begin this one in a single commit → whether this one may go."""
    table = model._meta.db_table
    (lock, locked), (condition, asked) = guard.lock(row), guard.condition(row)
    sql = TURN.format(table=table, lock=lock, condition=condition, settle=SETTLE.format(table=table))
    own = [row.pk, row.token]
    try:
        # Several statements sent as one are one transaction, and one round trip.
        begun = fetch(sql, [*own, *locked, *columns(last, at), SEND_LEASE, row.message_id, *own, *asked])[0][
            0
        ]
    except DatabaseError:
        # Whatever is wrong with this row, what is known of the last one must not be lost with it.
        log.exception("%s %s could not be begun", model.__name__, row.pk)
        settle(model, last, at=at)
        return False
    if begun:
        row.status = Status.SENDING
        row.attempts += 1
        return True
    return bool(begin(model, [row], at=at, guard=guard))  # says why not


def renew(model, token):
    model.objects.filter(token=token, status=Status.CLAIMED).update(lease_until=clock() + CLAIM_LEASE)


def send_again(model, *, pk, at):
    """A person decides that an uncertain or failed message goes out once more."""
    return model.objects.filter(pk=pk, status__in=[Status.UNCERTAIN, Status.FAILED]).update(
        status=Status.DUE,
        due_at=at,
        reason="sent again by hand",
        token=None,
        settled_at=None,
        attempts=0,
        **model.REOPENED,
    )


def mark_sent(model, *, pk, at):
    """A person knows that an uncertain message did arrive."""
    return model.objects.filter(pk=pk, status=Status.UNCERTAIN).update(
        status=Status.SENT, reason="confirmed by hand", settled_at=at, token=None, **model.REOPENED
    )
