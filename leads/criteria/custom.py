"""Comparisons of fields that an installation added for itself (`CustomField`), by the type each has in the database."""

from leads.criteria import comparisons
from leads.criteria.base import CUSTOM, quoted
from leads.criteria.comparisons import (
    CHOICE,
    DATE,
    NUMBER,
    OPERANDS,
    OPERATOR_LABELS,
    TEXT,
    YES_NO,
    Field,
    either,
)
from leads.criteria.fields import FieldCriterion, as_list
from leads.criteria.parameters import BadValue, Choice, clean_parameter, clean_text
from leads.criteria.reading import custom_fields
from leads.models import CustomField

DAY = "'^\\d{4}-\\d{2}-\\d{2}$'"
# {o} is the owner's alias; the key is bound, as often as it occurs. A value of another type is unknown, never an error.
COLUMNS = {
    TEXT: "{o}.custom ->> %s::text",
    CHOICE: "{o}.custom ->> %s::text",
    NUMBER: "CASE WHEN jsonb_typeof({o}.custom -> %s::text) = 'number' THEN ({o}.custom ->> %s::text)::numeric END",
    DATE: (
        "CASE WHEN {o}.custom ->> %s::text ~ "
        + DAY
        + " AND pg_input_is_valid({o}.custom ->> %s::text, 'date')"
        " THEN ({o}.custom ->> %s::text)::date::timestamp AT TIME ZONE 'UTC' END"
    ),
    YES_NO: "CASE {o}.custom -> %s::text WHEN 'true'::jsonb THEN true WHEN 'false'::jsonb THEN false END",
}


def field_of(name, row):
    column = COLUMNS[row.type]
    return Field(
        key=name,
        label=row.label,
        type=row.type,
        column=column.replace("{o}", "c" if row.owner == CustomField.Owner.COMPANY else "l"),
        choices={choice: choice for choice in row.choices},
        bound=(row.key,) * column.count("%s"),
    )


def fields(*, in_use=True):
    """{name: Field}: `custom.<key>` of the lead, `company.custom.<key>` of the company."""
    rows = custom_fields().items()
    return {name: field_of(name, row) for name, row in rows if row.is_active or not in_use}


class CustomFieldIs(FieldCriterion):
    """A field that was deleted is unknown of everybody; only where a condition is written it must be there."""

    key = "custom_field"
    label = "Custom field"
    group = CUSTOM

    @property
    def fields(self):
        return fields()

    def suggests(self, item):
        return f"{self.key}.{item.key}" if item.type in (TEXT, CHOICE) else ""

    def clean(self, given):
        name = given.get("field")
        if isinstance(name, str) and name and "." not in name:
            given = given | {"field": f"custom.{name}"}
        if not isinstance(name, str) or not name or self.field(given):
            return self.clean_of(given)
        return clean_gone(given)

    def clean_of(self, given):
        known, item = fields(in_use=False), given.get("field")
        item = known.get(item) if isinstance(item, str) else None
        if item is None:
            clean_parameter(Choice("field", "Field", choices=known), given)
        for name in given:
            if name not in ("field", "op", "value"):
                raise BadValue("is not asked here; use field, op and value", name=name)
        ops = {op: OPERATOR_LABELS[op] for op in item.operators}
        op = clean_parameter(Choice("op", "Operator", choices=ops), given)
        value = comparisons.clean_operand(item, op, given.get("value"))
        return {"field": item.key, "op": op, "value": value}

    def field(self, params):
        return fields(in_use=False).get(params["field"])

    def check_names(self, params):
        offered = fields()
        if params["field"] not in offered:
            some = f"one of {', '.join(offered)}" if offered else "a field made under Custom fields"
            raise BadValue(f"must be {some}", name="field")
        item = offered[params["field"]]
        for index, value in enumerate(as_list(params["value"])):
            if item.type == CHOICE and value is not None and value not in item.choices:
                where = f"value[{index}]" if isinstance(params["value"], list) else "value"
                raise BadValue(f"must be one of {', '.join(item.choices)}", name=where)

    def sql(self, params, at):
        if self.field(params) is None:
            return ("true" if params["op"] == "unknown" else "false"), []
        return super().sql(params, at)

    def changes_sql(self, params, at):
        return super().changes_sql(params, at) if self.field(params) else None

    def fields_asked(self, params):
        return super().fields_asked(params) if self.field(params) else []

    def sentence(self, params):
        if self.field(params):
            return super().sentence(params)
        words = f"{quoted(params['field'])} {OPERATOR_LABELS[params['op']]}"
        if params["value"] is None:
            return words
        return f"{words} {either([quoted(str(value)) for value in as_list(params['value'])])}"


def clean_gone(given):
    """The params of a field that is not there (any more), as far as they can be read."""
    name = clean_text(given["field"], 60)
    op = clean_parameter(Choice("op", "Operator", choices=OPERATOR_LABELS), given)
    if OPERANDS.get(op) == "none":
        return {"field": name, "op": op, "value": None}
    values = as_list(given.get("value"))
    if not values or not all(isinstance(value, str | int | float) for value in values):
        raise BadValue("must be text, a number or a list of them", name="value")
    return {"field": name, "op": op, "value": given["value"]}
