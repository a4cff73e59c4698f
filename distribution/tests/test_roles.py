"""The four groups exist from the first migration, with exactly what the table says."""

import pytest
from django.contrib.auth.models import Group, Permission

from distribution.access import MODEL_PERMISSIONS, codenames
from distribution.models import SalesQueue

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", list(MODEL_PERMISSIONS))
def test_a_fresh_database_gives_each_role_what_the_table_says(role):
    models = set(Permission.objects.values_list("content_type__app_label", "content_type__model"))
    granted = set(Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename"))
    assert granted == codenames(role, models)
    assert granted or role == "Sales rep"


def test_every_row_of_the_table_names_a_model_that_exists():
    models = set(Permission.objects.values_list("content_type__app_label", "content_type__model"))
    apps = {app for app, _ in models}
    for table in MODEL_PERMISSIONS.values():
        for name in table:
            app, model = name.split(".")
            assert (app, model) in models or (model == "*" and app in apps), name


def test_there_is_one_default_queue_and_one_review_queue():
    assert SalesQueue.objects.get(is_default=True).name == "Sales"
    assert SalesQueue.objects.get(is_review=True).name == "Review"
