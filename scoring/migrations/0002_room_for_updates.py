"""Room on every page for the next version of each score row, so that a re-score of all rows
stays heap-only and touches no index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("scoring", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE scoring_score SET (fillfactor = 45)",
            "ALTER TABLE scoring_score RESET (fillfactor)",
        )
    ]
