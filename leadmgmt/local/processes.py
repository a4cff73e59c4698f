"""Child processes that never outlive this one.

Linux: the kernel signals a child when the thread that forked it ends (PR_SET_PDEATHSIG), so children are started from the main
thread, and even `kill -9` of the parent leaves nothing behind. Elsewhere: every child is noted in `children.json` with its start
time, and the next start ends those that are left.
"""

import ctypes
import json
import os
import pwd
import signal
import subprocess
import sys
import time

import psutil

from leadmgmt.local.state import IS_ROOT, LocalError, write_private

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


def unprivileged():
    """Popen arguments that turn root into `nobody`, for programs that refuse root or should not have its rights."""
    if not IS_ROOT:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Child:
    """One child process with its log, started in a session of its own so that Ctrl-C reaches only us and we choose the order.

    `stop_signal` goes to the leader alone: sent to the whole group it would hit Celery's pool processes in the middle of a task.
    """

    def __init__(self, name, argv, *, stop_signal=signal.SIGTERM, log=None, env=None, cwd="/", popen=None):
        self.name, self.argv, self.stop_signal = name, [str(part) for part in argv], stop_signal
        self.log, self.env, self.cwd, self.popen = log, env, cwd, popen or {}
        self.process = None
        self.started = 0.0

    def start(self, registry=None):
        """`registry`: the folder whose `children.json` notes the process."""
        parent = os.getpid()
        signum = int(self.stop_signal)

        def die_with_parent():
            if LIBC:
                LIBC.prctl(PR_SET_PDEATHSIG, signum)
                if os.getppid() != parent:  # it died between fork and prctl
                    os._exit(1)

        self.started = time.monotonic()
        output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if self.log else None
        self.process = subprocess.Popen(
            self.argv, cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT if output else None,
            start_new_session=True, preexec_fn=die_with_parent, **self.popen,
        )  # fmt: skip
        if output:
            os.close(output)
        if registry:
            note(registry, self.process.pid)
        return self

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def send_stop(self):
        if self.alive:
            self.process.send_signal(self.stop_signal)

    def wait(self, timeout=10):
        """Wait for the end; after `timeout` seconds SIGKILL for the leader and what is left of its session."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            kill_session(self.process.pid)
            self.process.wait()

    def stop(self, timeout=10):
        self.send_stop()
        self.wait(timeout)

    def last_lines(self, count=8):
        if not self.log or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def fresh_log(path):
    """Keep the log of the run before as `.1`, so that nothing grows for ever and a crash can still be read."""
    if path.exists():
        path.replace(path.with_suffix(".log.1"))
    return path


def kill_session(leader):
    for process in psutil.process_iter(["pid"]):
        try:
            if os.getsid(process.pid) == leader:
                process.kill()
        except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            continue


def note(folder, pid):
    known = [entry for entry in noted(folder) if psutil.pid_exists(entry[0])]
    try:
        known.append([pid, psutil.Process(pid).create_time()])
    except psutil.NoSuchProcess:
        pass
    write_private(folder / "children.json", json.dumps(known))


def noted(folder):
    try:
        return json.loads((folder / "children.json").read_text())
    except (FileNotFoundError, ValueError):
        return []


def reap(folder):
    """End the children that a killed predecessor left behind. Returns how many there were.

    A pid is trusted only with its start time: numbers are reused. SIGINT is PostgreSQL's fast shutdown; Celery, gunicorn and Valkey
    stop on it too.
    """
    leftovers = []
    for pid, created in noted(folder):
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                leftovers += [process, *process.children(recursive=True)]
                process.send_signal(signal.SIGINT)
        except psutil.NoSuchProcess:
            continue
    _, stubborn = psutil.wait_procs(leftovers, timeout=10)
    for process in stubborn:
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)  # their ports and files are wanted next
    write_private(folder / "children.json", "[]")
    return len(leftovers)


def run_or_explain(argv, what, **popen):
    done = subprocess.run([str(part) for part in argv], capture_output=True, text=True, cwd="/", **popen)
    if done.returncode:
        raise LocalError(f"{what} failed: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout
