"""Sign-in, the page each role starts from, and who is sent where."""

import pytest
from django.core.cache import cache

from distribution.forms import SignInForm
from distribution.tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def open_doors():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def rita():
    rita = cast.rita()
    rita.user.set_password("right horse")
    rita.user.save()
    return rita


def attempt(client, name, password, **extra):
    return client.post("/sign-in/", {"username": name, "password": password}, **extra)


def test_it_works_and_comes_back_to_the_page_that_was_asked_for(client, rita):
    response = client.get("/sales/?show=all")
    assert response.status_code == 302 and response.url == "/sign-in/?next=/sales/%3Fshow%3Dall"
    assert b'value="/sales/?show=all"' in client.get(response.url).content
    data = {"username": "rita", "password": "right horse", "next": "/sales/?show=all"}
    assert client.post("/sign-in/", data).url == "/sales/?show=all"
    assert client.get("/sales/").status_code == 200
    assert client.post("/sign-out/").url == "/sign-in/"
    assert client.get("/sales/").status_code == 302


def test_it_does_not_send_people_to_another_site(client, rita):
    data = {"username": "rita", "password": "right horse", "next": "https://evil.test/"}
    assert client.post("/sign-in/", data).url == "/"


def test_a_wrong_password_says_so_and_keeps_the_name(client, rita):
    response = attempt(client, "rita", "wrong")
    assert response.status_code == 422
    assert b"User name and password do not match" in response.content
    assert b'value="rita"' in response.content and b"wrong" not in response.content


def test_ten_wrong_passwords_close_the_door_for_that_name_from_that_address(client, rita):
    for _ in range(10):
        assert attempt(client, "rita", "wrong").status_code == 422
    refused = attempt(client, "Rita", "right horse")
    assert refused.status_code == 429 and b"Too many wrong passwords" in refused.content
    assert attempt(client, "rita", "right horse", REMOTE_ADDR="10.9.9.9").status_code == 302, (
        "a stranger locks nobody out"
    )


def test_behind_a_proxy_it_is_the_address_that_the_proxy_saw(client, rita, settings):
    settings.TRUSTED_PROXIES = 1
    for _ in range(10):
        assert attempt(client, "rita", "wrong", HTTP_X_FORWARDED_FOR="9.9.9.9, 10.9.9.9").status_code == 422
    assert attempt(client, "rita", "right horse", HTTP_X_FORWARDED_FOR="10.9.9.9").status_code == 429
    assert attempt(client, "rita", "right horse", HTTP_X_FORWARDED_FOR="10.9.9.8").status_code == 302, (
        "a stranger locks nobody out"
    )


def test_a_hundred_wrong_passwords_close_the_door_for_the_address(client, rita):
    cache.set("sign-in:127.0.0.1", 99, SignInForm.SECONDS)
    assert attempt(client, "somebody", "wrong").status_code == 422
    assert attempt(client, "rita", "right horse").status_code == 429


@pytest.mark.parametrize(("who", "start"), [("rita", "/sales/"), ("mia", "/sales/team/"), ("ada", "/admin/")])
def test_home_is_the_start_page_of_the_role(client, who, start):
    person = cast.rita().user if who == "rita" else getattr(cast, who)()
    client.force_login(person)
    assert client.get("/").url == start


def test_somebody_without_a_role_is_told_so(client, django_user_model):
    client.force_login(django_user_model.objects.create(username="new"))
    response = client.get("/")
    assert response.status_code == 403 and b"no role yet" in response.content


def test_a_rep_may_not_open_the_team_page_and_is_told_why(client):
    client.force_login(cast.rita().user)
    response = client.get("/sales/team/")
    assert response.status_code == 403
    assert b"Administrator, Sales manager. Your account is: Sales rep." in response.content


def test_error_pages_ask_the_database_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/no/such/page/")
    assert response.status_code == 404 and b"There is no such page" in response.content
