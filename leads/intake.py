"""What comes in from outside, cleaned: `clean` gives values that every verb below may trust, or says what is wrong.

One table, FIELDS, names every input field and the function that cleans it (`leads.cleaners`); the API, the forms and
the import share it. Fields that the installation added are in `leads.custom_fields`.
"""

import re
from datetime import timedelta

from django.utils import timezone

from leads import addresses, custom_fields
from leads.cleaners import (
    Problem,
    country,
    dial,
    domain,
    email,
    moment,
    phone,
    text,
    whole_number,
    yes_or_no,
)

LATEST_AHEAD = timedelta(days=1)  # clocks differ and dates come without a zone

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


class InvalidLead(ValueError):
    """Input that cannot become a lead. `problems`: all of them, as (field, problem, remedy); field "" = the whole."""

    def __init__(self, problems):
        super().__init__(
            "; ".join(f"{field or 'lead'}: {problem} {remedy}" for field, problem, remedy in problems)
        )
        self.problems = problems


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
    "product_interest": text(100),
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


def clean(data, *, strict, at=None, custom=None):
    """`(values, unmapped)` from what came in: values without empty ones; unmapped = unknown fields, made storable.

    `strict`: an unknown field is an error. `at` is now (an aware datetime). `custom`: `custom_fields.active()`, given
    by who cleans many; else it is read where it is needed. Raises InvalidLead with every problem.
    """
    if not isinstance(data, dict):
        raise InvalidLead(
            [("", "is not an object.", 'Send fields by name, e.g. {"email": "ada@acme.example"}.')]
        )
    at = at or timezone.now()
    table = FIELDS if strict else FORM_FIELDS
    data, problems = custom_fields.spread(data) if "custom" in data else (data, [])
    if custom is None and any(custom_fields.is_custom(name) for name in data):
        custom = custom_fields.active()
    values, unmapped = {}, {}
    for name, value in data.items():
        known, cleaner = name, table.get(name)
        if cleaner is None and custom_fields.is_custom(name):
            known, cleaner = custom_fields.found(name, custom)
        if cleaner is None:
            unmapped[name] = value
        elif value is not None:
            try:
                values[known] = cleaner(value)
            except Problem as problem:
                problems.append((name, problem.problem, problem.remedy))
    if strict:
        problems += [unknown(name) for name in list(unmapped)[:20]]
    values = {name: value for name, value in values.items() if value is not None and value != ""}
    problems += derive(values, at=at, failed={field for field, _, _ in problems})
    if problems:
        raise InvalidLead(problems)
    return values, storable(unmapped)


def unknown(name):
    if custom_fields.is_custom(name):
        return shown(name), "is not a custom field.", "Leave it out, or add the field in the admin."
    return shown(name), "is not a field of a lead.", "Leave it out."


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
        problems.append(NOBODY)
    return problems


NOBODY = (
    "email",
    "is missing, and nothing else says who this is.",
    "Send email, phone, external_id, or last_name with company.",
)
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
