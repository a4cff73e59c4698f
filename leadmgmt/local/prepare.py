"""What must be in the database before the first page: migrations and the demo's configuration. One process, as each start costs a second."""

import sys

import django


def main():
    django.setup()
    from django.conf import settings
    from django.core.management import call_command, get_commands
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=1)
    if settings.DEMO and "demo" in get_commands():
        call_command("demo", config=True)


if __name__ == "__main__":
    sys.exit(main())
