"""Pages around a mail: the link followed, the way out, and the local mailbox."""

from csp.decorators import csp_replace
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from nurturing import mail, queries, responses
from nurturing.models import LocalMail, Touch, TrackedLink

PAGE = 50


@never_cache
@require_safe
def track_click(request, token):
    """To the stored address, never to one from the request."""
    url = responses.click(
        token, at=timezone.now(), method=request.method, user_agent=request.headers.get("User-Agent", "")
    )
    if url is None:
        raise Http404("No such link.")
    return HttpResponseRedirect(url)


@never_cache
@csrf_exempt  # RFC 8058: mail programs post without cookies; the token is the secret
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
def unsubscribe(request, token):
    """GET asks, POST does. Looking, whoever looks, changes nothing."""
    if request.method == "OPTIONS":
        return HttpResponse(headers={"Allow": "GET, HEAD, POST, OPTIONS"})
    if request.method == "POST":
        lead = responses.unsubscribe(token, at=timezone.now())
        return way_out(request, token, lead, done=True)
    touch = Touch.objects.select_related("lead").filter(link_token=token).first()
    lead = touch and touch.lead
    return way_out(request, token, lead, done=bool(lead and responses.is_unsubscribed(lead)))


@never_cache
@csrf_exempt
@require_http_methods(["POST"])
def resubscribe(request, token):
    lead = responses.resubscribe(token, at=timezone.now())
    return way_out(request, token, lead, done=False, undone=True)


def way_out(request, token, lead, *, done, undone=False):
    if lead is None:
        raise Http404("No such link.")
    context = {"token": token, "address": masked(lead.email), "done": done, "undone": undone}
    return render(request, "nurturing/unsubscribe.html", context)


def masked(address):
    """Enough for its owner to know it, too little for whoever got hold of the link."""
    name, at, domain = (address or "").partition("@")
    return f"{name[:1]}…{at}{domain}" if at else "this address"


@require_safe
def mailbox(request):
    """Mail that was not delivered, newest first; older pages by the last one seen."""
    mails = queries.mails(before=cursor(request.GET.get("before", "")), limit=PAGE + 1)
    last = mails[PAGE - 1] if len(mails) > PAGE else None
    context = {
        "mails": mails[:PAGE],
        "older": f"{last.at.isoformat()}_{last.pk}" if last else "",
        "is_first": "before" not in request.GET,
        "warnings": mail.warnings(),
    }
    return render(request, "nurturing/mailbox.html", context)


def cursor(text):
    moment, _, pk = text.partition("_")
    try:
        at = parse_datetime(moment.replace(" ", "+"))
        return (at, LocalMail._meta.pk.to_python(pk)) if at and pk else None
    except Exception:  # a cursor that nobody gave out shows the first page
        return None


@require_safe
def mailbox_mail(request, pk):
    message = get_object_or_404(LocalMail, pk=pk)
    touch_id = str(message.headers.get("X-Touch-ID", ""))
    links = TrackedLink.objects.filter(touch=touch_id).order_by("pk") if touch_id.isdecimal() else []
    return render(request, "nurturing/mailbox_mail.html", {"mail": message, "links": links})


ALONE = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "sandbox": [""],
    "frame-ancestors": ["'self'"],
    "form-action": ["'none'"],
    "base-uri": ["'none'"],
    "object-src": None,
}


@require_safe
@xframe_options_sameorigin
@csp_replace(ALONE)  # type: ignore[arg-type]
def mailbox_html(request, pk):
    """The HTML as it would have arrived, in a sandbox of its own: it can run and load nothing."""
    message = get_object_or_404(LocalMail.objects.only("html"), pk=pk)
    return HttpResponse(message.html or "<p>This mail has no HTML part.</p>")
