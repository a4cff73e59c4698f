"""Every page of the admin that an administrator, a marketer or a sales manager can reach, in a real browser.

The pages are read off `admin.site`, so a model registered tomorrow is looked at too, and fails here until `world` has a row of it.
The suite looks at the administrator's, which hold those of the others; AXE_ROLES=all looks at everybody's, as rights change
what a page offers. AXE_DARK=1 looks at them in the dark; PICTURES names a folder for pictures of them all.
"""

import os
from collections import defaultdict

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone

from distribution.access import Role
from distribution.tests import cast
from leadmgmt.tests.cast import world
from leads.models import EnrichmentUpload, Lead
from nurturing.models import ProgramVersion
from scoring.models import ModelVersion, Rule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
APPS = ("leads", "scoring", "nurturing", "distribution", "auth")
ROLES = (Role.ADMIN, Role.MARKETER, Role.MANAGER)[: None if os.environ.get("AXE_ROLES") else 1]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
# Of these `world` has rows in several states, whose pages differ; of the others one is looked at.
SEVERAL = {ModelVersion: 3, ProgramVersion: 2, EnrichmentUpload: 3, Rule: 2, Lead: 2}


@pytest.fixture
def staff():
    """{role: a member of staff with that role}, and in the database at least one row of every model of the admin."""
    cache.clear()
    cast.installation()
    world(at=timezone.now())
    return {role: cast.user(role.split()[-1].title(), role, is_staff=True) for role in ROLES}


# --- which pages there are -----------------------------------------------------------------------


def pages(app, user):
    """{URL: (what it shows, which rights of the user it depends on)}, of all that `user` may open."""
    request = RequestFactory().get("/admin/")
    request.user, request.resolver_match = user, resolve("/admin/")
    mine = [model for model in admin.site._registry if model._meta.app_label == app]
    mine = [model for model in mine if admin.site._registry[model].has_view_permission(request)]
    found = {}
    for model in mine:
        page = admin.site._registry[model]
        rights = rights_of(user, [model, *(inline.model for inline in page.inlines)])
        found |= {url: (what, rights) for url, what in pages_of(model, page, request).items()}
    for model in mine[:1]:  # these are the same for every model
        row, name = rows_of(model, request)[0], f"admin:{app}_{model._meta.model_name}"
        found[reverse("admin:app_list", args=[app])] = (f"index of {app}", len(mine))
        found[reverse(f"{name}_history", args=[row.pk])] = ("history", None)
        found[reverse(f"{name}_changelist") + "?q=nobody-has-this"] = ("nothing found", None)
    if app == "auth":
        found[reverse("admin:index")] = ("index", user)
        found[reverse("admin:password_change")] = ("own password", None)
    if app == "auth" and user.has_perm("auth.change_user"):
        found[reverse("admin:auth_user_password_change", args=[user.pk])] = ("password of another", None)
    return found


def pages_of(model, page, request):
    name, url = model.__name__, f"admin:{model._meta.app_label}_{model._meta.model_name}"
    rows = rows_of(model, request)
    found = {reverse(f"{url}_changelist"): f"{name}s"}
    if page.has_add_permission(request):
        found[reverse(f"{url}_add")] = f"new {name}"
    found |= {reverse(f"{url}_change", args=[row.pk]): f"{name} {row}" for row in rows}
    if page.has_delete_permission(request, rows[0]):
        found[reverse(f"{url}_delete", args=[rows[0].pk])] = f"{name}, delete"
    return found


def rows_of(model, request):
    rows = admin.site._registry[model].get_queryset(request).order_by("-pk")[: SEVERAL.get(model, 1)]
    assert rows, f"world() has no {model.__name__}"
    return list(rows)


def rights_of(user, models):
    """Two roles with the same rights on a model and what is edited with it see the same pages of it."""
    types = ContentType.objects.get_for_models(*models).values()
    rights = Permission.objects.filter(group__user=user, content_type__in=types)
    return frozenset(rights.values_list("content_type", "codename"))


def test_nothing_in_the_admin_is_left_out():
    """Every app of the admin is one of those that are walked below."""
    assert {model._meta.app_label for model in admin.site._registry} == set(APPS)


# --- looking at them ------------------------------------------------------------------------------


@pytest.fixture
def look(chromium, live_server):
    """look(user, url) → what is wrong with the page, in words."""
    scheme = "dark" if os.environ.get("AXE_DARK") else "light"
    context = chromium.new_context(viewport=DESKTOP, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults = []
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    cookies = {}

    def at(user, url):
        if user not in cookies:
            client = Client()
            client.force_login(user)
            cookies[user] = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookies[user], "url": live_server.url}]
        )
        faults.clear()
        page.set_viewport_size(DESKTOP)
        answer = page.goto(live_server.url + url)
        if answer.status != 200:
            return [f"status {answer.status}"]
        page.wait_for_function("!document.querySelector('.htmx-request')")  # a preview, a count
        found = [words(violation) for violation in Axe().run(page, options=RULES).response["violations"]]
        picture(page, "wide")
        page.set_viewport_size(PHONE)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        picture(page, "phone")
        return found + faults + ([f"{wider} px too wide for a phone"] if wider > 0 else [])

    yield at
    context.close()


def words(violation):
    nodes = violation["nodes"]
    shown = " | ".join(f"{node['target']} {node['html'][:200]}" for node in nodes[:3])
    return f"{violation['id']} × {len(nodes)}: {shown}"


def picture(page, name):
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{len(os.listdir(folder)):03}-{name}.png", full_page=True)


@pytest.mark.parametrize("app", APPS)
def test_the_pages_are_accessible_quiet_and_fit_a_phone(staff, look, app):
    found, seen = defaultdict(list), set()
    for role, user in staff.items():
        for url, (what, rights) in pages(app, user).items():
            if (url, rights) in seen:
                continue
            seen.add((url, rights))
            for problem in look(user, url):
                found[problem].append(f"{role}: {what} ({url})")
    assert seen
    assert not found, "\n\n".join(f"{problem}\n   {pages}" for problem, pages in found.items())
