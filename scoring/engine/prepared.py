"""Statements planned once per connection: the driver has PostgreSQL plan each call anew, which for one lead takes
several times as long as answering it (measured with the starter model: 2 to 4 ms against 0.3). For thousands of
leads the plan is nothing and the bytes are all: `scoring.engine.bulk`.

Prepared statements outlive their transaction and end with their connection. A pooler between us and PostgreSQL must
therefore keep sessions (transaction pooling does not).
"""

import hashlib
from weakref import WeakKeyDictionary

from django.db import connection

LIMIT = 60  # statements per connection, before all are forgotten and begun anew

_known: WeakKeyDictionary = WeakKeyDictionary()  # {the driver's connection: {statement: name}}


def fetch(sql, types, args):
    """All rows of `sql`, a complete statement with $1, $2 … of `types`."""
    with connection.cursor() as cursor:
        names = _known.setdefault(cursor.connection, {})
        if sql not in names:
            _prepare(cursor, names, sql, types)
        values = f"({', '.join(['%s'] * len(args))})" if args else ""
        cursor.execute(f"EXECUTE {names[sql]} {values}", args)
        return cursor.fetchall()


def _prepare(cursor, names, sql, types):
    if len(names) >= LIMIT:
        cursor.execute("DEALLOCATE ALL")
        names.clear()
    name = f"scoring_{hashlib.sha256(sql.encode()).hexdigest()[:20]}"
    cursor.execute(f"PREPARE {name} {f'({types})' if types else ''} AS {sql}")
    names[sql] = name


def with_values(sql, params):
    """`sql` with its named parameters quoted in by the driver, ready to be prepared. AsIs("$1") leaves one open."""
    with connection.cursor() as cursor:
        return cursor.mogrify(sql, params).decode()
