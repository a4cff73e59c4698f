"""Leads, companies and the log as they were known at an instant ($3), as SQL.

For each field the last change recorded until then tells its value; where all its changes are later, the first of them
tells what it was before; a field that never changed is as it is. Proposals (`applied` false) never held. Custom fields
(`custom.<key>` in the history) are merged into `custom`; one without a value is not there, which is to be unknown.
Whom somebody works for is `company` in the history, with the name it had, and the column `company_id`.
"""

_THEN = """
SELECT y.* FROM leads_{owner} x CROSS JOIN LATERAL jsonb_populate_record(x, coalesce((
  SELECT coalesce(jsonb_object_agg(
      CASE f.field WHEN 'company' THEN 'company_id' ELSE f.field END,
      CASE f.field WHEN 'company' THEN f.value -> 'id' ELSE f.value END
    ) FILTER (WHERE NOT starts_with(f.field, 'custom.')), '{{}}')
    || jsonb_build_object('custom', jsonb_strip_nulls(x.custom || coalesce(
      jsonb_object_agg(substr(f.field, 8), f.value) FILTER (WHERE starts_with(f.field, 'custom.')), '{{}}')))
  FROM (
    SELECT DISTINCT ON (h.field) h.field, CASE WHEN h.recorded_at <= $3 THEN h.new ELSE h.old END AS value
    FROM leads_fieldchange h WHERE h.{owner}_id = x.id AND h.applied
    ORDER BY h.field, h.recorded_at <= $3 DESC,
      CASE WHEN h.recorded_at <= $3 THEN h.recorded_at END DESC, h.recorded_at,
      CASE WHEN h.recorded_at <= $3 THEN -h.id ELSE h.id END
  ) f
), '{{}}'::jsonb)) y
WHERE {which}
"""  # noqa: S608 two fixed tables
LEAD_THEN = _THEN.format(owner="lead", which="x.id = ANY($1)")
COMPANY_THEN = _THEN.format(owner="company", which="x.id = l.company_id OFFSET 0")  # else: of all companies
# In front of a statement whose conditions ask the log themselves: what came in later is not there. The colleagues they ask
# about are those of today, as no index tells who worked for a company then.
LOG_THEN = "WITH leads_activity AS NOT MATERIALIZED (SELECT * FROM leads_activity WHERE received_at <= $3)"
