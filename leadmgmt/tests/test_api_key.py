from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from leads.models import ApiKey, Source

pytestmark = pytest.mark.django_db


def run(*args):
    out = StringIO()
    call_command("api_key", *args, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()[-1]


def test_the_last_line_is_a_key_that_works(client):
    key = run("website")
    response = client.post(
        "/api/v1/leads/",
        {"email": "ada@acme.example"},
        content_type="application/json",
        headers={"Authorization": f"Api-Key {key}"},
    )
    assert response.status_code == 201
    assert client.get("/api/v1/leads/", headers={"Authorization": f"Api-Key {key}"}).json()["count"] == 1
    assert key not in str(ApiKey.objects.values().get())


def test_scopes_and_source():
    source = Source.objects.create(name="Shop", slug="shop")
    run("website", "--scope", "capture", "--source", "shop")
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.source) == ("website", ["capture"], source)


def test_mistakes_are_named():
    with pytest.raises(CommandError, match="No source 'nowhere'"):
        run("website", "--source", "nowhere")
    with pytest.raises(CommandError, match="invalid choice: 'all'"):
        run("website", "--scope", "all")
    with pytest.raises(CommandError, match="1 to 50"):
        run("x" * 51)
    assert not ApiKey.objects.exists()
