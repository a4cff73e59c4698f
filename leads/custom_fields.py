"""Fields that an installation adds for itself: which there are, and what their values look like.

Everywhere a custom field is called `custom.<key>`: in input, forms, imports and the field history. Only among the
values of a lead a field of its company is `company.custom.<key>`, because it is about somebody else.
"""

import math
import re
from datetime import date

from leads.cleaners import Problem, one_line
from leads.models import Company, CustomField, Lead

PREFIX = "custom."
OF_COMPANY = "company.custom."
LONGEST = 500  # characters of a text
BIGGEST = 10**15  # what JSON carries exactly
EXAMPLES = {CustomField.Type.NUMBER: 12, CustomField.Type.DATE: "2027-03-31", CustomField.Type.YES_NO: True}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
YES = {"yes", "y", "true", "on", "1"}
NO = {"no", "n", "false", "off", "0"}


def active(owner=None):
    """`{key: CustomField}` of those in use, in order; read once per operation. A lead's field wins over a company's."""
    rows = CustomField.objects.filter(is_active=True).order_by("owner", "position", "label", "id")
    return {row.key: row for row in rows if owner in (None, row.owner)}


def is_custom(name):
    return isinstance(name, str) and name.startswith(PREFIX)


def is_value(name):
    """Whether `name`, among the values of a lead, is a custom field: its own or its company's."""
    return name.startswith((PREFIX, OF_COMPANY))


def spread(data):
    """Input with `custom: {key: value}` as one with `custom.<key>: value`; (data, problems)."""
    rest = {name: value for name, value in data.items() if name != "custom"}
    inner = data["custom"]
    if inner is None:
        return rest, []
    if not isinstance(inner, dict):
        remedy = 'Send the fields by key, e.g. {"custom": {"erp_system": "SAP"}}.'
        return rest, [("custom", "is not an object.", remedy)]
    return rest | {f"{PREFIX}{key}": value for key, value in inner.items()}, []


def found(name, fields):
    """(name among a lead's values, its cleaner) of an input name such as `custom.erp_system`; no cleaner: unknown."""
    field = fields.get(name.removeprefix(PREFIX))
    if field is None:
        return name, None
    known = f"company.{name}" if field.owner == CustomField.Owner.COMPANY else name
    return known, lambda value: clean(field, value)


def clean(field, value):
    """The value as it is kept, None where it says nothing. Raises Problem, with an example of what is right."""
    if isinstance(value, str):
        value = one_line(value, LONGEST)
        if not value:
            return None
    if value is None:
        return None
    return CLEANERS[field.type](field, value)


def clean_words(field, value):
    if not isinstance(value, str):
        raise Problem("is not text.", 'Send it in quotes, e.g. "SAP".')
    return value


def clean_number(field, value):
    if isinstance(value, str):
        digits = value.replace(" ", "").replace("\u00a0", "").replace("_", "")
        if not NUMBER.fullmatch(digits):
            raise Problem("is not a number.", "Write it as 1250 or 12.5.")
        value = float(digits) if "." in digits else int(digits[:20])
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    if not is_number or isinstance(value, bool):
        raise Problem("is not a number.", "Write it as 1250 or 12.5.")
    if abs(value) > BIGGEST:
        raise Problem("is out of range.", "Write a number of at most 15 digits.")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def clean_choice(field, value):
    wanted = clean_words(field, value).casefold()
    for choice in field.choices:
        if choice.casefold() == wanted:
            return choice
    some = ", ".join(field.choices[:10]) + (", …" if len(field.choices) > 10 else "")
    raise Problem("is none of the choices.", f"Use one of: {some}.")


def clean_date(field, value):
    try:
        # fromisoformat also reads 20270331 and 2027-W13-3, which nobody here means.
        if isinstance(value, str) and len(value) == 10 and value.isascii() and value[4] == value[7] == "-":
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise Problem("is not a date.", "Write it as 2027-03-31.")


def clean_yes_no(field, value):
    if isinstance(value, bool):
        return value
    word = value.casefold() if isinstance(value, str) else value if isinstance(value, int) else ""
    if str(word) in YES | NO:
        return str(word) in YES
    raise Problem("is neither yes nor no.", "Write yes or no.")


def answers(field):
    """What may be chosen from; empty where a value is typed."""
    return ["Yes", "No"] if field.type == CustomField.Type.YES_NO else field.choices


def examples(owner):
    """{key: a value that could be one}, for previews."""
    return {
        key: field.choices[0] if field.choices else EXAMPLES.get(field.type, field.label)
        for key, field in active(owner).items()
    }


CLEANERS = {
    CustomField.Type.TEXT: clean_words,
    CustomField.Type.NUMBER: clean_number,
    CustomField.Type.CHOICE: clean_choice,
    CustomField.Type.DATE: clean_date,
    CustomField.Type.YES_NO: clean_yes_no,
}


def shown(field, value):
    """A value in words; an em dash where it is not known."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if field.type == CustomField.Type.NUMBER and isinstance(value, int | float):
        return f"{value:,}"
    return str(value)


def lines(fields, values):
    """[(label, value in words)] of those that are known, in the order of `fields`."""
    return [(field.label, shown(field, values[key])) for key, field in fields.items() if key in values]


def known_of(lead):
    """[(label, value in words)] of a lead and its company; asks for the fields only where there are values."""
    company = lead.company.custom if lead.company_id else {}
    if not lead.custom and not company:
        return []
    fields = active()
    of_company = {key: field for key, field in fields.items() if field.owner == CustomField.Owner.COMPANY}
    of_lead = {key: field for key, field in fields.items() if key not in of_company}
    return lines(of_lead, lead.custom) + lines(of_company, company)


def has_values(field):
    """Whether any lead or company has a value of it."""
    owner = Company if field.owner == CustomField.Owner.COMPANY else Lead
    return owner.objects.filter(custom__has_key=field.key).exists()
