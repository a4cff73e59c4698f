"""How many leads sales gets at once if another model decides: the order of `routing`, asked of everybody in one statement."""

from distribution.models import Handoff
from distribution.routing import SPAM
from leads.rows import fetch
from scoring import publish
from scoring.queries import routing_version

# Looked at: whom the model judges otherwise than the one that decides now. Of those pass, unless kept out (spam, an
# objection) or with a rep already: whoever asks, and the sales-ready whom nobody disqualified or gave back until later.
# Routing may take back what it disqualified itself. About a competitor who asks, marketing decides first.
COUNT = """
SELECT count(*) FROM scoring_score n
JOIN leads_lead l ON l.id = n.lead_id
LEFT JOIN scoring_score o ON o.model_version_id = %(old)s AND o.lead_id = n.lead_id
LEFT JOIN leads_company c ON c.id = l.company_id
LEFT JOIN LATERAL (
  SELECT recycle_until > %(at)s AS is_held FROM distribution_handoff
  WHERE lead_id = l.id AND NOT status = ANY(%(open)s) ORDER BY created_at DESC, id DESC LIMIT 1
) h ON true
WHERE n.model_version_id = %(new)s AND (n.verdict = 'sales_ready' OR n.hand_raised_at IS NOT NULL)
  AND NOT l.is_test AND l.place <> 'sales' AND NOT (l.place = 'disqualified' AND l.place_reason = %(spam)s)
  AND c.relationship IS DISTINCT FROM 'competitor'
  AND o.verdict IS DISTINCT FROM n.verdict
  AND (n.hand_raised_at IS NOT NULL OR h.is_held IS NOT TRUE AND (l.place <> 'disqualified' OR l.place_reason = (
    SELECT reason FROM distribution_routingdecision d WHERE d.lead_id = l.id ORDER BY d.at DESC, d.id DESC LIMIT 1
  )))
  AND NOT EXISTS (
    SELECT 1 FROM leads_suppression s WHERE s.address = ANY(ARRAY[l.email, nullif(l.phone, '')])
    AND s.lifted_at IS NULL AND s.channel = 'all' AND s.purpose = 'all'
  )
"""


def would_pass(version, *, at):
    """How many leads `publish.take_over` would hand to sales; None where it is not the question: the version is not in
    force, its model decides already, or judges some leads only."""
    model = version.model
    if model.routes or publish.not_for_everybody(model, version):
        return None
    now = routing_version()
    given = {
        "new": version.pk, "old": now and now.pk, "at": at, "spam": SPAM, "open": [str(status) for status in Handoff.OPEN],
    }  # fmt: skip
    return fetch(COUNT, given)[0][0]
