"""What the product asks of a request: heard while it answers one, and read in its code."""

import ast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpHeaders, QueryDict
from django.utils.datastructures import MultiValueDict

QUERY, BODY, FILES, HEADER, COOKIE = "query", "body", "files", "headers", "cookies"


class Listener:
    """Within it, `heard` holds (place, name) of all that is asked of requests."""

    def __init__(self):
        self.heard = set()

    def __enter__(self):
        heard = self.heard

        def listening(kind, place):
            class Heard(kind):
                def __getitem__(self, name):
                    heard.add((place, name))
                    return super().__getitem__(name)

                def getlist(self, name, default=None):
                    heard.add((place, name))
                    return super().getlist(name, default)

                def get(self, name, default=None):
                    heard.add((place, name))
                    return super().get(name, default)

                def __contains__(self, name):
                    heard.add((place, name))
                    return super().__contains__(name)

            return Heard

        heard_in = {QUERY: listening(QueryDict, QUERY), BODY: listening(QueryDict, BODY)}
        heard_files, heard_cookies = listening(MultiValueDict, FILES), listening(dict, COOKIE)
        self.was = {name: vars(WSGIRequest)[name] for name in ("GET", "POST", "FILES", "COOKIES")}
        self.headers = HttpHeaders.__getitem__
        was = self.was

        def heard_header(headers, name):
            heard.add((HEADER, name.replace("_", "-").title()))
            return self.headers(headers, name)

        def get(request):
            if "heard_get" not in vars(request):
                request.heard_get = QueryDict(
                    request.META.get("QUERY_STRING", ""), encoding=request._encoding
                )
                request.heard_get.__class__ = heard_in[QUERY]
            return request.heard_get

        def post(request):
            found = was["POST"].fget(request)
            if type(found) is QueryDict:
                found.__class__ = heard_in[BODY]
            return found

        def files(request):
            found = was["FILES"].fget(request)
            if type(found) is MultiValueDict:
                found.__class__ = heard_files
            return found

        def cookies(request):
            if "heard_cookies" not in vars(request):
                request.heard_cookies = heard_cookies(was["COOKIES"].func(request))
            return request.heard_cookies

        WSGIRequest.GET = property(get)
        WSGIRequest.POST = property(post, was["POST"].fset)
        WSGIRequest.FILES = property(files)
        WSGIRequest.COOKIES = property(cookies)
        HttpHeaders.__getitem__ = heard_header
        return self

    def __exit__(self, *error):
        for name, value in self.was.items():
            setattr(WSGIRequest, name, value)
        HttpHeaders.__getitem__ = self.headers


# --- what the code says that it asks ---------------------------------------------------------------

READ_FROM = {
    "GET": QUERY, "query_params": QUERY, "POST": BODY, "FILES": FILES, "headers": HEADER, "COOKIES": COOKIE,
}  # fmt: skip


def names_in_code(apps):
    """{(place, name): file} of every name that is written out where the product's own code reads a request."""
    found = {}
    for path in (
        path for app in apps for path in (settings.BASE_DIR / app).rglob("*.py") if "tests" not in path.parts
    ):
        for node in ast.walk(ast.parse(path.read_text())):
            for source, name in asked_by(node):
                if (
                    isinstance(source, ast.Attribute)
                    and source.attr in READ_FROM
                    and isinstance(name, ast.Constant)
                    and ast.unparse(source.value).endswith(("request", "self.request"))
                ):
                    place = READ_FROM[source.attr]
                    found[place, name.value.title() if place == HEADER else name.value] = str(path)
    return found


def asked_by(node):
    """(what is read from, name) of `x.get("name")`, `x["name"]` and `"name" in x`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        yield (node.func.value, node.args[0]) if node.func.attr in ("get", "getlist", "pop") else (None, None)
    elif isinstance(node, ast.Subscript):
        yield node.value, node.slice
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
        yield node.comparators[0], node.left
