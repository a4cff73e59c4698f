from django.apps import AppConfig


class LeadmgmtConfig(AppConfig):
    name = "leadmgmt"

    def ready(self):
        """Every process that rings a bell needs the configured Celery app, not only the workers."""
        import leadmgmt.celery  # noqa: F401
