"""Two at work on one page of the admin: the second to save sees what the first one changed, and loses nothing."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from html import unescape

import pytest
from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from leads.admin_meanwhile import settle, values_of
from leads.admin_parts import LinesField
from leads.models import Product

pytestmark = pytest.mark.django_db


def colleague(name, **values):
    client = Client()
    client.force_login(User.objects.create_superuser(name, **values))
    return client


def opened(client, url):
    return unescape(re.search(r'name="_opened" value="([^"]+)"', client.get(url).content.decode())[1])


@pytest.fixture
def page():
    product = Product.objects.create(name="Press", slug="press", cycle_days=90)
    return reverse("admin:leads_product_change", args=[product.pk])


def typed(token, **values):
    return {
        "_opened": token,
        "name": "Press",
        "cycle_days": "90",
        "price_from": "",
        "price_to": "",
        "is_active": "on",
    } | values


def test_it_works(page):
    rita, max_ = colleague("rita", first_name="Rita", last_name="Sales"), colleague("max")
    first, second = opened(rita, page), opened(max_, page)
    assert rita.post(page, typed(first, cycle_days="60", name="Press 2")).status_code == 302
    refused = max_.post(page, typed(second, name="Presses"))
    assert refused.status_code == 200
    assert Product.objects.get().name == "Press 2"
    form = refused.context["adminform"].form
    assert form.errors["name"] == ["Stored now: Press 2. Saving again puts yours in its place."]
    page_words = unescape(refused.content.decode())
    assert "Rita Sales changed this on " in page_words
    assert "Cycle days (60): you had left this alone, and see it now as it is stored." in page_words
    assert f'<a href="{page}">drop what you typed' in page_words
    assert (form["name"].value(), form["cycle_days"].value()) == ("Presses", "60")
    again = unescape(re.search(r'name="_opened" value="([^"]+)"', refused.content.decode())[1])
    assert max_.post(page, typed(again, name="Presses", cycle_days="60")).status_code == 302
    product = Product.objects.get()
    assert (product.name, product.cycle_days) == ("Presses", 60)


class EveryType(forms.Form):
    text = forms.CharField(widget=forms.Textarea)
    whole = forms.IntegerField()
    price = forms.DecimalField(decimal_places=2)
    share = forms.FloatField()
    day = forms.DateField()
    at = forms.DateTimeField()
    until = forms.SplitDateTimeField()
    hour = forms.TimeField()
    is_on = forms.BooleanField()
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")])
    kinds = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")])
    tree = forms.JSONField()
    lines = LinesField()


FIRST = {
    "text": "one\ntwo", "whole": 1, "price": Decimal("1.50"), "share": 0.5, "day": date(2026, 3, 29),
    "at": datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "until": datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "hour": time(9),
    "is_on": True, "kind": "a", "kinds": ["a"], "tree": {"is": "free_mail"}, "lines": ["x", "y"],
}  # fmt: skip
THEN = {
    "text": "three", "whole": 2, "price": Decimal("2.00"), "share": 2.0, "day": date(2027, 1, 1),
    "at": datetime(2027, 1, 1, tzinfo=UTC), "until": datetime(2027, 1, 1, tzinfo=UTC), "hour": time(17),
    "is_on": False, "kind": "b", "kinds": ["a", "b"], "tree": {}, "lines": [],
}  # fmt: skip


# As a browser sends the first.
POSTED = (
    "text=one%0D%0Atwo&whole=1&price=1.50&share=0.5&day=2026-03-29&at=2026-03-29+01:30:00&until_0=2026-03-29"
    "&until_1=01:30:00&hour=09:00&is_on=on&kind=a&kinds=a&tree=%7B%22is%22:+%22free_mail%22%7D&lines=x%0D%0Ay"
)


def kept(values):
    return values_of(EveryType(initial=values))


def test_what_was_left_alone_is_recognised_and_taken_over_whatever_its_type():
    posted = QueryDict(POSTED, mutable=True)
    taken, both = settle(EveryType(initial=THEN), kept(FIRST), posted)
    assert (len(taken), both) == (len(FIRST), {})
    assert not EveryType(posted, initial=THEN).has_changed()


@pytest.mark.parametrize("name", FIRST)
def test_what_was_typed_is_kept_whatever_its_type(name):
    posted = QueryDict(POSTED, mutable=True)
    other = {"kind": "", "is_on": None, "kinds": "b", "tree": "[]"}.get(name, "7")
    for key in [name, f"{name}_0"]:
        if key in posted:
            posted[key] = other
            if other is None:
                del posted[key]
    before = posted.copy()
    taken, both = settle(EveryType(initial=FIRST | {name: THEN[name]}), kept(FIRST), posted)
    assert (taken, list(both), posted) == ([], [] if name == "is_on" else [name], before)
