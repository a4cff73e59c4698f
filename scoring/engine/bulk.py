"""Rows of numbers to and from PostgreSQL in its binary form: thousands of them as one message, none touched in Python.

A timestamptz travels as whole microseconds since 2000-01-01 UTC.
"""

from contextlib import contextmanager
from io import BytesIO

import numpy as np
from django.db import connection

FROM = 1000  # leads: with fewer, a planned statement (scoring.engine.prepared) is quicker
_COPY_HEADER, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


@contextmanager
def whole_sets():
    """Joins of whole batches or versions, inside a transaction. PostgreSQL has no statistics yet of what was written a
    moment ago, takes it for one row, and would loop over 100,000 leads for each of 100,000. Nor need it spill these."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '32MB'")
        yield
        cursor.execute("SET LOCAL enable_nestloop = on; SET LOCAL work_mem TO DEFAULT")


def is_range(ids):
    """Whether the ordered `ids` are so many and so dense that everything between the first and the last is read
    sooner than each of them is looked up."""
    return len(ids) >= FROM and ids[-1] - ids[0] < 2 * len(ids)


def columns(packed, width):
    """int64[width, rows] from rows of `width` 8-byte values each, sent one after the other; None for no row.

    To be asked for as `string_agg(int8send(…) || timestamptz_send(…), '')`: half as dear as arrays of the same values.
    """
    if packed is None:
        return np.zeros((width, 0), np.int64)
    return np.frombuffer(packed, ">i8").reshape(-1, width).T.astype(np.int64, order="C")


def read(sql, params):
    """The one value that `sql` selects, as bytes; None for NULL."""
    parts = []
    with connection.cursor() as cursor:
        statement = cursor.mogrify(f"COPY ({sql}) TO STDOUT (FORMAT binary)", params).decode()
        cursor.copy_expert(statement, _Sink(parts))
    row = memoryview(b"".join(parts))[len(_COPY_HEADER) + 2 :]
    length = int.from_bytes(row[:4], signed=True)
    return None if length < 0 else row[4 : 4 + length]


class _Sink:
    def __init__(self, parts):
        self.write = parts.append


def write(table, columns):
    """Append int64[columns, rows] to `table`, all of whose columns take 8 bytes."""
    width, count = columns.shape
    rows = np.empty(count, [("fields", ">i2"), ("columns", [("length", ">i4"), ("value", ">i8")], width)])
    rows["fields"] = width
    rows["columns"]["length"] = 8
    rows["columns"]["value"] = columns.T
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {table} FROM STDIN (FORMAT binary)",
            BytesIO(_COPY_HEADER + rows.tobytes() + _COPY_END),
            1 << 20,  # by place: the cursor of DEBUG takes no names
        )
