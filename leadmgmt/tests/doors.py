"""Every way in from outside: each route of the product, a well-formed request for it, and what it asks of a request.

Routes come from the URL conf, and parameters are heard rather than written down: while a well-formed request is answered,
`Listener` notes every name that the code looks up in the query, the body, the files, the headers and the cookies. What the
admin makes out of its models is read off the admin.
"""

import io
import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import quote

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.urls import get_resolver, reverse

from leadmgmt.tests.listening import BODY, COOKIE, FILES, HEADER, QUERY, Listener

JSON, PATH, TREE = "json", "path", "tree"
LEAF = {"is": "lead_field", "field": "job_title", "op": "contains", "value": "x"}


@dataclass(frozen=True)
class Door:
    """A route and method, with a request that its view answers well. `json`: the body is JSON, not a form."""

    route: str  # name, with "admin:" in front where it is one of the admin's
    args: tuple = ()
    query: dict = field(default_factory=dict)
    body: dict | None = None  # of a POST; None: a GET
    files: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    json: bool = False
    by: str = "ada"  # or "key": the API's, or "nobody"
    each: tuple = ()  # parameters that are judged each by itself, so that they can be said otherwise at once

    @property
    def said(self):
        return {**self.query, **(self.body or {})}

    @property
    def is_form(self):
        """Of a model in the admin: what it takes stands in its page."""
        return self.body is not None and self.route.endswith(("_add", "_change"))

    @property
    def path(self):
        return reverse(self.route, args=self.args)

    def __str__(self):
        return f"{'GET' if self.body is None else 'POST'} {self.route}"


# --- routes ---------------------------------------------------------------------------------------


@cache
def routes(resolver=None, prefix=""):
    """{name: pattern} of every route that has a name; one without is refused, but for the admin's catch-alls."""
    found = {}
    for each in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(each.pattern)
        if hasattr(each, "url_patterns"):
            space = f"{each.namespace}:" if each.namespace else ""
            found |= {space + name: route for name, route in routes(each, pattern).items()}
        elif each.name:
            found[each.name] = pattern
        else:
            assert pattern.endswith(("<path:object_id>/", "(?P<url>.*)$")), f"{pattern} has no name"
    return found


def admin_routes(suffixes=("changelist", "add", "change", "delete", "history")):
    """{route name: (ModelAdmin, suffix)} of what the admin makes for every model by itself."""
    return {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{suffix}": (page, suffix)
        for model, page in admin.site._registry.items()
        for suffix in suffixes
    }


# --- knocking -------------------------------------------------------------------------------------


class Visitor:
    """Knocks at doors; whatever an answer changes is taken back."""

    def __init__(self, *, user, key):
        self.client = Client(raise_request_exception=False)
        self.client.force_login(user)
        self.signed_in = self.client.cookies.output(header="", sep=";")
        self.key = key

    def knock(self, door, said=None):
        """The answer to the well-formed request, with other texts for some parameters: {(place, name): text}."""
        sent = {part: dict(getattr(door, part) or {}) for part in (QUERY, BODY, FILES, HEADER)}
        path = door.path
        self.client.cookies = SimpleCookie(self.signed_in if door.by == "ada" else "")
        if door.by == "key":
            sent[HEADER].setdefault("Authorization", f"Api-Key {self.key}")
        for (place, name), text in (said or {}).items():
            if place == JSON:
                sent[BODY] = with_json(sent[BODY], name, text)
            elif place == PATH:
                path = with_part(door, name, text)
            elif place == TREE:
                sent[BODY]["tree"] = json.dumps({"all": [{"none": [LEAF | {name: text}]}]})
            elif place == COOKIE:
                self.client.cookies[name] = on_the_wire(text)
            else:
                sent[place][name] = on_the_wire(text) if place == HEADER else text
        address = path + ("?" + urlencoded(sent[QUERY]) if sent[QUERY] else "")
        with transaction.atomic():
            answer = self.send(door, address, sent)
            transaction.set_rollback(True)
        return answer

    def send(self, door, address, sent):
        if door.body is None:
            return self.client.get(address, headers=sent[HEADER])
        if door.json:
            content, kind = json.dumps(sent[BODY]), "application/json"
        elif sent[FILES]:
            files = {name: uploaded(content) for name, content in sent[FILES].items()}
            content, kind = (
                {name: values(value) for name, value in sent[BODY].items()} | files,
                MULTIPART_CONTENT,
            )
        else:
            content, kind = urlencoded(sent[BODY]), "application/x-www-form-urlencoded"
        return self.client.post(address, content, content_type=kind, headers=sent[HEADER])


def uploaded(content):
    return UploadedFile(
        io.BytesIO(content.encode("utf-8", "surrogatepass")), name="a.csv", content_type="text/csv"
    )


def values(value):
    """As a browser sends it with a file: what is no text becomes a question mark."""
    every = value if isinstance(value, list) else [value]
    return [one.encode("utf-8", "replace").decode() for one in every]


def urlencoded(parameters):
    """Also with what is no text at all, as a client may send any byte."""
    pairs = [
        (name, one)
        for name, value in parameters.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return "&".join(f"{quoted(name)}={quoted(one)}" for name, one in pairs)


def quoted(text):
    return quote(str(text).encode("utf-8", "surrogatepass"), safe="")


def on_the_wire(text):
    """As a header may carry it: bytes, but no end of a line and no NUL, which web servers refuse themselves."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1").translate(dict.fromkeys((0, 10, 13)))


def with_json(body, name, text):
    outer, _, inner = name.partition("/")
    if inner:
        return body | {outer: body.get(outer, {}) | {inner: text}}
    return body | {outer: text}


PART = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


def path_parts(door):
    """Names of the variable parts of its path."""
    return [one or other for one, other in PART.findall(routes()[door.route])]


def with_part(door, name, text):
    """The address of the door with `text` in place of the part of its path that is called `name`."""
    held = dict(zip(path_parts(door), door.args, strict=True)) | {name: text}
    pattern = routes()[door.route].replace("^", "").replace("$", "")
    return "/" + PART.sub(lambda part: quoted(held[part[1] or part[2]]), pattern)


def open_all(visitor, doors):
    """Every one of them, Opened; the page of a form is asked for once."""
    found = []
    for door in doors:
        page = found[-1].answer if door.is_form else None
        found.append(Opened(visitor, door, page))
    return found


class Opened:
    """A door after a well-formed request: what it answered, what it asked for, and what can be said otherwise there."""

    def __init__(self, visitor, door, page=None):
        self.door = filled(door, page) if page else door
        with Listener() as listener:
            self.answer = visitor.knock(self.door)
        self.heard = listener.heard
        place = QUERY if door.body is None else JSON if door.json else BODY
        self.fields = {(place, name) for name in door.each}
        if door.is_form or door.route.endswith("_add"):
            forms = forms_of(page or self.answer)
            self.fields |= {
                (place, bound.html_name) for form in forms for bound in form if not bound.is_hidden
            }

    @property
    def parameters(self):
        """{(place, name)}; a name that nobody knows among them."""
        body = JSON if self.door.json else BODY
        said = {
            QUERY: self.door.query,
            body: self.door.body or {},
            FILES: self.door.files,
            HEADER: self.door.headers,
        }
        found = {(place, name) for place, names in said.items() for name in names} | self.heard
        found |= {(PATH, name) for name in path_parts(self.door)} | {(QUERY, name) for name in self.filters}
        found |= {(TREE, name) for name in LEAF if "tree" in self.door.said}
        inside = {
            (JSON, f"{outer}/{name}")
            for outer, value in said.get(JSON, {}).items()
            if isinstance(value, dict)
            for name in value
        }
        return found | inside | self.fields | {(QUERY if self.door.body is None else body, "unknown")}

    @property
    def filters(self):
        """What a list of the admin can be narrowed by."""
        listed = (getattr(self.answer, "context_data", None) or {}).get("cl")
        return (
            [ORDER_VAR, *(name for each in listed.filter_specs for name in each.expected_parameters())]
            if listed
            else []
        )


# --- forms, as a browser sends them ---------------------------------------------------------------


class FormReader(HTMLParser):
    """The controls of the forms of a page with the values they have: {name: value, or list of them}."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text, self.select = {}, None, None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        name = of.get("name")
        if tag == "textarea" and name:
            self.text, self.found[name] = name, ""
        elif tag == "select" and name:
            self.select = name
            self.found.setdefault(name, [])
        elif tag == "option" and self.select and "selected" in of:
            self.found[self.select].append(of.get("value", ""))
        elif tag == "input" and name:
            self.control(name, of)

    def control(self, name, of):
        kind = of.get("type", "text")
        if kind in ("checkbox", "radio"):
            if "checked" in of:
                self.found.setdefault(name, []).append(of.get("value", "on"))
            else:
                self.found.setdefault(name, [])
        elif kind not in ("submit", "button", "image", "reset", "file"):
            self.found[name] = of.get("value", "")

    def handle_data(self, data):
        if self.text:
            self.found[self.text] += data

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.found[self.text] = self.found[self.text].removeprefix("\n")
            self.text = None
        elif tag == "select":
            self.select = None


def filled(door, page):
    """The door with what its page holds, and what must be filled in."""
    held = FormReader(page.content.decode()).found if page.status_code == 200 else {}
    held = {
        name: value for name, value in held.items() if "__prefix__" not in name
    }  # rows that are not there yet
    return replace(door, body=held | samples(page) | door.body)


def samples(page):
    """{name: value} for what must be filled in and is not."""
    fields = [
        bound
        for form in forms_of(page)
        for bound in form
        if bound.field.required and bound.value() in (None, "")
    ]
    return {
        bound.html_name: sample(bound.field)
        for bound in fields
        if not isinstance(bound.field, forms.FileField)
    }


def sample(field):
    if isinstance(field, forms.ModelChoiceField):
        return str(field.queryset.first().pk)
    if isinstance(field, forms.ChoiceField):
        flat = [
            pair
            for key, value in field.choices
            for pair in (value if isinstance(value, list) else [(key, value)])
        ]
        return next(str(key) for key, _ in flat if key)
    if isinstance(field, forms.EmailField):
        return "new@house.test"
    return "1" if isinstance(field, forms.IntegerField | forms.DecimalField) else "new"


def forms_of(answer):
    """The forms that a page shows, those of its inlines too."""
    context = getattr(answer, "context_data", None) or answer.context or {}
    found = [context.get("form"), context["adminform"].form if "adminform" in context else None]
    found = [form for form in found if isinstance(form, forms.BaseForm)]
    for inline in context.get("inline_admin_formsets", None) or []:
        found += [inline.formset.management_form, *inline.formset.forms]
    return found
