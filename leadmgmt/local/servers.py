"""Who owns this checkout's servers, and the environment that leads Django to them.

One process owns them: `make run`, or the first `manage.py` command when none runs. It holds the flock on `owner.json`, which also
says what it is and which environment it made. Later commands are guests: they read that environment and hold `guests.lock`
(shared), for which an owning command waits before it stops the servers.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from urllib.parse import urlsplit

from leadmgmt.local import outside
from leadmgmt.local.postgres import Postgres
from leadmgmt.local.processes import reap
from leadmgmt.local.state import HOME, LocalError, State, locked, prepare_home
from leadmgmt.local.valkey import Valkey

KINDS = (
    # variable that switches it off, class, name in the folder and in the state
    ("DATABASE_URL", Postgres, "postgres"),
    ("REDIS_URL", Valkey, "valkey"),
)


def owner():
    """What the owning process wrote about itself: {pid, what, environment}; {} while it starts or when there is none."""
    try:
        return json.loads((HOME / "owner.json").read_text() or "{}")
    except (FileNotFoundError, ValueError):
        return {}


@contextlib.contextmanager
def ownership(what, *, on_wait=None):
    """Be the owner; yields a function that publishes the environment to guests.

    Raises BlockingIOError when somebody else is the owner, unless `on_wait(owner)` is given: then it is called once and we wait.
    """
    prepare_home()
    with (HOME / "owner.json").open("a+") as file:
        os.fchmod(file.fileno(), 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait is None:
                raise
            on_wait(owner())
            fcntl.flock(file, fcntl.LOCK_EX)

        def publish(environment=None):
            file.seek(0)
            file.truncate()
            file.write(json.dumps({"pid": os.getpid(), "what": what, "environment": environment}))
            file.flush()

        publish()
        try:
            yield publish
        finally:
            file.seek(0)
            file.truncate()


class Servers:
    """The embedded servers that the environment has not switched off. Only the owner may start them."""

    def __init__(self):
        self.running = []

    def start(self, web_port=None, say=lambda text: None):
        """Returns the environment for Django: addresses and secrets of this checkout; what is set already stays as it is."""
        for variable, _, _ in KINDS:
            if url := os.environ.get(variable):
                say(f"Using {variable} from the environment")
                outside.check(variable, url)
        left = reap(HOME)
        if left:
            say(f"Ended {left} processes that a killed run had left behind")
        state = State()
        state.update(web_port=web_port or state.get("web_port") or 8000)
        environment = {
            "SECRET_KEY": state.secret("secret_key"),
            "PUBLIC_URL": f"http://127.0.0.1:{state['web_port']}",
            "DEMO": "0" if os.environ.get("DATABASE_URL") else "1",
            "LEADMGMT_DEMO_LOGINS": str(demo_logins(os.environ.get("DATABASE_URL"))),
        }
        for variable, kind, name in KINDS:
            if os.environ.get(variable):
                continue
            say(f"Starting {kind.label}")
            server = kind(
                HOME / name, port=state.port(f"{name}_port"), password=state.secret(f"{name}_password")
            )
            self.running.append(server)
            environment[variable] = server.start(registry=HOME).url
        return {key: os.environ.get(key) or value for key, value in environment.items()} | {
            variable: os.environ[variable] for variable, _, _ in KINDS if os.environ.get(variable)
        }

    @property
    def labels(self):
        return " and ".join(server.label for server in self.running)

    def stop(self):
        while self.running:
            self.running.pop().stop()


def demo_logins(outside_database):
    """Where the demo's logins are kept: for each database its own file, as each has its own people."""
    if not outside_database:
        return HOME / "demo-logins.txt"
    parts = urlsplit(outside_database)
    place = f"{parts.hostname}:{parts.port}{parts.path}"
    return HOME / f"demo-{hashlib.sha256(place.encode()).hexdigest()[:10]}" / "demo-logins.txt"


@contextlib.contextmanager
def borrowed(what, say):
    """The environment of the running servers, or of servers started for the duration of this block."""
    prepare_home()
    guests = HOME / "guests.lock"
    while True:
        with locked(guests, fcntl.LOCK_SH):
            environment = _owners_environment()
            if environment:
                yield environment
                return
        with contextlib.suppress(BlockingIOError), ownership(what) as publish:
            servers = Servers()
            try:
                environment = servers.start()
                if servers.running:
                    say(f"Started {servers.labels} for this command; `make run` keeps them running.")
                publish(environment)
                yield environment
                return
            finally:
                with locked(
                    guests, on_wait=lambda: say("Another command still uses the servers; waiting for it.")
                ):
                    servers.stop()


def _owners_environment(timeout=60):
    """None if nobody owns the servers. Waits for an owner that is still starting them."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            with (HOME / "owner.json").open("a+") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            environment = owner().get("environment")
            if environment:
                return environment
        time.sleep(0.05)
    raise LocalError(
        f"The servers that process {owner().get('pid')} starts were not ready within {timeout} s."
    )
