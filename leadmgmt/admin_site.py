"""The site of the settings (`/admin/`), for the whole product."""

from django.core.paginator import InvalidPage
from django.http import Http404
from unfold.sites import UnfoldAdminSite


class AdminSite(UnfoldAdminSite):
    index_title = "Settings"

    def search(self, request, extra_context=None):
        """The theme takes whatever is asked for as a page of its results for the number of one that there is."""
        try:
            return super().search(request, extra_context)
        except (ValueError, InvalidPage):
            raise Http404("There is no such page of results.") from None
