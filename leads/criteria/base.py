"""What every criterion carries, and the typed parameters it may ask for."""

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

LEAD = "lead"
TOUCHPOINT = "touchpoint"
REQUIRED = object()


@dataclass(frozen=True)
class Instant:
    """The instant asked about, not yet known: for a statement prepared once and run at many instants.

    `sql(params, AT)` puts AT, AtMinus or AtPlus into the bound list where a datetime would stand; whoever
    prepares the statement renders them (days are 24 h, whatever the clocks do).
    """


@dataclass(frozen=True)
class AtMinus(Instant):
    """`days` x 24 h before AT."""

    days: int


@dataclass(frozen=True)
class AtPlus(Instant):
    """`days` x 24 h after AT."""

    days: int


AT = Instant()


class BadCondition(ValueError):
    """A tree that cannot be evaluated. `path` leads to the fault, e.g. `all[1].value`."""

    def __init__(self, path, message):
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}" if path else message)


class BadValue(ValueError):
    """A parameter that is not what its type asks for; the tree adds the path."""

    def __init__(self, message, name=""):
        self.name = name
        super().__init__(message)


@dataclass(frozen=True)
class Parameter:
    """One typed parameter. `clean` returns the value as it is bound, or raises BadValue."""

    kind: ClassVar[str]
    name: str
    label: str
    default: Any = REQUIRED
    help: str = ""

    def clean(self, value):
        raise NotImplementedError

    def describe(self):
        """The parameter as the builder on screen reads it."""
        return {
            "name": self.name,
            "label": self.label,
            "kind": self.kind,
            "required": self.default is REQUIRED,
            "default": None if self.default is REQUIRED else self.default,
            "help": self.help,
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
        if not math.isfinite(value):
            raise BadValue("must be a finite number")
        return within(value, self.minimum, self.maximum)

    def describe(self):
        return super().describe() | {"minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True)
class Text(Parameter):
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


class Criterion:
    """One kind of condition: key, label, parameters, SQL and words in one place.

    scope     LEAD: boolean SQL over `l` (leads_lead) and `c` (leads_company, left-joined);
              TOUCHPOINT: boolean SQL over `t` (leads_touchpoint)
    sql       never NULL, so that `none` is simply NOT; what is unknown makes it false.
              Names come from tables in code, values travel in the list of bound parameters.
    in_rules  whether scoring rules may ask it. Of LEAD only facts whose next change can be told
              (`changes_sql`): behaviour over time belongs in activity rules.
    uses_content  whether the answer depends on what assets are about (`AssetState`), which may change
    """

    key: ClassVar[str]
    label: ClassVar[str]
    scope: ClassVar[str] = LEAD
    in_rules: ClassVar[bool] = False
    uses_content: ClassVar[bool] = False
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def clean(self, given):
        """The parameters of one leaf, typed and with defaults. Raises BadValue with its name."""
        known = {parameter.name for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise BadValue(f"is not asked here; use {', '.join(sorted(known))}", name=name)
        return {parameter.name: clean_parameter(parameter, given) for parameter in self.parameters}

    def sql(self, params, at):
        """(SQL with %s placeholders, bound parameters) of cleaned params at `at`, a datetime or AT."""
        raise NotImplementedError

    def changes_sql(self, params, at):
        """When the answer may next change by time alone: None (never), or (SQL of a timestamptz, bound).

        The first such instant after `at`, NULL where there is none. Never late.
        """
        return None

    def sentence(self, params):
        """The condition in words, without a full stop: "company size is at least 200"."""
        raise NotImplementedError

    def either(self, one, other):
        """Params whose sentence says "one or the other", or None where that takes two sentences."""
        return None

    def describe(self):
        """The criterion as the builder on screen reads it."""
        return {
            "key": self.key,
            "label": self.label,
            "parameters": [parameter.describe() for parameter in self.parameters],
        }


def clean_parameter(parameter, given):
    value = given.get(parameter.name)
    if value is None or value == "":
        if parameter.default is REQUIRED:
            raise BadValue("is missing", name=parameter.name)
        return parameter.default
    try:
        return parameter.clean(value)
    except BadValue as bad:
        raise BadValue(str(bad), name=parameter.name + bad.name) from None


def days_before(at, days):
    """The instant `days` x 24 h before `at`. What happened exactly then is outside the window."""
    return AtMinus(days) if at is AT else at - timedelta(days=days)


def days_after(at, days):
    """The instant `days` x 24 h after `at`."""
    return AtPlus(days) if at is AT else at + timedelta(days=days)


def either(words):
    """["A", "B", "C"] → "A, B or C"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def quoted(text):
    return f"“{text}”"


def counted(number, one, many=None):
    return f"{number:,} {one if number == 1 else many or one + 's'}"
