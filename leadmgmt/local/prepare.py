"""What must be in the database before the first page: migrations and the demo's configuration. One process, as each start costs a second.

`python -m leadmgmt.local.prepare FILE` leaves in FILE what the runner's greeting depends on, as only Django can know it.
"""

import json
import sys
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured


def main(report=None):
    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(str(error))  # its words name the variable; a traceback would hide them
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=1)
    if settings.DEMO:
        call_command("demo", config=True)
    if report:
        Path(report).write_text(json.dumps(facts()))


def facts():
    """{demo, history_wanted, has_administrator} of the database as it is now."""
    from django.conf import settings
    from django.contrib.auth.models import User

    from leadmgmt.demo import stories
    from leadmgmt.management.commands.demo import REMOVED

    return {
        "demo": settings.DEMO,
        "history_wanted": settings.DEMO and not REMOVED.exists() and not stories.are_told(),
        "has_administrator": User.objects.filter(is_superuser=True, is_active=True).exists(),
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
