"""What an outage of a server means for a page, and what an error page says: one place.

Nothing here asks the database: these answers must work when nothing else does.
"""

import logging
import sys

import psycopg2
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse
from django.template import loader
from django.views import defaults

log = logging.getLogger(__name__)

RETRY_AFTER = 2  # seconds
OUTAGES = (OperationalError, InterfaceError, psycopg2.OperationalError, psycopg2.InterfaceError)
OUTAGE_TEXT = "The database cannot answer just now. Send the same request again in a moment."


class DatabaseOutageMiddleware:
    """PostgreSQL away, restarting or locked: 503 with Retry-After.

    Django itself drops the broken connection at the end of the request, so the next one gets a fresh one. What goes wrong
    inside other middleware (session, sign-in) never passes here and ends in `server_error` below.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        return unavailable(request, exception) if is_outage(exception) else None


def is_outage(exception):
    """True for what another try may cure: no connection, shutdown, lock time-out, deadlock, full disk.

    A connection cut in the middle of an answer is reported as a bare DatabaseError.
    """
    return isinstance(exception, OUTAGES) or type(exception) is DatabaseError


def unavailable(request, exception):
    log.error("database unavailable: %s %r: %s", request.method, request.path, str(exception).strip())
    if is_api(request):
        response = api_error(503, "unavailable", OUTAGE_TEXT, kind="server_error")
    else:
        page = loader.get_template("503.html").render()  # no request: its context may ask the database
        response = HttpResponse(page, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def is_api(request):
    return request.path_info.startswith("/api/")


def api_error(status, code, text, *, kind="client_error"):
    """The API's error shape, where no exception handler of the API runs."""
    return JsonResponse(
        {"type": kind, "errors": [{"code": code, "detail": text, "attr": None}]}, status=status
    )


# --- Django's error pages (named in urls.py) ----------------------------------------------------


def server_error(request):
    """Called while the exception is being handled: an outage inside a middleware is still an outage."""
    exception = sys.exc_info()[1]
    if exception is not None and is_outage(exception):
        return unavailable(request, exception)
    if is_api(request):
        return api_error(
            500,
            "error",
            "Server error. It is in our log; send the same request again later.",
            kind="server_error",
        )
    return defaults.server_error(request)


def not_found(request, exception):
    if is_api(request):
        return api_error(404, "not_found", "No such address. The addresses are listed at /api/docs/.")
    return defaults.page_not_found(request, exception)


def bad_request(request, exception):
    if is_api(request):
        return api_error(
            400, "error", "The request cannot be read. Check its address, host, headers and size."
        )
    return defaults.bad_request(request, exception)


def forbidden(request, exception):
    if is_api(request):
        return api_error(403, "permission_denied", "Not allowed.")
    return defaults.permission_denied(request, exception)


class NoNulMiddleware:
    """PostgreSQL has no room for NUL, and the admin asks the database with what its address says: refused before.

    The product's own pages and the API say themselves which parameter it is.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith("/admin/") and "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request, None)
        return self.get_response(request)


class AdminScriptPolicyMiddleware:
    """The admin theme evaluates expressions and writes styles in its templates; no other page may."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_update = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
        return response
