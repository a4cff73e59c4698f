"""What a score lacks: fields that nobody filled, and what keeps the lead from sales."""

from dataclasses import dataclass, replace

from leads.criteria import LEAD
from leads.criteria.base import AT
from leads.criteria.tree import Leaf, parse, to_sql
from leads.rows import fetch
from scoring.engine import arithmetic, facts
from scoring.engine.replay import LOG_THEN
from scoring.engine.rulebook import LEAD_CRITERIA, Condition
from scoring.engine.units import NEVER, instant
from scoring.lines import field_of, fit_rules
from scoring.words import day, figure


@dataclass
class Unknown:
    """A field nobody has filled: the best rule that asks about it is worth this much."""

    field: str
    label: str
    worth: float


def unknown(book, judged, values, *, at, known_at=None):
    """The empty fields that alone keep rules from adding points, the most worthwhile first. A rule that what is known
    speaks against is worth nothing."""
    empty = {one for one, known in values.items() if known.is_empty}
    waiting = [
        (points, fields, if_filled(_parsed(rule), empty))
        for rule, asked, points, holds in fit_rules(book, judged.scores[0])
        if points > 0 and not holds and (fields := [one for one in asked if one in empty])
    ]
    open_ = true_of([node for *_, node in waiting if node], judged.leads.ids[0], at=at, known_at=known_at)
    worth = {}
    for points, fields, node in waiting:
        if node is None or next(open_):
            for one in fields:
                worth[one] = max(worth.get(one, 0), points)
    found = [Unknown(one[1], field_of(*one).label, points / 100) for one, points in worth.items()]
    return sorted(found, key=lambda one: -one.worth)


def _parsed(rule):
    return parse(rule.condition or {}, criteria=LEAD_CRITERIA, scope=LEAD)


def if_filled(node, empty):
    """What a parsed condition still asks where its `empty` fields are filled as it would have them; None: nothing."""
    if isinstance(node, Leaf):
        return None if empty.intersection(node.criterion.fields_asked(node.params)) else node
    if node.kind == "none":  # an empty field is nothing that it would rule out
        return node
    left = [if_filled(member, empty) for member in node.members]
    if node.kind == "any":
        return None if None in left else replace(node, members=tuple(left))
    left = tuple(member for member in left if member)
    return replace(node, members=left) if left else None


def true_of(nodes, lead_id, *, at, known_at=None):
    """An iterator over whether each of the parsed conditions holds for the lead at `at`. At most one query."""
    if not nodes:
        return iter(())
    params = {"ids": [int(lead_id)], "at": at, "known_at": known_at}
    asked = [facts.rendered(Condition(*to_sql(node, AT)), params, "%(at)s::timestamptz") for node in nodes]
    before, tables = ("", facts.NOW) if known_at is None else (LOG_THEN, facts.THEN)
    sql = f"{before} SELECT {', '.join(asked)} FROM {tables} WHERE l.id = ANY($1)"  # noqa: S608 bound
    sql = sql.replace("$1", "%(ids)s::bigint[]").replace("$3", "%(known_at)s::timestamptz")
    return iter(fetch(sql, params)[0])


def not_passed(book, leads, scores):
    """Why the score does not pass the one lead to sales, in words, what to act on first first; empty for what passes."""
    verdict = int(scores.verdict[0])
    if verdict in (arithmetic.SALES_READY, arithmetic.BITE, arithmetic.HAND_RAISE):
        return []
    reasons = []
    if verdict == arithmetic.EXCLUDED:
        rules = book.lead_rules[book.n_fit :]
        holds = scores.holds[0, book.n_fit : len(book.lead_rules)]
        reasons += [f"Excluded: {rule.name}" for rule, held in zip(rules, holds, strict=True) if held]
    fit, engagement = int(scores.fit[0]), int(scores.engagement[0])
    needed = max(book.mql_fit, book.ready_fit)
    if fit < needed:
        reasons.append(f"Fit is {figure(fit / 100)}; sales-ready needs {figure(needed / 100)}")
    if engagement < book.ready_engagement:
        since = f", counted anew since {day(instant(scores.since[0]))}" if scores.since[0] > -NEVER else ""
        reasons.append(
            f"Engagement is {figure(engagement / 100)}{since}; sales-ready needs {figure(book.ready_engagement / 100)}"
        )
    if not leads.reachable[0]:
        reasons.append("There is neither an e-mail address nor a phone number")
    return reasons
