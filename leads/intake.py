"""What comes in from outside, cleaned: `clean` gives values that every verb below may trust, or says what is wrong.

One table, FIELDS, names every input field and the function that cleans it; the API, the forms and the import share
it. A cleaner returns the value or raises `Problem(what is wrong, what to do)`.
"""

import re
import unicodedata
from datetime import UTC, datetime, time, timedelta

import phonenumbers
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from leads import addresses, countries

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)  # clocks differ and dates come without a zone
BIGGEST = 2_147_483_647
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
INVISIBLE = dict.fromkeys([0x200B, 0xFEFF, 0x2060, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])

# Timelines we suggest, with the days after which the answer is no longer true. Any other text is kept as it is.
TIMELINES = {
    "immediately": 14,
    "within 30 days": 30,
    "1-3 months": 90,
    "3-6 months": 180,
    "6-12 months": 365,
    "this year": 365,
    "later": None,
    "just looking": None,
}


class Problem(ValueError):
    def __init__(self, problem, remedy):
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


class InvalidLead(ValueError):
    """Input that cannot become a lead. `problems`: all of them, as (field, problem, remedy); field "" = the whole."""

    def __init__(self, problems):
        super().__init__(
            "; ".join(f"{field or 'lead'}: {problem} {remedy}" for field, problem, remedy in problems)
        )
        self.problems = problems


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


# Lengths are those of the columns (a test compares).
FIELDS = {
    "email": email,
    "first_name": text(100),
    "last_name": text(100),
    "company": text(255),
    "company_domain": domain,
    "company_size": whole_number,
    "role": text(60),
    "job_title": text(150),
    "phone": phone,
    "country": country,
    "industry": text(100),
    "timeline": text(60),
    "source": text(100),
    "campaign": text(150),
    "external_id": text(200),
    "utm_source": text(200),
    "utm_medium": text(200),
    "utm_campaign": text(200),
    "utm_term": text(200),
    "utm_content": text(200),
    "occurred_at": moment,
    "message_id": text(200),
}
# Beyond the fields of a lead, a form may ask for permission; the API says it by its form or key.
FORM_FIELDS = FIELDS | {"consent": yes_or_no}


def clean(data, *, strict, at=None):
    """`(values, unmapped)` from what came in: values without empty ones; unmapped = unknown fields, made storable.

    `strict`: an unknown field is an error. `at` is now (an aware datetime). Raises InvalidLead with every problem.
    """
    if not isinstance(data, dict):
        raise InvalidLead(
            [("", "is not an object.", 'Send fields by name, e.g. {"email": "ada@acme.example"}.')]
        )
    at = at or timezone.now()
    table = FIELDS if strict else FORM_FIELDS
    values, unmapped, problems = {}, {}, []
    for name, value in data.items():
        if name not in table:
            unmapped[name] = value
        elif value is not None:
            try:
                values[name] = table[name](value)
            except Problem as problem:
                problems.append((name, problem.problem, problem.remedy))
    if strict:
        problems += [
            (shown(name), "is not a field of a lead.", "Leave it out.") for name in list(unmapped)[:20]
        ]
    values = {name: value for name, value in values.items() if value is not None and value != ""}
    problems += derive(values, at=at, failed={field for field, _, _ in problems})
    if problems:
        raise InvalidLead(problems)
    return values, storable(unmapped)


def derive(values, *, at, failed):
    """Add what follows from several fields together; the problems that only show there."""
    problems = []
    if values.get("occurred_at", at) > at + LATEST_AHEAD:
        problems.append(("occurred_at", "is in the future.", "Send when it happened."))
    if "phone" in values:
        values["phone"] = dial(values["phone"], values.get("country"))
    if "timeline" in values:
        values["timeline_until"] = until(values["timeline"], values.get("occurred_at", at))
    if not failed & IDENTIFYING and not identifies(values):
        remedy = "Send email, phone, external_id, or last_name with company."
        problems.append(("email", "is missing, and nothing else says who this is.", remedy))
    return problems


IDENTIFYING = {"email", "phone", "external_id", "last_name", "company", "company_domain"}


def identifies(values):
    if values.keys() & {"email", "phone", "external_id"}:
        return True
    company = values.get("company") or addresses.business_domain(values.get("company_domain", ""))
    return bool(values.get("last_name") and company)


def until(timeline, at):
    """The end of the window that a suggested timeline names, counted from `at`; None for other texts."""
    days = TIMELINES.get(re.sub(r"\s*[-–—]\s*", "-", timeline.casefold()))
    return at + timedelta(days=days) if days else None


def storable(value, depth=20):
    """Any parsed JSON as PostgreSQL can keep it: no NUL, no lone surrogates, bounded."""
    if isinstance(value, str):
        return value[:10_000].replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool | int | None):
        return value if not isinstance(value, int) or abs(value) < 10**30 else "a very large number"
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        return {
            storable(str(key))[:200]: storable(inner, depth - 1) for key, inner in list(value.items())[:200]
        }
    if isinstance(value, list | tuple):
        return [storable(inner, depth - 1) for inner in value[:200]]
    return storable(str(value))


def shown(name):
    """An unknown field's name as an error may repeat it."""
    return storable(str(name))[:60]
