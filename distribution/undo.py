"""Take back the latest action of a hand-off."""


def undoable(*, handoff, by, at):
    """The Action that undo would take back (str() of it is its name on screen), or None."""
    raise NotImplementedError


def undo(*, handoff, by, at):
    """Take back the latest action. Returns the Action. Raises HandoffError."""
    raise NotImplementedError
