"""From lead ids to scores, in the one way that everybody who scores goes: the scorer, publishing, trial, explanation."""

from dataclasses import dataclass

from scoring.engine import arithmetic, facts
from scoring.engine.arithmetic import Scores
from scoring.engine.facts import LeadFacts, Log
from scoring.engine.touchpoints import matching
from scoring.engine.units import micros


@dataclass
class Judged:
    """`scores`: one Scores per rulebook, in their order, with an entry for each of `leads`."""

    leads: LeadFacts
    log: Log
    scores: list[Scores]


def judge(lead_ids, books, *, at, known_at=None):
    """Scores of these leads at `at` by each of `books`, from what is known now or was known at `known_at`.

    Test leads and those that do not exist are left out. Nothing is written.
    """
    leads = facts.lead_facts(lead_ids, books, at=at, known_at=known_at)
    opens = any(book.has_opens for book in books)
    log = facts.log_of(leads.ids, opens=opens, known_at=known_at)
    return Judged(leads, log, scores_of(books, leads, log, at=at, known_at=known_at))


def scores_of(books, leads, log, *, at, known_at=None):
    """Scores by each of `books` from what was read."""
    return [
        arithmetic.score(
            book, leads, log, matching(book, log.touchpoint, at=at, known_at=known_at), micros(at)
        )
        for book in books
    ]
