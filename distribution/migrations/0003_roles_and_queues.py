"""Without the demo a database is not limbo: four roles with their permissions, a queue, a review queue."""

from django.apps import apps as all_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

from distribution.access import sync_roles

APPS = ["auth", "leads", "scoring", "nurturing", "distribution"]


def make_roles(apps, schema_editor):
    # Django makes permission rows only after the last migration; the roles need them now.
    for label in APPS:
        create_permissions(all_apps.get_app_config(label), verbosity=0)
    auth = all_apps.get_app_config("auth")
    sync_roles(auth.get_model("Permission"), auth.get_model("Group"))


def make_queues(apps, schema_editor):
    queues = apps.get_model("distribution", "SalesQueue").objects
    queues.get_or_create(slug="sales", defaults={"name": "Sales", "is_default": True})
    queues.get_or_create(slug="review", defaults={"name": "Review", "is_review": True})


class Migration(migrations.Migration):
    dependencies = [
        ("distribution", "0002_sales_day"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.RunPython(make_roles, migrations.RunPython.noop),
        migrations.RunPython(make_queues, migrations.RunPython.noop),
    ]
