"""The people of the sales floor. Rita and Ron take turns, Tom is absent; Mia leads them, Max markets, Ada administrates.

The leads come in as they do in life: activities are logged, scored by the starter model, then routed.
"""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Group, Permission

from distribution import routing
from distribution.access import Role, sync_roles
from distribution.assignment import Turns
from distribution.models import Handoff, QueueMember, Rep, RoutingDecision, SalesQueue, Team
from leads.activities import record
from leads.models import Company, Lead
from leads.tests.cast import colleague
from nurturing import models as nurturing
from nurturing.starter import create_starter_program
from scoring.rescore import rescore_due
from scoring.starter import create_starter_model

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def installation():
    """What the migrations leave behind; tests with real transactions have to begin with it again."""
    sync_roles(Permission, Group)
    SalesQueue.objects.get_or_create(slug="sales", defaults={"name": "Sales", "is_default": True})
    SalesQueue.objects.get_or_create(slug="review", defaults={"name": "Review", "is_review": True})
    create_starter_model()
    create_starter_program(
        templates=nurturing.EmailTemplate, programs=nurturing.Program, versions=nurturing.ProgramVersion,
        steps=nurturing.Step, at=NOW - 100 * DAY,
    )  # fmt: skip


def queue():
    return SalesQueue.objects.get(is_default=True)


def review():
    return SalesQueue.objects.get(is_review=True)


def user(name, role, **values):
    return colleague(
        name.lower(), role, email=f"{name.lower()}@us.test", first_name=name, last_name="Us", **values
    )


def mia():
    return user("Mia", Role.MANAGER)


def max_():
    return user("Max", Role.MARKETER)


def ada():
    return user("Ada", Role.ADMIN, is_staff=True)


def rep(name, *, team=None, queues=None, **values):
    made = Rep.objects.create(user=user(name, Role.REP), team=team, **values)
    for each in [queue()] if queues is None else queues:
        QueueMember.objects.create(queue=each, rep=made)
    return made


def next_rep(queue, at):
    """The Rep whose turn it is in `queue`, or None; their turn is taken when the caller's transaction commits."""
    turns = Turns([queue.pk], at=at)
    found = turns.next(queue.pk)
    turns.save()
    return found


def rita(**values):
    return rep("Rita", **values)


def ron(**values):
    return rep("Ron", **values)


def team(manager, name="North"):
    return Team.objects.create(name=name, manager=manager)


def acme(name="Acme", **values):
    values = {
        "domain": f"{name.lower()}.net",
        "created_at": NOW - 30 * DAY,
        "updated_at": NOW - 30 * DAY,
    } | values
    return Company.objects.create(name=name, **values)


def lead(email="sarah@acme.net", **values):
    """Fits (45 of 20) unless told otherwise, and has done nothing yet."""
    values = {
        "first_name": "Sarah",
        "last_name": "Miller",
        "role": "decision maker",
        "company_size": 300,
    } | values
    when = {"created_at": NOW - DAY, "updated_at": NOW - DAY}
    return Lead.objects.create(email=email, **when | values)


def some(many, at, source=None, **values):
    """Leads captured at one instant by one source, each of a company of its own by the address."""
    return [
        lead(
            f"n{n}-{at:%m%d%H}-{source.slug if source else ''}@firm{n}.net",
            created_at=at, source=source, **values,
        )
        for n in range(many)
    ]  # fmt: skip


def did(who, kind, asset="", at=NOW, times=1):
    for _ in range(times):
        record(lead=who, kind=kind, asset=asset, at=at)


def asks(who, at=NOW):
    did(who, "hand_raise", "demo-request", at)


def warms_up(who, at=NOW):
    """Engagement of 40: sales-ready by score where the fit is 30."""
    did(who, "page_view", "/pricing", at, times=3)
    did(who, "download", "/white-papers/roi", at)


def flow(at=NOW):
    """Score and route all that is due."""
    while rescore_due(at=at):
        pass
    while routing.route_due(at=at):
        pass


def handed(who=None, at=NOW):
    """A lead that asked, and the hand-off that became of it."""
    who = who or lead()
    asks(who, at)
    flow(at)
    return Handoff.objects.select_related("lead", "owner__user", "queue").get(
        lead=who, status__in=Handoff.OPEN
    )


def reread(row):
    return type(row).objects.get(pk=row.pk)


def decision(who):
    """What the routing decided about this lead last."""
    return RoutingDecision.objects.filter(lead=who).latest("at", "id")
