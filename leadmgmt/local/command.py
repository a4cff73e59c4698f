"""`manage.py`: database commands find the servers of a running `make run`, or get servers for their own duration."""

import contextlib
import os
import signal
import sys

from leadmgmt.local.servers import borrowed, owner
from leadmgmt.local.state import LocalError

WITHOUT_DATABASE = {
    "help", "version", "check", "makemigrations", "makemessages", "compilemessages", "collectstatic", "findstatic", "diffsettings",
    "spectacular", "startapp", "startproject",
}  # fmt: skip
UNREACHABLE = {
    "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "only-for-commands-that-serve-nobody-" + "x" * 20,
}


def needs_database(argv):
    if len(argv) < 2 or argv[1].startswith("-") or {"-h", "--help", "--version"} & set(argv):
        return False
    return argv[1] not in WITHOUT_DATABASE or "--database" in argv


@contextlib.contextmanager
def local_environment(argv):
    """Complete `os.environ` for the Django command in `argv`. What is set already wins."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        # Beside a `make run` with the same servers its secret key is ours too; anywhere else all must be set.
        running = owner().get("environment") or {}
        if running.get("DATABASE_URL") == os.environ["DATABASE_URL"]:
            add(running)
        yield
    elif not needs_database(argv):
        add(UNREACHABLE)
        yield
    else:
        # Without this a SIGTERM would skip the `finally` that stops the servers.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            with borrowed(
                f"manage.py {argv[1]}", say=lambda text: print(text, file=sys.stderr, flush=True)
            ) as environment:
                add(environment)
                yield
        except LocalError as error:
            sys.exit(str(error))


def add(environment):
    if os.environ.get("DATABASE_URL", environment["DATABASE_URL"]) != environment["DATABASE_URL"]:
        environment = environment | {"DEMO": "0"}  # it was said of another database
    for name, value in environment.items():
        if not os.environ.get(name):
            os.environ[name] = value
