"""Amounts as pages, mails and the admin say them: one currency for the whole installation."""

from django.conf import settings


def money(amount):
    """ "EUR 36,500", "EUR 11,000.50"; cents only where there are any."""
    digits = 0 if amount == int(amount) else 2
    return f"{settings.CURRENCY} {amount:,.{digits}f}"
