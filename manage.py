#!/usr/bin/env python3
"""Django's commands. Database commands use the servers of a running `make run`, else servers of their own while they run."""

import os
import sys
from pathlib import Path


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadmgmt.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        run_in_venv()
    from leadmgmt.local.command import local_environment

    with local_environment(sys.argv):
        execute_from_command_line(sys.argv)


def run_in_venv():
    python = Path(__file__).resolve().parent / ".venv/bin/python"
    if not python.exists() or Path(sys.prefix) == python.parents[1]:
        sys.exit(
            "Django is not installed here. `make run` installs it; then use .venv/bin/python manage.py …"
        )
    os.execv(python, [str(python), *sys.argv])


if __name__ == "__main__":
    main()
