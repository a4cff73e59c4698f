"""One throw-away PostgreSQL and Valkey per pytest run, shared by its xdist workers.

Loaded by `-p` in pytest.ini and not from a conftest: pytest-django imports the settings before any conftest is read.
`DATABASE_URL` and `REDIS_URL` in the environment switch their server off.
"""

import os
import shutil
import signal
import tempfile
import time
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import pytest

from leadmgmt.local.postgres import Postgres
from leadmgmt.local.state import IS_ROOT, LocalError, free_port
from leadmgmt.local.valkey import Valkey

PREFIX = "leadmgmt-test-"
# Root's own TMPDIR may be closed to `nobody`, as whom PostgreSQL runs.
FOLDER = Path("/var/tmp") if IS_ROOT else Path(tempfile.gettempdir())  # noqa: S108 (mkdtemp below)
PASSWORD = "throwaway"  # noqa: S105
TOGETHER = "leadmgmt/tests/outages/"
running: list = []  # how to undo what was started, last first


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
    if "PYTEST_XDIST_WORKER" in os.environ or {"--help", "-h", "--version", "-V"} & set(args):
        return
    wanted = [
        (kind, variable)
        for kind, variable in ((Postgres, "DATABASE_URL"), (Valkey, "REDIS_URL"))
        if not os.environ.get(variable)
    ]
    if not wanted:
        return
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("stopped by SIGTERM", returncode=143))
    try:
        folder = throwaway_folder()
        for kind, variable in wanted:
            server = start(kind, folder / kind.__name__.lower())
            os.environ[variable] = server.url  # the xdist workers inherit it
    except LocalError as error:
        stop_all()
        raise pytest.UsageError(str(error)) from None


def pytest_configure(config):
    """Tests ring no bells: no thread, no message, unless one asks for them."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        from django.conf import settings

        settings.DOORBELLS_SILENT = True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """As `--dist load`, but the tests of `TOGETHER` go to one worker: they share an installation and break it.

    The mark `xdist_group` would say it at the tests; xdist 3.8 loses it with pytest 9.2.
    """
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return TOGETHER if nodeid.startswith(TOGETHER) else nodeid

    return Together(config, log)


def pytest_unconfigure(config):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        stop_all()


def start(kind, folder):
    """A port found free can be gone a moment later when several runs start at once: try again on another one."""
    for attempt in range(3):
        server = kind(folder, port=free_port(), password=PASSWORD, throwaway=True)
        try:
            server.start()
        except LocalError:
            server.stop()
            if attempt == 2:
                raise
        else:
            running.append(server.stop)
            return server


def throwaway_folder():
    """A new folder, and the end of those whose pytest was killed: a live one holds the flock on its folder's `owner` file."""
    for old in FOLDER.glob(PREFIX + "*"):
        try:
            if time.time() - old.stat().st_mtime < 60 or old.stat().st_uid != os.geteuid():
                continue
            with (old / "owner").open("a") as file:
                flock(file, LOCK_EX | LOCK_NB)
                shutil.rmtree(old, ignore_errors=True)
        except OSError:
            continue
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=FOLDER))
    folder.chmod(0o711)
    owner = (folder / "owner").open("a")
    flock(owner, LOCK_EX)
    running.append(lambda: (shutil.rmtree(folder, ignore_errors=True), owner.close()))
    return folder


def stop_all():
    while running:
        running.pop()()
