"""Take the demo's history away again, and nothing else.

A real lead at a demo company keeps its company: such companies lose their demo mark instead.
"""

from django.db import connection, transaction

from .sandbox import life

LEADS = "SELECT id FROM leads_lead WHERE is_demo"
# Rows that hang on something other than a lead; all the others go by `lead_id`.
BY_OTHER = {
    "leads_company": f"""is_demo AND NOT EXISTS (SELECT 1 FROM leads_lead l
                         WHERE l.company_id = leads_company.id AND NOT l.is_demo)""",
    "leads_companydomain": """company_id IN (SELECT id FROM leads_company WHERE is_demo
        AND NOT EXISTS (SELECT 1 FROM leads_lead l
                        WHERE l.company_id = leads_company.id AND NOT l.is_demo))""",
    "leads_lead": "is_demo",
    "leads_fieldchange": f"""lead_id IN ({LEADS}) OR company_id IN (SELECT id FROM leads_company
        WHERE is_demo AND NOT EXISTS (SELECT 1 FROM leads_lead l
                                      WHERE l.company_id = leads_company.id AND NOT l.is_demo))""",
    "leads_suppression": "address IN (SELECT email FROM leads_lead WHERE is_demo)",
    "nurturing_trackedlink": f"""touch_id IN (SELECT id FROM nurturing_touch
                                 WHERE lead_id IN ({LEADS}))""",
    "nurturing_localmail": f"""message_id IN (SELECT message_id FROM nurturing_touch
                               WHERE lead_id IN ({LEADS}))
                            OR message_id IN (SELECT message_id FROM distribution_notice
                                              WHERE is_demo)""",
    "distribution_companyowner": """company_id IN (SELECT id FROM leads_company WHERE is_demo
        AND NOT EXISTS (SELECT 1 FROM leads_lead l
                        WHERE l.company_id = leads_company.id AND NOT l.is_demo))""",
    "distribution_followup": f"""handoff_id IN (SELECT id FROM distribution_handoff
                                 WHERE lead_id IN ({LEADS}))""",
    "distribution_feedback": f"""handoff_id IN (SELECT id FROM distribution_handoff
                                 WHERE lead_id IN ({LEADS}))""",
    "distribution_notice": "is_demo",
}


def remove():
    """Delete every demo lead with all that hangs on it. Returns the number of leads."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL leadmgmt.erase = 'on'")
        cursor.execute("SELECT count(*) FROM leads_lead WHERE is_demo")
        (count,) = cursor.fetchone()
        # Mail goes first: it is found by the touches and notices that carried it.
        _delete(cursor, "nurturing_localmail")
        for table in reversed(life()):
            _delete(cursor, table)
        cursor.execute("UPDATE leads_company SET is_demo = false WHERE is_demo")
    return count


def _delete(cursor, table):
    condition = BY_OTHER.get(table, f"lead_id IN ({LEADS})")
    cursor.execute(f"DELETE FROM {table} WHERE {condition}")
