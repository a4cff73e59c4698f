"""Two hundred hostile texts through every parameter that is taken: 4xx, or an honest answer, and never a word of SQL.

Criteria trees by themselves: `leads/tests/test_criteria_hostile.py`; markup in pages: `test_browser.py`.
"""

import json
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from distribution.api import OwnedLeadFilter
from distribution.tests import cast
from leads.condition_form import ConditionAdmin
from leads.models import ApiKey, Lead
from leads.tests.hostile_strings import STRINGS

pytestmark = pytest.mark.django_db
LEAKS = (
    "psycopg",
    "syntax error",
    "LINE 1:",
    'FROM "',
    "ProgrammingError",
    "DataError",
    "Traceback",
    "SECRET_KEY =",
)
LISTS = ["my-leads", "marketing", "marketing-leads", "team", "mailbox"]


@pytest.fixture
def world():
    cast.installation()
    cast.lead("sarah@acme.net", job_title="VP")
    return cast.ada()


@pytest.fixture
def site(world):
    client = Client(raise_request_exception=False)
    client.force_login(world)
    return client


@pytest.fixture
def api():
    _, key = ApiKey.objects.create_key(name="hostile", scopes=["read", "capture"])
    return Client(raise_request_exception=False, headers={"authorization": f"Api-Key {key}"})


def address(path, **parameters):
    """Also with what is no text at all, as a client may send any byte."""
    told = "&".join(
        f"{quote(name)}={quote(text.encode('utf-8', 'surrogatepass'))}" for name, text in parameters.items()
    )
    return f"{path}?{told}"


def printable(text):
    """As a browser posts it: what is no text becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def check(answer, what, allowed=(200, 302, 400, 403, 404)):
    assert answer.status_code in allowed, (answer.status_code, what, answer.content[:300])
    text = b"".join(answer).decode("utf-8", "replace")
    assert not [leak for leak in LEAKS if leak in text], (what, text[:300])
    return text


def test_the_lists_of_the_api(world, api):
    """Every filter, the search, the order, the position: none finds Sarah by a trick."""
    names = [*OwnedLeadFilter.base_filters, "ordering", "cursor", "page_size", "format", "unknown"]
    path = reverse("api-leads")
    for number, text in enumerate(STRINGS):
        # Each text through the search, and through the others in turn.
        for name in {"search", ("owner", "source", "cursor")[number % 3], names[number % len(names)]}:
            told = check(api.get(address(path, **{name: text})), (name, text))
            if name in ("owner", "source"):
                assert '"count":0' in told or '"errors"' in told or not text.strip(), (name, text, told[:200])
    sarah = Lead.objects.get()
    for name in ("api-lead-activities", "api-lead-score"):
        for text in STRINGS[::8]:
            for parameter in ("cursor", "at", "model"):
                check(
                    api.get(address(reverse(name, args=[sarah.pk]), **{parameter: text})),
                    (name, parameter, text),
                )


def test_posts_to_the_api(world, api):
    """Each text in each field: taken as it is, or refused with the name of the field."""
    fields = ["email", "first_name", "company", "company_size", "role", "phone", "country", "source", "campaign",
              "external_id", "occurred_at", "message_id", "custom", "utm_source", "timeline", "company_domain"]  # fmt: skip
    before = Lead.objects.count()
    for number, text in enumerate(STRINGS):
        field = fields[number % len(fields)]
        body = {"email": f"p{number}@hostile.net"} | {field: text}
        for sent in (body, {"email": f"k{number}@hostile.net", text: "x"}):
            answer = api.post(reverse("api-leads"), json.dumps(sent), content_type="application/json")
            told = check(answer, (field, text), allowed=(200, 201, 400, 409, 413, 422))
            assert answer.status_code < 300 or json.loads(told)["errors"][0]["detail"]
    assert Lead.objects.filter(email="sarah@acme.net").exists()
    assert Lead.objects.count() > before


def test_the_lists_of_the_admin(site):
    """Search, order, page and filters: each text through one of them, in every list in turn."""
    admins = list(admin.site._registry.values())
    for number, text in enumerate(STRINGS[::2]):
        one = admins[number % len(admins)]
        name = ("q", parameter(one, number), "o", parameter(one, number), "p", "company__domain__startswith")[
            number % 6
        ]
        path = reverse(f"admin:{one.opts.app_label}_{one.opts.model_name}_changelist")
        check(site.get(address(path, **{name: text})), (path, name, text))


def parameter(one, number):
    """A filter of that list, with one of the endings it takes."""
    filters = [each for each in one.list_filter if isinstance(each, str)] or ["pk"]
    return filters[number % len(filters)] + ("__exact", "__id__exact", "__in", "__isnull", "")[number % 5]


def test_choices_as_one_types(site):
    path = reverse("admin:autocomplete")
    asked = {"app_label": "leads", "model_name": "lead", "field_name": "company"}
    for number, text in enumerate(STRINGS[1::2]):
        check(site.get(address(path, term=text, **asked)), ("term", text))
        if number % 5 == 0:
            other = list(asked)[number % 3]
            check(site.get(address(path, term="a", **asked | {other: text})), (other, text))


def test_the_count_beside_a_condition(site):
    """Keys, fields, operators, values, groups: each text in a tree of its own, to every builder in turn."""
    builders = [
        f"admin:{one.opts.app_label}_{one.opts.model_name}_condition"
        for one in admin.site._registry.values()
        if isinstance(one, ConditionAdmin)
    ]
    assert len(builders) >= 3
    well = {"is": "lead_field", "field": "job_title", "op": "contains", "value": "x"}
    for number, text in enumerate(STRINGS):
        name = ("value", "field", "op", "is")[number % 4]
        trees = [well | {name: text}, {"all": [{"none": [well | {"value": text}]}]}]
        sent = [json.dumps(tree) for tree in trees] + [text, json.dumps({text: [well]})]
        posted = {"tree": sent[number % 4], "scope": "lead", "days": "", "kind": "fit"}
        if number % 5 == 0:
            posted[("scope", "days", "kind")[number % 3]] = text
        answer = site.post(
            reverse(builders[number % len(builders)]),
            {name: printable(value) for name, value in posted.items()},
        )
        check(answer, posted)


def test_the_pages_of_sales_and_marketing(site):
    names = [
        "q",
        "search",
        "rating",
        "stage",
        "place",
        "owner",
        "source",
        "order",
        "page",
        "cursor",
        "team",
        "since",
        "month",
        "at",
        "show",
        "undo",
    ]
    for number, text in enumerate(STRINGS[::3]):
        path = reverse(LISTS[number % len(LISTS)])
        check(
            site.get(
                address(path, **{names[number % len(names)]: text, names[number // 5 % len(names)]: text})
            ),
            text,
        )
