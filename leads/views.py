"""Public forms: the endpoint that web sites post to, and a page of our own for each form."""

import ipaddress
from urllib.parse import urlsplit

from csp.constants import SELF
from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import OpenApiTypes, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, PermissionDenied, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from leads import submissions
from leads.forms import PublicForm
from leads.idempotency import answered_once, key_of
from leads.parsers import StrictJSONParser, read_body
from leads.schema import ErrorSerializer

PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "content-type, idempotency-key",
    "Access-Control-Max-Age": "600",
}


class SeeOther(HttpResponseRedirect):
    status_code = 303


class FormSubmissionView(APIView):
    """What a web site posts. No authentication class: a browser cannot keep a secret."""

    authentication_classes = []
    permission_classes = []
    parser_classes = [StrictJSONParser]  # for the description only: bodies are read by what they contain
    not_found = "No form with this name."

    def perform_content_negotiation(self, request, force=False):
        """Whatever is asked for: a browser gets a page, everybody else JSON."""
        return self.get_renderers()[0], self.get_renderers()[0].media_type

    @extend_schema(
        request=dict.fromkeys(
            ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"),
            OpenApiTypes.OBJECT,
        ),
        responses={
            201: inline_serializer("Submission", {"id": serializers.UUIDField()}),
            303: None,
            **dict.fromkeys((403, 409, 413, 422), ErrorSerializer),
        },
    )
    def post(self, request, slug):
        """Submit a form: its questions by name. What else is sent is kept too.

        Answers 201 with the id of the submission, the same for known and unknown people. A browser (`Accept: text/html`) that
        posts a form is sent on by 303 to a page that the form allows.
        """
        form = open_form(slug)
        check_origin(request, form)
        return receive(request._request, form)

    def options(self, request, slug):
        form = open_form(slug)
        check_origin(request, form)
        return HttpResponse(status=204, headers={"Allow": "POST, OPTIONS"} | PREFLIGHT)

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        allowed = getattr(request, "allowed_origin", None)
        if allowed:
            response["Access-Control-Allow-Origin"] = allowed
        patch_vary_headers(response, ["Origin"])
        return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def public_form(request, slug):
    """Our own page of a form, for links in mails and for trying out."""
    if request.method == "POST":
        return FormSubmissionView.as_view()(request, slug=slug)
    form = open_form(slug)
    return page(request, form, PublicForm(form))


def public_form_thanks(request, slug):
    return render(request, "leads/thanks.html", {"form": open_form(slug)})


def open_form(slug):
    form = submissions.find_form(slug)
    if form is None:
        raise Http404
    return form


def receive(request, form):
    """Answer a posted form: JSON, or for a browser the next page. Raises what the API's error handler knows."""
    at = timezone.now()
    key = key_of(request)
    posted = posted_in(request)
    is_browser = wants_page(request, posted)

    def once(write):
        def answer():
            return 201, {"id": str(write().pk)}

        if key is None:
            status, body = answer()
            return Response(body, status=status)
        return answered_once(client=f"form:{form.pk}", key=key, data=posted.body.hex(), at=at, answer=answer)

    try:
        reading, response = submissions.receive(form=form, posted=posted, at=at, once=once)
    except submissions.Refused as refused:
        if is_browser:
            shown = PublicForm(form, answers=refused.answers, problems=refused.problems)
            return page(request, form, shown, status=getattr(refused.cause, "status_code", 400))
        raise refused.cause or ValidationError(details(refused.problems)) from None
    return SeeOther(thank_you(form, reading.answers.get(submissions.NEXT))) if is_browser else response


def details(problems):
    return {name or "form": [ErrorDetail(text, code="invalid")] for name, text in problems.items()}


def page(request, form, shown, status=200):
    context = {
        "form": form,
        "shown": shown,
        "problems": shown.problems,
        "elsewhere": shown.elsewhere(),
        "honeypot": submissions.HONEYPOT,
        "next": shown.data.get(submissions.NEXT) or request.GET.get(submissions.NEXT, ""),
    }
    response = render(request, "leads/form.html", context, status=status)
    # Browsers hold the redirect after a post against form-action too.
    response._csp_update = {"form-action": [SELF, *sorted({origin_of(url) for url in form.thank_you_urls})]}
    return response


def asked_next(request):
    """Where a form of our own asks to go on to, if that is a path of ours; else nothing."""
    wanted = request.POST.get("next", "")
    ours = {"allowed_hosts": {request.get_host()}, "require_https": request.is_secure()}
    return wanted if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, **ours) else ""


def thank_you(form, wanted):
    """Only addresses that the form lists: anything else would make us a signpost to anywhere."""
    if wanted in form.thank_you_urls:
        return wanted
    return form.thank_you_urls[0] if form.thank_you_urls else reverse("public-form-thanks", args=[form.slug])


# --- the request --------------------------------------------------------------------------------


def check_origin(request, form):
    """No Origin: a server or an old browser. A listed one, or our own page: allowed. `null` and all others: 403."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    ours = {origin_of(settings.PUBLIC_URL), f"{request.scheme}://{request.get_host()}"}
    if folded(origin) not in {folded(listed) for listed in [*form.origins, *ours]}:
        raise PermissionDenied(
            "This site may not post to this form. Add its origin to the form's list of origins."
        )
    request.allowed_origin = origin


def origin_of(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def folded(origin):
    return origin.strip().rstrip("/").lower()


def wants_page(request, posted):
    kind = posted.content_type.partition(";")[0].strip().lower()
    is_form = kind in ("application/x-www-form-urlencoded", "multipart/form-data")
    return is_form and "text/html" in request.headers.get("Accept", "")


def posted_in(request):
    body, is_whole = read_body(request)
    return submissions.Posted(
        body=body, is_whole=is_whole, content_type=header(request, "Content-Type"), ip=client_ip(request),
        user_agent=header(request, "User-Agent"), referrer=header(request, "Referer"),
    )  # fmt: skip


def header(request, name):
    return request.headers.get(name, "").replace("\x00", "")


def client_ip(request):
    """The sender's address; behind TRUSTED_PROXIES proxies, the one that the outermost of them saw."""
    text = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        text = hops[-min(settings.TRUSTED_PROXIES, len(hops))] or text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
