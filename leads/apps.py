from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LeadsConfig(AppConfig):
    name = "leads"
    verbose_name = "Leads"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from leads import activities, channels, properties

        post_migrate.connect(activities.forget, sender=self)
        post_migrate.connect(channels.forget, sender=self)
        post_migrate.connect(properties.forget, sender=self)
