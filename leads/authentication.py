"""API keys: `Authorization: Api-Key <prefix>.<secret>`, stored hashed, with scopes.

Looking a key up is one indexed query and one SHA-512, well under a millisecond, so nothing is cached: a revoked key is refused
from the next request on.
"""

import re

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from leads.models import ApiKey

CAPTURE = "capture"
READ = "read"
KEY = re.compile(r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}")


class ApiKeyAuthentication(BaseAuthentication):
    """Gives `request.auth`, the ApiKey; there is no user."""

    def authenticate(self, request):
        keyword, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if keyword.lower() != "api-key":
            return None
        secret = secret.strip()
        key = find(secret) if KEY.fullmatch(secret) else None
        if key is None:
            raise AuthenticationFailed("This API key is unknown, revoked or expired. Make one with `manage.py api_key NAME`.")
        return None, key

    def authenticate_header(self, request):
        return "Api-Key"


def find(secret):
    key = ApiKey.objects.get_usable_keys().select_related("source").filter(prefix=secret[:8]).first()
    return key if key and key.is_valid(secret) and not key.has_expired else None


class HasScope(BasePermission):
    """The key carries the scope that the view names for the method: `scopes = {"GET": READ, "POST": CAPTURE}`."""

    def has_permission(self, request, view):
        if request.auth is None:
            return False
        scope = view.scopes.get(request.method)
        # An unknown method is answered 405 by the view itself.
        self.message = f"This API key lacks the scope `{scope}`. Make one with `manage.py api_key NAME --scope {scope}`."
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
