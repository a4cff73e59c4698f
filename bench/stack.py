"""An instance of its own for a bench: PostgreSQL and Valkey with their production settings, in a
temporary folder and on free ports; web, worker and beat on request. Ends only what it started."""

import contextlib
import http.client
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from leadmgmt.local.postgres import Postgres
from leadmgmt.local.processes import Child
from leadmgmt.local.pytest_plugin import FOLDER
from leadmgmt.local.run import services
from leadmgmt.local.state import ROOT, free_port
from leadmgmt.local.valkey import Valkey

PASSWORD = "bench-only"


@contextlib.contextmanager
def servers(**environment):
    """Yields the environment that leads Django to a migrated database; also sets it in this process."""
    folder = Path(tempfile.mkdtemp(prefix="leadmgmt-bench-", dir=FOLDER))
    folder.chmod(0o711)
    started = []
    try:
        for kind in (Postgres, Valkey):
            server = kind(folder / kind.__name__.lower(), port=free_port(), password=PASSWORD)
            started.append(server)
            server.start()
        environment = {
            "DATABASE_URL": started[0].url,
            "REDIS_URL": started[1].url,
            "SECRET_KEY": "only-for-a-bench-" + "x" * 40,
            "DEMO": "1",
            "STATIC_ROOT": str(folder / "static"),
            "LOG_LEVEL": "WARNING",
            "BENCH_FOLDER": str(folder),
            **environment,
        }
        os.environ.update(environment)
        manage("migrate", "--verbosity", "0")
        yield environment
    finally:
        for server in reversed(started):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(environment, names=("web", "worker", "beat")):
    """Start the named processes just as `make run` does. Yields (host, port) of the web server."""
    port = free_port()
    folder = Path(environment["BENCH_FOLDER"])
    children = []
    try:
        for child in services(port, environment, folder):
            if child.name.split("-")[0] in names:
                children.append(child.start())
        _wait(port, children)
        yield "127.0.0.1", port
    finally:
        for child in children:
            child.send_stop()
        for child in children:
            child.wait(10)


def manage(*argv, **environment):
    child = Child("manage", [sys.executable, "manage.py", *argv], env=os.environ | environment, cwd=ROOT)
    child.start().process.wait()
    if child.process.returncode:
        raise SystemExit(f"manage.py {' '.join(argv)} failed")


def setup_django():
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadmgmt.settings")
    django.setup()


def _wait(port, children, timeout=60):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for child in children:
            if not child.alive:
                raise SystemExit(f"{child.name} ended:\n{child.last_lines(20)}")
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise SystemExit("the web server was not ready in time")
