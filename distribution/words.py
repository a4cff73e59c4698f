"""How pages say times: one wording for every page. Pure functions, no queries."""

from datetime import timedelta

from django.utils import timezone

MINUTE, HOUR, DAY = 60, 3600, 86400


def span(seconds):
    """A length of time in words, rounded down: "12 min", "2 h", "3 days", "5 months"."""
    seconds = abs(int(seconds))
    if seconds < MINUTE:
        return "less than 1 min"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR} h"
    if seconds < 60 * DAY:
        return f"{seconds // DAY} days"
    if seconds < 730 * DAY:
        return f"{seconds // (30 * DAY)} months"
    return f"{seconds // (365 * DAY)} years"


def relative(moment, now):
    """ "2 h ago", "in 12 min", "just now"."""
    seconds = (moment - now).total_seconds()
    if abs(seconds) < MINUTE:
        return "just now" if seconds <= 0 else "in less than 1 min"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(seconds)} ago"


def before(moment, then):
    """How long before a past instant: "4 days before, 12 Jun 2026"."""
    return f"{span((then - moment).total_seconds())} before, {timezone.localtime(moment):%-d %b %Y}"


def exact(moment):
    """The moment in the reader's zone, in full: "Sat 21 Nov 2026, 14:05 CET"."""
    return timezone.localtime(moment).strftime("%a %-d %b %Y, %H:%M %Z")


def clock(moment, now):
    """The shortest exact time in the reader's zone: "14:05", "tomorrow 09:00", "Tue 24 Nov, 09:00"."""
    local, today = timezone.localtime(moment), timezone.localtime(now).date()
    if local.date() == today:
        return local.strftime("%H:%M")
    if local.date() == today + timedelta(days=1):
        return local.strftime("tomorrow %H:%M")
    if local.date() == today - timedelta(days=1):
        return local.strftime("yesterday %H:%M")
    return local.strftime("%a %-d %b, %H:%M" if local.year == timezone.localtime(now).year else "%-d %b %Y")
