"""`make run` from the outside, in a data folder of its own: started, killed, started again, stopped."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from leadmgmt.local.pytest_plugin import FOLDER
from leadmgmt.local.state import ROOT, free_port
from leadmgmt.tests.test_local_processes import gone

TIME_LIMIT = 300


class Run:
    """One `make run`; `lines` grows while it talks."""

    def __init__(self, env):
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "leadmgmt.local.run"],
            cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.reader = threading.Thread(
            target=lambda: self.lines.extend(iter(self.process.stdout.readline, ""))
        )
        self.reader.start()

    @property
    def output(self):
        return "".join(self.lines)

    def until(self, text):
        deadline = time.monotonic() + TIME_LIMIT
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def ended(self):
        code = self.process.wait(TIME_LIMIT)
        self.reader.join(10)
        self.process.stdout.close()
        return code

    def tree(self):
        return [process.pid for process in psutil.Process(self.process.pid).children(recursive=True)]


@pytest.fixture
def env():
    """The environment of a newcomer: no servers named, the demo left out for speed."""
    home = Path(tempfile.mkdtemp(prefix="leadmgmt-run-", dir=FOLDER))
    ours = {"LEADMGMT_HOME": str(home), "PORT": str(free_port()), "DEMO": "0"}
    without = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL"}
    yield {key: value for key, value in os.environ.items() if key not in without} | ours
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def run(env):
    runs = []

    def start(**more):
        runs.append(Run(env | more))
        return runs[-1]

    yield start
    for one in runs:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGTERM)
        one.ended()


def manage(env, *argv):
    done = subprocess.run(
        [sys.executable, "manage.py", *argv],
        cwd=ROOT,
        env=env,
        text=True,
        capture_output=True,
        timeout=TIME_LIMIT,
    )
    assert done.returncode == 0, done.stderr
    return done


def status(env, path):
    connection = http.client.HTTPConnection("127.0.0.1", int(env["PORT"]), timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the next start reaps: see test_local_processes"
)
def test_kill_9_leaves_no_process_and_the_next_run_finds_the_data(env, run):
    first = run()
    first.until("Ready: http://127.0.0.1:" + env["PORT"])
    assert status(env, "/readyz") == 200
    beside = manage(
        env | {"DJANGO_SUPERUSER_PASSWORD": "x"},
        "createsuperuser",
        "--noinput",
        "--username=ada",
        "--email=a@b.example",
    )
    assert "Started PostgreSQL" not in beside.stderr  # it used the servers of the run

    second = run()
    assert second.ended() == 1
    assert "already running for this checkout" in second.output

    children = first.tree()
    assert len(children) >= 6  # two servers, web, worker, beat and their processes
    first.process.kill()
    first.ended()
    assert [pid for pid in children if not gone(pid)] == []

    third = run()
    third.until("Ready: ")
    ask = "from django.contrib.auth.models import User; print(User.objects.get().username)"
    assert manage(env, "shell", "-v0", "-c", ask).stdout.strip() == "ada"
    children = third.tree()
    third.process.send_signal(signal.SIGINT)
    assert third.ended() == 0
    assert "Stopped." in third.output
    assert [pid for pid in children if not gone(pid, within=5)] == []


def test_a_command_without_a_run_gets_servers_for_its_own_duration(env):
    done = manage(env, "showmigrations", "auth")
    assert "Started PostgreSQL and Valkey for this command" in done.stderr
    assert "0001_initial" in done.stdout
    assert not [
        p
        for p in psutil.process_iter(["cmdline"])
        if env["LEADMGMT_HOME"] in " ".join(p.info["cmdline"] or [])
    ]


def test_a_taken_web_port_is_one_line_with_the_remedy(env, run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = run(PORT=str(port))
        assert refused.ended() == 1
    assert refused.output.strip() == f"Port {port} is taken. Choose another one: PORT={port + 1} make run"


def test_nonsense_in_port_is_refused(run):
    refused = run(PORT="eighty")
    assert refused.ended() == 1
    assert "PORT=eighty is no port" in refused.output
