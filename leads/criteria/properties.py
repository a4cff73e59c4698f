"""What an activity said of itself: the properties declared for its kind, as its touchpoint keeps them."""

from dataclasses import dataclass

from leads.criteria.base import either, quoted
from leads.criteria.parameters import BadValue, Named, Texts
from leads.criteria.reading import declared_properties
from leads.properties import LONGEST, value_of


def declared(params):
    """The DeclaredProperty rows in use that cleaned params speak of; of several kinds where they name none."""
    return [
        row
        for row in declared_properties()
        if row.is_active and row.key == params["property"] and params["kind"] in ("", row.kind)
    ]


def offered():
    """{key: label} of those in use."""
    found = {}
    for row in declared_properties():
        if row.is_active and row.label not in found.setdefault(row.key, []):
            found[row.key].append(row.label)
    return {key: either(labels) for key, labels in found.items()}


@dataclass(frozen=True)
class Property(Named):
    """The key of a property, declared for the kind of activity that is asked for."""

    def check_name(self, value, params):
        if value and not declared(params):
            of = f" of {quoted(params['kind'])}" if params["kind"] else ""
            raise BadValue(
                f"there is no property {quoted(value)}{of}; declare it under Properties of activities"
            )


@dataclass(frozen=True)
class PropertyValues(Texts):
    """Asked with whatever property, also with one that is not in use any more."""

    def is_asked(self, params):
        return bool(params["property"])

    def check_name(self, value, params):
        rows = declared(params)
        choices = [choice for row in rows for choice in row.choices]
        if not all(row.choices for row in rows):
            return
        for index, item in enumerate(value):
            if value_of(item) not in choices:
                raise BadValue(f"must be one of {', '.join(choices)}", name=f"[{index}]")

    def describe(self):
        return super().describe() | {"shown_when": {"property": list(offered())}}


PROPERTY = (
    Property(
        "property",
        "With the property",
        default="",
        help="made under Properties of activities; empty = any",
        rows=offered,
    ),
    PropertyValues(
        "one_of",
        "One of these values",
        max_length=LONGEST,
        max_items=50,
        shown_when={"property": ()},
        suggests="activity.property",
    ),
)


def property_sql(alias, params):
    """Boolean SQL over leads_touchpoint, never NULL. Asked only where params name a property."""
    values = [value_of(value) for value in params["one_of"]]
    places = ", ".join(["%s"] * len(values))
    return f"(({alias}.properties ->> %s::text) IN ({places})) IS TRUE", [params["property"], *values]


def property_words(params):
    """As in:  with language “de” or “en”. Empty where nothing is asked."""
    if not params["property"]:
        return ""
    rows = declared(params)
    label = rows[0].label if rows else quoted(params["property"])
    return f" with {label} {either([quoted(value) for value in params['one_of']])}"
