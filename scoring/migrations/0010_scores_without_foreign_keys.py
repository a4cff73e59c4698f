"""Scores lose their foreign keys, whose checks are a third of what a publication costs, and an index that the one on
(version, lead) makes superfluous. Whoever writes a score holds its lead locked, so none is written for a lead that is
gone; what a lead or a version leaves behind when it goes, whoever deletes it, a trigger takes along."""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE FUNCTION scoring_forget_scores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'leads_lead' THEN
    DELETE FROM scoring_score WHERE lead_id IN (SELECT id FROM gone);
  ELSE
    DELETE FROM scoring_score WHERE model_version_id IN (SELECT id FROM gone);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER scoring_forget_scores AFTER DELETE ON leads_lead
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION scoring_forget_scores();
CREATE TRIGGER scoring_forget_scores AFTER DELETE ON scoring_modelversion
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION scoring_forget_scores();
"""
DROP = """
DROP TRIGGER scoring_forget_scores ON scoring_modelversion;
DROP TRIGGER scoring_forget_scores ON leads_lead;
DROP FUNCTION scoring_forget_scores();
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0009_review"), ("leads", "0001_initial")]
    operations = [
        migrations.AlterField(
            model_name="score",
            name="lead",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="leads.lead"
            ),
        ),
        migrations.AlterField(
            model_name="score",
            name="model_version",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE,
                related_name="+", to="scoring.modelversion",
            ),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]  # fmt: skip
