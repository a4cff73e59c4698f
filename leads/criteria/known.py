"""How much we know about somebody."""

from leads.criteria import comparisons, custom
from leads.criteria.base import PERSON, Criterion
from leads.criteria.fields import COMPANY_FIELDS, LEAD_FIELDS
from leads.criteria.parameters import BadValue, Several, WholeNumber


def fields(*, in_use=True):
    """{name: Field} of everything that can be known, named as among the values of a lead; the company's as company.…"""
    own = LEAD_FIELDS | {f"company.{name}": item for name, item in COMPANY_FIELDS.items()}
    return own | custom.fields(in_use=in_use)


class KnowsFields(Criterion):
    key = "knows_fields"
    label = "How many fields are known"
    group = PERSON
    has_subject = True
    in_rules = True
    parameters = (
        WholeNumber("at_least", "At least so many", default=1, minimum=1, maximum=50),
        Several(
            "fields",
            "Of these fields",
            choices=lambda: {name: item.label for name, item in fields().items()},
        ),
    )

    def clean(self, given):
        params = super().clean(given)
        if params["at_least"] > len(params["fields"]):
            raise BadValue(
                f"must be {len(params['fields'])} or less, as many as fields are named", name="at_least"
            )
        return params

    def asked(self, params):
        offered = fields(in_use=False)
        return [offered[name] for name in params["fields"] if name in offered]

    def sql(self, params, at):
        known = [comparisons.compared(item, "known", None, at) for item in self.asked(params)]
        total = " + ".join(f"({sql})::int" for sql, _ in known) or "0"
        return f"({total} >= %s)", [*(value for _, bound in known for value in bound), params["at_least"]]

    def fields_asked(self, params):
        found = []
        for item in params["fields"]:
            if item in LEAD_FIELDS:
                found.append(("lead_field", item))
            elif item.startswith("company.") and (name := item.removeprefix("company.")) in COMPANY_FIELDS:
                found.append(("company_field", name))
            elif item in custom.fields(in_use=False):
                found.append(("custom_field", item))
        return found

    def changes_sql(self, params, at):
        found = [comparisons.changes(item, "known", None, at) for item in self.asked(params)]
        found = [one for one in found if one]
        if not found:
            return None
        return f"LEAST({', '.join(sql for sql, _ in found)})", [
            value for _, bound in found for value in bound
        ]

    def sentence(self, params):
        labels = [item.label for item in self.asked(params)] or params["fields"]
        if len(labels) == 1:
            return f"{labels[0]} is known"
        return f"at least {params['at_least']} of {', '.join(labels[:-1])} and {labels[-1]} are known"
