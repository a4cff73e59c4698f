"""Times on pages in the reader's own zone, where the browser told it; else settings.TIME_ZONE."""

from zoneinfo import ZoneInfo

from django.utils import timezone


def known(name):
    """The zone of that name, or None: the name comes from a cookie, so it may be anything."""
    try:
        return ZoneInfo(name[:60]) if name else None
    except (KeyError, ValueError, OSError):  # unknown; a path outside; a folder
        return None


class ZoneMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with timezone.override(known(request.COOKIES.get("zone", ""))):
            return self.get_response(request)
