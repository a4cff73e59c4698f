"""`make run`: PostgreSQL, Valkey, migrations, web, worker and beat in one terminal, each step announced; Ctrl-C ends them all.

The runner only starts, watches and stops. A child that dies is started again; one that keeps dying ends the run with its last lines.
"""

import http.client
import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from leadmgmt.local.processes import Child, fresh_log
from leadmgmt.local.servers import Servers, owner, ownership
from leadmgmt.local.state import HOME, ROOT, LocalError, port_taken

# What somebody waits for never stands in line behind what takes its time: (name, queues, processes).
WORKERS = (("worker-quick", "score,route,deliver", 2), ("worker-long", "send,import,celery", 1))
STARTED = time.monotonic()
EARLY_DEATHS_ALLOWED = 3  # in a row, each within 10 s of its start


class Stop(BaseException):
    """A signal asked us to end. Not an Exception, so that no `except Exception` on the way swallows it."""


def say(text):
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def web_port():
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise LocalError(f"PORT={text} is no port. Use a number from 1024 to 65535: PORT=8001 make run")
    return int(text)


def django_child(name, *argv, environment, log=True, home=HOME):
    path = fresh_log(home / f"{name}.log") if log else None
    env = {"DJANGO_SETTINGS_MODULE": "leadmgmt.settings"} | os.environ | environment
    return Child(name, [sys.executable, *argv], env=env, cwd=ROOT, log=path)


def services(port, environment, home=HOME):
    """Web, workers and beat, in the order in which they start; their logs and beat's clock lie in `home`."""
    web = [
        "-m", "gunicorn", "leadmgmt.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4",
        "--preload", "--graceful-timeout", "5", "--no-control-socket", "--log-level", "warning",
    ]  # fmt: skip
    celery = ["-m", "celery", "-A", "leadmgmt.celery"]
    workers = [
        (name, [*celery, "worker", "-n", f"{name}@%h", "-Q", queues, "-c", str(processes), "-l", "WARNING",
                "--without-gossip", "--without-mingle", "--without-heartbeat"])
        for name, queues, processes in WORKERS
    ]  # fmt: skip
    beat = [*celery, "beat", "-s", str(home / "beat-schedule"), "--pidfile=", "-l", "WARNING"]
    return [
        django_child(name, *argv, environment=environment, home=home)
        for name, argv in (("web", web), *workers, ("beat", beat))
    ]


def prepare(environment):
    """Migrate and configure → what `prepare.facts` says of the database afterwards."""
    report = HOME / "prepared.json"
    argv = ["-m", "leadmgmt.local.prepare", str(report)]
    child = django_child("prepare", *argv, environment=environment, log=False).start(HOME)
    try:
        while child.alive:
            time.sleep(0.05)
    finally:
        child.stop()
    if child.process.returncode:
        raise LocalError("Preparing the database failed: the lines above say why.")
    return json.loads(report.read_text())


def wait_until_ready(port, children, timeout=180):
    deadline = time.monotonic() + timeout
    answer = "no answer"
    while time.monotonic() < deadline:
        for child in children:
            if not child.alive:
                raise LocalError(f"{child.name} ended while starting ({child.log}):\n{child.last_lines(15)}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            reply = connection.getresponse()
            answer = f"{reply.status} {reply.read(500).decode(errors='replace')}"
            if reply.status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise LocalError(f"/readyz was not ready within {timeout} s: {answer}")


def watch(children, servers, history):
    """Start again what dies. A server comes back on its old port with its data, so nobody needs a new address."""
    early_deaths = Counter()
    while True:
        time.sleep(0.3)
        if history and not history.alive:
            history = done(history)
        for item in [*servers.running, *children]:
            child = getattr(item, "child", item)
            if not child.alive:
                lived = time.monotonic() - child.started
                early_deaths[child.name] = early_deaths[child.name] + 1 if lived < 10 else 1
                revive(item, child, last_time=early_deaths[child.name] > EARLY_DEATHS_ALLOWED)


def revive(item, child, *, last_time):
    if last_time:
        raise LocalError(f"{child.name} keeps ending ({child.log}):\n{child.last_lines(15)}")
    say(f"{child.name} ended ({child.process.returncode}); starting it again. Its log: {child.log}")
    try:
        item.start(HOME)
    except LocalError:
        time.sleep(1)  # a killed PostgreSQL's last backends still hold its memory; the next round tries again


def done(history):
    if history.process.returncode:
        say("Loading the demo's history failed: the lines above say why. `manage.py demo` tries again.")


def stop(children, servers):
    """First those who use the servers, all at once, then the servers."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if children or servers.running:
        say("Stopping")
    for child in children:
        child.send_stop()
    deadline = time.monotonic() + 10
    for child in children:
        child.wait(max(0.1, deadline - time.monotonic()))
    servers.stop()


def run(port):
    servers, children = Servers(), []

    def waiting(other):
        say(f"Waiting for `{other.get('what')}` (process {other.get('pid')}), which uses the servers.")

    with ownership("make run", on_wait=waiting) as publish:
        try:
            environment = servers.start(port, say) | {"STATIC_ROOT": str(HOME / "static")}
            (HOME / "static").mkdir(exist_ok=True)
            children += services(port, environment)
            web, *background = children
            say("Preparing the database; starting the web server")
            web.start(HOME)  # it answers /readyz with 503 until the migrations are through
            facts = prepare(environment)
            publish(environment)
            say("Starting worker and beat")
            for child in background:
                child.start(HOME)
            wait_until_ready(port, children)
            say(f"Ready: http://127.0.0.1:{port}")
            history = greet(facts, environment)
            watched = list(children)
            if history:
                children.insert(0, history)
            watch(watched, servers, history)
        finally:
            stop(children, servers)


def greet(facts, environment):
    """Say who can sign in; where the demo's history is missing, start loading it: its progress appears here too."""
    logins = Path(environment["LEADMGMT_DEMO_LOGINS"])
    if facts["demo"] and logins.exists():
        print(f"\nSign in as one of these ({logins}):\n{logins.read_text().rstrip()}\n", flush=True)
    elif not facts["has_administrator"]:
        print("\nNobody can sign in yet: .venv/bin/python manage.py createsuperuser\n", flush=True)
    elif facts["demo"]:
        print(
            "\nThe demo's people are in this database already; their passwords were printed where it was first loaded."
            "\nA new one: .venv/bin/python manage.py changepassword admin\n",
            flush=True,
        )
    if not facts["history_wanted"]:
        return None
    say("Loading the demo's history in the background; everything works meanwhile. Ctrl-C stops.")
    return django_child("demo", "manage.py", "demo", environment=environment, log=False).start(HOME)


def refuse_second_run():
    other = owner()
    try:
        with ownership("make run"):
            return
    except BlockingIOError:
        if other.get("what") == "make run":
            address = (other.get("environment") or {}).get("PUBLIC_URL", "starting")
            raise LocalError(
                f"`make run` is already running for this checkout: process {other['pid']}, {address}"
            ) from None


def main():
    def on_signal(number, frame):
        raise Stop(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        port = web_port()
        refuse_second_run()
        if port_taken(port):
            raise LocalError(f"Port {port} is taken. Choose another one: PORT={port + 1} make run")
        run(port)
    except LocalError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except Stop:
        say("Stopped. The data is kept; `make run` goes on with it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
