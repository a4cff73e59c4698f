"""The values that occur, for whoever types one: `values_of("lead_field", "job_title", "vp")` → [("VP Sales", 312), …].

What may be looked up stands in VALUES and nowhere else; `Parameter.suggests` and a field's `suggests` name its keys as
"criterion.field". In a large table counts come from some of its pages: the same ones each time, so that they do not flicker.
"""

from django.db import connection

from leads.criteria import matching
from leads.criteria.comparisons import CHOICE, TEXT
from leads.criteria.custom import fields as custom_fields
from leads.criteria.fields import LEAD_FIELDS, LeadField
from leads.criteria.origin import ARRIVALS
from leads.kinds import SEARCHES

SAMPLED = 30_000  # rows looked at in a table that holds more
WITHIN_MS = 150
LONGEST = 100  # characters of what was typed

# Each gives (value, rows): {leads}, {companies}, {activities} are the table or a sample of it; %(kind)s, %(property)s, %(key)s are bound.
LEADS = "SELECT {} AS value, count(*) FROM {{leads}} l WHERE NOT l.is_test GROUP BY 1"
COMPANIES = "SELECT {} AS value, count(*) FROM {{companies}} c GROUP BY 1"
HAPPENED = """
SELECT {} AS value, coalesce(sum(seen.times), 0) FROM leads_touchpoint t
LEFT JOIN (SELECT a.touchpoint_id, count(*) AS times FROM {{activities}} a WHERE a.engagement GROUP BY 1) seen
  ON seen.touchpoint_id = t.id
WHERE {} GROUP BY 1
"""
MEMBERS = "SELECT s.slug AS value, count(e.id) FROM {list} s LEFT JOIN {entry} e ON e.list_id = s.id AND e.until IS NULL GROUP BY 1"
CAME_FROM = """
SELECT s.slug AS value, coalesce(sum(came.leads), 0) FROM {table} s
LEFT JOIN (SELECT l.{column}, count(*) AS leads FROM {{leads}} l GROUP BY 1) came ON came.{column} = s.id GROUP BY 1
"""
VALUES = {
    **{("lead_field", name): LEADS.format(LEAD_FIELDS[name].column) for name in LeadField.suggested},
    ("company_field", "name"): COMPANIES.format("c.name"),
    ("company_field", "industry"): COMPANIES.format("c.industry"),
    ("company_field", "country"): COMPANIES.format("c.country"),
    ("company_field", "domain"): "SELECT d.domain AS value, 1 FROM leads_companydomain d",
    ("source", "one_of"): CAME_FROM.format(table="leads_source", column="source_id"),
    ("campaign", "one_of"): CAME_FROM.format(table="leads_campaign", column="campaign_id"),
    ("offer", "one_of"): HAPPENED.format("t.asset", "t.kind = ANY(%(arrivals)s)")
    + " UNION ALL SELECT f.slug, 0 FROM leads_captureform f",
    ("activity", "kind"): "SELECT t.kind AS value, count(*) FROM leads_touchpoint t GROUP BY 1",
    ("activity", "asset"): HAPPENED.format("t.asset", "%(kind)s IN ('', t.kind)"),
    ("activity", "property"): HAPPENED.format(
        "t.properties ->> %(property)s", "t.properties ? %(property)s AND %(kind)s IN ('', t.kind)"
    )
    + " UNION ALL SELECT unnest(d.choices), 0 FROM leads_declaredproperty d"
    " WHERE d.is_active AND d.key = %(property)s AND %(kind)s IN ('', d.kind)",
    ("keyword", "one_of"): HAPPENED.format("t.asset", "t.kind = ANY(%(searches)s)"),
    ("content", "tag"): "SELECT tag AS value, count(*) FROM leads_assetstate s, unnest(s.tags) AS tag WHERE s.until IS NULL GROUP BY 1",
    ("product", "slug"): "SELECT p.slug AS value, (SELECT count(*) FROM leads_assetstate s WHERE s.until IS NULL"
    " AND p.slug = ANY(s.products)) FROM leads_product p",
    ("in_list", "list"): MEMBERS.format(list="leads_leadlist", entry="leads_listmember"),
    ("domain_in_list", "list"): MEMBERS.format(list="leads_domainlist", entry="leads_domainentry"),
}  # fmt: skip
CUSTOM = {
    "custom.": LEADS.format("l.custom ->> %(key)s"),
    "company.custom.": COMPANIES.format("c.custom ->> %(key)s"),
}
TABLES = {"leads": "leads_lead", "companies": "leads_company", "activities": "leads_activity"}
OFFERED = """
SELECT value, sum(rows)::bigint FROM ({sql}) AS found(value, rows)
WHERE value <> '' AND value ILIKE %(like)s
GROUP BY 1 ORDER BY starts_with(lower(value), lower(%(typed)s)) DESC, 2 DESC, 1 LIMIT %(limit)s
"""


def values_of(key, field, typed="", *, kind="", property="", limit=20):
    """[(value, how many rows, about)] of those that hold `typed`, beginning with it first. `kind` narrows assets
    and the values of the `property`, which has to be told.

    Empty where that takes too long. Raises LookupError for what is not in the table.
    """
    sql, custom_key = asked(key, field)
    typed = typed.replace("\0", "")[:LONGEST]
    bound = {
        "like": f"%{escaped(typed)}%",
        "typed": typed,
        "limit": limit,
        "kind": kind.replace("\0", ""),
        "property": property.replace("\0", ""),
        "key": custom_key,
        "arrivals": list(ARRIVALS),
        "searches": list(SEARCHES),
    }
    scale = 1.0
    for name, table in TABLES.items():
        if f"{{{name}}}" in sql:
            share = min(1.0, SAMPLED / max(rows_of(table), 1))
            sql = sql.replace(f"{{{name}}}", sampled(table, share))
            scale = 1 / share

    def ask(cursor):
        cursor.execute(OFFERED.format(sql=sql), bound)
        return [(value, round(rows * scale)) for value, rows in cursor.fetchall()]

    return matching.bounded(WITHIN_MS, ask, otherwise=[])


def asked(key, field):
    """(SQL, key of a custom field or "") of what may be looked up."""
    if key == "custom_field":
        item = custom_fields().get(field)
        if item and item.type in (TEXT, CHOICE):
            owner, _, own = field.rpartition(".")
            return CUSTOM[f"{owner}."], own
    elif (key, field) in VALUES:
        return VALUES[key, field], ""
    raise LookupError(f"nothing is suggested for {key}.{field}")


def sampled(table, share):
    """The table, or the same part of its pages each time. As a subquery, where an alias follows the sample."""
    if share >= 1:
        return table
    return f"(SELECT * FROM {table} TABLESAMPLE SYSTEM ({100 * share:f}) REPEATABLE (1))"  # noqa: S608 TABLES, a number


def rows_of(table):
    """About how many rows a table has, by the planner's statistics."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass", [table]
        )
        return cursor.fetchone()[0]


def escaped(text):
    """Text as LIKE reads it literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
