"""A whole installation of its own, to be broken: PostgreSQL and Valkey with their production settings, web, workers and beat.

Nobody supervises it: what a test stops stays stopped until the test starts it again, and what ends by itself is noticed.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import namedtuple
from pathlib import Path

import psycopg2

from leadmgmt.celery import app
from leadmgmt.local.postgres import Postgres
from leadmgmt.local.processes import Child
from leadmgmt.local.pytest_plugin import FOLDER
from leadmgmt.local.run import services, wait_until_ready
from leadmgmt.local.state import ROOT, LocalError, free_port
from leadmgmt.local.valkey import Valkey

# Migrations, the demo's configuration (forms, programs, queues, reps) and a key, in one start of Python.
PREPARE = """
from django.core.management import call_command
from leadmgmt.local.prepare import main
main()
call_command("api_key", "outages")
"""
BACK = 15.0  # seconds in which due work is caught up after an outage, beside those that the work itself takes
PATIENCE = 180.0  # only a test that fails waits so long
Answer = namedtuple("Answer", "status seconds headers body")

# What the workers still owe, as (what, how much); nothing is owed when all is zero.
OWED = """
SELECT 'leads to score', count(*) FROM leads_lead WHERE rescore_at <= now()
UNION ALL SELECT 'leads to route', count(*) FROM leads_lead WHERE route_at IS NOT NULL
UNION ALL SELECT 'leads without a place', count(*) FROM leads_lead WHERE place = 'scoring'
UNION ALL SELECT 'touches', count(*) FROM nurturing_touch
  WHERE status = 'due' AND due_at <= now() OR status IN ('claimed', 'sending') AND NOT %(leases)s
UNION ALL SELECT 'notices', count(*) FROM distribution_notice
  WHERE status = 'due' AND due_at <= now() OR status IN ('claimed', 'sending') AND NOT %(leases)s
"""
# What must not happen twice, as (what, how often it did).
TWICE = """
SELECT 'score', count(*) FROM (
  SELECT FROM scoring_score GROUP BY lead_id, model_version_id HAVING count(*) > 1) t
UNION ALL SELECT 'rating change', count(*) FROM scoring_scorechange WHERE (old_rating, old_verdict) = (new_rating, new_verdict)
UNION ALL SELECT 'first rating', count(*) FROM (
  SELECT FROM scoring_scorechange WHERE old_rating = '' GROUP BY lead_id, model_version_id HAVING count(*) > 1) t
UNION ALL SELECT 'stage change', count(*) FROM (
  SELECT FROM leads_stagechange GROUP BY lead_id, cycle_no, to_stage, to_place HAVING count(*) > 1) t
UNION ALL SELECT 'hand-off', count(*) FROM (
  SELECT FROM distribution_handoff GROUP BY lead_id, cycle_no HAVING count(*) > 1) t
UNION ALL SELECT 'notice', count(*) FROM (
  SELECT FROM distribution_notice GROUP BY handoff_id, rep_id, subject HAVING count(*) > 1) t
UNION ALL SELECT 'enrollment', count(*) FROM (
  SELECT FROM nurturing_enrollment GROUP BY lead_id, cycle_no HAVING count(*) > 1) t
UNION ALL SELECT 'mail', count(*) FROM (
  SELECT FROM nurturing_localmail GROUP BY recipients, subject HAVING count(*) > 1) t
UNION ALL SELECT 'mail in the log', count(*) FROM (
  SELECT FROM leads_activity a JOIN leads_touchpoint p ON p.id = a.touchpoint_id
  WHERE p.kind IN ('mail_sent', 'handoff') GROUP BY lead_id, p.kind, p.asset HAVING count(*) > 1) t
"""
# Of each person, by the door through which they came: what they were due, and whether they got it.
SERVED = """
SELECT l.email, EXISTS (SELECT FROM scoring_score s WHERE s.lead_id = l.id),
  (SELECT count(*) FROM distribution_handoff h JOIN distribution_notice n ON n.handoff_id = h.id
   WHERE h.lead_id = l.id AND n.status = 'sent'),
  (SELECT count(*) FROM nurturing_enrollment e JOIN nurturing_touch t ON t.enrollment_id = e.id
   WHERE e.lead_id = l.id AND t.status = 'sent')
FROM leads_lead l WHERE l.email LIKE %s
"""


class Instance:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.postgres = Postgres(self.folder / "postgres", port=free_port(), password="outages")
        self.valkey = Valkey(self.folder / "valkey", port=free_port(), password="outages")
        self.port = free_port()
        self.environment = {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "SECRET_KEY": "only-for-tests-" + "x" * 40,
            "LEADMGMT_HOME": str(self.folder),
            "STATIC_ROOT": str(self.folder),
            "DEMO": "1",
            "EMAIL_URL": "",
            "LOG_LEVEL": "WARNING",
        }
        self.children = []
        self.key = None

    def start(self):
        self.postgres.start()
        self.valkey.start()
        self.key = self.run(PREPARE).splitlines()[-1]
        self.children = services(self.port, self.environment, self.folder)
        for child in self.children:
            child.start()
        wait_until_ready(self.port, self.children)
        self.people("warm", 8, at_a_time=8)  # what is imported and read once is not what the tests time
        return self

    def stop(self):
        self.thaw()
        for child in self.children:
            child.send_stop()
        for child in self.children:
            child.wait(60)
        self.valkey.stop()
        self.postgres.stop()
        return [
            child.name
            for child in self.children
            if child.process and child.process.returncode == -signal.SIGKILL
        ]

    def run(self, code):
        """What `code` prints in a Python of its own."""
        output = self.folder / "run.out"
        output.unlink(missing_ok=True)
        child = Child("run", [sys.executable, "-c", code], cwd=ROOT, log=output,
                      env=os.environ | {"DJANGO_SETTINGS_MODULE": "leadmgmt.settings"} | self.environment)  # fmt: skip
        child.start().process.wait(PATIENCE)
        if child.process.returncode:
            raise LocalError(child.last_lines(20))
        return output.read_text()

    # --- asking ---------------------------------------------------------------------------------

    def post(self, path, data, *, key=False, **headers):
        """Post `data` (JSON, or bytes as they are) → Answer; an answer that never comes is an error."""
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        headers = {"Content-Type": "application/json"} | headers
        if key:
            headers["Authorization"] = f"Api-Key {self.key}"
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        return Answer(reply.status, time.monotonic() - started, dict(reply.headers), content)

    def capture(self, values):
        return self.post("/api/v1/leads/", values, key=True)

    def submit(self, values, form):
        return self.post(f"/api/v1/forms/{form}/submissions/", values)

    def people(self, label, count, *, at_a_time=4):
        """Post `count` people through each door, by `at_a_time` clients → their answers, all of them 2xx.

        h… asks for a demo and is due a rep and the rep a mail; w… wants a paper and is due a mail; a… comes by the API.
        """

        def work(client):
            answers = []
            for number in range(client, count, at_a_time):
                values = {"company_size": "300", "role": "decision maker", "country": "DE"}
                for kind, door in (("h", "demo-request"), ("w", "white-paper"), ("a", None)):
                    values |= {"email": f"{kind}{number}@{label}.net", "last_name": f"{kind}{number} {label}"}
                    answers.append(self.submit(values, door) if door else self.capture(values))
            return answers

        answers = [answer for some in at_once(at_a_time, work) for answer in some]
        assert {answer.status for answer in answers} == {201}
        return answers

    def usual(self, label, count):
        """What `people(label, count)` take while all is well: (the slowest answer, until nothing is owed), in seconds."""
        started = time.monotonic()
        slowest = max(answer.seconds for answer in self.people(label, count))
        self.caught_up()
        return slowest, time.monotonic() - started

    def all_served(self, label, count, *, within=PATIENCE):
        """Each of `people(label, count)` has, or gets in time, what they were due, once."""
        started = time.monotonic()
        while wrong := self.wrongly_served(label):
            assert time.monotonic() - started < within, f"{wrong}\n{self.last_lines()}"
            time.sleep(0.1)
        assert (
            self.value("SELECT count(*) FROM leads_lead WHERE email LIKE %s", [f"%@{label}.net"]) == 3 * count
        )

    def wrongly_served(self, label):
        due = {"h": (True, 1, 0), "w": (True, 0, 1), "a": (True, 0, 0)}
        return [row for row in self.rows(SERVED, [f"%@{label}.net"]) if row[1:] != due[row[0][0]]]

    def rows(self, sql, params=None):
        connection = psycopg2.connect(self.postgres.url, connect_timeout=3)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, params)
                return cursor.fetchall()
        finally:
            connection.close()

    def value(self, sql, params=None):
        return self.rows(sql, params)[0][0]

    def owed(self, *, leases=False):
        """{what the workers still owe: how much}. `leases`: without the mails that a worker had claimed; one that lost its
        database in the middle of a mail leaves it to the next when the lease ends."""
        return {what: count for what, count in self.rows(OWED, {"leases": leases}) if count}

    def caught_up(self, *, within=PATIENCE, leases=False):
        """Seconds until nothing is owed any more."""
        started = time.monotonic()
        while owed := self.owed(leases=leases):
            waited = time.monotonic() - started
            assert waited < within, f"after {waited:.0f} s the workers owe {owed}\n{self.last_lines()}"
            time.sleep(0.1)
        return time.monotonic() - started

    def end_leases(self):
        """As if the time had passed for which a mail belongs to the worker that claimed it."""
        for table in ("nurturing_touch", "distribution_notice"):
            self.rows(
                f"UPDATE {table} SET lease_until = now() WHERE status IN ('claimed', 'sending') RETURNING id"
            )
        with app.connection_for_write(self.valkey.url) as broker:
            app.send_task("nurturing.tasks.reap_leases", queue="send", connection=broker)

    def nothing_twice(self):
        assert not {what: count for what, count in self.rows(TWICE) if count}

    # --- breaking -------------------------------------------------------------------------------

    def freeze(self):
        """Valkey goes on taking connections (the kernel does) and never says a word."""
        self.valkey.child.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        if self.valkey.child and self.valkey.child.alive:
            self.valkey.child.process.send_signal(signal.SIGCONT)

    def all_alive(self):
        """None of the children that were started has ended."""
        return all(child.alive for child in self.children)

    def last_lines(self):
        return "\n".join(f"--- {child.name}\n{child.last_lines(12)}" for child in self.children)


@contextlib.contextmanager
def instance():
    folder = Path(tempfile.mkdtemp(prefix="leadmgmt-instance-", dir=FOLDER))
    folder.chmod(0o711)
    broken = Instance(folder)
    try:
        yield broken.start()
    finally:
        deaf = broken.stop()
        logs = broken.last_lines()
        shutil.rmtree(folder, ignore_errors=True)
    assert not deaf, f"did not end by themselves when asked: {deaf}\n{logs}"


def at_once(count, work):
    """[work(0), work(1), …] by threads that all begin together."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(number):
        barrier.wait(PATIENCE)
        try:
            results[number] = work(number)
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results
