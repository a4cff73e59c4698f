"""Take the demo's history away again, and nothing else.

A real lead at a demo company keeps its company, which loses its demo mark instead.
"""

from django.apps import apps
from django.db import connection, transaction

from leads.models import Company, FieldChange, Lead, Suppression
from nurturing.models import LocalMail

from .sandbox import life, targets

LEADS = "SELECT id FROM leads_lead WHERE is_demo"
COMPANIES = """SELECT id FROM leads_company c WHERE is_demo
  AND NOT EXISTS (SELECT 1 FROM leads_lead l WHERE l.company_id = c.id AND NOT l.is_demo)"""
# Rows that do not simply hang on a lead.
SPECIAL = {
    Lead: "is_demo",
    Company: f"id IN ({COMPANIES})",
    FieldChange: f"lead_id IN ({LEADS}) OR company_id IN ({COMPANIES})",
    Suppression: "address IN (SELECT email FROM leads_lead WHERE is_demo)",
    LocalMail: f"""message_id IN (SELECT message_id FROM nurturing_touch WHERE lead_id IN ({LEADS})
      UNION ALL SELECT message_id FROM distribution_notice WHERE is_demo)""",
}


def remove():
    """Delete every demo lead with all that hangs on it. Returns the number of leads."""
    models = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    # Last in, first out; but what is found through other rows goes before they do.
    tables = life()[::-1]
    tables.sort(key=lambda table: models[table] not in (LocalMail, Suppression))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL leadmgmt.erase = 'on'")
        # Whoever scores, routes or mails one of them holds its row: once all are held, nothing new hangs itself on them.
        cursor.execute("SELECT id FROM leads_lead WHERE is_demo ORDER BY id FOR UPDATE")
        count = cursor.rowcount
        for table in tables:
            cursor.execute(f"DELETE FROM {table} WHERE {condition(models[table])}")
        cursor.execute("UPDATE leads_company SET is_demo = false WHERE is_demo")
    return count


def condition(model):
    """Which rows of `model` are the demo's: its own mark, its lead's, or that of whatever it hangs on."""
    if model in SPECIAL:
        return SPECIAL[model]
    fields = [f for f in model._meta.local_fields if f.many_to_one or f.one_to_one]
    for wanted in (Lead, Company):
        if field := next((f for f in fields if f.related_model is wanted), None):
            return f"{field.column} IN ({LEADS if wanted is Lead else COMPANIES})"
    parent = next(
        f for f in fields if f.related_model in targets(model) and f.related_model._meta.db_table in life()
    )
    table = parent.related_model._meta.db_table
    return f"{parent.column} IN (SELECT id FROM {table} WHERE {condition(parent.related_model)})"
