"""From the review on a version is read-only; it is approved by both sides, and filled only once it is approved."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CALL_OFF = "UPDATE scoring_modelversion SET publish_asked_at = NULL WHERE status = 'draft'"
ONLY_DRAFTS = """
CREATE OR REPLACE FUNCTION scoring_is_read_only(version bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE found boolean;
BEGIN
  -- FOR SHARE: an edit and the asking for review wait for each other, so none slips in between.
  SELECT status <> 'draft' INTO found FROM scoring_modelversion WHERE id = version FOR SHARE;
  RETURN coalesce(found, false);
END $$;

CREATE OR REPLACE FUNCTION scoring_rule_read_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND coalesce(current_setting('leadmgmt.erase', true), '') = 'on' THEN
    RETURN OLD;
  END IF;
  IF (TG_OP <> 'INSERT' AND scoring_is_read_only(OLD.version_id))
     OR (TG_OP <> 'DELETE' AND scoring_is_read_only(NEW.version_id)) THEN
    RAISE EXCEPTION 'only a draft can be edited: this version is in review, approved or published'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE OR REPLACE FUNCTION scoring_version_read_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status <> 'draft'
     AND (NEW.mql_fit, NEW.ready_fit, NEW.ready_engagement, NEW.scale_id, NEW.cap_fit, NEW.cap_engagement)
         IS DISTINCT FROM
         (OLD.mql_fit, OLD.ready_fit, OLD.ready_engagement, OLD.scale_id, OLD.cap_fit, OLD.cap_engagement) THEN
    RAISE EXCEPTION 'only a draft can be edited: this version is in review, approved or published'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION scoring_scale_read_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.ratings, NEW.fit_bands, NEW.engagement_bands, NEW.cells)
     IS DISTINCT FROM (OLD.ratings, OLD.fit_bands, OLD.engagement_bands, OLD.cells) THEN
    -- Locks every version that uses it: a review that is being asked for waits for this edit, or this for it.
    PERFORM 1 FROM scoring_modelversion WHERE scale_id = OLD.id FOR SHARE;
    IF EXISTS (SELECT 1 FROM scoring_modelversion WHERE scale_id = OLD.id AND status <> 'draft') THEN
      RAISE EXCEPTION 'this scale belongs to a version in review, approved or published: make a new draft of that'
        USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("scoring", "0008_read_only_parts_and_starter"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField("modelversion", "review_asked_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "modelversion",
            "review_asked_by",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(CALL_OFF, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "modelversion",
            models.CheckConstraint(
                condition=~models.Q(status="approved")
                | models.Q(approved_by_marketing_at__isnull=False, approved_by_sales_at__isnull=False),
                name="version_approved_by_both",
            ),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.CheckConstraint(
                condition=models.Q(publish_asked_at=None) | models.Q(status__in=["approved", "superseded"]),
                name="version_filled_once_approved",
            ),
        ),
        migrations.RunSQL(ONLY_DRAFTS, migrations.RunSQL.noop),
    ]
