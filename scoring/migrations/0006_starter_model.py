"""The starter model was made here once; now by the migration that follows its newest columns (0008)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("scoring", "0005_publication")]
    operations = []
