"""Columns of numbers to and from PostgreSQL in its binary form: thousands of rows as one message, no row touched in Python.

A timestamptz travels as whole microseconds since 2000-01-01 UTC.
"""

from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO

import numpy as np
from django.db import connection

FROM = 1000  # leads: with fewer, a planned statement (scoring.engine.prepared) is quicker
_ELEMENT = np.dtype([("length", ">i4"), ("value", ">i8")])
_ARRAY_HEADER = 20  # bytes before the first element of a one-dimensional array on the wire
_COPY_HEADER, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


@contextmanager
def whole_sets():
    """Joins of whole batches or versions, inside a transaction. PostgreSQL has no statistics yet of what was written a
    moment ago, takes it for one row, and would loop over 100,000 leads for each of 100,000."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield
        cursor.execute("SET LOCAL enable_nestloop = on")


def is_range(ids):
    """Whether the ordered `ids` are so many and so dense that everything between the first and the last is read
    sooner than each of them is looked up."""
    return len(ids) >= FROM and ids[-1] - ids[0] < 2 * len(ids)


def numbers(column):
    """The int64 array of an `array_send(array_agg(…))` of 8-byte values, none of them NULL."""
    if not column:
        return np.zeros(0, np.int64)
    return np.frombuffer(column, dtype=_ELEMENT, offset=_ARRAY_HEADER)["value"].astype(np.int64)


def block(columns, count):
    """The int64[count, rows] of `count` such arrays of one length, sent one after the other: for few rows the parsing
    of each would take longer than its numbers."""
    if not columns:
        return np.zeros((count, 0), np.int64)
    return np.frombuffer(columns, _block(len(columns) // count))["elements"]["value"].astype(np.int64)


@lru_cache(maxsize=100)
def _block(size):
    rows = (size - _ARRAY_HEADER) // _ELEMENT.itemsize
    return np.dtype([("header", f"V{_ARRAY_HEADER}"), ("elements", _ELEMENT, (rows,))])


def read(sql, params):
    """The columns of the one row of `sql`, as bytes; None for NULL."""
    parts = []
    with connection.cursor() as cursor:
        statement = cursor.mogrify(f"COPY ({sql}) TO STDOUT (FORMAT binary)", params).decode()
        cursor.copy_expert(statement, _Sink(parts))
    row = memoryview(b"".join(parts))
    count = int.from_bytes(row[len(_COPY_HEADER) :][:2])
    columns, start = [], len(_COPY_HEADER) + 2
    for _ in range(count):
        length = int.from_bytes(row[start : start + 4], signed=True)
        columns.append(None if length < 0 else row[start + 4 : start + 4 + length])
        start += 4 + max(length, 0)
    return columns


class _Sink:
    def __init__(self, parts):
        self.write = parts.append


def write(table, columns):
    """Append `columns`, {name: array of numbers}, to `table`, whose columns have the widths of the arrays."""
    rows = np.empty(
        len(next(iter(columns.values()))),
        [("fields", ">i2")] + [part for name, values in columns.items() for part in _field(name, values)],
    )
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[name], rows[f"length of {name}"] = values, values.dtype.itemsize
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)",
            BytesIO(_COPY_HEADER + rows.tobytes() + _COPY_END),
            size=1 << 20,
        )


def _field(name, values):
    return [(f"length of {name}", ">i4"), (name, values.dtype.newbyteorder(">"))]
