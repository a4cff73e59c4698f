"""One throw-away PostgreSQL and Valkey per pytest run, shared by its xdist workers.

Loaded by `-p` in pytest.ini and not from a conftest: pytest-django imports the settings before any conftest is read.
`DATABASE_URL` and `REDIS_URL` in the environment switch their server off.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import pytest

from leadmgmt.local.postgres import DATABASE, Postgres
from leadmgmt.local.processes import Child
from leadmgmt.local.state import IS_ROOT, ROOT, LocalError, free_port
from leadmgmt.local.valkey import Valkey

PREFIX = "leadmgmt-test-"
# Root's own TMPDIR may be closed to `nobody`, as whom PostgreSQL runs.
FOLDER = Path("/var/tmp") if IS_ROOT else Path(tempfile.gettempdir())  # noqa: S108 (mkdtemp below)
PASSWORD = "throwaway"  # noqa: S105
TOGETHER = "leadmgmt/tests/outages/"
# Long and without a database of pytest-django, which would leave it for last, when one worker has no more to do.
LONG = "leadmgmt/tests/test_local_run.py"
TEMPLATE_READY = "LEADMGMT_TEST_TEMPLATE"  # the file whose existence says so
# The database of DATABASE_URL itself, which no test uses: made, migrated, and then only copied.
MIGRATE = f"""
import os, psycopg2
server = psycopg2.connect(os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres")
server.autocommit = True
server.cursor().execute("CREATE DATABASE {DATABASE}")
server.close()
from leadmgmt.local.prepare import main
main()
open(os.environ["{TEMPLATE_READY}"], "w").close()
"""
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
            if kind is Postgres:
                os.environ[TEMPLATE_READY] = str(folder / "template.ready")
    except LocalError as error:
        stop_all()
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Tests ring no bells: no thread, no message, unless one asks for them. And not each test client lists all static files."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        from django.conf import settings

        settings.DOORBELLS_SILENT = True
        settings.WHITENOISE_AUTOREFRESH = True
    draw_the_same_examples()
    if os.environ.get(TEMPLATE_READY) and config.getoption("numprocesses", None):
        migrate_template()


def draw_the_same_examples():
    """Whether a run is green is not for chance or a slow machine to say: --hypothesis-profile=random looks for new failures."""
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "certain", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.register_profile("random", settings.get_profile("certain"), derandomize=False, print_blob=True)
    settings.load_profile("certain")


def migrate_template():
    """Migrate once, while the xdist workers are collecting; each of them copies that database (`pytest_runtestloop`)."""
    log = Path(os.environ[TEMPLATE_READY]).with_suffix(".log")
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "leadmgmt.settings", "DEMO": "0"}
    child = Child("template", [sys.executable, "-c", MIGRATE], cwd=ROOT, env=environment, log=log).start()
    running.append(child.stop)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    if "PYTEST_XDIST_WORKER" not in os.environ or not (ready := os.environ.get(TEMPLATE_READY)):
        return
    from django.conf import settings

    deadline = time.monotonic() + 60
    while not os.path.exists(ready):
        if time.monotonic() > deadline:
            return  # migrations that fail do so in every worker's own database too, where pytest reports it
        time.sleep(0.05)
    settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = DATABASE


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """What takes longest begins first, so that the workers end together: `TOGETHER` at once, `LONG` on the other worker
    when the first is through with it, as two installations that start at the same time slow each other down."""
    first = [item for item in items if item.nodeid.startswith(TOGETHER)]
    long = [item for item in items if item.nodeid.startswith(LONG)]
    rest = [item for item in items if not item.nodeid.startswith((TOGETHER, LONG))]
    half = len(rest) // 2
    items[:] = first + rest[:half] + long + rest[half:]


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
