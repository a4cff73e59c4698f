"""The activity log refuses to be rewritten, whoever asks.

Facts never change. Attribution (`lead_id`) and the engagement mark change only inside a
transaction that has said so (`SET LOCAL leadmgmt.attribution = 'on'`: identity's link, merge and
unmerge); rows go only where erasing was declared (`SET LOCAL leadmgmt.erase = 'on'`).
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION leads_activity_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF coalesce(current_setting('leadmgmt.erase', true), '') = 'on' THEN
      RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the activity log is append-only: deleting needs leadmgmt.erase'
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.id, NEW.touchpoint_id, NEW.occurred_at, NEW.received_at, NEW.source_id, NEW.campaign_id,
      NEW.message_id, NEW.properties)
     IS DISTINCT FROM
     (OLD.id, OLD.touchpoint_id, OLD.occurred_at, OLD.received_at, OLD.source_id, OLD.campaign_id,
      OLD.message_id, OLD.properties) THEN
    RAISE EXCEPTION 'the activity log is append-only: facts never change'
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF coalesce(current_setting('leadmgmt.attribution', true), '') <> 'on' THEN
    RAISE EXCEPTION 'the activity log is append-only: attribution moves only in leads.identity'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER leads_activity_append_only BEFORE UPDATE OR DELETE ON leads_activity
  FOR EACH ROW EXECUTE FUNCTION leads_activity_append_only();
"""
DROP = """
DROP TRIGGER leads_activity_append_only ON leads_activity;
DROP FUNCTION leads_activity_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
