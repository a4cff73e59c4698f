"""What an outage of a server means for a page: one place."""

import logging

from csp.constants import SELF, UNSAFE_EVAL
from django.db import InterfaceError, OperationalError, connections
from django.http import JsonResponse

log = logging.getLogger(__name__)


class DatabaseOutageMiddleware:
    """PostgreSQL away: 503 with Retry-After. The next request gets a fresh connection."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, (OperationalError, InterfaceError)):
            return None
        return unavailable(exception)


def unavailable(exception):
    log.error("database unavailable: %s", exception)
    connections.close_all()
    return JsonResponse(
        {
            "type": "server_error",
            "errors": [
                {
                    "code": "unavailable",
                    "detail": "The database cannot be reached. Send the same request again shortly.",
                    "attr": None,
                }
            ],
        },
        status=503,
        headers={"Retry-After": "2"},
    )


class AdminScriptPolicyMiddleware:
    """The admin theme evaluates expressions in its templates; no other page may."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_update = {"script-src": [SELF, UNSAFE_EVAL]}
        return response
