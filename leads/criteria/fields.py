"""Comparisons of one field of the lead or of its company."""

from dataclasses import dataclass, field

from leads.criteria.base import (
    LEAD,
    BadValue,
    Choice,
    Criterion,
    Parameter,
    WholeNumber,
    clean_choice,
    clean_list,
    clean_parameter,
    clean_text,
    either,
    quoted,
)
from leads.models import LeadType, Origin, Relationship

MAX_VALUES = 200
TEXT, NUMBER, CHOICE = "text", "number", "choice"

# What each type of field can be asked, in the order of the choice on screen.
OPERATORS = {
    TEXT: ("equals", "one_of", "contains", "known", "unknown"),
    NUMBER: ("at_least", "at_most", "equals", "known", "unknown"),
    CHOICE: ("equals", "one_of", "known", "unknown"),
}
OPERATOR_LABELS = {
    "equals": "is",
    "one_of": "is one of",
    "contains": "contains",
    "at_least": "is at least",
    "at_most": "is at most",
    "known": "is known",
    "unknown": "is unknown",
}
# {x} is the field's own SQL from FIELDS; the value is always bound. A text is compared without
# regard to case, folded by PostgreSQL on both sides. Never NULL: unknown makes each one false.
OPERATOR_SQL = {
    TEXT: {
        "equals": "coalesce(lower({x}) = lower(%s), false)",
        "one_of": "coalesce(lower({x}) IN ({values}), false)",
        "contains": "coalesce(position(lower(%s) in lower({x})) > 0, false)",
        "known": "coalesce({x}, '') <> ''",
    },
    NUMBER: {
        "equals": "coalesce({x} = %s, false)",
        "at_least": "coalesce({x} >= %s, false)",
        "at_most": "coalesce({x} <= %s, false)",
        "known": "({x}) IS NOT NULL",
    },
}
OPERATOR_SQL[CHOICE] = OPERATOR_SQL[TEXT]


@dataclass(frozen=True)
class Field:
    """A field that conditions may ask about. `column` yields NULL or '' where it is unknown.

    `until` is SQL of the instant from which on the value is unknown again, where it has one; `among` wraps
    the comparison where one lead has several values.
    """

    key: str
    label: str
    type: str
    column: str
    choices: dict = field(default_factory=dict, hash=False)
    until: str = ""
    among: str = "{}"

    @property
    def sql(self):
        """The value at an instant, which is bound once where the field has an `until`."""
        return f"CASE WHEN {self.until} <= %s THEN NULL ELSE {self.column} END" if self.until else self.column


LEAD_FIELDS = {
    item.key: item
    for item in (
        Field("job_title", "job title", TEXT, "l.job_title"),
        Field("role", "buying role", TEXT, "l.role"),
        Field("country", "country", TEXT, "l.country"),
        Field("industry", "industry as stated", TEXT, "l.industry"),
        Field("company_size", "company size as stated", NUMBER, "l.company_size"),
        # A stated timeline ages: once its window has passed it is unknown, to be asked again.
        Field("timeline", "buying timeline", TEXT, "l.timeline", until="l.timeline_until"),
        Field("email", "e-mail address", TEXT, "l.email"),
        Field("phone", "phone", TEXT, "l.phone"),
        Field("first_name", "first name", TEXT, "l.first_name"),
        Field("last_name", "last name", TEXT, "l.last_name"),
        Field("lead_type", "lead type", CHOICE, "l.lead_type", dict(LeadType.choices)),
        Field("origin", "origin", CHOICE, "l.origin", dict(Origin.choices)),
    )
}
COMPANY_FIELDS = {
    item.key: item
    for item in (
        Field("size", "company size", NUMBER, "coalesce(c.size, l.company_size)"),
        Field("industry", "industry", TEXT, "coalesce(nullif(c.industry, ''), l.industry)"),
        Field("country", "company country", TEXT, "coalesce(nullif(c.country, ''), l.country)"),
        Field("name", "company name", TEXT, "c.name"),
        Field(
            "domain",
            "company domain",
            TEXT,
            "d.domain",
            among="EXISTS (SELECT 1 FROM leads_companydomain d WHERE d.company_id = c.id AND {})",
        ),
        Field(
            "relationship",
            "relationship to us",
            CHOICE,
            "c.relationship",
            dict(Relationship.choices),
        ),
    )
}
FIELDS = {"lead": LEAD_FIELDS, "company": COMPANY_FIELDS}


class FieldCriterion(Criterion):
    """{field, op, value}: the type of the field decides the operators and the type of the value."""

    scope = LEAD
    in_rules = True
    fields: dict[str, Field]

    def clean(self, given):
        for name in given:
            if name not in ("field", "op", "value"):
                raise BadValue("is not asked here; use field, op and value", name=name)
        chosen = self.fields[clean_parameter(self.field_parameter(), given)]
        op = clean_parameter(operator_parameter(chosen), given)
        value = given.get("value")
        if op in ("known", "unknown"):
            if value not in (None, "", []):
                raise BadValue(f"is not asked with “{OPERATOR_LABELS[op]}”; leave it out", name="value")
            return {"field": chosen.key, "op": op, "value": None}
        if value is None or value == "":
            raise BadValue("is missing", name="value")
        try:
            return {"field": chosen.key, "op": op, "value": clean_value(chosen, op, value)}
        except BadValue as bad:
            raise BadValue(str(bad), name="value" + bad.name) from None

    def sql(self, params, at):
        chosen, op = self.fields[params["field"]], params["op"]
        if op == "unknown":
            sql, bound = self.sql(params | {"op": "known"}, at)
            return f"NOT ({sql})", bound
        shape = OPERATOR_SQL[chosen.type][op]
        values = [] if op == "known" else params["value"]
        values = as_list(values)
        sql = shape.format(x=chosen.sql, values=", ".join(["lower(%s)"] * len(values)))
        now = [at] if chosen.until else []
        # In "contains" the value stands before the field, everywhere else after it.
        bound = values + now if op == "contains" else now + values
        return chosen.among.format(sql), bound

    def changes_sql(self, params, at):
        until = self.fields[params["field"]].until
        return (f"CASE WHEN {until} > %s THEN {until} END", [at]) if until else None

    def sentence(self, params):
        chosen, op = self.fields[params["field"]], params["op"]
        words = f"{chosen.label} {OPERATOR_LABELS[op]}"
        if params["value"] is None:
            return words
        values = as_list(params["value"])
        if len(values) == 1:
            words = words.replace(" is one of", " is")
        return f"{words} {either([in_words(chosen, value) for value in values])}"

    def either(self, one, other):
        same = all(one[name] == other[name] for name in ("field", "op")) and one["op"] in (
            "contains",
            "equals",
            "one_of",
        )
        return one | {"value": as_list(one["value"]) + as_list(other["value"])} if same else None

    def field_parameter(self):
        return Choice("field", "Field", choices={f.key: f.label for f in self.fields.values()})

    def describe(self):
        return {
            "key": self.key,
            "label": self.label,
            "fields": [
                {
                    "key": item.key,
                    "label": item.label,
                    "type": item.type,
                    "choices": item.choices,
                    "operators": {op: OPERATOR_LABELS[op] for op in OPERATORS[item.type]},
                }
                for item in self.fields.values()
            ],
        }


def operator_parameter(chosen) -> Parameter:
    return Choice("op", "Operator", choices={op: OPERATOR_LABELS[op] for op in OPERATORS[chosen.type]})


def clean_value(chosen, op, value):
    clean_one = {
        TEXT: lambda item: clean_text(item, 200),
        NUMBER: WholeNumber("value", "Value").clean,
        CHOICE: lambda item: clean_choice(item, chosen.choices),
    }[chosen.type]
    return clean_list(value, MAX_VALUES, clean_one) if op == "one_of" else clean_one(value)


def as_list(value):
    return value if isinstance(value, list) else [value]


def in_words(chosen, value):
    if chosen.type == NUMBER:
        return f"{value:,}"
    return chosen.choices[value] if chosen.type == CHOICE else quoted(value)


class LeadField(FieldCriterion):
    key = "lead_field"
    label = "Field of the lead"
    fields = LEAD_FIELDS


class CompanyField(FieldCriterion):
    """Where the company does not say, what the person stated about it counts."""

    key = "company_field"
    label = "Field of the company"
    fields = COMPANY_FIELDS
