"""The index of scores by lead goes: whoever asks for a lead's scores knows the versions, and filling one for 100,000 leads
paid a quarter of its inserting for that index. Who knows the lead alone names all versions there are."""

import django.db.models.deletion
from django.db import migrations, models

FORGET = """
CREATE OR REPLACE FUNCTION scoring_forget_scores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'leads_lead' THEN
    DELETE FROM scoring_score WHERE {leads};
  ELSE
    DELETE FROM scoring_score WHERE model_version_id IN (SELECT id FROM gone);
  END IF;
  RETURN NULL;
END $$
"""
NOW = FORGET.format(
    leads="model_version_id = ANY(ARRAY(SELECT id FROM scoring_modelversion)) AND lead_id = ANY(ARRAY(SELECT id FROM gone))"
)
BEFORE = FORGET.format(leads="lead_id IN (SELECT id FROM gone)")


class Migration(migrations.Migration):
    dependencies = [("scoring", "0010_scores_without_foreign_keys")]
    operations = [
        migrations.AlterField(
            model_name="score",
            name="lead",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE,
                related_name="+", to="leads.lead",
            ),
        ),
        migrations.RunSQL(NOW, BEFORE),
    ]  # fmt: skip
