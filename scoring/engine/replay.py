"""Leads and companies with the field values that stood at an instant, as SQL.

For each field the last change recorded until then tells its value; where all its changes are later, the first of them
tells what it was before; a field that never changed is as it is. Proposals (`applied` false) never held. Custom fields
(`custom.<key>` in the history) are merged into `custom`; one without a value is not there, which is to be unknown.
"""

_THEN = """
SELECT (jsonb_populate_record(x, coalesce((
  SELECT coalesce(jsonb_object_agg(f.field, f.value) FILTER (WHERE NOT starts_with(f.field, 'custom.')), '{{}}')
    || jsonb_build_object('custom', jsonb_strip_nulls(x.custom || coalesce(
      jsonb_object_agg(substr(f.field, 8), f.value) FILTER (WHERE starts_with(f.field, 'custom.')), '{{}}')))
  FROM (
    SELECT DISTINCT ON (h.field) h.field, CASE WHEN h.recorded_at <= $3 THEN h.new ELSE h.old END AS value
    FROM leads_fieldchange h WHERE h.{owner}_id = x.id AND h.applied
    ORDER BY h.field, h.recorded_at <= $3 DESC,
      CASE WHEN h.recorded_at <= $3 THEN h.recorded_at END DESC, h.recorded_at,
      CASE WHEN h.recorded_at <= $3 THEN -h.id ELSE h.id END
  ) f
), '{{}}'::jsonb))).*
FROM leads_{owner} x WHERE {which}
"""  # noqa: S608 two fixed tables
LEAD_THEN = _THEN.format(owner="lead", which="x.id = ANY($1)")
COMPANY_THEN = _THEN.format(owner="company", which="x.id = l.company_id")
