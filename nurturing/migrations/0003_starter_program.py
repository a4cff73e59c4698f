from django.db import migrations
from django.utils import timezone

from nurturing.starter import create_starter_program


def create(apps, schema_editor):
    model = lambda name: apps.get_model("nurturing", name)
    create_starter_program(
        templates=model("EmailTemplate"), programs=model("Program"), versions=model("ProgramVersion"),
        steps=model("Step"), at=timezone.now(),
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("nurturing", "0002_follow_up")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
