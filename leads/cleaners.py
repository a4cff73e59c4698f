"""One function per kind of input: it returns the value as it is kept, or raises `Problem(what is wrong, what to do)`."""

import re
import unicodedata
from datetime import UTC, datetime, time

import phonenumbers
from django.utils.dateparse import parse_date, parse_datetime

from leads import addresses, countries

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
BIGGEST = 2_147_483_647
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
INVISIBLE = dict.fromkeys([0x200B, 0xFEFF, 0x2060, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


class Problem(ValueError):
    def __init__(self, problem, remedy):
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


def text(limit):
    def clean_text(value):
        return one_line(value, limit)

    return clean_text


def one_line(value, limit):
    if not isinstance(value, str):
        raise Problem("is not text.", 'Send it in quotes, e.g. "Acme".')
    if len(value) > limit * 4 + 100:  # too long whatever is trimmed; do not work on a megabyte
        raise Problem(f"is longer than {limit} characters.", "Shorten it.")
    if CONTROL.search(value):
        raise Problem("contains control characters.", "Remove them and send plain text in UTF-8.")
    value = " ".join(unicodedata.normalize("NFC", value.translate(INVISIBLE)).split())
    if len(value) > limit:
        raise Problem(f"is longer than {limit} characters.", "Shorten it.")
    return value


def email(value):
    value = one_line(value, 254)
    if not value:
        return ""
    try:
        address = addresses.normal_email(value)
    except ValueError:
        raise Problem("is not an e-mail address.", "Write it like ada@acme.example.") from None
    if len(address) > 254:
        raise Problem("is longer than 254 characters.", "Shorten it.")
    return address


def phone(value):
    value = one_line(value, 40)
    if value and sum(character.isdecimal() for character in value) < 3:
        raise Problem("is not a phone number.", "Write it with country code, e.g. +49 30 123456.")
    return value


def dial(number, country):
    """E.164 where the number can be understood, with `country` for one without a country code; else as written."""
    try:
        parsed = phonenumbers.parse(number, country or None)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_possible_number(parsed):
        return number
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{written};ext={parsed.extension}"[:40] if parsed.extension else written


def country(value):
    value = one_line(value, 80)
    if not value:
        return ""
    code = countries.code_of(value)
    if not code:
        raise Problem(
            "is not a country we know.",
            "Use a two-letter code such as DE or an English name such as Germany.",
        )
    return code


def whole_number(value):
    if isinstance(value, str):
        digits = re.sub(r"[\s,._'’]", "", one_line(value, 40))
        if not digits:
            return None
        if not (digits.isascii() and digits.isdigit()):
            raise Problem("is not a whole number.", "Send the number of employees, e.g. 250.")
        value = int(digits) if len(digits) < 15 else BIGGEST + 1
    if isinstance(value, float) and value.is_integer() and abs(value) <= BIGGEST:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Problem("is not a whole number.", "Send the number of employees, e.g. 250.")
    if not 0 <= value <= BIGGEST:
        raise Problem("is out of range.", f"Send a whole number from 0 to {BIGGEST}.")
    return value


def domain(value):
    value = one_line(value, 300).casefold()
    value = re.sub(r"^[a-z+]{1,10}://", "", value)
    value = re.split(r"[/?#:]", value, maxsplit=1)[0].removeprefix("www.").rpartition("@")[2]
    if not value:
        return ""
    try:
        # As an address, so that both spellings of an international name end as one.
        value = addresses.normal_email(f"x@{value}").partition("@")[2]
        found = addresses.registrable_domain(value)
    except ValueError:
        found = ""
    if not found:
        raise Problem("is not a domain.", "Write it like acme.example.")
    return found


def moment(value):
    if isinstance(value, str):
        value = one_line(value, 40)
        if not value:
            return None
        value = parsed_moment(value)
    if not isinstance(value, datetime):
        raise Problem("is not a time.", "Use ISO 8601 with zone, e.g. 2026-03-01T12:30:00Z.")
    try:
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        raise Problem("is out of range.", "Use a time since 1990.") from None
    if value < EARLIEST:
        raise Problem("is out of range.", "Use a time since 1990.")
    return value


def parsed_moment(value):
    try:
        day = parse_date(value) if len(value) <= 10 else None
        return datetime.combine(day, time(), tzinfo=UTC) if day else parse_datetime(value)
    except ValueError:
        return None


def yes_or_no(value):
    if isinstance(value, bool):
        return value
    word = one_line(value, 10).casefold()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off", ""}:
        return False
    raise Problem("is neither yes nor no.", "Send true or false.")
