"""Leads without a next step: those whose next dated action is missing or cannot happen any more.

`orphans` proves that place, enrollment and hand-off agree; in a consistent database it is empty. `nobody_can_contact`
is a list for people: these leads have a date, but no channel that reaches them.
"""

from dataclasses import dataclass
from datetime import timedelta

from leads.models import Lead
from leads.rows import fetch

LATE = timedelta(hours=1)  # work that is due is done within seconds; after this long it is stuck

OPEN = "EXISTS (SELECT 1 FROM distribution_handoff h WHERE h.lead_id = l.id AND h.status IN ('waiting', 'offered', 'accepted'))"
ACTIVE = "EXISTS (SELECT 1 FROM nurturing_enrollment e WHERE e.lead_id = l.id AND e.is_main AND e.status = 'active')"
AHEAD = """EXISTS (SELECT 1 FROM nurturing_enrollment e JOIN nurturing_touch t ON t.enrollment_id = e.id
  WHERE e.lead_id = l.id AND e.is_main AND e.status = 'active'
    AND (t.status IN ('due', 'claimed', 'sending', 'open') OR NOT t.followed_up))"""

# place (or "" for any), what is wrong, SQL over l
PROBLEMS = [
    ("scoring", "Waits for a score that nobody asked for", "l.rescore_at IS NULL AND l.route_at IS NULL"),
    ("scoring", "Due for scoring or routing for over an hour", "least(l.rescore_at, l.route_at) < %(late)s"),
    ("nurture", "In no program", f"NOT {ACTIVE}"),
    ("nurture", "In a program with no touch ahead", f"{ACTIVE} AND NOT {AHEAD}"),
    ("sales", "No open hand-off", f"NOT {OPEN}"),
    ("parked", "Its date passed over an hour ago", "l.wake_at < %(late)s"),
    ("customer", "Customer with an open hand-off elsewhere", OPEN),
    ("disqualified", "Disqualified with an open hand-off", OPEN),
    ("parked", "Parked with an open hand-off", OPEN),
    ("nurture", "Nurtured with an open hand-off", OPEN),
    ("scoring", "Being scored with an open hand-off", OPEN),
    ("sales", "With sales and still in a program", ACTIVE),
    ("parked", "Parked and still in a program", ACTIVE),
    ("customer", "Customer and still in a program", ACTIVE),
    ("disqualified", "Disqualified and still in a program", ACTIVE),
]  # fmt: skip
UNREACHABLE = """
SELECT l.id,
  CASE WHEN l.email IS NULL AND l.phone = '' THEN 'Neither e-mail address nor phone number'
       WHEN l.email IS NULL THEN 'No e-mail address; must not be called'
       WHEN l.phone = '' THEN 'No phone number; mail is suppressed or bounced'
       ELSE 'Mail is suppressed or bounced; must not be called' END
FROM leads_lead l
WHERE l.place IN ('scoring', 'nurture', 'parked', 'sales') AND NOT l.is_test
  AND (l.email IS NULL OR EXISTS (SELECT 1 FROM leads_suppression s WHERE s.address = l.email
       AND s.lifted_at IS NULL AND s.channel IN ('email', 'all') AND s.purpose IN ('sales', 'all')))
  AND (l.phone = '' OR EXISTS (SELECT 1 FROM leads_suppression s WHERE s.address = lower(l.phone)
       AND s.lifted_at IS NULL AND s.channel IN ('phone', 'all') AND s.purpose IN ('sales', 'all')))
ORDER BY l.last_activity_at DESC NULLS LAST, l.id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Orphan:
    lead_id: int
    place: str
    problem: str


def orphans(*, at, limit=100):
    """Leads without a next step, as a list of Orphan, at most `limit`. Test leads have none by design."""
    parts = [
        f"SELECT l.id, l.place, '{problem}' FROM leads_lead l WHERE l.place = '{place}' AND NOT l.is_test AND {sql}"  # noqa: S608
        for place, problem, sql in PROBLEMS
    ]
    sql = " UNION ALL ".join(f"({part} LIMIT %(limit)s)" for part in parts) + " LIMIT %(limit)s"
    return [Orphan(*row) for row in fetch(sql, {"late": at - LATE, "limit": limit})]


def nobody_can_contact(*, at, limit=100):
    """Leads that no channel reaches, the latest active first: Lead with `why`. Find contact data, or let them go."""
    found = dict(fetch(UNREACHABLE, {"limit": limit}))
    leads = Lead.objects.filter(pk__in=found).select_related("company")
    by_id = {lead.pk: lead for lead in leads}
    result = [by_id[pk] for pk in found]
    for lead in result:
        lead.why = found[lead.pk]
    return result
