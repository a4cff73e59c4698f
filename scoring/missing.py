"""What a score lacks: fields that nobody filled, and what keeps the lead from sales."""

from dataclasses import dataclass

from scoring.engine import arithmetic
from scoring.engine.units import NEVER, instant
from scoring.lines import field_of, fit_rules
from scoring.words import day, figure


@dataclass
class Unknown:
    """A field nobody has filled: the best rule that asks about it is worth this much."""

    field: str
    label: str
    worth: float


def unknown(book, scores, values):
    """The empty fields that keep rules from adding points, the most worthwhile first."""
    worth = {}
    for _rule, asked, points, holds in fit_rules(book, scores):
        if points > 0 and not holds:
            for one in asked:
                if one in values and values[one] in (None, ""):
                    worth[one] = max(worth.get(one, 0), points)
    found = [Unknown(one[1], field_of(*one).label, points / 100) for one, points in worth.items()]
    return sorted(found, key=lambda one: -one.worth)


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
