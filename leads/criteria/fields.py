"""Comparisons of one field of the lead or of its company."""

from leads.addresses import free_mail
from leads.criteria import comparisons
from leads.criteria.base import CAME_FROM, COMPANY, PERSON, WANTS, Criterion
from leads.criteria.comparisons import CHOICE, NUMBER, OPERATOR_LABELS, TEXT, Field
from leads.criteria.parameters import BadValue, Choice, clean_parameter
from leads.models import LeadType, Origin, Relationship

LEAD_FIELDS = {
    item.key: item
    for item in (
        Field("job_title", "job title", TEXT, "l.job_title"),
        Field("role", "buying role", TEXT, "l.role"),
        Field("country", "country", TEXT, "l.country", hint="Of the person, not of the company"),
        Field(
            "industry",
            "industry as stated",
            TEXT,
            "l.industry",
            hint="What the person said; “Industry” takes what is known of the company first",
        ),
        Field(
            "company_size",
            "company size as stated",
            NUMBER,
            "l.company_size",
            hint="What the person said; “Company size” takes what is known of the company first",
        ),
        # A stated timeline ages: once its window has passed it is unknown, to be asked again.
        Field(
            "timeline",
            "buying timeline",
            TEXT,
            "l.timeline",
            until="l.timeline_until",
            group=WANTS,
            hint="The answer as it was given; “Wants to buy within” counts the days that are left of it",
        ),
        Field("email", "e-mail address", TEXT, "l.email", extra=("free_mail",)),
        Field("phone", "phone", TEXT, "l.phone"),
        Field("first_name", "first name", TEXT, "l.first_name"),
        Field("last_name", "last name", TEXT, "l.last_name"),
        Field(
            "product_interest",
            "product they named",
            TEXT,
            "l.product_interest",
            group=WANTS,
            hint="In their own words; “Asked for one of our products” knows a product by slug and name",
        ),
        Field("lead_type", "lead type", CHOICE, "l.lead_type", dict(LeadType.choices), group=CAME_FROM),
        Field("origin", "origin", CHOICE, "l.origin", dict(Origin.choices), group=CAME_FROM),
    )
}
ELSE_AS_STATED = "Of the company; where it is unknown, as the person stated"
COMPANY_FIELDS = {
    item.key: item
    for item in (
        Field("size", "company size", NUMBER, "coalesce(c.size, l.company_size)", hint=ELSE_AS_STATED),
        Field(
            "industry",
            "industry",
            TEXT,
            "coalesce(nullif(c.industry, ''), l.industry)",
            hint=ELSE_AS_STATED,
        ),
        Field(
            "country",
            "company country",
            TEXT,
            "coalesce(nullif(c.country, ''), l.country)",
            hint="Of the company; where it is unknown, of the person",
        ),
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

    has_subject = True
    in_rules = True
    suggested: tuple = ()

    @property
    def fields(self):
        """{name: Field}"""
        raise NotImplementedError

    def clean(self, given):
        for name in given:
            if name not in ("field", "op", "value"):
                raise BadValue("is not asked here; use field, op and value", name=name)
        names = {name: item.label for name, item in self.fields.items()}
        chosen = self.fields[clean_parameter(Choice("field", "Field", choices=names), given)]
        op = clean_parameter(operator_parameter(chosen), given)
        return {
            "field": chosen.key,
            "op": op,
            "value": comparisons.clean_operand(chosen, op, given.get("value")),
        }

    def check_names(self, params):
        pass

    def sql(self, params, at):
        value = " ".join(sorted(free_mail())) if params["op"] == "free_mail" else params["value"]
        return comparisons.compared(self.field(params), params["op"], value, at)

    def changes_sql(self, params, at):
        return comparisons.changes(self.field(params), params["op"], params["value"], at)

    def fields_asked(self, params):
        return [] if params["op"] == "unknown" else [(self.key, params["field"])]

    def sentence(self, params):
        return comparisons.in_words(self.field(params), params["op"], params["value"])

    def either(self, one, other):
        same = all(one[name] == other[name] for name in ("field", "op"))
        if not same or one["op"] not in ("equals", "one_of", "has_word", "contains", "begins_with"):
            return None
        values = [v for params in (one, other) for v in as_list(params["value"])]
        return one | {"value": values}

    def field(self, params):
        """The Field that cleaned params ask about."""
        return self.fields[params["field"]]

    def describe(self):
        return {
            "key": self.key,
            "label": self.label,
            "group": self.group,
            "fields": [item.describe() | {"suggests": self.suggests(item)} for item in self.fields.values()],
        }

    def suggests(self, item):
        """Key under which `suggestions` looks up the values of the field, or ""."""
        return f"{self.key}.{item.key}" if item.key in self.suggested else ""


def operator_parameter(item):
    return Choice("op", "Operator", choices={op: OPERATOR_LABELS[op] for op in item.operators})


def as_list(value):
    return value if isinstance(value, list) else [value]


class LeadField(FieldCriterion):
    key = "lead_field"
    label = "Field of the lead"
    group = PERSON
    fields = LEAD_FIELDS
    suggested = ("job_title", "role", "country", "industry", "timeline", "product_interest")


class CompanyField(FieldCriterion):
    """Where the company does not say, what the person stated about it counts."""

    key = "company_field"
    label = "Field of the company"
    group = COMPANY
    fields = COMPANY_FIELDS
    suggested = ("name", "industry", "country", "domain")
