"""Celery as doorbell: the whole schedule of the product is the table below.

Due work is rows in PostgreSQL. A message only says "look now"; it may come twice, late or never,
and the ticks make up for whatever was lost. There are no results, ETAs or countdowns.
"""

import os

from celery import Celery
from celery.app.amqp import AMQP
from kombu import Connection
from kombu.transport import redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadmgmt.settings")

from django.conf import settings

TICK = 5.0  # seconds; with a reconnect it bounds the catching-up after an outage to 15 s

# task: (every seconds, queue)
SCHEDULE = {
    "scoring.tasks.rescore_due": (TICK, "score"),
    "scoring.tasks.age_due": (60.0, "score"),
    "scoring.tasks.fill_published": (TICK, "import"),
    "distribution.tasks.route_due": (TICK, "route"),
    "distribution.tasks.wake_parked": (60.0, "route"),
    "distribution.tasks.send_notices": (TICK, "deliver"),
    "nurturing.tasks.perform_due": (TICK, "send"),
    "nurturing.tasks.reap_leases": (30.0, "send"),
    "leads.tasks.tell_leads": (TICK, "import"),
    "leads.tasks.enrich": (TICK, "import"),
    "leads.tasks.forget_unstarted_uploads": (86_400.0, "import"),
    "leads.tasks.forget_old_keys": (3600.0, "import"),
    "leadmgmt.tasks.heartbeat": (TICK, "score"),
}


class LostChannel(redis.Channel):
    """Says that the connection is gone where kombu 5.7 asks a closed one for its host: that AttributeError, met now and then
    when Redis stops, is no connection error to the worker, which would end instead of looking for the broker."""

    def _connparams(self, asynchronous=False):
        if self.connection.client is None:
            raise ConnectionError("the connection to the broker is closed")
        return super()._connparams(asynchronous=asynchronous)


class LostTransport(redis.Transport):
    Channel = LostChannel


class PromptConnection(Connection):
    """Looks for a lost broker every two seconds. By itself kombu waits longer each time, up to 30 s, so that after an
    outage of a minute the workers would be back later than we promise; no setting reaches that."""

    def get_transport_cls(self):
        return LostTransport

    def ensure_connection(self, *args, **kwargs):
        return super().ensure_connection(
            *args, **{"interval_start": 1, "interval_step": 1, "interval_max": 2} | kwargs
        )


class PromptAMQP(AMQP):
    Connection = BrokerConnection = PromptConnection


app = Celery("leadmgmt", amqp=PromptAMQP)
app.conf.update(
    broker_url=settings.REDIS_URL,
    task_ignore_result=True,
    accept_content=["json"],
    task_serializer="json",
    timezone="UTC",
    task_default_queue="import",
    task_routes={task: {"queue": queue} for task, (_, queue) in SCHEDULE.items()},
    beat_schedule={
        task: {"task": task, "schedule": every, "options": {"expires": max(every, TICK)}}
        for task, (every, _) in SCHEDULE.items()
    },
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=5000,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A bell that cannot be rung must not hold anybody up.
    task_publish_retry=False,
    broker_transport_options={
        "socket_connect_timeout": 0.3,
        "socket_timeout": 5,
        # A broker that vanished without a word (host gone, firewall) is given up after 1 + 2 x 4 s.
        "health_check_interval": 4,
        "visibility_timeout": 3600,
    },
)
app.autodiscover_tasks()
