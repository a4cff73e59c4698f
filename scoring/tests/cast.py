"""The fixed cast of the scoring tests: a small model, a few leads, and instants to speak of."""

from datetime import UTC, datetime, timedelta

from leads.activities import record
from leads.models import Company, Lead
from scoring.models import ModelVersion, Profile, Publication, Rule, RuleGroup, Scale, Score, ScoringModel

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def scale():
    return Scale.objects.create(
        name="A to D",
        ratings=[["A", "Call within the hour"], ["B", "Call this week"], ["C", "Nurture"], ["D", "Leave alone"]],
        fit_bands=[["good", 40], ["fair", 20], ["poor", 0]],
        engagement_bands=[["hot", 40], ["warm", 15], ["cold", 0]],
        cells={
            "good/hot": "A", "good/warm": "A", "good/cold": "C", "fair/hot": "B", "fair/warm": "B", "fair/cold": "C",
            "poor/hot": "C", "poor/warm": "D", "poor/cold": "D",
        },
    )  # fmt: skip


def test_model():
    """One model that routes, and no other: the starter model of every database stands back."""
    ScoringModel.objects.exclude(slug="test").update(routes=False, current_version=None)
    return ScoringModel.objects.get_or_create(slug="test", defaults={"name": "Test", "routes": True})[0]


test_model.__test__ = False


def draft(*rules, model=None, groups=None, profiles=(), **thresholds):
    """A draft of `rules` (dicts of Rule fields) with thresholds 20 / 20 / 30 unless told otherwise.

    `groups`: {name: cap on points}; `profiles`: names. A rule tells its own by name.
    """
    model = model or test_model()
    number = model.versions.count() + 1
    version = ModelVersion.objects.create(model=model, number=number, scale=scale(), **thresholds)
    known = {
        "group": {name: RuleGroup.objects.create(version=version, name=name, cap_points=cap, position=place)
                  for place, (name, cap) in enumerate((groups or {}).items())},
        "profile": {name: Profile.objects.create(version=version, name=name, position=place)
                    for place, name in enumerate(profiles)},
    }  # fmt: skip
    Rule.objects.bulk_create(
        Rule(
            version=version, position=position,
            **{"name": f"{rule['kind']} {position}"} | rule | {key: of[rule[key]] for key, of in known.items() if key in rule},
        )
        for position, rule in enumerate(rules)
    )  # fmt: skip
    return version


def current(*rules, **options):
    """The same as the current version of its model, as if published before any lead came."""
    since = NOW - 1000 * DAY
    version = draft(*rules, **options)
    ModelVersion.objects.filter(model=version.model, status="published").update(status="superseded")
    ModelVersion.objects.filter(pk=version.pk).update(status="published", published_at=since)
    ScoringModel.objects.filter(pk=version.model_id).update(current_version=version)
    Publication.objects.create(model=version.model, version=version, at=since)
    version.refresh_from_db()
    return version


def approved(version):
    """The version, signed by both sides: what it takes to be published."""
    ModelVersion.objects.filter(pk=version.pk, status="draft").update(
        status="approved", approved_by_marketing_at=NOW, approved_by_sales_at=NOW
    )
    version.refresh_from_db()
    return version


def fit(points, **condition):
    return {"kind": "fit", "points": points, "condition": {"is": "lead_field", **condition}}


def activity(points, kind, asset="", **arithmetic):
    return {"kind": "activity", "points": points, "condition": touchpoint(kind, asset), **arithmetic}


def touchpoint(kind, asset=""):
    return {"is": "touchpoint", "kind": kind, **({"asset": asset} if asset else {})}


DECISION_MAKER = fit(25, field="role", op="equals", value="decision maker")
PRICING = activity(10, "page_view", "/pricing", cap_count=3, steps=[[7, 1.0], [30, 0.5]])
HAND_RAISE = {"kind": "hand_raise", "condition": touchpoint("hand_raise")}
BITE = {"kind": "bite", "condition": touchpoint("mail_click", "/book-a-demo")}
COMPETITOR = {
    "kind": "exclude",
    "condition": {"is": "company_field", "field": "relationship", "op": "equals", "value": "competitor"},
}


def lead(email="sarah@northwind.example", *, at=NOW - 10 * DAY, company=None, **fields):
    if company:
        company = Company.objects.create(name="Northwind", created_at=at, updated_at=at, **company)
    return Lead.objects.create(
        email=email, company=company, created_at=at, updated_at=at, rescore_at=at, **fields
    )


def did(who, kind, asset="", *, ago=timedelta(0), now=NOW, **rest):
    return record(lead=who, kind=kind, asset=asset, at=now - ago, **rest)


def score_of(who, version):
    return Score.objects.get(lead=who, model_version=version)


def stage_of(who):
    return Lead.objects.get(pk=who.pk).stage
