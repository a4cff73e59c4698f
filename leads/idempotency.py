"""The same request sent again gets the same answer: `Idempotency-Key`.

    first         the answer is kept in the transaction that writes what it promises
    again         the kept status and body, byte for byte, with `Idempotency-Replayed: true`
    in flight     409: the first has not ended
    other body    422: the key stands for something else

Only successes are kept. A refused or failed request wrote nothing and may be corrected under the same key.
"""

import hashlib
import json
from datetime import timedelta

from django.db import connection, transaction
from django.http import HttpResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.renderers import JSONRenderer

from leads.models import IdempotentRequest

KEPT_FOR = timedelta(hours=48)
HEADER = "Idempotency-Key"
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 7))"


class InFlight(APIException):
    status_code = 409
    default_code = "in_flight"
    default_detail = f"A request with this {HEADER} is still being answered. Wait a moment and send it again."


class OtherBody(APIException):
    status_code = 422
    default_code = "other_body"
    default_detail = f"This {HEADER} was used with another body. Use a new key for a new request."


def key_of(request):
    """The key that a request carries, or None. Raises ValidationError when it is unusable."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise ValidationError({HEADER: ["Send 1 to 255 printable ASCII characters, e.g. a UUID."]})
    return key


def answered_once(*, client, key, data, at, answer):
    """What `answer()` says, once. It returns (status, JSON-able body); its writes commit with the record of it.

    `client` tells apart who may see the answer; `data` is the parsed request.
    """
    body_hash = digest(data)
    with transaction.atomic():
        # Held until the commit is visible, and the record is read in a later statement: whoever gets the lock next sees it.
        with connection.cursor() as cursor:
            cursor.execute(TRY_LOCK, [f"{client} {key}"])
            if not cursor.fetchone()[0]:
                raise InFlight
        known = IdempotentRequest.objects.filter(client=client, key=key).first()
        if known is not None:
            if known.body_hash != body_hash:
                raise OtherBody
            return response(known.status_code, known.response, replayed=True)
        status, body = answer()
        # Kept as text: jsonb would reorder the keys of an object.
        text = JSONRenderer().render(body).decode()
        IdempotentRequest.objects.create(
            client=client, key=key, body_hash=body_hash, status_code=status, response=text, created_at=at
        )
    return response(status, text)


def digest(data):
    """Of the meaning, not the bytes: the order of keys and white space make no other request."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def response(status, text, *, replayed=False):
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return HttpResponse(text, status=status, content_type="application/json", headers=headers)


def forget(*, at):
    """Drop the answers that are older than 48 hours. Returns how many."""
    return IdempotentRequest.objects.filter(created_at__lt=at - KEPT_FOR).delete()[0]
