"""Every page of the admin that an administrator, a marketer or a sales manager can reach, in a real browser.

The pages are read off `admin.site`, so a model registered tomorrow is looked at too, and fails here until `world` has a row of it.
The suite looks at the administrator's, which hold those of the others; AXE_ROLES=all looks at everybody's, as rights change
what a page offers. AXE_DARK=1 looks at them in the dark; PICTURES names a folder for pictures of them all.
"""

import os
from collections import defaultdict

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.test import RequestFactory
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
# Cells of a list that hold more than they show.
CUT = """[...document.querySelectorAll("#result_list :is(td, th)")]
  .filter((cell) => cell.offsetParent && cell.scrollHeight > cell.clientHeight + 1).map((cell) => cell.innerText)"""
LOOK = "dark" if os.environ.get("AXE_DARK") else "wide"
ROLES = (Role.ADMIN, Role.MARKETER, Role.MANAGER)[: None if os.environ.get("AXE_ROLES") else 1]
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


def problems(window, page, url):
    """What is wrong with the page, in words: first wide, then as wide as a phone."""
    answer = page.goto(url)
    if answer.status != 200:
        return [f"status {answer.status}"]
    page.wait_for_function("!document.querySelector('.htmx-request')")  # a preview, a count
    name = url.strip("/").replace("/", "-")
    window.picture(page, name)
    found = window.violations(page)
    window.resize(page, "phone")
    window.picture(page, f"{name}-phone")
    found += window.too_wide(page) + [f"cut on a phone: {words}" for words in page.evaluate(CUT)]
    window.resize(page, LOOK)
    return found


@pytest.mark.parametrize("app", APPS)
def test_the_pages_are_accessible_quiet_and_fit_a_phone(window, staff, app, monkeypatch):
    monkeypatch.setattr("leads.admin.enrichment.RELOAD", "3600")  # not while it is looked at
    found, seen = defaultdict(list), set()
    for role, user in staff.items():
        page = window(user, LOOK)
        for url, (what, rights) in pages(app, user).items():
            if (url, rights) in seen:
                continue
            seen.add((url, rights))
            for problem in problems(window, page, url):
                found[problem].append(f"{role}: {what} ({url})")
    assert seen
    assert not found, "\n\n".join(f"{problem}\n   {pages}" for problem, pages in found.items())
