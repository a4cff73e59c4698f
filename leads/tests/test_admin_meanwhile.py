"""Two at work on one page of the admin: the second to save sees what the first one changed, and loses nothing."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

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
