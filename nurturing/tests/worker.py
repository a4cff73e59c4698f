"""A sender in a process of its own, to be killed: performs and reaps until nothing is under way.

    DATABASE_URL=… EMAIL_URL=smtp://127.0.0.1:PORT python -m nurturing.tests.worker
"""

import os
import time
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadmgmt.settings")
django.setup()

from django.conf import settings

from nurturing import sending, touches
from nurturing.models import Touch

settings.DOORBELLS_SILENT = True
sending.CLAIM_LEASE = sending.SEND_LEASE = timedelta(seconds=1)


def main():
    while Touch.objects.filter(status__in=["due", "claimed", "sending"]).exists():
        now = sending.clock()
        if not touches.perform_due(at=now, limit=100):
            time.sleep(0.1)
        touches.reap(at=now)


if __name__ == "__main__":
    main()
