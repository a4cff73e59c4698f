"""Who may do what: every route of the product has a row, and every role meets it."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver

from distribution import handoff, recycling
from distribution.access import (
    API_KEY,
    PUBLIC,
    ROUTES,
    SIGNED_IN,
    STAFF,
    AccessMiddleware,
    Role,
    handoffs_for,
    leads_for,
    may_assign,
    may_work,
    rule_of,
)  # fmt: skip
from distribution.tests import cast
from distribution.tests.cast import NOW
from leads.models import Relationship

pytestmark = pytest.mark.django_db


def routes(patterns=None, prefix="", namespace=""):
    """Every (route, full name) of the product."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, f"{namespace}{pattern.name}"
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, route, inner)


EVERY_ROUTE = sorted(set(routes()))


def people():
    return {
        "nobody": AnonymousUser(),
        "stranger": User.objects.create(username="stranger", password="!"),
        Role.REP: cast.rita().user,
        Role.MANAGER: cast.mia(),
        Role.MARKETER: cast.max_(),
        Role.ADMIN: cast.ada(),
    }


def answer(user, route, name, *, method="get", **headers):
    """What the middleware says before the view runs: "through", or the status that refuses."""
    request = getattr(RequestFactory(), method)("/" + route, **headers)
    request.user = user
    request.resolver_match = type("Match", (), {"route": route, "view_name": name})
    try:
        response = AccessMiddleware(lambda request: HttpResponse()).process_view(request, None, (), {})
    except PermissionDenied:
        return 403
    return "through" if response is None else response.status_code


@pytest.mark.parametrize(("route", "name"), EVERY_ROUTE)
def test_every_route_has_a_row(route, name):
    assert rule_of(route, name) is not None, f"give “{name}” ({route}) a row in distribution.access.ROUTES"


def test_every_row_has_a_route():
    names = {name for _, name in EVERY_ROUTE}
    assert set(ROUTES) <= names, f"no such route: {set(ROUTES) - names}"


def test_every_role_at_every_route():
    cast_ = people()
    for route, name in EVERY_ROUTE:
        rule = rule_of(route, name)
        for who, user in cast_.items():
            if rule in (PUBLIC, API_KEY):
                expected = "through"
            elif who == "nobody":
                expected = 302
            elif rule == STAFF:
                expected = "through" if user.is_staff else 403
            elif rule == SIGNED_IN:
                expected = "through"
            else:
                expected = "through" if who in rule else 403
            assert answer(user, route, name) == expected, (who, name)


def test_a_route_without_a_row_is_refused_to_all(settings):
    for who, user in people().items():
        assert answer(user, "brand-new/", "brand-new") == 403, who


def test_a_superuser_opens_everything_an_administrator_does():
    root = User.objects.create(username="root", password="!", is_superuser=True)
    assert answer(root, "sales/team/", "team") == "through"


def test_an_inactive_account_has_no_role():
    ada = cast.ada()
    ada.is_active = False
    assert answer(ada, "sales/team/", "team") == 403


def test_anonymous_pages_come_back_after_signing_in_and_parts_of_a_page_go_there_as_a_whole(client):
    response = client.get("/sales/?show=new")
    assert response.status_code == 302 and response["Location"].endswith("?next=/sales/%3Fshow%3Dnew")
    part = client.post("/sales/", headers={"HX-Request": "true"})
    assert part.status_code == 401 and part["HX-Redirect"].startswith("/")
    assert client.get("/admin/").status_code == 302


# --- which leads -------------------------------------------------------------------------------------


def test_reps_see_theirs_and_what_waits_in_their_queues():
    waiting = cast.handed(cast.lead("w@w.net"))
    rita = cast.rita()
    own = cast.handed(cast.lead("a@a.net"))
    past = recycling.recycle(handoff=cast.handed(cast.lead("p@p.net")), by=rita.user, reason="timing", at=NOW)
    competitor = cast.handed(cast.lead("c@c.net", company=cast.acme(relationship=Relationship.COMPETITOR)))
    stranger = cast.rep("Ron", queues=[cast.review()]).user
    cast.lead("n@n.net")
    assert set(handoffs_for(rita.user)) == {waiting, own, past}
    assert set(leads_for(rita.user)) == {waiting.lead, own.lead, past.lead}
    assert not handoffs_for(stranger).exists() and not leads_for(stranger).exists()
    assert may_work(rita.user, own) and may_work(rita.user, waiting) and not may_work(stranger, own)
    assert not may_work(rita.user, competitor) and not may_assign(rita.user, own)


def test_managers_see_their_teams_and_what_belongs_to_none():
    mia, moe = cast.mia(), cast.user("Moe", Role.MANAGER)
    cast.rita(team=cast.team(mia))
    cast.team(moe, "South")
    own = cast.handed(cast.lead("a@a.net"))
    assert list(handoffs_for(mia)) == [own] and may_assign(mia, own) and may_work(mia, own)
    assert list(handoffs_for(moe)) == [] and not may_assign(moe, own)
    unowned = handoff.offer(lead=cast.lead("w@w.net"), queue=cast.queue(), reason="x", at=NOW, owner=None)
    unowned.owner, unowned.status = None, "waiting"
    unowned.save(update_fields=["owner", "status"])
    assert unowned in handoffs_for(moe) and unowned in handoffs_for(mia)


def test_marketers_and_administrators_see_all_and_marketers_work_only_on_reviews():
    cast.rita()
    row = cast.handed(cast.lead("a@a.net"))
    competitor = cast.handed(cast.lead("c@c.net", company=cast.acme(relationship=Relationship.COMPETITOR)))
    cast.lead("n@n.net")
    max_, ada = cast.max_(), cast.ada()
    for user in (max_, ada):
        assert leads_for(user).count() == 3 and handoffs_for(user).count() == 2
    assert may_work(max_, competitor) and may_assign(max_, competitor)
    assert not may_work(max_, row) and not may_assign(max_, row)
    assert may_work(ada, row) and may_assign(ada, competitor)


def test_without_a_role_one_sees_nothing():
    cast.handed()
    stranger = User.objects.create(username="stranger", password="!")
    assert not leads_for(stranger).exists() and not handoffs_for(stranger).exists()
