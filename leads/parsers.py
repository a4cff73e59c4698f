"""One strict JSON parser for every door of the product, and the reading of posted forms.

What is refused: more than 256 KB, more than 20 levels, NaN, Infinity and numbers too large for a float, NUL characters, lone
surrogates, a key given twice, and anything but an object at the top. Nothing is repaired silently.
"""

import json
import re
from io import BytesIO
from urllib.parse import parse_qsl

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_BODY = 256 * 1024
MAX_DEPTH = 20
MAX_FIELDS = 1000
DRAINED = 8 * 1024 * 1024

# A string that never ends matches up to the end of the text, so the scan stays linear on hostile input.
STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


class BadBody(ParseError):
    """A body that cannot be read. The detail says what to change."""


class TooLarge(BadBody):
    status_code = 413
    default_code = "too_large"

    def __init__(self):
        super().__init__(f"The body is larger than {MAX_BODY // 1024} KB. Send less at once.")


class StrictJSONParser(JSONParser):
    def parse(self, stream, media_type=None, parser_context=None):
        body, is_whole = read_body(stream)
        if not is_whole:
            raise TooLarge
        return loads(body)


def read_body(stream):
    """Up to 256 KB of a request as bytes, and whether that was all of it."""
    try:
        body = stream.read(MAX_BODY + 1)
        if len(body) <= MAX_BODY:
            return body, True
        # A server that closes on unread data resets the connection: the sender would never see the answer.
        left = DRAINED
        while left > 0 and (chunk := stream.read(64 * 1024)):
            left -= len(chunk)
        return body[:MAX_BODY], False
    except UnreadablePostError:
        raise BadBody("The body ended early. Send it again.") from None


def loads(body):
    """Bytes to a dict, strictly. Raises BadBody."""
    if len(body) > MAX_BODY:
        raise TooLarge
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadBody("The body is not UTF-8. Encode it as UTF-8 JSON.") from None
    check_depth(text)
    try:
        data = json.loads(text, parse_float=finite, parse_constant=finite, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise BadBody(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. Send one JSON object."
        ) from None
    except ValueError:  # Python refuses whole numbers of thousands of digits
        raise BadBody("A number has too many digits. Send it as text.") from None
    if not isinstance(data, dict):
        raise BadBody('The body is not a JSON object. Send {"email": "…"} and so on.')
    if "\\u" in text:
        check_strings(data)
    return data


def check_depth(text):
    """Refuse deep nesting before a recursive parser sees it."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for match in STRING_OR_BRACKET.finditer(text):
        mark = match[0]
        if mark in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise BadBody(f"The body is nested more than {MAX_DEPTH} levels deep. Flatten it.")
        elif mark in ("]", "}"):
            depth -= 1


def finite(text):
    number = float(text)
    if number - number != 0:
        raise BadBody(f"{text[:20]} is not a finite number. Send a smaller number, or text.")
    return number


def unique(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise BadBody(f'The key "{shown(twice)}" is given twice. Send it once.')
    return found


def check_strings(data):
    """Only an escape can bring in a NUL or half a surrogate pair: raw ones do not pass the decoder."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            check_text(value)


def check_text(value):
    if "\x00" in value:
        raise BadBody(f'The text "{shown(value)}" holds a NUL character. Remove it.')
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadBody(f'The text "{shown(value)}" holds half a surrogate pair. Send whole characters.')


def shown(text):
    """A short, printable piece of hostile text for a message."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text[:40])


# --- Forms: JSON by content, urlencoded, multipart ----------------------------------------------


def read_answers(body, content_type):
    """A form's answers as (dict, names of file parts). A repeated name becomes a list.

    JSON is recognised by its content: browsers send it as text/plain to avoid a preflight. Raises BadBody.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") and kind != "multipart/form-data":
        return loads(body), {}
    if kind == "multipart/form-data":
        return read_multipart(body, content_type)
    if kind == "application/x-www-form-urlencoded":
        return gather(read_urlencoded(body)), {}
    raise BadBody(
        "The body is neither JSON nor a form. Send a JSON object, a urlencoded form or multipart/form-data."
    )


def read_urlencoded(body):
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise BadBody("The form is not UTF-8. Declare the page and the form as UTF-8.") from None
    except ValueError:
        raise BadBody(f"The form has more than {MAX_FIELDS} fields. Send fewer.") from None
    return pairs


def read_multipart(body, content_type):
    environ = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": len(body)}
    try:
        handler = MemoryFileUploadHandler()
        fields, files = MultiPartParser(environ, BytesIO(body), [handler], "utf-8").parse()
    except (MultiPartParserError, SuspiciousOperation, ValueError):
        raise BadBody(
            "The multipart form cannot be read. Check its boundary and the number of fields."
        ) from None
    pairs = [(name, value) for name, values in fields.lists() for value in values]
    return gather(pairs), {name: files[name].name or "" for name in files}


def gather(pairs):
    answers = {}
    for name, value in pairs:
        check_text(name)
        check_text(value)
        if name in answers:
            before = answers[name]
            answers[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            answers[name] = value
    return answers
