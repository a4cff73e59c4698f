"""A possible deal: opened, won with an amount, or lost with a reason."""

# Reasons for losing: key → (words on screen, days until the person is asked again; None: no fit, disqualified)
LOST_REASONS = {
    "price": ("Price", 90),
    "timing": ("Timing: later", 90),
    "no_decision": ("No decision", 90),
    "competitor": ("Lost to a competitor", 245),
    "no_fit": ("No fit", None),
}


def open(*, handoff, by, name="", at, amount=None, product="", expected_close=None):
    """Returns the Opportunity."""
    raise NotImplementedError


def win(*, opportunity, by, amount, at):
    """`amount`: Decimal > 0. Returns the Opportunity."""
    raise NotImplementedError


def lose(*, opportunity, by, reason, at, competitor="", until=None):
    """`reason` is a key of LOST_REASONS. Returns the Opportunity."""
    raise NotImplementedError
