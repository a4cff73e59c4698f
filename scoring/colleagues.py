"""Rules that ask what others at the company do: who did something, or changed company, makes the scores of colleagues due.

Asked once per news, a minute later, and only for those not scored since: so two colleagues never keep each other busy,
and what was recorded before but committed after a colleague was scored is not missed. Scores under versions that ask
carry the instant of their last scoring as `as_of`, changed or not.
"""

from datetime import timedelta

from django.db import transaction

from leads import telling
from leads.rows import fetch

LAG = timedelta(minutes=1)  # the longest between receiving news and their commit

# News of a company: what its people did, and who of those that ever did something came to it or left it.
ASKED = """
WITH active AS MATERIALIZED (
  SELECT lead_id, max(received_at) AS last FROM leads_activity
  WHERE lead_id = ANY(%(ids)s)
    AND (engagement OR touchpoint_id = ANY(ARRAY(SELECT id FROM leads_touchpoint WHERE kind = 'deal_won')))
  GROUP BY 1
), news AS MATERIALIZED (
  SELECT company_id, max(known) AS known FROM (
    SELECT l.company_id, t.last AS known FROM active t JOIN leads_lead l ON l.id = t.lead_id
    UNION ALL
    SELECT (place.company ->> 'id')::bigint, f.recorded_at
    FROM active t JOIN leads_fieldchange f ON f.lead_id = t.lead_id AND f.field = 'company' AND f.applied
    CROSS JOIN LATERAL (VALUES (f.old), (f.new)) AS place(company)
  ) AS told WHERE company_id IS NOT NULL GROUP BY 1
)
SELECT DISTINCT c.id FROM news n JOIN leads_lead c ON c.company_id = n.company_id AND NOT c.is_test
JOIN scoring_score s ON s.lead_id = c.id AND s.model_version_id = ANY(%(versions)s)
WHERE s.as_of <= n.known + %(lag)s AND NOT c.id = ANY(%(ids)s) ORDER BY 1
"""
SCORED = """
UPDATE scoring_score SET as_of = %(at)s
WHERE model_version_id = ANY(%(versions)s) AND lead_id = ANY(%(ids)s) AND as_of < %(at)s
"""


def tell(*, lead_ids, versions, at):
    """Ask for the scores of those who work with the leads just scored under `versions` (ids), if there is news."""
    found = {"ids": lead_ids, "versions": versions, "at": at, "lag": LAG}
    fetch(SCORED, found, returns=False)
    colleagues = [row[0] for row in fetch(ASKED, found)]
    if colleagues:
        request = telling.ask(what="leads", ids=colleagues, at=at + LAG)
        transaction.on_commit(lambda: telling.go_on(request, at_most=telling.AT_ONCE))
