"""How one value is compared with another: what each type of field can be asked, as SQL and in words."""

import re
from dataclasses import dataclass, field

from leads.criteria.base import MAX_DAYS, day_in_words, days_after, days_before, either, quoted, span
from leads.criteria.parameters import (
    BadValue,
    Number,
    WholeNumber,
    clean_choice,
    clean_day,
    clean_list,
    clean_text,
)

MAX_VALUES = 200
TEXT, NUMBER, CHOICE, DATE, YES_NO = "text", "number", "choice", "date", "yes_no"

# What each type of field can be asked, in the order of the choice on screen.
OPERATORS = {
    TEXT: (
        "equals",
        "one_of",
        "is_not",
        "none_of",
        "has_word",
        "contains",
        "begins_with",
        "known",
        "unknown",
    ),
    NUMBER: ("at_least", "at_most", "between", "equals", "is_not", "known", "unknown"),
    CHOICE: ("equals", "one_of", "is_not", "none_of", "known", "unknown"),
    DATE: ("on", "before", "after", "next_days", "last_days", "known", "unknown"),
    YES_NO: ("yes", "no", "known", "unknown"),
}
OPERATOR_LABELS = {
    "equals": "is",
    "one_of": "is one of",
    "is_not": "is not",
    "none_of": "is none of",
    "has_word": "has one of the words",
    "contains": "contains",
    "begins_with": "begins with",
    "at_least": "is at least",
    "at_most": "is at most",
    "between": "is between",
    "on": "is on",
    "before": "is before",
    "after": "is after",
    "next_days": "is within the next … days",
    "last_days": "was within the last … days",
    "yes": "is yes",
    "no": "is no",
    "free_mail": "is at a free-mail provider",
    "known": "is known",
    "unknown": "is unknown",
}
# What an operator takes: one value unless it stands here.
OPERANDS = {
    "one_of": "many", "none_of": "many", "has_word": "many", "between": "range", "next_days": "days", "last_days": "days",
    "yes": "none", "no": "none", "free_mail": "none", "known": "none", "unknown": "none",
}  # fmt: skip
# {x} is the field's own SQL, {v} a bound value, {vs} all of them, {from} and {to} instants of the window. A text is
# compared without regard to case, folded by PostgreSQL on both sides. Never NULL: unknown makes each one false.
OPERATOR_SQL = {
    TEXT: {
        "equals": "coalesce(lower({x}) = lower({v}), false)",
        "one_of": "coalesce(lower({x}) IN ({vs}), false)",
        "has_word": "coalesce({x} ~* {v}, false)",
        "contains": "coalesce(position(lower({v}) in lower({x})) > 0, false)",
        "begins_with": "coalesce(starts_with(lower({x}), lower({v})), false)",
        "free_mail": "coalesce(split_part({x}, '@', 2) = ANY(string_to_array({v}, ' ')), false)",
        "known": "coalesce({x}, '') <> ''",
    },
    NUMBER: {
        "equals": "coalesce({x} = {v}, false)",
        "at_least": "coalesce({x} >= {v}, false)",
        "at_most": "coalesce({x} <= {v}, false)",
        "between": "coalesce({x} BETWEEN {v} AND {v}, false)",
        "known": "({x}) IS NOT NULL",
    },
    # A date is the instant at which it begins.
    DATE: {
        "on": "coalesce({x} = {v}::date::timestamp AT TIME ZONE 'UTC', false)",
        "before": "coalesce({x} < {v}::date::timestamp AT TIME ZONE 'UTC', false)",
        "after": "coalesce({x} > {v}::date::timestamp AT TIME ZONE 'UTC', false)",
        "next_days": "coalesce({x} > {from} AND {x} <= {to}, false)",
        "last_days": "coalesce({x} > {from} AND {x} <= {to}, false)",
        "known": "({x}) IS NOT NULL",
    },
    YES_NO: {
        "yes": "coalesce({x}, false)",
        "no": "coalesce(NOT {x}, false)",
        "known": "({x}) IS NOT NULL",
    },
}
OPERATOR_SQL[CHOICE] = OPERATOR_SQL[TEXT]
# Unknown is no mismatch: what is not known is neither this nor anything else.
DENIED = {"is_not": "equals", "none_of": "one_of"}


@dataclass(frozen=True)
class Field:
    """A field that conditions may ask about. `column` yields NULL or '' where it is unknown.

    bound   values bound into `column`, in order
    until   SQL of the instant from which on the value is unknown again, where it has one
    among   wraps the comparison where one lead has several values
    extra   operators beside those of its type
    group   heading of the builder, where it is not that of its criterion
    hint    tells it from one much like it
    """

    key: str
    label: str
    type: str
    column: str
    choices: dict = field(default_factory=dict, hash=False)
    bound: tuple = ()
    until: str = ""
    among: str = "{}"
    extra: tuple = ()
    group: str = ""
    hint: str = ""

    @property
    def sql(self):
        """The value at an instant, which is bound once where the field has an `until`."""
        return f"CASE WHEN {self.until} <= %s THEN NULL ELSE {self.column} END" if self.until else self.column

    @property
    def operators(self):
        return (*OPERATORS[self.type], *self.extra)

    def describe(self):
        return {
            "key": self.key,
            "label": self.label,
            "type": self.type,
            "group": self.group,
            "hint": self.hint,
            "choices": self.choices,
            "operators": {op: OPERATOR_LABELS[op] for op in self.operators},
            "operands": {op: OPERANDS.get(op, "one") for op in self.operators},
        }


def compared(item, op, value, at):
    """(SQL, bound) of one comparison; `value` is cleaned by `clean_operand`."""
    if op in DENIED:
        known, first = compared(item, "known", None, at)
        same, then = compared(item, DENIED[op], value, at)
        return f"({known} AND NOT {same})", [*first, *then]
    if op == "unknown":
        known, bound = compared(item, "known", None, at)
        return f"NOT ({known})", bound
    values = list(value) if isinstance(value, list) else [value]
    if op == "has_word":
        values = [whole_words(values)]
    x = [*([at] if item.until else []), *item.bound]
    window = {} if op not in ("next_days", "last_days") else window_of(op, value, at)
    sql, bound = [], []
    for part in re.split(r"(\{\w+\})", OPERATOR_SQL[item.type][op]):
        if part == "{x}":
            sql.append(item.sql)
            bound += x
        elif part == "{vs}":
            sql.append(", ".join(["lower(%s)"] * len(values)))
            bound += values
        elif part in ("{v}", "{from}", "{to}"):
            sql.append("%s")
            bound.append(values.pop(0) if part == "{v}" else window[part])
        else:
            sql.append(part)
    return item.among.replace("{}", "".join(sql)), bound


def whole_words(words):
    """A regular expression of PostgreSQL that finds any of the words or phrases, but not inside a longer word."""
    plain = "|".join(re.sub(r"([^\w\s])", r"\\\1", word) for word in words)
    return rf"(?<!\w)({plain})(?!\w)"


def window_of(op, n, at):
    """Today counts on both sides; a day begins at midnight UTC."""
    return {
        "next_days": {"{from}": days_before(at, 1), "{to}": days_after(at, n)},
        "last_days": {"{from}": days_before(at, n + 1), "{to}": at},
    }[op]


def changes(item, op, value, at):
    """When the comparison may next change by time alone, as `Criterion.changes_sql`."""
    if item.until:
        return f"CASE WHEN {item.until} > %s THEN {item.until} END", [at]
    if op not in ("next_days", "last_days"):
        return None
    first, last = (-value, 1) if op == "next_days" else (0, value + 1)
    x, hours = f"({item.sql})", "make_interval(hours => %s)"
    return (
        f"(SELECT min(edge) FROM (VALUES ({x} + {hours}), ({x} + {hours})) AS edges(edge) WHERE edge > %s)"  # noqa: S608
    ), [*item.bound, first * 24, *item.bound, last * 24, at]


def clean_operand(item, op, value):
    """The value that `op` takes, or None where it takes none. Raises BadValue named "value…"."""
    takes = OPERANDS.get(op, "one")
    if takes == "none":
        if value not in (None, "", []):
            raise BadValue(f"is not asked with “{OPERATOR_LABELS[op]}”; leave it out", name="value")
        return None
    if value is None or value == "":
        raise BadValue("is missing", name="value")
    try:
        if takes == "days":
            return WholeNumber("value", "Days", minimum=1, maximum=MAX_DAYS).clean(value)
        if takes == "many":
            return clean_list(value, MAX_VALUES, lambda one: clean_one(item, one))
        if takes == "range":
            return clean_range(value, lambda one: clean_one(item, one))
        return clean_one(item, value)
    except BadValue as bad:
        raise BadValue(str(bad), name="value" + bad.name) from None


def clean_one(item, value):
    if item.type == NUMBER:
        whole = not item.bound  # of our own columns; a custom field may hold parts of one
        return (WholeNumber if whole else Number)(
            "value", "Value", **({} if whole else {"minimum": -(10**15), "maximum": 10**15})
        ).clean(value)
    if item.type == DATE:
        return clean_day(value)
    # The choices of a custom field may change; whether it still has this one is asked where a condition is written.
    return (
        clean_choice(value, item.choices)
        if item.type == CHOICE and not item.bound
        else clean_text(value, 200)
    )


def clean_range(value, clean_end):
    ends = clean_list(value, 2, clean_end)
    if len(ends) != 2:
        raise BadValue("must be two numbers, the lower one first")
    if ends[0] > ends[1]:
        raise BadValue("must name the lower number first")
    return ends


def in_words(item, op, value):
    """As in: company size is at least 200."""
    if op in ("next_days", "last_days"):
        which = "is within the next" if op == "next_days" else "was within the last"
        return f"{item.label} {span(which, value)}"
    words = f"{item.label} {OPERATOR_LABELS[op]}"
    if value is None:
        return words
    values = [value_in_words(item, one) for one in (value if isinstance(value, list) else [value])]
    if op == "between":
        return f"{words} {values[0]} and {values[1]}"
    if len(values) == 1:
        words = words.replace(" is one of", " is").replace(" is none of", " is not")
        words = words.replace(" has one of the words", " has the word")
    return f"{words} {either(values)}"


def value_in_words(item, value):
    if item.type == NUMBER:
        return f"{value:,}"
    if item.type == DATE:
        return day_in_words(value)
    return item.choices.get(value, value) if item.type == CHOICE else quoted(value)
