import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from leads import idempotency
from leads.models import Activity, IdempotentRequest, Lead
from leads.tests.races import PATIENCE, at_once, together
from leads.tests.test_api_capture import URL, errors, new_key, with_key

ADA = {"email": "ada@acme.example", "first_name": "Ada"}


@pytest.fixture
def api(db):
    return with_key(new_key("capture"))


def post(api, lead=ADA, key="k-1"):
    return api.post(URL, lead, headers={"Idempotency-Key": key})


def test_the_same_request_gets_the_same_answer(api):
    first = post(api)
    Lead.objects.update(first_name="Augusta")
    second = post(api)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second["Idempotency-Replayed"] == "true"
    assert not first.has_header("Idempotency-Replayed")
    assert Activity.objects.count() == 1


def test_the_order_of_keys_makes_no_other_request(api):
    post(api)
    assert post(api, dict(reversed(ADA.items()))).status_code == 201


def test_another_key_is_another_request(api):
    assert [post(api, key=key).status_code for key in ("a", "b")] == [201, 200]
    assert Activity.objects.count() == 2


def test_keys_of_two_clients_do_not_meet(api):
    post(api)
    other = with_key(new_key("capture"))
    assert post(other, {"email": "bob@acme.example"}).status_code == 201


def test_another_body_is_422(api):
    post(api)
    response = post(api, {"email": "bob@acme.example"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == "other_body"
    assert Lead.objects.count() == 1


def test_a_refused_request_may_be_corrected(api):
    assert post(api, ADA | {"colour": "red"}).status_code == 400
    assert not IdempotentRequest.objects.exists()
    assert post(api).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "k\x00", "kéy"])
def test_an_unusable_key_is_400(api, key):
    response = post(api, key=key)
    assert response.status_code == 400
    assert "Idempotency-Key" in errors(response)


def test_old_answers_are_forgotten(api):
    post(api)
    now = timezone.now()
    assert idempotency.forget(at=now) == 0
    assert idempotency.forget(at=now + idempotency.KEPT_FOR + timedelta(seconds=1)) == 1


# --- races --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_in_flight_it_is_409(api):
    begun, may_end = threading.Event(), threading.Event()

    def ask(answer):
        return idempotency.answered_once(client="c", key="k", data={}, at=timezone.now(), answer=answer)

    def slowly():
        begun.set()
        assert may_end.wait(PATIENCE)
        return 201, {"id": 1}

    def meanwhile():
        assert begun.wait(PATIENCE)
        with pytest.raises(idempotency.InFlight):
            ask(lambda: (200, {}))
        may_end.set()

    first, _ = together(lambda: ask(slowly), meanwhile)
    again = ask(lambda: (200, {}))
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, b'{"id":1}')


@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_are_one(api):
    """Twenty rounds of eight clients with one key: one activity each, one body, nothing but 201 and 409."""
    secret = new_key("capture")
    for number in range(20):

        def send(_, number=number):
            return post(with_key(secret), {"email": f"p{number}@acme.example"}, f"k-{number}")

        answers = at_once(8, send)
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        assert Activity.objects.filter(lead__email=f"p{number}@acme.example").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_answer_and_its_record_commit_together(api):
    """The connection dies before the commit: neither the lead nor the record is there, and the retry is the first."""

    def die():
        Lead.objects.create(email="ada@acme.example", created_at=timezone.now(), updated_at=timezone.now())
        connection.connection.close()
        return 201, {"id": 1}

    with pytest.raises(Exception, match="closed"):
        idempotency.answered_once(client="c", key="k", data={}, at=timezone.now(), answer=die)
    connection.close()
    assert not Lead.objects.exists()
    assert not IdempotentRequest.objects.exists()
    assert transaction.get_connection().is_usable()
