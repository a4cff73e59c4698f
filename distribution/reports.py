"""Figures of the sales side."""


def team_load(user, *, at):
    """One row per rep of the user's teams: list of dicts {rep, open, untouched, overdue, due_today,
    oldest_untouched (datetime or None), present}."""
    raise NotImplementedError
