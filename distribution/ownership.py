"""Whose a company is: the rep whom its people follow."""

from datetime import timedelta

from distribution.models import CompanyOwner
from leads.rows import fetch

FOLLOW_DAYS = 90  # colleagues of a handed-off lead follow to the same rep for so long

OWN = """
INSERT INTO distribution_companyowner AS o (company_id, rep_id, is_named_account, since, last_handoff_at)
SELECT company_id, rep_id, false, %(at)s, %(at)s
FROM unnest(%(companies)s::bigint[], %(reps)s::bigint[]) AS n(company_id, rep_id) ORDER BY company_id
ON CONFLICT (company_id) DO UPDATE SET
  rep_id = excluded.rep_id, last_handoff_at = excluded.last_handoff_at,
  since = CASE WHEN o.rep_id = excluded.rep_id THEN o.since ELSE excluded.since END
WHERE o.rep_id = excluded.rep_id
   OR (NOT o.is_named_account AND coalesce(o.last_handoff_at, o.since) < %(expired)s)
"""


def take_companies(pairs, *, at):
    """The first hand-off sets the owner of a company; one from the same rep renews it, another's changes nothing
    for 90 days. `pairs`: (company id or None, Rep or None)."""
    owners = {}
    for company_id, rep in pairs:
        if company_id and rep:
            owners.setdefault(company_id, rep.pk)
    if owners:
        expired = at - timedelta(days=FOLLOW_DAYS)
        params = {"companies": list(owners), "reps": list(owners.values()), "at": at, "expired": expired}
        fetch(OWN, params, returns=False)


def hand_over(row, *, giver, at):
    """The lead of a locked hand-off went from `giver` to its owner by somebody's decision: a company that was the giver's
    goes with it, so that colleagues follow to whoever works there now. A named account is changed in the settings alone."""
    mine = CompanyOwner.objects.filter(company=row.lead.company_id, rep=giver, is_named_account=False)
    mine.update(rep=row.owner, since=at, last_handoff_at=at)
