"""A lead is offered to sales; a rep takes it, declines it or is given it."""

# Reasons for declining: key → (words on screen, what becomes of the lead)
DECLINE_REASONS = {
    "duplicate": ("Duplicate", "disqualify"),
    "spam": ("Spam", "disqualify"),
    "invalid": ("Invalid contact data", "disqualify"),
    "not_mine": ("Not my area", "next rep"),
    "no_time": ("No time", "next rep"),
}


class HandoffError(Exception):
    """What was asked cannot be done now; the text says why and is meant for the screen."""


def offer(*, lead, queue=None, reason, at, owner=None, flags=(), is_hand_raise=False):
    """Offer one lead to sales. Returns the Handoff."""
    raise NotImplementedError


def refresh(*, handoff, why, at, is_hand_raise=False):
    """A fresh "why now" on an open hand-off."""
    raise NotImplementedError


def accept(*, handoff, by, at):
    """`by` (a Django user) takes the lead. Returns the Handoff. Raises HandoffError naming the owner."""
    raise NotImplementedError


def decline(*, handoff, by, reason, at, note=""):
    """`reason` is a key of DECLINE_REASONS. Returns the Handoff (with its next owner, if any)."""
    raise NotImplementedError


def assign(*, handoff, rep, by, at):
    """A manager gives an open hand-off to `rep` (a Rep). Returns the Handoff."""
    raise NotImplementedError


def disqualify(*, handoff, by, reason, at, note=""):
    """`reason`: a key of recycling.DISQUALIFY_REASONS. Ends the hand-off and disqualifies the lead."""
    raise NotImplementedError
