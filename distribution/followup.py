"""What a rep does with a hand-off: calls, mails, meetings, notes, dated next actions."""

MAX_ATTEMPTS = 6

# Call results: key → words on screen
CALL_RESULTS = {
    "connected": "Connected",
    "voicemail": "Voicemail",
    "no_answer": "No answer",
    "gatekeeper": "Gatekeeper",
    "wrong_number": "Wrong number",
    "left_company": "Left the company",
}
# Meetings: key → words on screen
MEETING_STATES = {"set": "Meeting set", "held": "Meeting held", "no_show": "No-show"}


def log_call(*, handoff, by, result, note="", at, next_at=None):
    """`result` is a key of CALL_RESULTS; `next_at` sets a follow-up. Returns the Handoff."""
    raise NotImplementedError


def log_mail(*, handoff, by, note="", at, next_at=None):
    raise NotImplementedError


def log_meeting(*, handoff, by, state, note="", at, next_at=None):
    """`state` is a key of MEETING_STATES."""
    raise NotImplementedError


def note(*, handoff, by, text, at):
    """A note: kept in the log; not a touch."""
    raise NotImplementedError


def follow_up(*, handoff, by, due_at, note="", at):
    """A dated next action. Returns the FollowUp. Not a touch."""
    raise NotImplementedError


def done(*, follow_up, by, at):
    raise NotImplementedError
