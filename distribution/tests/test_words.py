"""How pages say times and amounts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from distribution import words
from scoring.words import figure

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=20), "in less than 1 min"),
        (timedelta(minutes=-12, seconds=-50), "12 min ago"),
        (timedelta(minutes=12), "in 12 min"),
        (timedelta(hours=-47), "47 h ago"),
        (timedelta(days=-3, hours=-5), "3 days ago"),
        (timedelta(days=150), "in 5 months"),
        (timedelta(days=-800), "2 years ago"),
    ],
)
def test_relative(distance, said):
    assert words.relative(NOW + distance, NOW) == said


def test_clock_is_as_short_as_the_day_allows_and_in_the_readers_zone():
    with timezone.override("Europe/Berlin"):
        assert words.clock(NOW, NOW) == "11:00"
        assert words.clock(NOW + timedelta(hours=14), NOW) == "tomorrow 01:00"
        assert words.clock(NOW - timedelta(days=1), NOW) == "yesterday 11:00"
        assert words.clock(NOW + timedelta(days=3), NOW) == "Thu 4 Jun, 11:00"
        assert words.clock(NOW + timedelta(days=400), NOW) == "6 Jul 2027"
        assert words.exact(NOW) == "Mon 1 Jun 2026, 11:00 CEST"


@pytest.mark.parametrize(
    ("value", "places", "said"),
    [
        (-15, 0, "−15"),
        (-0.4, 0, "0"),
        (10.0, 0, "10"),
        (12.5, 2, "12.5"),
        (-5.25, 2, "−5.25"),
        (100, 2, "100"),
    ],
)
def test_figures_of_points_have_a_true_minus(value, places, said):
    assert figure(value, places) == said
