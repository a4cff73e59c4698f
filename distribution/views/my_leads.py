"""My leads: the triage list, most urgent first."""

from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from distribution import triage


@require_safe
def my_leads(request):
    now = timezone.now()
    show = request.GET.get("show", triage.FIRST)
    show = show if show in triage.SECTIONS else triage.FIRST
    search = request.GET.get("q", "").replace("\x00", "\ufffd").strip()[:100]
    number = request.GET.get("page", "1")
    number = int(number) if number.isdecimal() and len(number) < 6 else 1
    page, counts = triage.my_page(request.user, show=show, search=search, at=now, page=number)
    no_call, no_mail = triage.closed_channels(page.rows)
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
        "no_call": no_call,
        "no_mail": no_mail,
    }
    part = request.htmx.target == "lead-list"
    return render(request, "distribution/_lead_list.html" if part else "distribution/my_leads.html", context)


def address(show, search, page=1):
    """The URL that shows exactly this list again: to share, to come back to, for the list to look at."""
    asked = {"show": show, "q": search, "page": page if page > 1 else ""}
    kept = {key: value for key, value in asked.items() if value and (key, value) != ("show", triage.FIRST)}
    return "/sales/" + ("?" + urlencode(kept) if kept else "")
