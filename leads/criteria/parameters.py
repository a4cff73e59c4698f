"""The typed parameters that a criterion may ask for: how a value is checked, and how the builder on screen shows it."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

REQUIRED = object()


class BadValue(ValueError):
    """A parameter that is not what its type asks for; the tree adds the path."""

    def __init__(self, message, name=""):
        self.name = name
        super().__init__(message)


@dataclass(frozen=True)
class Parameter:
    """One typed parameter. `clean` returns the value as it is kept, or raises BadValue.

    shown_when  {name of an earlier parameter: the values with which this one is asked}; else it must be left out
    suggests    key of `suggestions.VALUES`: the values that occur can be looked up by it
    """

    kind: ClassVar[str]
    name: str
    label: str
    default: Any = REQUIRED
    help: str = ""
    shown_when: dict = field(default_factory=dict, hash=False)
    suggests: str = ""

    def clean(self, value):
        raise NotImplementedError

    def check_name(self, value, params):
        """Raises BadValue where the value, one of cleaned `params`, names something that is not there. Asked only where
        a condition is written."""

    def is_asked(self, params):
        return all(params.get(name) in values for name, values in self.shown_when.items())

    def describe(self):
        """The parameter as the builder on screen reads it."""
        return {
            "name": self.name,
            "label": self.label,
            "kind": self.kind,
            "required": self.default is REQUIRED,
            "default": None if self.default is REQUIRED else self.default,
            "help": self.help,
            "shown_when": {name: list(values) for name, values in self.shown_when.items()},
            "suggests": self.suggests,
        }


@dataclass(frozen=True)
class WholeNumber(Parameter):
    kind = "number"
    minimum: int = 0
    maximum: int = 2_147_483_647

    def clean(self, value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadValue("must be a whole number")
        return within(value, self.minimum, self.maximum)

    def describe(self):
        return super().describe() | {"minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True)
class Number(Parameter):
    kind = "number"
    minimum: float = -1_000_000
    maximum: float = 1_000_000

    def clean(self, value):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValue("must be a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise BadValue("must be a finite number")
        return within(value, self.minimum, self.maximum)

    def describe(self):
        return super().describe() | {"minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True)
class Day(Parameter):
    """A calendar day as text, 2027-03-31: from midnight to midnight UTC, like all of scoring."""

    kind = "date"

    def clean(self, value):
        return clean_day(value)


@dataclass(frozen=True)
class Text(Parameter):
    """`suggestions` {value: words} are offered as a choice; any other text is taken too."""

    kind = "text"
    max_length: int = 200
    suggestions: dict = field(default_factory=dict, hash=False)

    def clean(self, value):
        return clean_text(value, self.max_length)

    def describe(self):
        return super().describe() | {"suggestions": self.suggestions, "max_length": self.max_length}


@dataclass(frozen=True)
class Texts(Parameter):
    """A list of texts, of which one has to be met."""

    kind = "texts"
    max_length: int = 200
    max_items: int = 200

    def clean(self, value):
        return clean_list(value, self.max_items, lambda item: clean_text(item, self.max_length))


@dataclass(frozen=True)
class Choice(Parameter):
    kind = "choice"
    choices: dict = field(default_factory=dict, hash=False)

    def clean(self, value):
        return clean_choice(value, self.choices)

    def describe(self):
        return super().describe() | {"choices": self.choices}


@dataclass(frozen=True)
class Named(Parameter):
    """A row of a small table by its slug: `rows()` gives {slug: name}.

    Only where a condition is written must the row exist. A rule in force whose list was deleted goes on: what is
    not there holds for nobody.
    """

    kind = "choice"
    what: str = "row"
    empty: str = "Any"  # what none of them is called
    rows: Callable[[], dict] = dict

    def clean(self, value):
        return clean_text(value, 100)

    def check_name(self, value, params):
        if value and value not in self.rows():
            raise BadValue(f"there is no {self.what} “{value}”")

    def name_of(self, value):
        return self.rows().get(value, value)

    def describe(self):
        return super().describe() | {"choices": self.rows(), "empty": self.empty}


@dataclass(frozen=True)
class Several(Parameter):
    """Some of a fixed or looked-up set; `choices()` gives {key: label}."""

    kind = "choices"
    choices: Callable[[], dict] = dict
    max_items: int = 50

    def clean(self, value):
        return list(dict.fromkeys(clean_list(value, self.max_items, lambda item: clean_text(item, 100))))

    def check_name(self, value, params):
        offered = self.choices()
        for index, item in enumerate(value):
            if item not in offered:
                raise BadValue(f"must be one of {', '.join(offered)}", name=f"[{index}]")

    def describe(self):
        return super().describe() | {"choices": self.choices()}


def within(value, minimum, maximum):
    if value < minimum:
        raise BadValue(f"must be {minimum} or more")
    if value > maximum:
        raise BadValue(f"must be {maximum} or less")
    return value


def clean_text(value, max_length):
    if not isinstance(value, str):
        raise BadValue("must be text")
    value = value.strip()
    if not value:
        raise BadValue("must not be empty")
    if len(value) > max_length:
        raise BadValue(f"must be at most {max_length} characters long")
    if "\0" in value or any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise BadValue("holds a character that cannot be stored")
    return value


def clean_choice(value, choices):
    if not isinstance(value, str) or value not in choices:
        raise BadValue(f"must be one of {', '.join(choices)}")
    return value


def clean_day(value):
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise BadValue("must be a date such as 2027-03-31")


def clean_list(value, max_items, clean_item):
    if not isinstance(value, list):
        raise BadValue("must be a list")
    if not value:
        raise BadValue("must name at least one value")
    if len(value) > max_items:
        raise BadValue(f"must name at most {max_items} values")
    cleaned = []
    for index, item in enumerate(value):
        try:
            cleaned.append(clean_item(item))
        except BadValue as bad:
            raise BadValue(str(bad), name=f"[{index}]") from None
    return cleaned


def clean_parameter(parameter, given):
    """The value of `parameter` among `given`, or its default. Raises BadValue with its name."""
    value = given.get(parameter.name)
    if value is None or value == "":
        if parameter.default is REQUIRED:
            raise BadValue("is missing", name=parameter.name)
        return parameter.default
    try:
        return parameter.clean(value)
    except BadValue as bad:
        raise BadValue(str(bad), name=parameter.name + bad.name) from None
