"""Whole batches of rows in one statement: the rows travel as one JSON parameter, PostgreSQL types them."""

import json
import re
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def plain(value):
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no value of a row")


def as_json(value):
    """JSON text that PostgreSQL takes: it has no room for NUL, which is dropped."""
    text = json.dumps(value, default=plain)
    return NUL.sub(r"\1", text) if "\\u0000" in text else text


def typed(table, rows):
    """`(sql, param)`: the dicts `rows` as a relation with the columns of `table`.

    One row goes by its own function: PostgreSQL expects 100 rows of the other and would plan a scan.
    """
    if len(rows) == 1:
        return f"json_populate_record(NULL::{table}, %s)", as_json(rows[0])
    return f"json_populate_recordset(NULL::{table}, %s)", as_json(rows)


def insert_sql(table, rows, *, on_conflict="", returning=""):
    """`(sql, param)` that inserts the dicts `rows`, all with the keys of the first, into `table`.

    Table and column names come from our own code, never from outside.
    """
    columns = ", ".join(rows[0])
    relation, param = typed(table, rows)
    sql = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {relation}"  # noqa: S608
    if on_conflict:
        sql += f" ON CONFLICT {on_conflict}"
    if returning:
        sql += f" RETURNING {returning}"
    return sql, param


def insert(table, rows, *, on_conflict="", returning=""):
    """Insert; the tuples asked for by `returning`, in no promised order."""
    if not rows:
        return []
    sql, param = insert_sql(table, rows, on_conflict=on_conflict, returning=returning)
    return fetch(sql, [param], returns=bool(returning))


def fetch(sql, params=(), *, returns=True):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if returns else []
