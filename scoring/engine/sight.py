"""All that scoring a few leads takes, seen at one instant by one statement: the live versions, the facts, the log and
the scores that stand. Thousands of leads are read in parts (scoring.engine.judge), where one more statement is nothing.

The statement is made for the live versions that this process saw last. It looks at nobody where one of the rows that
tell which are live is another one by now: it is then made anew. So a condition compiled for a field that has another
type by now is never evaluated.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np

from scoring.engine import bulk, facts, prepared
from scoring.engine.facts import GIVEN, LeadFacts, Log
from scoring.engine.rulebook import LIVE, Live, Rulebook, rulebook

# What tells which versions are live: xmin and ctid name one version of a row, which no other ever has.
STATE = """
SELECT coalesce(string_agg(xmin::text || ctid::text, ' ' ORDER BY ctid, xmin::text), '') FROM (
  SELECT xmin, ctid FROM scoring_scoringmodel
  UNION ALL SELECT xmin, ctid FROM scoring_modelversion WHERE publish_asked_at IS NOT NULL
  UNION ALL SELECT xmin, ctid FROM leads_customfield) told
"""
LIVE_NOW = f"SELECT ({STATE}), (SELECT json_agg(v) FROM ({LIVE}) v ({', '.join(Live._fields)}))"  # noqa: S608 constants
SIGHT = "SELECT stored.*, log.*, facts.* FROM ({stored}) stored, ({log}) log, ({facts}) facts WHERE ({state}) = $3"
# NULL travels as what never came and never comes, in the form of PostgreSQL's infinities.
STORED = f"""
SELECT array_agg(rating), array_agg(verdict), string_agg(int8send(model_version_id) || int8send(lead_id) ||
  timestamptz_send(coalesce(hand_raised_at, '-infinity')) || timestamptz_send(coalesce(next_change_at, 'infinity')) ||
  float8send(fit) || float8send(engagement), '')
FROM (
  SELECT * FROM scoring_score WHERE model_version_id = ANY(ARRAY[{{versions}}]::bigint[]) AND lead_id {GIVEN}
  ORDER BY model_version_id, lead_id OFFSET 0
) s
"""  # noqa: S608 constants
STORED_COLUMNS = 6


@dataclass
class Stored:
    """The scores that stand, by version and lead.

    `numbers`, as sent: version, lead, hand_raised_at, next_change_at, fit, engagement (the bits of their float8).
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


# What this process saw last: the STATE, the live versions, compiled. Replaced as one.
_last = ("", [], ())


def see(lead_ids, *, at):
    """A Sight of fewer than `bulk.FROM` leads at the instant `at`. For a re-score, lock them in an earlier statement."""
    global _last
    lead_ids = sorted(lead_ids)
    while True:
        state, live, books = _last
        sql, asked = _statement(books)
        if found := prepared.fetch(sql, "bigint[], timestamptz, text", [lead_ids, at, state]):
            break
        _last = _look()
    rating, verdict, stored, log, about_leads = found[0]
    stored = Stored(rating or [], verdict or [], bulk.columns(stored, STORED_COLUMNS))
    leads, then = facts.arranged(about_leads, asked, books)
    facts.look_ahead(leads, books, then)
    log = facts.placed(leads.ids, lead_ids, log)
    return Sight(live, list(books), leads, log, stored)


def _look():
    state, rows = prepared.fetch(LIVE_NOW, "", [])[0]
    live = [
        Live(**row | {"asked_at": row["asked_at"] and datetime.fromisoformat(row["asked_at"])})
        for row in rows or []
    ]
    return state, live, tuple(rulebook(version) for version in live)


@lru_cache(maxsize=16)
def _statement(books):
    """The SIGHT by these rulebooks, and the Statement in it about the leads."""
    asked = facts.statement(books, which=GIVEN)
    sql = SIGHT.format(
        facts=asked.sql, log=facts.log_sql(which=GIVEN, opens=any(book.has_opens for book in books)),
        stored=STORED.format(versions=", ".join(str(book.version_id) for book in books)), state=STATE,
    )  # fmt: skip
    return sql, asked
