"""What every criterion carries, the instants it may be asked at, and the words its sentences share."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from leads.criteria.parameters import BadValue, Parameter, clean_parameter

LEAD = "lead"
TOUCHPOINT = "touchpoint"
# Headings of the builder
PERSON, COMPANY, CUSTOM = "About the person", "About the company", "Custom fields"
WANTS, CAME_FROM, LISTS, DID = "What they want", "Where they come from", "Lists and segments", "What they did"
MAX_DAYS = 36_500


class BadCondition(ValueError):
    """A tree that cannot be evaluated. `path` leads to the fault, e.g. `all[1].value`."""

    def __init__(self, path, message):
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}" if path else message)


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


def days_before(at, days):
    """The instant `days` x 24 h before `at`. What happened exactly then is outside the window."""
    return AtMinus(days) if at is AT else at - timedelta(days=days)


def days_after(at, days):
    """The instant `days` x 24 h after `at`."""
    return AtPlus(days) if at is AT else at + timedelta(days=days)


class Criterion:
    """One kind of condition: key, label, parameters, SQL and words in one place.

    scope     LEAD: boolean SQL over `l` (leads_lead) and `c` (leads_company, left-joined);
              TOUCHPOINT: boolean SQL over `t` (leads_touchpoint)
    sql       never NULL, so that `none` is simply NOT; what is unknown makes it false.
              Names come from tables in code, values travel in the list of bound parameters.
    has_subject  whether its sentence says of what it is told, "company size is …"; else it is told of the lead, "is on the list …"
    group     the heading under which the builder offers it; `hint` tells it from one much like it
    in_rules  whether scoring rules may ask it. Of LEAD only facts whose next change can be told
              (`changes_sql`): behaviour over time belongs in activity rules.
    uses_content    whether the answer depends on what assets are about (`AssetState`), which may change
    uses_colleagues whether it depends on what others at the company do
    """

    key: ClassVar[str]
    label: ClassVar[str]
    group: ClassVar[str]
    hint: ClassVar[str] = ""
    scope: ClassVar[str] = LEAD
    has_subject: ClassVar[bool] = False
    in_rules: ClassVar[bool] = False
    uses_content: ClassVar[bool] = False
    uses_colleagues: ClassVar[bool] = False
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def clean(self, given):
        """The parameters of one leaf, typed and with defaults. Raises BadValue with its name."""
        known = [parameter.name for parameter in self.parameters]
        for name in given:
            if name not in known:
                remedy = f"use {', '.join(sorted(known))}" if known else "leave it out"
                raise BadValue(f"is not asked here; {remedy}", name=name)
        params = {}
        for parameter in self.parameters:
            if parameter.is_asked(params):
                params[parameter.name] = clean_parameter(parameter, given)
            elif given.get(parameter.name) in (None, ""):
                params[parameter.name] = None
            else:
                raise BadValue(
                    f"is not asked {unasked(parameter, params)}; leave it out", name=parameter.name
                )
        return params

    def check_names(self, params):
        """Raises BadValue where cleaned params name a list, field or product that is not there.

        Asked where a condition is written, not where it is evaluated: there such a name holds for nobody.
        """
        for parameter in self.parameters:
            if params[parameter.name] is None:
                continue
            try:
                parameter.check_name(params[parameter.name], params)
            except BadValue as bad:
                raise BadValue(str(bad), name=parameter.name + bad.name) from None

    def sql(self, params, at):
        """(SQL with %s placeholders, bound parameters) of cleaned params at `at`, a datetime or AT."""
        raise NotImplementedError

    def changes_sql(self, params, at):
        """When the answer may next change by time alone: None (never), or (SQL of a timestamptz, bound).

        The first such instant after `at`, NULL where there is none. Never late.
        """
        return None

    def fields_asked(self, params):
        """[(criterion key, field name)] of the fields whose values decide: who lacks one of them might meet it."""
        return []

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
            "group": self.group,
            "hint": self.hint,
            "parameters": [parameter.describe() for parameter in self.parameters],
        }


def unasked(parameter, params):
    name = next(name for name, values in parameter.shown_when.items() if params.get(name) not in values)
    return f"with {name} “{params[name]}”" if params.get(name) else f"without {name}"


# The words that sentences share


def either(words):
    """["A", "B", "C"] → "A, B or C"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def quoted(text):
    return f"“{text}”"


def counted(number, one, many=None):
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part, whole):
    """ "18.2 %"; of a few among many "under 0.1 %", as they are not nobody."""
    share = 100 * part / whole if whole else 0
    return "under 0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


def span(which, days):
    """ "last day", "next 30 days"."""
    return f"{which} day" if days == 1 else f"{which} {days:,} days"


def so_often(number):
    return {1: "once", 2: "twice"}.get(number) or f"{number:,} times"


def day_in_words(day):
    """2027-03-01 → 1 March 2027."""
    parsed = date.fromisoformat(day)
    return f"{parsed.day} {parsed:%B} {parsed.year}"
