"""All that scoring a few leads takes, seen at one instant by one statement: the live versions, the facts, the log and
the scores that stand. Thousands of leads are read in parts (scoring.engine.judge), where one more statement is nothing.

The statement is made for the live versions that this process saw last. It reads first which are live now, and where
they are others it looks at no lead: it is then made anew. So a condition compiled for a field that has another type
by now is never evaluated.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np

from scoring.engine import bulk, facts, prepared
from scoring.engine.facts import LeadFacts, Log
from scoring.engine.rulebook import LIVE, Live, Rulebook, rulebook

SIGHT = """
WITH live AS MATERIALIZED (
  SELECT coalesce(json_agg(v), '[]')::text AS state FROM ({live}) v ({names})
), asked AS MATERIALIZED (
  SELECT CASE WHEN state = $3 THEN $1 END AS ids FROM live
)
SELECT live.state, rating, verdict, {stored_columns}, {log_columns}, {facts_columns}
FROM live, ({stored}) AS stored (rating, verdict, {stored_names}), ({log}) AS log ({log_names}), ({facts}) AS facts ({facts_names})
"""
WHICH = "= ANY((SELECT ids FROM asked)::bigint[])"
# NULL travels as what never came and never comes, in the form of PostgreSQL's infinities.
STORED = f"""
SELECT array_agg(rating), array_agg(verdict), array_send(array_agg(model_version_id)), array_send(array_agg(lead_id)),
  array_send(array_agg(fit)), array_send(array_agg(engagement)),
  array_send(array_agg(coalesce(hand_raised_at, '-infinity'))), array_send(array_agg(coalesce(next_change_at, 'infinity')))
FROM (
  SELECT * FROM scoring_score WHERE model_version_id = ANY(ARRAY[{{versions}}]::bigint[]) AND lead_id {WHICH}
  ORDER BY model_version_id, lead_id OFFSET 0
) s
"""  # noqa: S608 constants
STORED_COLUMNS = 6  # sent as numbers


@dataclass
class Stored:
    """The scores that stand, by version and lead.

    `numbers`, as sent: version, lead, fit, engagement (the bits of their float8), hand_raised_at, next_change_at.
    """

    rating: list
    verdict: list
    numbers: np.ndarray  # int64[STORED_COLUMNS, scores]


@dataclass
class Sight:
    live: list[Live]
    books: list[Rulebook]
    leads: LeadFacts
    log: Log
    stored: Stored


# The live versions that this process saw last: as text, parsed, compiled. Replaced as one.
_last = ("[]", [], ())


def see(lead_ids, *, at):
    """A Sight of fewer than `bulk.FROM` leads at the instant `at`. For a re-score, lock them in an earlier statement."""
    global _last
    lead_ids = sorted(lead_ids)
    while True:
        known, live, books = _last
        sql, columns, total, width = _statement(books)
        state, *row = prepared.fetch(sql, "bigint[], timestamptz, text", [lead_ids, at, known])[0]
        if state == known:
            break
        live = [_live(row) for row in json.loads(state)]
        _last = state, live, tuple(rulebook(version) for version in live)
    rating, verdict, stored, log, about_leads = row
    stored = Stored(rating or [], verdict or [], bulk.block(stored, STORED_COLUMNS))
    leads, then = facts.arranged(list(bulk.block(about_leads, width)), books, columns, total)
    facts.look_ahead(leads, books, then)
    log = facts.placed(leads.ids, lead_ids, bulk.block(log, facts.LOG_COLUMNS))
    return Sight(live, list(books), leads, log, stored)


def _live(row):
    asked_at = row.pop("asked_at")
    return Live(**row, asked_at=asked_at and datetime.fromisoformat(asked_at))


@lru_cache(maxsize=16)
def _statement(books):
    """The SIGHT by these rulebooks, the columns of each among the packed facts, how many there are, and how many arrays
    are sent for them."""
    about_leads, _, columns, total = facts.statement(books, which=WHICH)
    width = about_leads.count("array_send")
    log = facts.log_sql(which=WHICH, opens=any(book.has_opens for book in books))
    parts = {"stored": STORED_COLUMNS, "log": facts.LOG_COLUMNS, "facts": width}
    names = {part: [f"{part}{n}" for n in range(count)] for part, count in parts.items()}
    sql = SIGHT.format(
        live=LIVE, names=", ".join(Live._fields), facts=about_leads, log=log,
        stored=STORED.format(versions=", ".join(str(book.version_id) for book in books)),
        **{f"{part}_names": ", ".join(some) for part, some in names.items()},
        **{f"{part}_columns": " || ".join(some) for part, some in names.items()},
    )  # fmt: skip
    return sql, columns, total, width
