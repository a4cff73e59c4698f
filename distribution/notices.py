"""Mail to our own people: a new hand-off, a lead who asks again. Plain text with a link to the lead page."""

from email.utils import make_msgid
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from distribution.models import Handoff, Notice
from leads import doorbell
from nurturing import sending
from nurturing.sending import Outcome, Parcel, Status

STALE = "The hand-off had ended, or another rep has it, before this mail could leave"


def handed_off(handoffs, *, at):
    """One notice to each owner: this lead is yours. Takes hand-offs with lead, company and owner loaded."""
    notify(handoffs, at=at, subject="New lead", opening="A lead has been handed to you.")


def asks_again(handoffs, *, at):
    notify(handoffs, at=at, subject="Asks again", opening="A lead of yours asks for sales again.")


def took_offer(handoffs, *, at):
    notify(
        handoffs,
        at=at,
        subject="Took up an offer",
        opening="A lead of yours took up an offer of a next step.",
    )


def notify(handoffs, *, at, subject, opening):
    if not handoffs:
        return
    Notice.objects.bulk_create(
        [
            Notice(
                handoff=row, rep=row.owner, due_at=at, is_demo=row.is_demo or row.owner.is_demo,
                subject=one_line(f"{subject}: {who(row.lead)}")[:200], text=letter(row, opening),
            )
            for row in handoffs
        ]
    )  # fmt: skip
    doorbell.ring("notify")


def letter(row, opening):
    lines = [opening, "", who(row.lead), f"Why now: {row.why_now}"]
    if row.rating:
        lines.append(f"Rating: {row.rating}")
    lines += [f"Note: {flag}" for flag in row.flags]
    if row.respond_by and not row.first_response_at:
        lines.append(f"First response promised by {row.respond_by:%-d %B %Y, %H:%M} UTC")
    return "\n".join(
        [*map(one_line, lines), "", settings.PUBLIC_URL + reverse("lead-page", args=[row.lead_id]), ""]
    )


def who(lead):
    title = f", {lead.job_title}" if lead.job_title else ""
    company = f", {lead.company}" if lead.company else ""
    return f"{lead}{title}{company}"


def one_line(text):
    """Names come from outside: no line break may begin a header or a line of its own."""
    return " ".join(str(text).split())


def send_notices(*, at, limit=100):
    """Send what is due, through the same states as any mail of the product; how many were tried.

    A mail caught in a crash stays `uncertain` and is not resent: the lead is in the rep's list either way.
    """
    sending.reap(Notice, at=at)
    rows = sending.claim(Notice, at=at, limit=limit, related=("rep__user", "handoff"))
    if rows:
        sending.send(Notice, rows, compose=compose, at=at)
    return len(rows)


def compose(rows):
    """{notice: Parcel, or the Outcome of one that has nobody to go to any more}."""
    return {row: composed_one(row) for row in rows}


def composed_one(row):
    address = row.rep.user.email
    if not address:
        return Outcome(Status.SKIPPED, "The rep has no e-mail address")
    if row.handoff and (row.handoff.status not in Handoff.OPEN or row.handoff.owner_id != row.rep_id):
        return Outcome(Status.CANCELLED, STALE)
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    message = EmailMessage(
        subject=row.subject, body=row.text, to=[address],
        headers={"Message-ID": make_msgid(f"notice-{row.pk}", domain=host), "Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    return Parcel(message, row.is_demo)
