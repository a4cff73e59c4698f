"""Senders in processes of their own, to be killed.

    DATABASE_URL=… EMAIL_URL=smtp://127.0.0.1:PORT python -m nurturing.tests.worker

Each line on stdin forks one (Django is started once) and prints its pid; at the end of stdin all
that are left are waited for. A sender performs and reaps until nothing is under way.
"""

import os
import sys
import time
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadmgmt.settings")
django.setup()

from django.conf import settings  # noqa: E402

from nurturing import sending, touches  # noqa: E402
from nurturing.models import Touch  # noqa: E402

settings.DOORBELLS_SILENT = True
sending.CLAIM_LEASE = sending.SEND_LEASE = timedelta(seconds=1)


def work():
    while under_way():
        now = sending.clock()
        if not touches.perform_due(at=now, limit=100):
            time.sleep(0.05)
        touches.reap(at=now)


def under_way():
    rows = Touch.objects.filter(status__in=["claimed", "sending"]) | Touch.objects.filter(
        status="due", due_at__lte=sending.clock()
    )
    return rows.exists() or Touch.objects.filter(status__in=Touch.SETTLED, followed_up=False).exists()


def main():
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                work()
                status = 0
            finally:
                os._exit(status)
        print(pid, flush=True)
    failed = False
    while True:
        try:
            _, status = os.wait()
        except ChildProcessError:
            sys.exit(failed)
        failed |= os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0


if __name__ == "__main__":
    main()
