"""Handing one mail to an SMTP server, and what its answer means.

smtplib's `sendmail` hides in which phase it failed; here the phase decides. Until the final dot is
out the server has nothing: try again. After it, silence means nobody but the far side knows.
"""

import logging
import re
import smtplib
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr

from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend

log = logging.getLogger(__name__)
LEADING_DOT = re.compile(rb"(?m)^\.")
ENHANCED_UNKNOWN = re.compile(r"\b5\.1\.(1|0)\b")


@dataclass(frozen=True)
class Outcome:
    """`status`: sent, failed, uncertain, skipped or due (to be tried again)."""

    status: str
    reason: str = ""
    mailbox_unknown: bool = False
    hold: bool = False  # due again in an hour without counting as an attempt: the fault is ours
    unreachable: bool = False  # due again in a minute, likewise: it says nothing about this mail


class Outlet:
    """One connection to the configured server, opened when first needed, reopened after a fault."""

    def __init__(self):
        self.backend = None
        self.is_unreachable = False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        if self.backend is not None:
            backend, self.backend = self.backend, None
            with suppress(Exception):
                backend.close()

    def send(self, message):
        """Hand `message` over → Outcome. Never raises for what a server or a network may do."""
        if self.backend is None:
            self.backend = get_connection()
        if not isinstance(self.backend, EmailBackend):
            return self.by_backend(message)
        try:
            payload = message.message().as_bytes(linesep="\r\n")
        except Exception as error:
            log.exception("mail")
            return Outcome("failed", f"the mail cannot be written: {words(error)}")
        try:
            self.backend.open()
        except (OSError, smtplib.SMTPException, ValueError) as error:  # ValueError: a login beyond ASCII
            self.drop()
            self.is_unreachable = True
            return Outcome("due", f"could not connect: {words(error)}", unreachable=True)
        return self.by_phase(self.backend.connection, message, payload)

    def by_phase(self, server, message, payload):
        sender = parseaddr(message.from_email)[1]
        try:
            refusal = envelope(server, sender, message.recipients())
            if refusal:
                self.reset(server)
                return refusal
            server.send(
                LEADING_DOT.sub(b"..", payload) + (b".\r\n" if payload.endswith(b"\r\n") else b"\r\n.\r\n")
            )
        except (OSError, smtplib.SMTPException) as error:
            self.drop()
            return Outcome("due", f"connection lost before the mail was complete: {words(error)}")
        try:
            code, text = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.drop()
            return Outcome("uncertain", f"no answer after the mail was complete: {words(error)}")
        if code == 421:
            self.drop()
        return answer(code, text)

    def by_backend(self, message):
        """A backend without phases, such as a provider's API: a fault leaves it uncertain."""
        try:
            sent = self.backend.send_messages([message])
        except Exception as error:
            log.exception("mail backend")
            self.close()
            return Outcome("uncertain", f"the mail service failed: {words(error)}")
        return Outcome("sent") if sent else Outcome("failed", "the mail service did not take it")

    def reset(self, server):
        """After a refusal the same connection serves the next mail."""
        with suppress(OSError, smtplib.SMTPException):
            server.rset()
            return
        self.drop()

    def drop(self):
        """Forget the connection without a farewell: nothing more may go out on it."""
        backend, self.backend = self.backend, None
        # Django keeps a connection whose TLS or login failed apart from one that works.
        for server in (getattr(backend, "connection", None), getattr(backend, "_partial_connection", None)):
            if server is not None:
                server.close()


def envelope(server, sender, recipients):
    """MAIL, RCPT, DATA → None when the server awaits the mail, else the refusal as an Outcome."""
    server.ehlo_or_helo_if_needed()
    code, text = server.mail(sender)
    if code == 250:
        for recipient in recipients:
            code, text = server.rcpt(recipient)
            if code not in (250, 251):
                return answer(code, text, recipient=True)
        code, text = server.docmd("data")
        if code == 354:
            return None
    return answer(code, text) if code >= 400 else Outcome("due", f"unexpected answer {code}")


def answer(code, text, *, recipient=False):
    """What a final answer of the server means."""
    said = f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"[:280]
    if 200 <= code < 300:
        return Outcome("sent", said)
    if 500 <= code < 600:
        unknown = bool(ENHANCED_UNKNOWN.search(said)) or (
            recipient and code == 550 and not re.search(r"\b5\.\d", said)
        )
        return Outcome("failed", said, mailbox_unknown=unknown)
    return Outcome("due", said)


def words(error):
    return f"{type(error).__name__} {error}".strip()[:200]
