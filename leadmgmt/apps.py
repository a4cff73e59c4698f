from django.apps import AppConfig
from django.contrib.admin import apps as admin


class LeadmgmtConfig(AppConfig):
    name = "leadmgmt"

    def ready(self):
        """Every process that rings a bell needs the configured Celery app, not only the workers."""
        import leadmgmt.celery  # noqa: F401


class AdminConfig(admin.AdminConfig):
    default_site = "leadmgmt.admin_site.AdminSite"
