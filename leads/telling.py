"""Ask for new scores of all leads that a change concerns, however many: a request first, then in batches.

The request is a row and commits with the change; the batches follow in transactions of their own, so that no capture waits
for a million rows, and a process that dies leaves the rest to the next tick (`leads.tasks.tell_leads`).
"""

from django.db import transaction

from leads import places
from leads.models import RescoreRequest
from leads.rows import fetch

BATCH = 5_000
AT_ONCE = 20_000  # leads that the one who made the change waits for

# What changed → the leads it concerns with an id above the last parameter, in order.
CONCERNED = {
    "leads": "SELECT id FROM unnest(%(ids)s) AS l(id) WHERE id > %(told_to)s ORDER BY 1",
    "everybody": "SELECT id FROM leads_lead WHERE NOT is_test AND id > %(told_to)s ORDER BY 1",
    "asset": """
        SELECT DISTINCT a.lead_id FROM leads_activity a
        WHERE a.engagement AND a.touchpoint_id = ANY(ARRAY(
          SELECT t.id FROM leads_touchpoint t JOIN leads_asset x ON x.id = %(asset)s
          WHERE t.asset = x.path OR (x.covers_below AND starts_with(t.asset, x.path))))
        AND a.lead_id > %(told_to)s ORDER BY 1""",
    # By the domains of the company, and by the address itself: free mail belongs to no company.
    "domains": """
        SELECT l.id FROM leads_lead l WHERE l.id > %(told_to)s AND (
          l.company_id IN (SELECT d.company_id FROM leads_companydomain d WHERE d.domain = ANY(%(domains)s))
          OR split_part(l.email, '@', 2) = ANY(%(domains)s)
          OR split_part(l.email, '@', 2) LIKE ANY(%(below)s)) ORDER BY 1""",
}


def ask(*, what, at, **subject):
    """Note, in the caller's transaction, that the leads concerned are to be scored again."""
    return RescoreRequest.objects.create(what=what, subject=subject, at=at)


def go_on(request, *, at_most=None):
    """Ask for the leads of one request; True when that was all of them. Somebody else's request is left alone."""
    number, asked = request.pk, 0
    ids = [row[0] for row in fetch(CONCERNED[request.what], request.subject | {"told_to": request.told_to})]
    for start in range(0, len(ids), BATCH):
        if at_most is not None and asked >= at_most:
            return False
        batch = ids[start : start + BATCH]
        with transaction.atomic():
            mine = RescoreRequest.objects.select_for_update(skip_locked=True).filter(
                pk=number, told_to__lt=batch[-1]
            )
            if mine.first() is None:
                return False
            places.ask_rescore(lead_ids=batch, at=request.at)
            RescoreRequest.objects.filter(pk=number).update(told_to=batch[-1])
        asked += len(batch)
    # Compared, as another worker may stand in the middle of it.
    RescoreRequest.objects.filter(pk=number, told_to__gte=ids[-1] if ids else request.told_to).delete()
    return True


def go_on_with_all():
    """Work off what is left; how many requests were finished."""
    return sum(go_on(request) for request in RescoreRequest.objects.order_by("id"))
