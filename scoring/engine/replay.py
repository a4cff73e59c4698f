"""What the facts are read from where they are asked for as known at an instant ($3)."""

from leads.past import companies_known, leads_known

LEAD_THEN = leads_known(at="$3", which="x.id = ANY($1)")
COMPANY_THEN = companies_known(at="$3", which="x.id = l.company_id OFFSET 0")  # else: of all companies
# In front of a statement whose conditions ask the log themselves: what came in later is not there. The colleagues they ask
# about are those of today, as no index tells who worked for a company then.
LOG_THEN = "WITH leads_activity AS NOT MATERIALIZED (SELECT * FROM leads_activity WHERE received_at <= $3)"
