"""Publishing a version: fill its scores in the background, then flip.

Readers see the old scores until the flip, and the new ones at once afterwards. Nothing is stale at the flip:
- filling takes the leads in id order, locks each batch, and reads the log after that;
- from the asking on, every re-score writes the filling version too, as it reads the live versions after locking.
So whoever locked a lead last has written its row from a log read under that lock. Where filling stands is in the
version's row: a killed publisher loses at most its last batch, and a second one skips a version that is locked.
"""

from copy import deepcopy

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from leads import doorbell, places
from leads.models import Lead, Stage
from leads.rows import fetch
from scoring import starter
from scoring.engine import bulk
from scoring.engine.rulebook import live_versions
from scoring.models import (
    ModelVersion,
    Profile,
    Publication,
    Rule,
    RuleGroup,
    Scale,
    Score,
    ScoringModel,
    Verdict,
    VersionComment,
)
from scoring.rescore import GATE, held_back, score_locked
from scoring.rules import problems_of, problems_together, threshold_problems

Status = ModelVersion.Status
THRESHOLDS = ("mql_fit", "ready_fit", "ready_engagement", "cap_fit", "cap_engagement")
SCALE_PARTS = ("ratings", "fit_bands", "engagement_bands", "cells")

# One that asks to be filled, and is not being filled by somebody else.
NEXT_VERSION = """
SELECT id, filled_to FROM scoring_modelversion WHERE publish_asked_at IS NOT NULL
ORDER BY publish_asked_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""
FILLED = "UPDATE scoring_modelversion SET filled_to = %s, filled = filled + %s WHERE id = %s"
NEXT_LEADS = """
SELECT string_agg(int8send(id), '') FROM (
  SELECT id FROM leads_lead WHERE id > %s ORDER BY id LIMIT %s FOR NO KEY UPDATE
) held
"""
BATCH = 10_000  # leads: some 0.2 s, during which whoever records something for one of them waits
# A score that somebody writes, who read the live versions before this one was called off, is left for the next batch.
# As an array, which is made once: as a set PostgreSQL may ask for the next rows again and again, beyond the limit.
FORGET_SOME = """
WITH gone AS (
  DELETE FROM scoring_score WHERE id = ANY(ARRAY(
    SELECT id FROM scoring_score WHERE model_version_id = %s ORDER BY lead_id LIMIT %s FOR UPDATE SKIP LOCKED
  )) RETURNING id
) SELECT count(*) FROM gone
"""
CLOSE_GATE = "SELECT pg_advisory_xact_lock(%s)"
COMPARE = """
INSERT INTO scoring_scorechange (lead_id, model_version_id, at, old_rating, new_rating, old_verdict, new_verdict,
  fit, engagement, total)
SELECT n.lead_id, n.model_version_id, %(at)s, coalesce(o.rating, ''), n.rating, coalesce(o.verdict, ''), n.verdict,
  n.fit, n.engagement, n.total
FROM scoring_score n LEFT JOIN scoring_score o ON o.model_version_id = %(old)s AND o.lead_id = n.lead_id
WHERE n.model_version_id = %(new)s AND (o.rating, o.verdict) IS DISTINCT FROM (n.rating, n.verdict)
RETURNING lead_id
"""
JUDGED_OTHERWISE = """
SELECT n.lead_id FROM scoring_score n LEFT JOIN scoring_score o ON o.model_version_id = %s AND o.lead_id = n.lead_id
WHERE n.model_version_id = %s AND o.verdict IS DISTINCT FROM n.verdict
"""
CALLED = """
SELECT s.lead_id, s.verdict FROM scoring_score s JOIN leads_lead l ON l.id = s.lead_id
WHERE s.model_version_id = %(new)s AND s.verdict NOT IN ('none', 'excluded')
  AND l.stage = ANY(CASE s.verdict WHEN 'mql' THEN %(below_mql)s::text[] ELSE %(below_ready)s::text[] END)
  AND NOT (s.verdict = 'sales_ready' AND l.place = 'parked' AND l.wake_at > %(at)s) AND s.lead_id = ANY(%(news)s)
"""


class NotPublishable(ValueError):
    """Why a version cannot be published: `problems`, one sentence each."""

    def __init__(self, problems):
        self.problems = problems
        super().__init__(" ".join(problems))


def new_draft(*, model, by, of=None):
    """A draft with everything that `of` holds (by default the current version), free to be edited.

    `of` may be a version of another model: that is how a model is copied. Raises ValueError where there is none.
    """
    of = of or model.current_version or model.versions.first()
    if of is None:
        raise ValueError(f"{model} has no version to start from")
    return first_draft(model=model, by=by, table=table_of(of))


def first_draft(*, model, by, table=starter.EMPTY):
    """A draft from a table of `scoring.starters`; by default without rules, on the scale that is shipped."""
    table = deepcopy(table)  # a draft is edited, a table is not
    with transaction.atomic():
        model = ScoringModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        number = (model.versions.aggregate(last=Max("number"))["last"] or 0) + 1
        draft = ModelVersion.objects.create(
            model=model, number=number, created_by=by, note=table.get("note", ""), **table["thresholds"],
            scale=Scale.objects.create(**table["scale"] | {"name": f"{model} v{number}"[:100]}),
        )  # fmt: skip
        linked = {
            link: {row["name"]: part.objects.create(version=draft, position=n, **row) for n, row in enumerate(rows)}
            for link, part, rows in (
                ("profile", Profile, table.get("profiles", ())), ("group", RuleGroup, table.get("groups", ())),
            )
        }  # fmt: skip
        Rule.objects.bulk_create(
            Rule(
                version=draft, position=position,
                **rule | {link: of[rule[link]] for link, of in linked.items() if rule.get(link)},
            )
            for position, rule in enumerate(table.get("rules", ()), start=1)
        )  # fmt: skip
    return draft


def table_of(version):
    """A version as a table like those of `scoring.starters`: rules name their profile and group."""
    parts = [field.name for field in Rule._meta.fields if not field.is_relation]
    return {
        "thresholds": {name: getattr(version, name) for name in THRESHOLDS},
        "scale": {name: getattr(version.scale, name) for name in SCALE_PARTS},
        "profiles": list(version.profiles.values("name", "description")),
        "groups": list(version.groups.values("name", "cap_points")),
        "rules": [
            {name: getattr(rule, name) for name in parts if name not in ("id", "position")}
            | {"profile": rule.profile and rule.profile.name, "group": rule.group and rule.group.name}
            for rule in version.rules.select_related("profile", "group")
        ],
    }


def problems(version):
    """What keeps a version from being published, one sentence each, naming the rule."""
    rules = list(version.rules.all())
    found = [] if rules else ["Add at least one rule."]
    for rule in rules:
        found += [f"{rule.name}: {problem}" for problem in problems_of(rule)]
    found += problems_together(version, rules)
    return found + threshold_problems(version)


def ask_publish(*, version, by, at):
    """Have an approved version filled; `fill_published` flips to it when every lead has its new score.

    A superseded version was approved and in force before: rolling back to it is asking for it again. Asking twice is
    asking once. Raises NotPublishable, which names the side whose approval is missing. The way back stays open where
    something that the old version names is gone since: that holds for nobody, as it would had the version stayed in force.
    """
    with transaction.atomic():
        ScoringModel.objects.select_for_update(no_key=True).get(pk=version.model_id)
        version.refresh_from_db()
        if version.publish_asked_at:
            return
        if version.status == Status.PUBLISHED:
            raise NotPublishable(["This version is published already."])
        other = ModelVersion.objects.filter(model=version.model_id, publish_asked_at__isnull=False).first()
        if other:
            raise NotPublishable(
                [f"Version {other.number} is being published: wait for it, or call it off first."]
            )
        # Under the lock of its model nobody fills it, so its own lock waits for no filler.
        version.refresh_from_db(from_queryset=ModelVersion.objects.select_for_update(no_key=True))
        found = _unapproved(version)
        if not found and version.status == Status.APPROVED:
            found = problems(version)
        if found:
            raise NotPublishable(found)
        write(
            version, publish_asked_at=at, published_by=by, filled_to=0, filled=0,
            to_fill=Lead.objects.count(),
        )  # fmt: skip
        doorbell.ring("publish")


def _unapproved(version):
    if version.status in (Status.APPROVED, Status.SUPERSEDED):
        return []
    if version.status == Status.DRAFT:
        return [f"{version} is a draft: ask marketing and sales to review it first."]
    missing = [side for side in ("marketing", "sales") if getattr(version, f"approved_by_{side}_at") is None]
    return [f"{version} waits for the approval of {' and '.join(missing)}."]


def call_off(*, version):
    """Stop publishing a version that is being filled; False where it is too late or was never asked."""
    called_off = ModelVersion.objects.filter(pk=version.pk, publish_asked_at__isnull=False)
    return bool(called_off.update(publish_asked_at=None))


def publish(*, version, by, at, approved=False):
    """Ask, fill and flip in one go: for set-up, demo and tests. `approved` signs a draft as `by` for both sides."""
    if approved:
        ModelVersion.objects.filter(pk=version.pk, status=Status.DRAFT).update(
            status=Status.APPROVED, approved_by_marketing=by, approved_by_marketing_at=at,
            approved_by_sales=by, approved_by_sales_at=at,
        )  # fmt: skip
    ask_publish(version=version, by=by, at=at)
    while ModelVersion.objects.filter(pk=version.pk, publish_asked_at__isnull=False).exists():
        fill_published(at=at)
    version.refresh_from_db()


def fill_published(*, at=None, batch=BATCH):
    """Fill one batch of one version that asks for it, or flip to it when it is full; False if there was none.

    By default at the instant at which the leads are held, or the gate is closed (see `rescore.rescore_due`).
    """
    with transaction.atomic():
        version = fetch(NEXT_VERSION)
        if not version:
            return False
        version_id, filled_to = version[0]
        lead_ids = bulk.columns(fetch(NEXT_LEADS, [filled_to, batch])[0][0], 1)[0].tolist()
        if lead_ids:
            live = [live for live in live_versions() if live.id == version_id]
            score_locked(lead_ids, live=live, at=at or timezone.now())
            fetch(FILLED, [lead_ids[-1], len(lead_ids), version_id], returns=False)
        else:
            _flip(ModelVersion.objects.get(pk=version_id), at)
    return True


def _flip(version, at):
    """Make `version` the current one. Scoring stands still meanwhile: the gate waits for those at work, so that
    each lead's old and new score are of one mind and no stage is raised by the version that goes."""
    fetch(CLOSE_GATE, [GATE])
    at = at or timezone.now()
    model = ScoringModel.objects.select_for_update(no_key=True).get(pk=version.model_id)
    old_id = model.current_version_id
    ModelVersion.objects.filter(pk=old_id).update(status=Status.SUPERSEDED, superseded_at=at)
    write(version, status=Status.PUBLISHED, published_at=at, superseded_at=None, publish_asked_at=None)
    ScoringModel.objects.filter(pk=model.pk).update(current_version=version)
    Publication.objects.create(model=model, version=version, at=at, by_id=version.published_by_id)
    with bulk.whole_sets():
        news = {row[0] for row in fetch(COMPARE, {"old": old_id, "new": version.pk, "at": at})}
        if model.routes:
            _let_follow(version, news, at)


def forget_replaced(*, batch=BATCH):
    """Delete one batch of the scores of a version that is in force no more, nor being filled; False if there was none.

    Whoever asks for its publication again waits for the lock of the version, a batch at most, and has everybody scored
    anew: what is left of the old scores is written over.
    """
    with transaction.atomic():
        version = (
            ModelVersion.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
            .filter(Exists(Score.objects.filter(model_version=OuterRef("pk"))), publish_asked_at=None)
            .exclude(status=Status.PUBLISHED)
            .first()
        )
        if version is None:
            return False
        return fetch(FORGET_SOME, [version.pk, batch])[0][0] > 0


def take_over(*, version, by, at):
    """Let the model of `version`, which is in force, decide what passes to sales from now on; the one that did so until
    now, or None. The caller has checked that `by` may sign for sales.

    Stages and routing follow at once. Nobody ever reads of none or of two that decide: both rows change in one
    transaction, with the gate closed as for a flip. Raises NotPublishable where it has no scores of everybody, or
    another version is in force meanwhile than the one that was read.
    """
    with transaction.atomic():
        fetch(CLOSE_GATE, [GATE])
        model = ScoringModel.objects.select_for_update(no_key=True).get(pk=version.model_id)
        before = ScoringModel.objects.filter(routes=True).select_for_update(no_key=True).first()
        if model.routes:
            return None
        if found := not_for_everybody(model, version):
            raise NotPublishable(found)
        ScoringModel.objects.filter(routes=True).update(routes=False)
        ScoringModel.objects.filter(pk=model.pk).update(routes=True)
        instead = f", in place of {before}" if before else ""
        VersionComment.objects.create(
            version=version, by=by, at=at, text=f"{model} decides what passes to sales from now on{instead}."
        )
        news = {row[0] for row in fetch(JUDGED_OTHERWISE, [before and before.current_version_id, version.pk])}
        _let_follow(version, news, at)
    return before


def not_for_everybody(model, version):
    """What keeps `version` from deciding what passes to sales, one sentence each."""
    found = []
    if model.current_version_id != version.pk:
        found.append(f"{version} is not in force: only what is in force can decide what passes to sales.")
    if model.applies_to:
        found.append(
            f"{model} judges some leads only; who decides what passes to sales must judge everybody."
        )
    return found


def _let_follow(version, news, at):
    """Raise the stages that the new version calls for, and have routing look at every verdict it changed: of the leads
    `news`. All others stand where the same verdict brought them."""
    for stage, lead_ids in _called(version, news, at).items():
        reason = f"{stage.label} under {version.model} version {version.number}"
        for some in batched(lead_ids):
            news |= places.advance_many(lead_ids=some, stage=stage, reason=reason, at=at)
    for some in batched(sorted(news)):
        places.ask_route(lead_ids=some, at=at)


def _called(version, news, at):
    """{stage: ids, ascending} of those of `news` below the stage that the version calls for; not who rests until later."""
    below = {
        stage: [str(s) for s in places.ORDER[: places.ORDER.index(stage)]]
        for stage in (Stage.MQL, Stage.SALES_READY)
    }
    called = fetch(
        CALLED,
        {
            "new": version.pk, "news": list(news), "at": at,
            "below_mql": below[Stage.MQL], "below_ready": below[Stage.SALES_READY],
        },
    )  # fmt: skip
    back = held_back([lead_id for lead_id, verdict in called if verdict == Verdict.SALES_READY], at=at)
    return {
        stage: sorted(
            {lead_id for lead_id, verdict in called if (verdict == Verdict.MQL) == (stage == Stage.MQL)}
            - back
        )
        for stage in below
    }


def batched(lead_ids):
    """Lists that fit into one statement, of a million ids too."""
    return (lead_ids[start : start + BATCH] for start in range(0, len(lead_ids), BATCH))


def write(version, **values):
    """Set these columns of a version, and save no other."""
    for name, value in values.items():
        setattr(version, name, value)
    version.save(update_fields=list(values))
