"""The local mailbox: mail that is written and shown but handed to no server.

It stands in for SMTP where none is configured, and takes, whatever the settings say, everything
flagged as demo and every address that can belong to nobody.
"""

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from nurturing.models import LocalMail

NO_SERVER = "No mail server is set (EMAIL_URL is empty)"
DEMO = "Demo lead: the demo never mails anyone"
RESERVED = "This address can belong to nobody"
# RFC 2606 and 6761: reserved for examples and tests.
RESERVED_SUFFIXES = (".example", ".test", ".invalid", ".localhost")
RESERVED_DOMAINS = {"example", "test", "invalid", "localhost", "example.com", "example.net", "example.org"}


class MailboxBackend(BaseEmailBackend):
    """Django's mail backend when `EMAIL_URL` is empty."""

    def send_messages(self, email_messages):
        keep([(message, NO_SERVER) for message in email_messages or []], at=timezone.now())
        return len(email_messages or [])


def why_local(message, *, is_demo):
    """Why this message must stay here; empty when it may go to the server."""
    if is_demo:
        return DEMO
    if any(is_reserved(address) for address in message.recipients()):
        return RESERVED
    if settings.EMAIL_BACKEND == "nurturing.mailbox.MailboxBackend":
        return NO_SERVER
    return ""


def is_reserved(address):
    domain = address.rpartition("@")[2].strip(" >.").lower()
    return domain in RESERVED_DOMAINS or domain.endswith(RESERVED_SUFFIXES) or domain.endswith(
        (".example.com", ".example.net", ".example.org")
    )  # fmt: skip


def keep(messages, *, at):
    """Write [(EmailMessage, why)] into the mailbox, in one statement."""
    LocalMail.objects.bulk_create([local_mail(message, why, at) for message, why in messages])


def local_mail(message, why, at):
    bodies = [part[0] for part in getattr(message, "alternatives", []) if part[1] == "text/html"]
    headers = {str(name): str(value) for name, value in message.extra_headers.items()}
    return LocalMail(
        at=at,
        message_id=clean(headers.get("Message-ID", ""))[:200],
        sender=clean(message.from_email or settings.DEFAULT_FROM_EMAIL)[:300],
        recipients=clean(", ".join(message.recipients())),
        subject=clean(str(message.subject))[:500],
        text=clean(str(message.body)),
        html=clean(bodies[0]) if bodies else "",
        headers=headers,
        why=why[:200],
    )


def clean(text):
    return text.replace("\0", "")
