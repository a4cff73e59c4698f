"""The lab: a version against the one in force, over all real leads, before anybody approves it.

A Study holds arrays, not rows: what both versions make of every lead now, of its last WEEKS weeks, and of past leads
whose outcome is known, as they were then. It is made in steps of about a second; other thresholds are then a matter
of milliseconds, as they move no points.
"""

import hashlib
import time
from dataclasses import dataclass, field, fields
from datetime import timedelta

import numpy as np
from django.db import transaction
from django.forms.models import model_to_dict

from leads.rows import fetch
from scoring import trial
from scoring.approval import NotNow
from scoring.engine import arithmetic
from scoring.engine.facts import LeadFacts, Log
from scoring.engine.judge import judge
from scoring.engine.touchpoints import matching
from scoring.engine.units import cents, micros
from scoring.models import ModelVersion, Scale
from scoring.rules import threshold_problems
from scoring.trial import AT_ONCE, NOT_JUDGED, READY

WEEKS = 8
WEEK = timedelta(days=7)
CHUNK = 10_000
PASTS = 100  # past leads replayed between two looks at the clock
TOTAL = "SELECT count(*) FROM leads_lead WHERE NOT is_test"


@dataclass(frozen=True)
class Pasts:
    """Leads that were handed to sales and what came of it; one entry per hand-off."""

    moments: list  # [(lead id, the instant of the hand-off)]
    won: np.ndarray  # 1 won, 0 not, -1 undecided
    good: np.ndarray  # 1 sales called it a good lead, 0 it did not, -1 it said nothing

    def __len__(self):
        return len(self.moments)


NO_PASTS = Pasts([], np.zeros(0, np.int8), np.zeros(0, np.int8))


@dataclass
class Crossings:
    """What a version made of leads at the ends of past weeks: one entry per lead and week in which it did something.

    Week 0 stands for all before the first one, with an entry for each lead there was.
    """

    lead: np.ndarray  # position in the Trial
    week: np.ndarray
    engagement: np.ndarray
    at_once: np.ndarray  # it had raised a hand, or bitten


@dataclass
class Half:
    """One of the two versions: pieces while the study is being made."""

    trials: list = field(default_factory=list)
    crossings: list = field(default_factory=list)
    pasts: list = field(default_factory=list)

    @property
    def trial(self):
        return trial.joined(self.trials)

    @property
    def past(self):
        return trial.joined(self.pasts)


@dataclass
class Study:
    """`halves`: of the version, then of the one in force (the same one where there is no other)."""

    at: object
    total: int
    pasts: Pasts
    halves: list
    done: int = 0  # leads
    last_id: int = 0
    replayed: int = 0  # pasts
    all_leads: bool = False

    @property
    def is_done(self):
        return self.all_leads and self.replayed == len(self.pasts)

    @property
    def share(self):
        """How much of the work is done, 0 to 1."""
        return (self.done + self.replayed) / max(1, self.total + len(self.pasts), self.done + self.replayed)


def begin(*, at, pasts=NO_PASTS, versions=2):
    return Study(at=at, total=fetch(TOTAL)[0][0], pasts=pasts, halves=[Half() for _ in range(versions)])


def advance(study, versions, *, seconds=1.0):
    """Work on `study` for about `seconds` of wall time, or until it is done (None)."""
    books = [trial.book_of(version) for version in versions]
    end = time.monotonic() + seconds if seconds is not None else float("inf")
    with trial.read_only():
        if not study.all_leads:
            for ids in trial.id_chunks(after=study.last_id, chunk=CHUNK):
                look_at(study, books, ids)
                if time.monotonic() > end:
                    return
            study.all_leads = True
        while study.replayed < len(study.pasts) and time.monotonic() < end:
            replay(study, books)
    if study.is_done:
        study.halves = [whole(half) for half in study.halves]


def look_at(study, books, ids):
    """One chunk of leads: as they are now and, from the same log, at the ends of the past weeks."""
    judged = judge(ids, books, at=study.at)
    offset = sum(len(part) for part in study.halves[0].trials)
    for number, (half, book) in enumerate(zip(study.halves, books, strict=True)):
        found = trial.trial_of(judged, number)
        half.trials.append(found)
        half.crossings.append(crossings(book, judged, found, study.at, offset))
    study.done += len(ids)
    study.last_id = ids[-1]


def replay(study, books):
    """The next PASTS hand-offs, each lead as it was known when it was handed over."""
    moments = study.pasts.moments[study.replayed : study.replayed + PASTS]
    for half, found in zip(study.halves, trial.scores_then(books, moments), strict=True):
        half.pasts.append(found)
    study.replayed += len(moments)


def whole(half):
    """A Half with its pieces put together, the crossings by lead and week."""
    parts = half.crossings or [Crossings(*(np.zeros(0, np.int64) for _ in fields(Crossings)))]
    columns = [np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Crossings)]
    order = np.lexsort((columns[1], columns[0]))
    return Half([half.trial], [Crossings(*(column[order] for column in columns))], [half.past])


def crossings(book, judged, now, at, offset):
    """Crossings of one chunk. Field values are today's: only what leads did is taken back."""
    leads, log = judged.leads, judged.log
    matches = matching(book, log.touchpoint, at=at)
    parts = []
    for week in range(WEEKS + 1):
        edge = micros(at - (WEEKS - week) * WEEK)
        there = leads.created <= edge
        if week:
            active = (log.time > edge - micros_of(WEEK)) & (log.time <= edge) & (log.touchpoint > 0)
            there &= np.bincount(log.lead[active], minlength=len(there)) > 0
        positions = np.flatnonzero(there)
        if week == WEEKS:  # that is now
            engagement, verdict = now.engagement[positions], now.verdict[positions]
        else:
            kept = there[log.lead] & (log.time <= edge)
            part = Log(np.searchsorted(positions, log.lead[kept]), log.time[kept], log.touchpoint[kept])
            scores = arithmetic.score(book, taken(leads, positions), part, matches[:, kept], edge)
            engagement, verdict = scores.engagement.astype(np.int32), scores.verdict
        parts.append(
            Crossings(
                (positions + offset).astype(np.int32),
                np.full(len(positions), week, np.int8),
                engagement,
                np.isin(verdict, AT_ONCE),
            )
        )
    return Crossings(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Crossings)))


def micros_of(length):
    return length // timedelta(microseconds=1)


def taken(leads, positions):
    """LeadFacts of some of the leads."""
    parts = {f.name: getattr(leads, f.name) for f in fields(LeadFacts)}
    return LeadFacts(
        **{
            name: {key: rows[positions] for key, rows in part.items()}
            if isinstance(part, dict)
            else part[positions]
            for name, part in parts.items()
        }
    )


# --- what the arrays say, at any thresholds ------------------------------------------------------


def matrix(old, new, old_labels, new_labels):
    """int[old ratings + 1, new ratings + 1]: how many leads go from which rating to which; the last row and column are
    those that the version does not judge."""
    rows, columns = len(old_labels) + 1, len(new_labels) + 1
    # NOT_JUDGED is -1 and so the last one.
    flat = (old.rating.astype(np.int64) % rows) * columns + new.rating.astype(np.int64) % columns
    return np.bincount(flat, minlength=rows * columns).reshape(rows, columns)


def moved(old, new, rating_from, rating_to):
    """Ids of the leads that go from one rating (an index, or NOT_JUDGED) to another; the newest first."""
    return new.ids[(old.rating == rating_from) & (new.rating == rating_to)][::-1]


def became_ready(old, new):
    return new.ids[new.ready & ~old.ready][::-1]


def stopped_ready(old, new):
    return new.ids[old.ready & ~new.ready][::-1]


def ready_per_week(now, crossings, version):
    """int[WEEKS], the oldest week first: leads that were sales-ready at the end of a week for the first time.

    Each lead counts once; who was sales-ready before the first week does not.
    """
    judged = (now.rating != NOT_JUDGED) & (now.verdict != arithmetic.EXCLUDED)
    fits = judged & now.reachable & (now.fit >= max(cents(version.ready_fit), cents(version.mql_fit)))
    warm = crossings.engagement >= cents(version.ready_engagement)
    ready = np.flatnonzero((judged[crossings.lead] & crossings.at_once) | (fits[crossings.lead] & warm))
    leads = crossings.lead[ready]
    first = np.append(True, leads[1:] != leads[:-1])[: len(leads)]
    return np.bincount(crossings.week[ready][first], minlength=WEEKS + 1)[1:]


TOO_FEW = 20


@dataclass(frozen=True)
class Rate:
    """So many of so many, with the 95 % interval of Wilson, and how that compares with everybody."""

    label: str
    many: int
    hits: int
    lift: float | None

    @property
    def too_few(self):
        return self.many < TOO_FEW

    @property
    def share(self):
        return self.hits / self.many if self.many else None

    @property
    def interval(self):
        return wilson(self.hits, self.many)


def wilson(hits, many, z=1.96):
    """(low, high) of the share that `hits` of `many` stand for; (0, 1) where there is nothing to go by."""
    if not many:
        return 0.0, 1.0
    share = hits / many
    middle = share + z * z / (2 * many)
    spread = z * np.sqrt(share * (1 - share) / many + z * z / (4 * many * many))
    below = 1 + z * z / many
    return max(0.0, float((middle - spread) / below)), min(1.0, float((middle + spread) / below))


def rates(groups, hits):
    """[Rate] of `groups`, pairs of a label and a bool array; `hits` is 1, 0 or -1 (unknown, left out).

    Lift is the group's share over that of all groups together; None where either is empty or has too few.
    """
    known = (hits >= 0) & np.logical_or.reduce([inside for _, inside in groups])
    everybody, all_hits = int(known.sum()), int((known & (hits == 1)).sum())
    found = []
    for label, inside in groups:
        many, of_them = int((known & inside).sum()), int(((hits == 1) & inside).sum())
        enough = many >= TOO_FEW and all_hits
        found.append(
            Rate(label, many, of_them, (of_them / many) / (all_hits / everybody) if enough else None)
        )
    return found


def by_rating(past, labels):
    return [(label, past.rating == number) for number, label in enumerate(labels)]


def by_pass(past):
    """Who would have been handed to sales, and who would have been held back; whom the model does not judge is neither."""
    ready = np.isin(past.verdict, READY)
    held = ~ready & (past.rating != NOT_JUDGED)
    return [("Would have been passed to sales", ready), ("Would have been held back", held)]


# --- thresholds ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thresholds:
    """What the sliders move, in points: a stand-in for a version, for `trial.thresholds` and `rules.threshold_problems`."""

    mql_fit: float
    ready_fit: float
    ready_engagement: float
    scale: Scale

    @classmethod
    def of(cls, version):
        return cls(version.mql_fit, version.ready_fit, version.ready_engagement, version.scale)


def with_minima(scale, fit, engagement):
    """A Scale like `scale`, unsaved, with other minimum points of its bands but the last."""
    return Scale(
        name=scale.name, ratings=scale.ratings, cells=scale.cells,
        fit_bands=_bands(scale.fit_bands, fit), engagement_bands=_bands(scale.engagement_bands, engagement),
    )  # fmt: skip


def _bands(bands, minima):
    return [[label, minimum] for (label, _), minimum in zip(bands[:-1], minima, strict=True)] + [bands[-1]]


def save_thresholds(*, version, thresholds):
    """Write them into a draft. Raises NotNow where it is no draft any more, ValueError with what is wrong with them."""
    if found := threshold_problems(thresholds):
        raise ValueError(" ".join(found))
    with transaction.atomic():
        version.refresh_from_db(
            from_queryset=ModelVersion.objects.select_for_update(no_key=True, of=("self",)).select_related(
                "scale"
            )
        )
        if version.status != ModelVersion.Status.DRAFT:
            raise NotNow(f"{version} is {version.get_status_display().lower()}: only a draft can be changed.")
        scale = version.scale
        if ModelVersion.objects.filter(scale=scale).exclude(pk=version.pk).exists():
            scale.pk = None  # another version was scored by it
        scale.fit_bands, scale.engagement_bands = (
            thresholds.scale.fit_bands,
            thresholds.scale.engagement_bands,
        )
        scale.save()
        for name in ("mql_fit", "ready_fit", "ready_engagement"):
            setattr(version, name, getattr(thresholds, name))
        version.scale = scale
        version.save(update_fields=["mql_fit", "ready_fit", "ready_engagement", "scale"])


def fingerprint(version):
    """A short text that differs when the points of `version` may differ: for what is kept about it."""
    parts = [
        version.pk, version.cap_fit, version.cap_engagement, version.model.applies_to,
        *(sorted(model_to_dict(row).items()) for rows in (version.rules, version.groups, version.profiles) for row in rows.all()),
    ]  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]
