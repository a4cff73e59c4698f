"""Time and points as whole numbers, so that batches and single leads never differ by a rounding."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
NEVER = 2**62  # an instant or an age that does not come
_MICROSECOND = timedelta(microseconds=1)


def micros(instant):
    """An aware datetime as microseconds since 2000-01-01 UTC: what PostgreSQL sends for a timestamptz."""
    return (instant - EPOCH) // _MICROSECOND


def instant(value):
    """The datetime of `micros`, or None for NEVER."""
    return None if value >= NEVER else EPOCH + int(value) * _MICROSECOND


def filled(shape, value):
    """int64[shape] of one value: for a single lead quicker than `np.full`, as there are many of them."""
    array = np.empty(shape, np.int64)
    array.fill(value)
    return array


def cents(points):
    """Points as whole hundredths, halves upward, as everywhere in the engine."""
    return math.floor(points * 100 + 0.5)
