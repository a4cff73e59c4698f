"""PostgreSQL away, for real: connections are refused or cut, then it comes back."""

import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connection, transaction
from django.test import Client, RequestFactory

from leadmgmt.outages import unavailable
from leads import capture
from leads.models import ApiKey, Lead

pytestmark = pytest.mark.django_db(transaction=True)

LEADS = "/api/v1/leads/"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = int(status.split()[0]), dict(headers), body

    def json(self):
        return json.loads(self.body)


def ask(method, path, data=None, **headers):
    """One request through the whole stack, as a server sends it: the connection lives on in this thread.

    Django's test client switches off the signals by which a broken connection is noticed.
    """
    body = b"" if data is None else json.dumps(data).encode()
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": "testserver", "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(), "REMOTE_ADDR": "127.0.0.1", **headers,
    }  # fmt: skip
    started = []
    response = WSGIHandler()(environ, lambda status, sent, exc_info=None: started.append((status, sent)))
    try:
        return Answer(*started[0], b"".join(response))
    finally:
        response.close()


@pytest.fixture
def post():
    key = ApiKey.objects.create_key(name="test", scopes=["capture"])[1]
    return lambda email: ask("POST", LEADS, {"email": email}, HTTP_AUTHORIZATION=f"Api-Key {key}")


@pytest.fixture
def postgres():
    """Stops and starts PostgreSQL as a client sees it: its port refuses, then answers again."""
    settings = connection.settings_dict
    server = Server(settings, settings["PORT"])
    yield server
    server.start()


class Server:
    def __init__(self, settings, port):
        self.settings, self.port = settings, port

    def stop(self):
        connection.close()
        self.settings["PORT"] = 1

    def start(self):
        self.settings["PORT"] = self.port


def cut():
    """The server ends the connection that is in use, as a restart does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_the_api_answers_503_and_recovers(post, postgres):
    postgres.stop()
    for _ in range(2):
        answer = post("ada@acme.example")
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["errors"][0]["code"] == "unavailable"
    postgres.start()
    assert post("ada@acme.example").status == 201


def test_a_public_form_answers_503(postgres):
    postgres.stop()
    assert ask("POST", "/api/v1/forms/any/submissions/", {}).status == 503
    answer = ask("GET", "/f/any/")
    assert answer.status == 503
    assert b"Back in a moment" in answer.body


def test_an_outage_inside_the_middleware_is_503_too(postgres):
    """A signed-in person's session and user are read by middleware, outside of any view."""
    client = Client()
    client.force_login(User.objects.create_superuser("rita"))
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    assert ask("GET", "/admin/", HTTP_COOKIE=cookie).status == 200
    postgres.stop()
    answer = ask("GET", "/admin/", HTTP_COOKIE=cookie)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "2"
    postgres.start()
    assert ask("GET", "/admin/", HTTP_COOKIE=cookie).status == 200


def test_it_is_not_ready_meanwhile(postgres):
    postgres.stop()
    answer = ask("GET", "/readyz")
    assert answer.status == 503
    assert answer.json()["database"].startswith("unreachable")
    assert answer.json()["redis"] == "ok"
    assert ask("GET", "/healthz").status == 200
    postgres.start()
    assert ask("GET", "/readyz").status == 200


def test_a_connection_cut_between_requests_is_replaced_unnoticed(post):
    assert post("ada@acme.example").status == 201
    with pytest.raises(Exception, match="terminat"):
        cut()
    assert post("bob@acme.example").status == 201


def test_a_connection_cut_within_a_request_is_503_and_writes_nothing(post, monkeypatch):
    submit = capture.submit

    def submit_and_die(**kwargs):
        with transaction.atomic():
            submit(**kwargs)
            cut()

    monkeypatch.setattr(capture, "submit", submit_and_die)
    assert post("ada@acme.example").status == 503
    monkeypatch.undo()
    assert not Lead.objects.exists()
    assert post("ada@acme.example").status == 201


def test_any_other_mistake_is_a_500_in_json(post, monkeypatch):
    monkeypatch.setattr(capture, "submit", lambda **kwargs: 1 / 0)
    answer = post("ada@acme.example")
    assert answer.status == 500
    assert answer.json()["type"] == "server_error"


def test_an_address_puts_no_line_of_its_own_into_the_log(caplog):
    unavailable(RequestFactory().get("/a%0A2026-01-01 ERROR forged"), OperationalError("away"))
    assert caplog.messages == ["database unavailable: GET '/a\\n2026-01-01 ERROR forged': away"]
