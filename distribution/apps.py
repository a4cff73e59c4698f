from django.apps import AppConfig
from django.apps import apps as all_apps
from django.db.models.signals import post_migrate


class DistributionConfig(AppConfig):
    name = "distribution"
    verbose_name = "Sales"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        post_migrate.connect(give_roles_their_permissions, sender=self)


def give_roles_their_permissions(sender, verbosity=1, **kwargs):
    """After every migrate the four groups may do exactly what `distribution.access` says, new models included."""
    from django.contrib.auth.management import create_permissions

    from distribution.access import sync_roles

    # This app's turn comes before those it builds on have their permissions.
    for label in ("auth", "leads", "scoring", "nurturing", "distribution"):
        create_permissions(all_apps.get_app_config(label), verbosity=0)
    auth = all_apps.get_app_config("auth")
    sync_roles(auth.get_model("Permission"), auth.get_model("Group"))
