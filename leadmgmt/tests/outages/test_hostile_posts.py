"""Bad input over HTTP, to the server as it runs: 4xx naming field and remedy, and the raw post of a known form is kept.

What the parser refuses is proved case by case beside it (`leads/tests/test_strict_json.py`); here is what a web server and
its threads add to it.
"""

import json
import socket

import pytest

EMAIL = b'"email": "eve@hostile.net"'
DEEP = 10_000
# name: (body, status, field named)
HOSTILE = {
    "not JSON": (b"hello", 400, None),
    "an array": (b"[1]", 400, None),
    "wrong type": (b'{"email": {"$ne": null}}', 400, "email"),
    "a name of 1 MB": (b'{%s, "first_name": "%s"}' % (EMAIL, b"x" * 1_000_000), 413, None),
    "no e-mail address": (b'{"email": "eve"}', 400, "email"),
    "NUL": (b'{%s, "first_name": "a\\u0000b"}' % EMAIL, 400, None),
    "a lone surrogate": (b'{%s, "first_name": "\\ud800"}' % EMAIL, 400, None),
    "1e400": (b'{%s, "company_size": 1e400}' % EMAIL, 400, None),
    "10,000 deep": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, 400, None),
    "10,000 deep, a list": (b"[" * DEEP + b"]" * DEEP, 400, None),
}
# An optional answer that cannot be read: servers are told, of a person the lead is taken without it.
UNREADABLE = {
    "an object for a name": b'{"a": 1}',
    "a name of 100 kB": b'"%s"' % (b"x" * 100_000),
}
KEPT = "SELECT status, lead_id, errors, octet_length(body) FROM leads_submission ORDER BY received_at DESC, id LIMIT 1"


def check(answer, status, field):
    assert answer.status == status, answer.body[:500]
    (error, *_) = json.loads(answer.body)["errors"]
    assert field is None or error["attr"] == field
    assert len(error["detail"].split()) > 4  # what is wrong, and what to do about it


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_by_name(instance, name):
    body, status, field = HOSTILE[name]
    before = instance.value("SELECT count(*) FROM leads_submission")
    check(instance.post("/api/v1/leads/", body, key=True), status, field)
    check(instance.post("/api/v1/forms/white-paper/submissions/", body), status, field)
    assert instance.value("SELECT count(*) FROM leads_submission") == before + 1
    kept, lead, errors, size = instance.rows(KEPT)[0]
    assert (kept, lead) == ("invalid", None)
    assert errors
    assert size == min(len(body), 256 * 1024)
    assert instance.value("SELECT count(*) FROM leads_lead WHERE email LIKE '%hostile%'") == 0


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_optional_answer_that_cannot_be_read_costs_no_lead(instance, name):
    email = f"{name.replace(' ', '-').lower()}@spared.net"
    body = b'{"email": "%s", "first_name": %s}' % (email.encode(), UNREADABLE[name])
    check(instance.post("/api/v1/leads/", body, key=True), 400, "first_name")
    assert instance.post("/api/v1/forms/white-paper/submissions/", body).status == 201
    kept, lead, errors, size = instance.rows(KEPT)[0]
    assert (kept, size) == ("accepted", len(body))
    assert "first_name" in str(errors)
    assert instance.rows("SELECT id, first_name FROM leads_lead WHERE email = %s", [email]) == [(lead, "")]


def test_unknown_forms_and_wrong_keys(instance):
    values = b"{%s}" % EMAIL
    check(instance.post("/api/v1/forms/nothing/submissions/", values), 404, None)
    check(instance.post("/api/v1/forms/%00%ff/submissions/", values), 404, None)
    check(instance.post("/api/v1/leads/", values), 401, None)
    for key in ("Api-Key wrong.key", "Api-Key", "Api-Key a.b.c", "Bearer x", "Api-Key \x80\xff"):
        check(instance.post("/api/v1/leads/", values, Authorization=key), 401, None)


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /api/v1/leads/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/leads/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: abc\r\n\r\n",
        b"POST /api/v1/leads/ HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /api/v1/leads/\x00 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /f/\xff\xfe/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /api/v1/forms/white-paper/submissions/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n",
    ],
    ids=["negative length", "no number", "foreign host", "NUL in path", "not UTF-8", "bad chunk", "TLS"],
)
def test_requests_that_are_none(instance, request_):
    with socket.create_connection(("127.0.0.1", instance.port), timeout=30) as connection:
        connection.sendall(request_)
        answer = connection.makefile("rb").readline()
    assert answer.split()[1:2] and answer.split()[1].startswith(b"4"), answer


def test_a_post_cut_short_leaves_the_server_well(instance):
    log = instance.children[0].log
    before = log.read_text()
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", instance.port), timeout=30) as connection:
            connection.sendall(
                b"POST /api/v1/forms/white-paper/submissions/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b'Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"email": "cut@hostile.net"'
            )
    assert instance.submit({"email": "after@cut-short.net"}, "white-paper").status == 201
    assert instance.value("SELECT count(*) FROM leads_lead WHERE email = 'cut@hostile.net'") == 0
    new = log.read_text().removeprefix(before)
    assert "Traceback" not in new
    assert "ERROR" not in new
