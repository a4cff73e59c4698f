"""Declaring a property of activities: what occurs is offered, what cannot be asked says why."""

import html

import pytest
from django.urls import reverse

from leads import activities, properties
from leads.models import DeclaredProperty, Touchpoint
from leads.tests import cast
from leads.tests.test_admin_data import at, listed, text_of

pytestmark = pytest.mark.django_db
ADD = "admin:leads_declaredproperty_add"


def post(client, **more):
    posted = {"kind": "download", "key": "language", "label": "language", "choices": "", "is_active": "on"}
    return client.post(reverse(ADD), posted | more)


def downloads(lead, key, values):
    items = [
        {"lead": lead, "kind": "download", "asset": "/roi", "at": cast.NOW, "properties": {key: v}}
        for v in values
    ]
    activities.record_many(items, received_at=cast.NOW)


def test_what_occurs_is_declared_and_counts(client, marketer, declared, django_capture_on_commit_callbacks):
    lead = cast.ada()
    downloads(lead, "language", ["de", "<b>en</b>"])
    page = client.get(reverse(ADD))
    assert "kind=download&key=language" in html.unescape(page.content.decode())
    assert "“&lt;b&gt;en&lt;/b&gt;”" in page.content.decode()
    form = client.get(reverse(ADD), {"kind": "download", "key": "spoken_language"}).context["adminform"].form
    assert [form[name].value() for name in ("kind", "key", "label")] == [
        "download", "spoken_language", "spoken language",
    ]  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        assert post(client, choices="DE\n EN \nde").status_code == 302
    row = declared.get()
    assert (row.kind, row.key, row.choices, row.is_active) == ("download", "language", ["de", "en"], True)
    downloads(lead, "language", ["De"])
    assert Touchpoint.objects.filter(properties={"language": "de"}).count() == 1
    assert "kind=download&key=language" not in text_of(client.get(reverse(ADD)))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(
            at("declaredproperty", row), {"kind": "webinar", "key": "x", "label": "tongue", "choices": ""}
        )
    row.refresh_from_db()
    assert (row.kind, row.key, row.label, row.choices, row.is_active) == (
        "download",
        "language",
        "tongue",
        [],
        False,
    )
    assert properties.in_use() == {}
    assert client.post(reverse("admin:leads_declaredproperty_delete", args=[row.pk])).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": ""}, "This field is required"),
        ({"key": "sprache™"}, "Write it in plain letters, digits and signs"),
        ({"choices": "x" * 61}, "is too long: a value has at most 60 characters"),
        ({"key": "taken0"}, "already exists"),
        ({"kind": "webinar"}, "4 properties of webinar are in use already"),
        ({"key": "session"}, "It had 3 different values lately"),
    ],
)
def test_what_cannot_be_asked_says_why(client, marketer, declared, monkeypatch, wrong, words):
    monkeypatch.setattr(properties, "MANY", 2)
    downloads(cast.ada(), "session", ["a", "b", "c"])
    cast.declare("download", "taken0")
    for n in range(properties.MOST):
        cast.declare("webinar", f"taken{n}")
    assert words in text_of(post(client, **wrong))
    assert declared.count() == 1 + properties.MOST


def test_choices_bound_what_has_too_many_values(client, marketer, declared, monkeypatch):
    monkeypatch.setattr(properties, "MANY", 2)
    downloads(cast.ada(), "session", ["a", "b", "c"])
    assert "too many without choices" in text_of(client.get(reverse(ADD)))
    assert post(client, key="session", choices="a").status_code == 302


def test_the_list_says_what_is_declared(client, marketer, declared, django_assert_max_num_queries):
    for n in range(3):
        cast.declare("download", f"key{n}", label=f"Label {n}", choices=["de", "en"])
    with django_assert_max_num_queries(12):
        page = text_of(client.get(listed("declaredproperty")))
    assert "Label 2" in page and "de, en" in page and "Download" in page
    assert DeclaredProperty.objects.count() == 3
