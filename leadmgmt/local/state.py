"""Where this checkout keeps its local data, and the few things it remembers between runs.

An ordinary user's data lies in `var/` of the checkout. PostgreSQL refuses to run as root and is started as `nobody` there,
who often cannot read the checkout: for root the data lies in `/var/lib/leadmgmt-<hash of the checkout's path>`.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
ROOTS_HOME = Path("/var/lib/leadmgmt-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:10])
HOME = Path(os.environ.get("LEADMGMT_HOME") or (ROOTS_HOME if IS_ROOT else ROOT / "var"))
# Written 0600 by `manage.py demo`, printed by `make run`; a database from outside has its own.
DEMO_LOGINS = Path(os.environ.get("LEADMGMT_DEMO_LOGINS") or HOME / "demo-logins.txt")


class LocalError(Exception):
    """Something the person at the terminal can put right; its text is one line that says how."""


def prepare_home(home=None):
    """Make the data folder: its own for a user (0700), passable but not listable for root (0711, `nobody` must get through)."""
    home = home or HOME
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        raise LocalError(f"{home} belongs to another user. Remove it, or run as the user who owns it.")
    home.chmod(0o711 if IS_ROOT else 0o700)
    return home


class State:
    """Ports, passwords and the secret key in `state.json` (0600), written whole or not at all."""

    def __init__(self, home=None):
        self.path = (home or HOME) / "state.json"
        try:
            self.values = json.loads(self.path.read_text())
        except FileNotFoundError:
            self.values = {}
        except ValueError:
            raise LocalError(f"{self.path} is damaged. `make reset` starts afresh.") from None

    def __getitem__(self, key):
        return self.values[key]

    def get(self, key, default=None):
        return self.values.get(key, default)

    def update(self, **values):
        self.values.update(values)
        write_private(self.path, json.dumps(self.values, indent=1))

    def secret(self, key):
        """The remembered secret of this name, made at the first call."""
        if key not in self.values:
            self.update(**{key: secrets.token_urlsafe(32)})
        return self.values[key]

    def port(self, key):
        """The remembered port of this name while it is free; else a new one, remembered in its place."""
        port = self.values.get(key)
        if port is None or port_taken(port):
            port = free_port()
            self.update(**{key: port})
        return port


def write_private(path, text):
    """Replace `path` by `text`, readable by its owner only at every moment."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def free_port():
    """One below those that the system gives to outgoing connections, one of which could take it before we listen."""
    while port_taken(port := 20_000 + secrets.randbelow(12_000)):
        pass
    return port


def port_taken(port):
    """True if somebody listens on `port`. SO_REUSEADDR: connections of a server just stopped are no conflict."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    with socket.socket() as probe:  # macOS lets two bind when one listens on every address
        probe.settimeout(0.3)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def locked(path, mode=fcntl.LOCK_EX, *, on_wait=None):
    """Hold an flock on `path`; the kernel lets go of it however the process ends. `on_wait()` is called once if it is held elsewhere."""
    with path.open("a+") as file:
        path.chmod(0o600)
        try:
            fcntl.flock(file, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait:
                on_wait()
            fcntl.flock(file, mode)
        yield file
