"""What the documents say can be done."""

import json
import re
import shlex

import pytest
import yaml
from django.conf import settings
from django.test import Client

from leads.models import ApiKey, CaptureForm

pytestmark = pytest.mark.django_db
DOCS = settings.BASE_DIR / "docs" / "api.md"


@pytest.fixture
def key():
    return ApiKey.objects.create_key(name="docs", scopes=["capture", "read"])[1]


def curls(text):
    return [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if block.startswith("curl")]


def run(curl, key):
    words = shlex.split(curl.replace("$KEY", key).replace("\\\n", " "))
    path = next(word for word in words if word.startswith("http")).removeprefix("http://127.0.0.1:8000")
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    if "-d" not in words:
        return Client().get(path, headers=headers)
    return Client().post(
        path, words[words.index("-d") + 1], content_type=headers.pop("Content-Type"), headers=headers
    )


def test_the_examples_work(key):
    form = CaptureForm.objects.create(name="Demo request", slug="demo-request", lead_type="hand_raise")
    form.questions.create(name="email", field="email", label="E-mail", required=True)
    statuses = [run(curl, key).status_code for curl in curls(DOCS.read_text())]
    assert statuses == [201, 200, 201]


def test_the_example_of_the_reference_works(key):
    (curl,) = curls(settings.SPECTACULAR_SETTINGS["DESCRIPTION"])
    assert run(curl, key).status_code == 201


def test_every_status_and_filter_is_documented(client, capsys):
    schema = yaml.safe_load(client.get("/api/schema/").content)
    assert not capsys.readouterr().err, "whoever asks fills no log"
    text = DOCS.read_text()
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                assert parameter["in"] == "path" or parameter["name"] in text, (path, parameter["name"])
    posted = schema["paths"]["/api/v1/leads/"]["post"]
    assert {"200", "201", "400", "401", "403", "409", "413", "415", "422", "503"} <= posted[
        "responses"
    ].keys()
    assert posted["security"] == [{"ApiKey": []}]
    assert schema["components"]["securitySchemes"]["ApiKey"]["in"] == "header"
    assert schema["paths"]["/api/v1/forms/{slug}/submissions/"]["post"].get("security", [{}]) == [{}]


def test_the_schema_describes_what_is_answered(client, key):
    schema = yaml.safe_load(client.get("/api/schema/").content)
    lead = client.post(
        "/api/v1/leads/", json.dumps({"email": "ada@acme.example", "company": "Acme"}), content_type="application/json",
        headers={"Authorization": f"Api-Key {key}"},
    ).json()  # fmt: skip
    assert list(schema["components"]["schemas"]["Lead"]["properties"]) == list(lead)
    assert set(schema["components"]["schemas"]["Lead"]["required"]) == set(lead)


def test_the_reference_loads_nothing_from_elsewhere(client):
    response = client.get("/api/docs/")
    assert response.status_code == 200
    assert "unsafe" not in response["Content-Security-Policy"]
    page = response.content.decode()
    assert re.findall(r'(?:src|href)="(?!/)', page) == []
    assert "<style" not in page
    assert "onload" not in page
