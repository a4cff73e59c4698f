"""A whole condition: checked, as SQL, and as one English sentence.

Each of the three parses the tree first, so nothing unchecked ever becomes SQL.
"""

from dataclasses import dataclass
from typing import Any

from leads.criteria import CRITERIA
from leads.criteria.base import LEAD, TOUCHPOINT, BadCondition, Criterion
from leads.criteria.parameters import BadValue
from leads.criteria.reading import reading

MAX_DEPTH = 8
MAX_LEAVES = 200
GROUPS = ("all", "any", "none")
EVERYBODY = {LEAD: "everybody", TOUCHPOINT: "any activity"}
SPEAKS_OF = {LEAD: "leads", TOUCHPOINT: "activities"}


@dataclass(frozen=True)
class Leaf:
    criterion: Criterion
    params: dict[str, Any]


@dataclass(frozen=True)
class Group:
    kind: str
    members: tuple["Leaf | Group", ...]


def check(tree, *, criteria=CRITERIA, scope=LEAD):
    """For whoever writes a condition: raises BadCondition with the path of the first fault, returns nothing.

    Stricter than the others: also a list, field or product that is not there (any more) is a fault here.
    """
    parse(tree, criteria=criteria, scope=scope, names=True)


def where(tree, *, criteria=CRITERIA, at, scope=None):
    """(SQL, bound parameters): a boolean, never NULL, over the aliases of the scope (see base).

    What is unknown makes a comparison false, so under `none` it counts as "does not hold"; ask
    `known` beside it to leave the unknown out.
    """
    with reading():
        return to_sql(parse(tree, criteria=criteria, scope=scope), at)


def changes(tree, *, criteria=CRITERIA, at, scope=None):
    """When the condition may next hold or cease by time alone: None (never), or (SQL of a timestamptz, bound).

    The SQL yields NULL where there is no such instant after `at`.
    """
    with reading():
        parsed = walk(parse(tree, criteria=criteria, scope=scope))
        found = [leaf.criterion.changes_sql(leaf.params, at) for leaf in parsed]
    found = [one for one in found if one]
    if not found:
        return None
    return f"LEAST({', '.join(sql for sql, _ in found)})", [value for _, bound in found for value in bound]


def sentence(tree, *, criteria=CRITERIA, scope=None, whom=""):
    """The condition in one English sentence without a full stop; `whom` is its subject where it has none of its own."""
    with reading():
        node = parse(tree, criteria=criteria, scope=scope)
        if isinstance(node, Group) and not node.members:
            return EVERYBODY[scope or LEAD]
        return in_words(node, whom=whom)


def leaves(tree, *, criteria=CRITERIA, scope=None):
    """Every leaf as (criterion key, cleaned parameters), in reading order."""
    return [(leaf.criterion.key, leaf.params) for leaf in walk(parse(tree, criteria=criteria, scope=scope))]


def denied(tree, *, criteria=CRITERIA, scope=None):
    """[(criterion key, field name)] of the fields that a condition denies something of: whoever lacks one meets it."""
    return list(dict.fromkeys(_denied(parse(tree, criteria=criteria, scope=scope), False)))


def _denied(node, under_none):
    if isinstance(node, Leaf):
        asks_whether_known = node.params.get("op") == "known" or "fields" in node.params
        return node.criterion.fields_asked(node.params) if under_none and not asks_whether_known else []
    under_none = under_none != (node.kind == "none")
    return [field for member in node.members for field in _denied(member, under_none)]


def walk(node):
    """Every Leaf, in reading order."""
    if isinstance(node, Leaf):
        yield node
    else:
        for member in node.members:
            yield from walk(member)


def parse(tree, *, criteria, scope=None, names=False):
    """Leaf or Group with cleaned parameters. `scope` None takes whatever scope the leaves have; `names` asks whether
    what the leaves name is there."""
    with reading():
        return Parser(criteria, scope, names).node(tree, "", 1)


@dataclass
class Parser:
    """Reads a tree part by part; `path` says where a part stands in it."""

    criteria: dict[str, Criterion]
    scope: str | None
    names: bool
    left: int = MAX_LEAVES  # so many more leaves it may hold

    def node(self, value, path, depth):
        if not isinstance(value, dict):
            raise BadCondition(path, "must be an object with all, any, none or is")
        if depth > MAX_DEPTH:
            raise BadCondition(path, f"is nested too deeply; {MAX_DEPTH} levels are enough")
        if not value and not path:
            return Group("all", ())
        named = [key for key in (*GROUPS, "is") if key in value]
        if len(named) != 1:
            raise BadCondition(path, "must have exactly one of all, any, none and is")
        return self.leaf(value, path) if named == ["is"] else self.group(named[0], value, path, depth)

    def group(self, kind, value, path, depth):
        here = f"{path}.{kind}" if path else kind
        for key in value:
            if key != kind:
                raise BadCondition(joined(path, key), f"does not belong beside “{kind}”")
        if not isinstance(value[kind], list):
            raise BadCondition(here, "must be a list of conditions")
        if not value[kind] and (path or kind != "all"):
            raise BadCondition(here, "must hold at least one condition")
        members = [self.node(item, f"{here}[{i}]", depth + 1) for i, item in enumerate(value[kind])]
        return Group(kind, tuple(members))

    def leaf(self, value, path):
        self.left -= 1
        if self.left < 0:
            raise BadCondition(path, f"is one too many; {MAX_LEAVES} conditions are the limit")
        criterion = self.criterion(value["is"], path)
        try:
            params = criterion.clean({k: v for k, v in value.items() if k != "is"})
            if self.names:
                criterion.check_names(params)
        except BadValue as bad:
            raise BadCondition(joined(path, bad.name), str(bad)) from None
        return Leaf(criterion, params)

    def criterion(self, key, path):
        offered = [k for k, c in self.criteria.items() if self.scope is None or c.scope == self.scope]
        if not isinstance(key, str) or key not in self.criteria:
            raise BadCondition(joined(path, "is"), f"must be one of {', '.join(offered)}")
        found = self.criteria[key]
        if key not in offered:
            raise BadCondition(
                joined(path, "is"),
                f"“{found.label}” is asked of {SPEAKS_OF[found.scope]}, here"
                f" conditions are about {SPEAKS_OF[self.scope]}: use one of {', '.join(offered)}",
            )
        return found


def joined(path, name):
    """Names come from outside: an overlong or unprintable one is shortened for the message."""
    name = name if name.isprintable() and len(name) <= 60 else repr(name[:60])
    return f"{path}.{name}" if path and name else path or name


def to_sql(node, at):
    if isinstance(node, Leaf):
        return node.criterion.sql(node.params, at)
    if not node.members:
        return "true", []
    parts, bound = [], []
    for member in node.members:
        sql, params = to_sql(member, at)
        parts.append(sql)
        bound.extend(params)
    if node.kind == "none":
        return f"NOT ({' OR '.join(parts)})", bound
    return f"({(' AND ' if node.kind == 'all' else ' OR ').join(parts)})", bound


def in_words(node, inside=False, whom=""):
    if isinstance(node, Leaf):
        words = node.criterion.sentence(node.params)
        return words if node.criterion.has_subject else f"{whom} {words}".strip()
    members = node.members if node.kind == "all" else merged(node.members)
    if node.kind == "none":
        return f"not ({in_words(Group('any', tuple(members)), whom=whom)})"
    if len(members) == 1:
        return in_words(members[0], inside, whom)
    words = [in_words(member, inside=True, whom=whom) for member in members]
    joint = (" and " if node.kind == "all" else " or ").join(words)
    return f"({joint})" if inside else joint


def merged(members):
    """Alternatives that differ only in their value as one: "job title contains “VP” or “head”"."""
    found = []
    for member in members:
        last = found[-1] if found else None
        both = isinstance(member, Leaf) and isinstance(last, Leaf) and member.criterion is last.criterion
        together = member.criterion.either(last.params, member.params) if both else None
        if together is None:
            found.append(member)
        else:
            found[-1] = Leaf(member.criterion, together)
    return found
