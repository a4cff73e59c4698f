"""Scores were computed by these rules: from the moment publishing is asked for, they refuse to change.

Rules, thresholds and scale of a version that is being filled, published or superseded are read-only, whoever asks;
its rules go only where erasing was declared (`SET LOCAL leadmgmt.erase = 'on'`), with the whole model.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION scoring_is_read_only(version bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE found boolean;
BEGIN
  -- FOR SHARE: an edit and the asking wait for each other, so none slips in between.
  SELECT status IN ('published', 'superseded') OR publish_asked_at IS NOT NULL INTO found
  FROM scoring_modelversion WHERE id = version FOR SHARE;
  RETURN coalesce(found, false);
END $$;

CREATE FUNCTION scoring_rule_read_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND coalesce(current_setting('leadmgmt.erase', true), '') = 'on' THEN
    RETURN OLD;
  END IF;
  IF (TG_OP <> 'INSERT' AND scoring_is_read_only(OLD.version_id))
     OR (TG_OP <> 'DELETE' AND scoring_is_read_only(NEW.version_id)) THEN
    RAISE EXCEPTION 'a published version is read-only: make a new draft of it'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER scoring_rule_read_only BEFORE INSERT OR UPDATE OR DELETE ON scoring_rule
  FOR EACH ROW EXECUTE FUNCTION scoring_rule_read_only();

CREATE FUNCTION scoring_version_read_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status IN ('published', 'superseded') OR OLD.publish_asked_at IS NOT NULL)
     AND (NEW.mql_fit, NEW.ready_fit, NEW.ready_engagement, NEW.scale_id)
         IS DISTINCT FROM (OLD.mql_fit, OLD.ready_fit, OLD.ready_engagement, OLD.scale_id) THEN
    RAISE EXCEPTION 'a published version is read-only: make a new draft of it'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER scoring_version_read_only BEFORE UPDATE ON scoring_modelversion
  FOR EACH ROW EXECUTE FUNCTION scoring_version_read_only();

CREATE FUNCTION scoring_scale_read_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.ratings, NEW.fit_bands, NEW.engagement_bands, NEW.cells)
     IS DISTINCT FROM (OLD.ratings, OLD.fit_bands, OLD.engagement_bands, OLD.cells)
     AND EXISTS (SELECT 1 FROM scoring_modelversion WHERE scale_id = OLD.id
                 AND (status IN ('published', 'superseded') OR publish_asked_at IS NOT NULL)) THEN
    RAISE EXCEPTION 'this scale is used by a published version: make a new draft of that'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER scoring_scale_read_only BEFORE UPDATE ON scoring_scale
  FOR EACH ROW EXECUTE FUNCTION scoring_scale_read_only();
"""
DROP = """
DROP TRIGGER scoring_scale_read_only ON scoring_scale;
DROP TRIGGER scoring_version_read_only ON scoring_modelversion;
DROP TRIGGER scoring_rule_read_only ON scoring_rule;
DROP FUNCTION scoring_scale_read_only();
DROP FUNCTION scoring_version_read_only();
DROP FUNCTION scoring_rule_read_only();
DROP FUNCTION scoring_is_read_only(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0003_hand_raises_and_filling")]
    operations = [migrations.RunSQL(CREATE, DROP)]
