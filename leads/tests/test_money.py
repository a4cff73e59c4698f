"""Amounts in the one currency of the installation."""

from decimal import Decimal

import pytest

from leads.money import money


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (36500, "EUR 36,500"),
        (Decimal("11000.50"), "EUR 11,000.50"),
        (Decimal("11000.00"), "EUR 11,000"),
        (0, "EUR 0"),
        (Decimal("9999999999.99"), "EUR 9,999,999,999.99"),
    ],
)
def test_it_works(amount, words):
    assert money(amount) == words


def test_another_currency(settings):
    settings.CURRENCY = "CHF"
    assert money(5) == "CHF 5"
