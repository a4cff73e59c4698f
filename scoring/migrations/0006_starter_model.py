"""A new installation judges leads from its first minute: the starter model, published."""

from django.db import migrations

from scoring.starter import create_starter_model


def create(apps, schema_editor):
    create_starter_model(apps)


class Migration(migrations.Migration):
    dependencies = [("scoring", "0005_publication")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
