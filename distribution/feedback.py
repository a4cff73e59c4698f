"""The rep's word on lead quality."""


def give(*, handoff, by, verdict, at, note=""):
    """`verdict`: Feedback.Verdict value. Replaces an earlier one. Returns the Feedback."""
    raise NotImplementedError
