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


def as_json(rows):
    """JSON text that PostgreSQL takes: it has no room for NUL, which is dropped."""
    return NUL.sub(r"\1", json.dumps(rows, default=plain))


def insert_sql(table, rows, *, on_conflict="", returning=""):
    """`(sql, params)` that inserts the dicts `rows`, all with the keys of the first, into `table`.

    Table and column names come from our own code, never from outside.
    """
    columns = ", ".join(rows[0])
    sql = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s)"  # noqa: S608
    if on_conflict:
        sql += f" ON CONFLICT {on_conflict}"
    if returning:
        sql += f" RETURNING {returning}"
    return sql, as_json(rows)


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
