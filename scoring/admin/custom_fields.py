"""Custom fields, where rules in force may read them."""

from django.contrib import admin
from django.db import transaction
from django.utils import timezone

from leads import telling
from leads.admin import CustomFieldAdmin
from leads.criteria.reading import custom_name
from leads.models import CustomField
from leads.rows import fetch

READ_IN_FORCE = """
SELECT EXISTS (
  SELECT FROM scoring_scoringmodel m
  JOIN scoring_modelversion v ON v.model_id = m.id AND (v.id = m.current_version_id OR v.publish_asked_at IS NOT NULL)
  LEFT JOIN scoring_rule r ON r.version_id = v.id
  WHERE jsonb_path_exists(
    jsonb_build_array(m.applies_to, r.condition, r.who), '$.** ? (@ == $name)', jsonb_build_object('name', %s::text)))
"""


@admin.register(CustomField)
class ReadCustomFieldAdmin(CustomFieldAdmin):
    def save_model(self, request, obj, form, change):
        """Of another type, rules that read it may hold for others or nobody: everybody is scored again."""
        super().save_model(request, obj, form, change)
        if change and "type" in form.changed_data and fetch(READ_IN_FORCE, [custom_name(obj)])[0][0]:
            asked = telling.ask(what="everybody", at=timezone.now())
            transaction.on_commit(lambda: telling.go_on(asked, at_most=telling.AT_ONCE))
