"""Leads and companies as they were known at an instant, as SQL.

For each field the last change recorded until then tells its value; where all its changes are later, the first of them
tells what it was before; a field that never changed is as it is. Proposals (`applied` false) never held. Custom fields
(`custom.<key>` in the history) are merged into `custom`; one without a value is not there, which is to be unknown.
Whom somebody works for is `company` in the history, with the name it had, and the column `company_id`.
"""

KNOWN = """
SELECT y.* FROM leads_{owner} x CROSS JOIN LATERAL jsonb_populate_record(x, coalesce((
  SELECT coalesce(jsonb_object_agg(
      CASE f.field WHEN 'company' THEN 'company_id' ELSE f.field END,
      CASE f.field WHEN 'company' THEN f.value -> 'id' ELSE f.value END
    ) FILTER (WHERE NOT starts_with(f.field, 'custom.')), '{{}}')
    || jsonb_build_object('custom', jsonb_strip_nulls(x.custom || coalesce(
      jsonb_object_agg(substr(f.field, 8), f.value) FILTER (WHERE starts_with(f.field, 'custom.')), '{{}}')))
  FROM (
    SELECT DISTINCT ON (h.field) h.field, CASE WHEN h.recorded_at <= {at} THEN h.new ELSE h.old END AS value
    FROM leads_fieldchange h WHERE h.{owner}_id = x.id AND h.applied
    ORDER BY h.field, h.recorded_at <= {at} DESC,
      CASE WHEN h.recorded_at <= {at} THEN h.recorded_at END DESC, h.recorded_at,
      CASE WHEN h.recorded_at <= {at} THEN -h.id ELSE h.id END
  ) f
), '{{}}'::jsonb)) y
WHERE {which}
"""  # noqa: S608 two fixed tables


def leads_known(*, at, which):
    """The rows of leads_lead `x` for which `which` holds, as known at `at`; both are SQL."""
    return KNOWN.format(owner="lead", at=at, which=which)


def companies_known(*, at, which):
    """The same of leads_company."""
    return KNOWN.format(owner="company", at=at, which=which)
