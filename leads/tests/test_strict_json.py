"""One strict parser at every door: hostile bodies get a 4xx that says what to change, and leave nothing half written."""

import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads import parsers
from leads.models import (
    Activity,
    ApiKey,
    CaptureForm,
    Company,
    FieldChange,
    IdempotentRequest,
    Lead,
    Submission,
)

LEADS = "/api/v1/leads/"
FORM = "/api/v1/forms/hostile/submissions/"
PAGE = "/f/hostile/"
EMAIL = b'"email": "ada@acme.example"'
DEEP = 10_000

# name: (body, status)
HOSTILE = {
    "empty": (b"", 400),
    "not JSON": (b"hello", 400),
    "cut short": (b'{"email": "ada@', 400),
    "two documents": (b"{%s} {}" % EMAIL, 400),
    "a comment": (b"{%s} // hi" % EMAIL, 400),
    "a trailing comma": (b"{%s,}" % EMAIL, 400),
    "single quotes": (b"{'email': 'ada@acme.example'}", 400),
    "an array": (b"[{%s}]" % EMAIL, 400),
    "a text": (b'"ada@acme.example"', 400),
    "null": (b"null", 400),
    "a number": (b"1", 400),
    "deep arrays": (b'{"a": ' + b"[" * DEEP + b"]" * DEEP + b"}", 400),
    "deep objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, 400),
    "deep and never closed": (b'{"a":' * DEEP, 400),
    "just too deep": (b'{%s, "a": ' % EMAIL + b"[" * 20 + b"]" * 20 + b"}", 400),
    "1e400": (b'{%s, "company_size": 1e400}' % EMAIL, 400),
    "-1e400": (b'{%s, "company_size": -1e400}' % EMAIL, 400),
    "NaN": (b'{%s, "company_size": NaN}' % EMAIL, 400),
    "Infinity": (b'{%s, "company_size": -Infinity}' % EMAIL, 400),
    "ten thousand digits": (b'{%s, "company_size": %s}' % (EMAIL, b"9" * 10_000), 400),
    "a raw NUL": (b'{"email": "ada@acme.example\x00"}', 400),
    "an escaped NUL": (b'{"email": "ada\\u0000@acme.example"}', 400),
    "a NUL in a name": (b'{%s, "a\\u0000b": 1}' % EMAIL, 400),
    "a NUL deep inside": (b'{%s, "a": [{"b": ["\\u0000"]}]}' % EMAIL, 400),
    "a lone surrogate": (b'{%s, "first_name": "\\ud800"}' % EMAIL, 400),
    "a reversed pair": (b'{%s, "first_name": "\\udc00\\ud800"}' % EMAIL, 400),
    "a raw surrogate": (b'{%s, "first_name": "\xed\xa0\x80"}' % EMAIL, 400),
    "latin-1": (b'{%s, "first_name": "J\xf6rg"}' % EMAIL, 400),
    "UTF-16": (json.dumps({"email": "ada@acme.example"}).encode("utf-16"), 400),
    "a key twice": (b"{%s, %s}" % (EMAIL, EMAIL), 400),
    "a key twice inside": (b'{%s, "a": {"b": 1, "b": 2}}' % EMAIL, 400),
    "a megabyte": (b'{%s, "first_name": "%s"}' % (EMAIL, b"x" * 1_000_000), 413),
    "many brackets, then an unended text": (b"[" * 15 + b'"' + b'\\"' * 100_000, 400),
    "a wrong type": (b'{"email": {"$ne": null}}', 400),
    "a list for a text": (b'{%s, "first_name": ["a", {"b": 1}]}' % EMAIL, 400),
    "a very long name": (b'{%s, "first_name": "%s"}' % (EMAIL, b"x" * 200_000), 400),
    "an address that is none": (b'{"email": "ada"}', 400),
}


@pytest.fixture
def form(db):
    form = CaptureForm.objects.create(name="Hostile", slug="hostile")
    for position, name in enumerate(["email", "first_name", "company_size"]):
        form.questions.create(name=name, field=name, label=name, required=name == "email", position=position)
    return form


@pytest.fixture
def doors(form):
    """Every address that takes a post, as (post, address)."""
    key = ApiKey.objects.create_key(name="test", scopes=["capture"])[1]
    client = Client(raise_request_exception=False, headers={"Authorization": f"Api-Key {key}"})

    def post(path, body, content_type="application/json", **headers):
        return client.post(path, body, content_type=content_type, headers=headers)

    return post


def nothing_written():
    return not any(
        model.objects.exists() for model in (Lead, Company, Activity, FieldChange, IdempotentRequest)
    )


def check_refusal(response, status):
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "application/json"
    (error, *_) = response.json()["errors"]
    assert error["detail"].strip().endswith((".", "and so on."))
    assert len(error["detail"].split()) > 4
    assert len(response.content) < 5000
    response.content.decode()


@pytest.mark.parametrize("name", HOSTILE)
def test_the_api_refuses(doors, name):
    body, status = HOSTILE[name]
    check_refusal(doors(LEADS, body), status)
    check_refusal(doors(LEADS, body, **{"Idempotency-Key": "k"}), status)
    assert nothing_written()


# The form asks nobody for a first name: a bad one costs the answer, not the lead.
SPARED = {"a list for a text", "a very long name"}


@pytest.mark.parametrize("name", sorted(SPARED))
def test_a_public_form_takes_the_lead_without_an_optional_answer_it_cannot_read(doors, name):
    assert doors(FORM, HOSTILE[name][0]).status_code == 201
    kept = Submission.objects.get()
    assert (kept.status, kept.lead.first_name) == ("accepted", "")
    assert kept.errors and "first_name" in kept.unmapped


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - SPARED))
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_public_form_refuses_and_keeps_the_raw_post(doors, name, content_type):
    body, status = HOSTILE[name]
    for path in (FORM, PAGE):
        check_refusal(doors(path, body, content_type), status)
    assert nothing_written()
    kept = Submission.objects.all()
    assert len(kept) == 2
    for submission in kept:
        assert (submission.status, submission.lead) == ("invalid", None)
        assert bytes(submission.body) == body[: parsers.MAX_BODY]
        assert submission.errors


URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xx"
PART = b'--xx\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"email=ada%40acme.example&first_name=%00", URLENCODED, 400),
        (b"email=ada%40acme.example&a%00b=1", URLENCODED, 400),
        (b"email=ada%40acme.example&first_name=%ED%A0%80", URLENCODED, 400),
        (b"email=ada%40acme.example&first_name=\xff", URLENCODED, 400),
        (b"&".join(b"a%d=1" % number for number in range(2000)), URLENCODED, 400),
        (b"email=ada%40acme.example&first_name=" + b"x" * 300_000, URLENCODED, 413),
        (b"=&=&&&;;", URLENCODED, 400),
        (b"no multipart at all", MULTIPART, 400),
        (b"", MULTIPART, 400),
        (
            PART % (b"email", b"ada@acme.example") + PART % (b"first_name", b"\x00") + b"--xx--\r\n",
            MULTIPART,
            400,
        ),
        (PART % (b"email", b"ada") + b"--xx--\r\n", MULTIPART, 400),
        (b"x", "multipart/form-data", 400),
        (b"x", "multipart/form-data; boundary=" + "y" * 500, 400),
        (b"<email>ada@acme.example</email>", "application/xml", 400),
        (b"email=ada@acme.example", "", 400),
        (b"\x00" * 100, "application/octet-stream", 400),
    ],
)
def test_a_public_form_refuses_other_kinds_of_nonsense(doors, body, content_type, status):
    check_refusal(doors(FORM, body, content_type), status)
    assert nothing_written()
    assert bytes(Submission.objects.get().body) == body[: parsers.MAX_BODY]
    # The same from a browser is answered by a page.
    response = doors(FORM, body, content_type, Accept="text/html")
    assert response.status_code == status


def test_what_is_at_the_limit_is_taken(doors):
    at_depth = b'{%s, "a": ' % EMAIL + b"[" * 19 + b"]" * 19 + b"}"
    assert doors(FORM, at_depth).status_code == 201
    padded = b"{%s}" % EMAIL
    assert doors(LEADS, padded + b" " * (parsers.MAX_BODY - len(padded))).status_code == 200
    assert doors(LEADS, b"\xef\xbb\xbf" + padded).status_code == 200
    assert doors(LEADS, b'{%s, "first_name": "\\ud83d\\ude00"}' % EMAIL).status_code == 200


# --- anything at all ----------------------------------------------------------------------------

text = st.text(max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)
names = st.sampled_from(
    [
        "email",
        "first_name",
        "company",
        "company_size",
        "phone",
        "country",
        "occurred_at",
        "message_id",
        "role",
    ]
)
documents = st.dictionaries(names | text, json_values, max_size=6)
emails = st.builds(lambda document: document | {"email": "ada@acme.example"}, documents)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_refusal(body):
    try:
        data = parsers.loads(body)
    except parsers.BadBody as refusal:
        data = {"refused": str(refusal.detail).encode()}
    assert isinstance(data, dict)


@given(documents)
def test_whatever_is_let_through_is_what_was_sent_and_can_be_stored(document):
    body = json.dumps(document).encode()
    try:
        data = parsers.loads(body)
    except parsers.BadBody:
        return
    assert data == document
    stored = json.dumps(data, allow_nan=False, ensure_ascii=False).encode()
    assert b"\\u0000" not in stored


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents | emails)
def test_no_document_is_a_server_error(doors, document):
    for path in (LEADS, FORM):
        response = doors(path, json.dumps(document).encode())
        assert response.status_code < 500, response.content
        before = Activity.objects.count()
        if response.status_code >= 400:
            doors(path, json.dumps(document).encode())
            assert Activity.objects.count() == before
