"""What every answer under /api/ has in common: the shape of an error, with its remedy."""

from drf_spectacular.views import SpectacularSwaggerSplitView
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions

from leadmgmt.outages import is_outage


class ApiExceptionHandler(ExceptionHandler):
    """Errors name the remedy; an outage of PostgreSQL is left to the middleware that answers 503."""

    def convert_known_exceptions(self, exc):
        exc = super().convert_known_exceptions(exc)
        view = self.context["view"]
        if isinstance(exc, exceptions.NotAuthenticated):
            exc.detail = detail(exc, "No API key. Send the header `Authorization: Api-Key …`.")
        elif type(exc) is exceptions.NotFound and str(exc.detail) == exceptions.NotFound.default_detail:
            exc.detail = detail(exc, f"{getattr(view, 'not_found', 'Not found.')} Check the address.")
        elif isinstance(exc, exceptions.MethodNotAllowed):
            allowed = ", ".join(view.allowed_methods)
            exc.detail = detail(exc, f"{exc.detail} Use {allowed}.")
        elif isinstance(exc, exceptions.UnsupportedMediaType):
            exc.detail = detail(exc, f"{exc.detail} Send `Content-Type: application/json`.")
        elif isinstance(exc, exceptions.NotAcceptable):
            exc.detail = detail(exc, f"{exc.detail} Send `Accept: application/json`.")
        return exc

    def should_not_handle(self, exc):
        return is_outage(exc) or super().should_not_handle(exc)


def detail(exc, text):
    return exceptions.ErrorDetail(text, code=exc.get_codes())


class ApiDocsView(SpectacularSwaggerSplitView):
    """The API's reference, to read and to try out; every file comes from this host."""

    url_name = "api-schema"
    template_name = "api_docs.html"
