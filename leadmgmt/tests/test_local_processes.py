"""No child outlives its parent, however the parent ends."""

import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from leadmgmt.local.processes import Child, noted, reap
from leadmgmt.local.state import ROOT
from leads.tests.races import wait_until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(600)",
]


def gone(pid, within=30):
    """True as soon as no process of that number runs, False if it still does after `within` seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def parent_with_child(folder):
    """A process that starts a noted child and prints its pid."""
    code = f"""
        import time
        from pathlib import Path
        from leadmgmt.local.processes import Child
        print(Child("sleeper", {SLEEPER!r}).start(Path({str(folder)!r})).process.pid, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    return parent, int(parent.stdout.readline())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a child at its parent's death")
def test_kill_9_of_the_parent_ends_the_child(tmp_path):
    parent, child = parent_with_child(tmp_path)
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def test_the_next_start_reaps_what_a_killed_run_left(tmp_path):
    left = Child("sleeper", SLEEPER).start(tmp_path)
    assert [pid for pid, _ in noted(tmp_path)] == [left.process.pid]
    assert reap(tmp_path) == 1
    assert not left.alive
    assert reap(tmp_path) == 0


def test_reaping_spares_a_stranger_with_a_reused_pid(tmp_path):
    stranger = subprocess.Popen(SLEEPER)
    try:
        (tmp_path / "children.json").write_text(f"[[{stranger.pid}, 1000.0]]")
        assert reap(tmp_path) == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_child_that_does_not_listen_is_killed_after_the_time_limit(tmp_path):
    child = Child("deaf", DEAF, log=tmp_path / "deaf.log").start()
    wait_until(child.last_lines)
    began = time.monotonic()
    child.stop(timeout=0.3)
    assert not child.alive
    assert 0.3 <= time.monotonic() - began < 60  # it sleeps for ten minutes
    assert child.process.returncode == -9
