"""Profiles, groups and caps are read-only with their version; and a new installation has the starter model.

The starter is made here, after the newest columns it uses: a migration of its own must follow where it gains others.
"""

from django.db import migrations

from scoring.starter import create_starter_model

CREATE = """
CREATE TRIGGER scoring_profile_read_only BEFORE INSERT OR UPDATE OR DELETE ON scoring_profile
  FOR EACH ROW EXECUTE FUNCTION scoring_rule_read_only();
CREATE TRIGGER scoring_group_read_only BEFORE INSERT OR UPDATE OR DELETE ON scoring_rulegroup
  FOR EACH ROW EXECUTE FUNCTION scoring_rule_read_only();

CREATE OR REPLACE FUNCTION scoring_version_read_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status IN ('published', 'superseded') OR OLD.publish_asked_at IS NOT NULL)
     AND (NEW.mql_fit, NEW.ready_fit, NEW.ready_engagement, NEW.scale_id, NEW.cap_fit, NEW.cap_engagement)
         IS DISTINCT FROM
         (OLD.mql_fit, OLD.ready_fit, OLD.ready_engagement, OLD.scale_id, OLD.cap_fit, OLD.cap_engagement) THEN
    RAISE EXCEPTION 'a published version is read-only: make a new draft of it'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
"""
DROP = """
DROP TRIGGER scoring_group_read_only ON scoring_rulegroup;
DROP TRIGGER scoring_profile_read_only ON scoring_profile;
"""


def create(apps, schema_editor):
    create_starter_model(apps)


class Migration(migrations.Migration):
    dependencies = [("scoring", "0007_groups_profiles_segments")]
    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
