"""API keys: `Authorization: Api-Key <prefix>.<secret>`, stored hashed, with scopes.

Looking a key up is one indexed query and one SHA-512 (3 µs), so nothing is cached: a revoked key is refused from the next request
on. The query is written out because every request makes it and the ORM takes five times as long to put it together.
"""

import re
from typing import NamedTuple

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from leads.models import ApiKey, Source
from leads.rows import fetch

CAPTURE = "capture"
READ = "read"
KEY = re.compile(r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}")
FIND = """
SELECT k.prefix, k.hashed_key, k.scopes, s.id, s.slug, s.origin
FROM leads_apikey k LEFT JOIN leads_source s ON s.id = k.source_id
WHERE k.prefix = %s AND NOT k.revoked AND (k.expiry_date IS NULL OR k.expiry_date >= %s)
"""


class Client(NamedTuple):
    """Who asks: `request.auth`."""

    prefix: str
    scopes: list
    source: Source | None


class ApiKeyAuthentication(BaseAuthentication):
    """Gives `request.auth`, the Client; there is no user."""

    def authenticate(self, request):
        keyword, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if keyword.lower() != "api-key":
            return None
        secret = secret.strip()
        client = find(secret) if KEY.fullmatch(secret) else None
        if client is None:
            raise AuthenticationFailed(
                "This API key is unknown, revoked or expired. Make one with `manage.py api_key NAME`."
            )
        return None, client

    def authenticate_header(self, request):
        return "Api-Key"


def find(secret):
    for prefix, hashed, scopes, *source in fetch(FIND, [secret[:8], timezone.now()]):
        if ApiKey.objects.key_generator.verify(secret, hashed):
            pk, slug, origin = source
            return Client(prefix, scopes, Source(pk=pk, slug=slug, origin=origin) if pk else None)
    return None


class HasScope(BasePermission):
    """The key carries the scope that the view names for the method: `scopes = {"GET": READ, "POST": CAPTURE}`."""

    def has_permission(self, request, view):
        if request.auth is None:
            return False
        scope = view.scopes.get(request.method)
        # An unknown method is answered 405 by the view itself.
        self.message = (
            f"This API key lacks the scope `{scope}`. Make one with `manage.py api_key NAME --scope {scope}`."
        )
        return scope is None or scope in request.auth.scopes


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema):
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The word `Api-Key`, a space and the key: `Authorization: Api-Key AbCd1234.…`",
        }
