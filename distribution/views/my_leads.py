"""My leads: the triage list, most urgent first."""

from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from distribution import triage
from leads import consent
from leads.models import Channel, Purpose


@require_safe
def my_leads(request):
    now = timezone.now()
    show = request.GET.get("show", triage.FIRST)
    show = show if show in triage.SECTIONS else triage.FIRST
    search = request.GET.get("q", "").strip()[:100]
    number = request.GET.get("page", "1")
    number = int(number) if number.isdecimal() and len(number) < 6 else 1
    page, counts = triage.my_page(request.user, show=show, search=search, at=now, page=number)
    lead_ids = [row.handoff.lead_id for row in page.rows]
    context = {
        "now": now,
        "tabs": [
            {"key": key, "label": section.label, "count": counts[key], "url": address(key, search)}
            for key, section in triage.SECTIONS.items()
        ],
        "show": show,
        "section": triage.SECTIONS[show],
        "search": search,
        "page": page,
        "counts": counts,
        "here": address(show, search, page.number),
        "next_page": address(show, search, page.number + 1) if page.has_next else "",
        "previous_page": address(show, search, page.number - 1) if page.number > 1 else "",
        "no_call": consent.refusals(lead_ids, channel=Channel.PHONE, purpose=Purpose.SALES),
        "no_mail": consent.refusals(lead_ids, channel=Channel.EMAIL, purpose=Purpose.SALES),
    }
    part = request.htmx.target == "lead-list"
    return render(request, "distribution/_lead_list.html" if part else "distribution/my_leads.html", context)


def address(show, search, page=1):
    """The URL that shows exactly this list again: to share, to come back to, for the list to look at."""
    asked = {"show": show, "q": search, "page": page if page > 1 else ""}
    kept = {key: value for key, value in asked.items() if value and (key, value) != ("show", triage.FIRST)}
    return "/sales/" + ("?" + urlencode(kept) if kept else "")
