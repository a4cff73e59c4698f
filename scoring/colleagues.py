"""Rules that ask what others at the company do: who did something makes the scores of colleagues due.

Asked once per news, a minute later, and only for those not scored since: so two colleagues never keep each other busy,
and what was recorded before but committed after a colleague was scored is not missed. Scores under versions that ask
carry the instant of their last scoring as `as_of`, changed or not.
"""

from datetime import timedelta

from django.db import transaction

from leads import telling
from leads.rows import fetch

LAG = timedelta(minutes=1)  # the longest between receiving an activity and its commit

ASKED = """
WITH news AS MATERIALIZED (
  SELECT l.company_id, max(a.received_at) AS received
  FROM leads_lead l JOIN leads_activity a ON a.lead_id = l.id
    AND (a.engagement OR a.touchpoint_id = ANY(ARRAY(SELECT id FROM leads_touchpoint WHERE kind = 'deal_won')))
  WHERE l.id = ANY(%(ids)s) AND l.company_id IS NOT NULL GROUP BY 1
)
SELECT DISTINCT c.id FROM news n JOIN leads_lead c ON c.company_id = n.company_id AND NOT c.is_test
JOIN scoring_score s ON s.lead_id = c.id AND s.model_version_id = ANY(%(versions)s)
WHERE s.as_of <= n.received + %(lag)s AND NOT c.id = ANY(%(ids)s) ORDER BY 1
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
