"""Declared properties: the few facts of an activity that conditions may ask, because they are part of its touchpoint.

They count from when they are declared: what happened before keeps the touchpoint it has. Each process reads the small
table anew every FRESH_FOR seconds, at once where it was changed in this process.
"""

import time
from decimal import Decimal

from leads.models import DeclaredProperty
from leads.rows import fetch

FRESH_FOR = 5  # seconds until a change made in another process is seen
LONGEST = 60  # characters of a value
MOST = 4  # in use per kind: each multiplies the touchpoints, and the key of their index has to fit on a page
MANY = 200  # different values of one property, beyond which touchpoints would be as many as activities
RECENT = 20_000  # activities that are looked at for properties nobody has declared

memory = (None, {})  # (monotonic seconds when read, what `in_use` gives)

OCCURRING = """
WITH latest AS MATERIALIZED (
  SELECT touchpoint_id, engagement, properties FROM leads_activity ORDER BY id DESC LIMIT %(recent)s
), said AS MATERIALIZED (
  SELECT t.kind, p.key, lower(btrim(p.value #>> '{}')) AS value
  FROM latest l JOIN leads_touchpoint t ON t.id = l.touchpoint_id CROSS JOIN jsonb_each(l.properties) AS p
  WHERE l.engagement AND jsonb_typeof(p.value) IN ('string', 'number', 'boolean') AND length(p.key) <= 40
)
SELECT kind, key, count(*)::int, count(DISTINCT value)::int, (array_agg(DISTINCT value))[1:3]
FROM said s WHERE value <> '' AND length(value) <= %(longest)s
  AND NOT EXISTS (SELECT 1 FROM leads_declaredproperty d WHERE d.kind = s.kind AND d.key = s.key)
GROUP BY 1, 2 ORDER BY count(DISTINCT value) > %(many)s, 3 DESC, 1, 2 LIMIT %(most)s
"""


def in_use():
    """`{kind: {key: its choices, or an empty set for any value}}`."""
    global memory
    read_at, table = memory
    now = time.monotonic()
    if read_at is None or now - read_at > FRESH_FOR:
        table = {}
        for kind, key, choices in (
            DeclaredProperty.objects.filter(is_active=True)
            .order_by("id")
            .values_list("kind", "key", "choices")
        ):
            if len(table.setdefault(kind, {})) < MOST:
                table[kind][key] = frozenset(choices)
        memory = (now, table)
    return table


def forget(**kwargs):
    """Read the table anew: after a change in this process, or a flush of the database (`LeadsConfig.ready`)."""
    global memory
    memory = (None, {})


def part_of(kind, properties):
    """((key, value), …) by key: what of the `properties` of an activity is part of its touchpoint."""
    declared = properties and in_use().get(kind)
    if not declared:
        return ()
    found = {key: value_of(properties.get(key)) for key in declared}
    return tuple(
        sorted(
            (key, value)
            for key, value in found.items()
            if value is not None and (not declared[key] or value in declared[key])
        )
    )


def value_of(value):
    """The value as a touchpoint keeps it, in lower case; None for what it does not: no scalar, nothing, too long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float):
        value = str(value) if abs(value) < 10**LONGEST else ""  # also where it is NaN or infinite
    if isinstance(value, Decimal):
        value = str(value)
    if not isinstance(value, str):
        return None
    text = " ".join(value.replace("\x00", " ").split()).casefold()
    return text if 0 < len(text) <= LONGEST else None


def occurring(*, most=12):
    """[(kind, key, how often, how many different values, up to three of them)] of what activities carried lately and
    nobody has declared. One statement over the RECENT latest activities."""
    return fetch(OCCURRING, {"recent": RECENT, "longest": LONGEST, "many": MANY, "most": most})
