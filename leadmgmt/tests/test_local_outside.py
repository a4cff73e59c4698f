"""`make run` with DATABASE_URL and REDIS_URL from outside. The tests' own servers play the outside ones."""

import json
import os
import secrets
import signal
from pathlib import Path

import psycopg2
import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from leadmgmt.demo import stories
from leadmgmt.local import command, outside, run, servers
from leadmgmt.local.prepare import facts
from leadmgmt.local.state import LocalError
from leadmgmt.tests.test_local_run import Run, env, manage, status  # noqa: F401 (env is a fixture)
from leads import capture
from leads.models import Lead

OUTSIDE_REDIS = settings.REDIS_URL.rpartition("/")[0] + "/7"  # nobody else's messages
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def database(db):
    """The address of this test's database, as somebody would write it into DATABASE_URL."""
    at = connection.settings_dict
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def refusal(variable, url):
    with pytest.raises(LocalError) as refused:
        outside.check(variable, url)
    text = str(refused.value)
    assert "\n" not in text and text.startswith(variable)
    return text


# --- what is wrong is one line with the remedy ---------------------------------------------------


def test_servers_that_work_are_let_pass(database):
    outside.check("DATABASE_URL", database)
    outside.check("DATABASE_URL", database.replace("postgres:", "postgresql:") + "?sslmode=prefer")
    outside.check("REDIS_URL", OUTSIDE_REDIS)


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://a:secret@b/c"),
        ("DATABASE_URL", "postgres://a:secret@b"),
        ("DATABASE_URL", "postgres://a:secret@b:port/c"),
        ("REDIS_URL", "nonsense"),
        ("REDIS_URL", "redis://:secret@b:port/0"),
    ],
)
def test_an_address_that_cannot_be_read_is_answered_with_one_that_can(variable, url):
    text = refusal(variable, url)
    assert text == f"{variable} cannot be read. Write it like {variable}={outside.EXAMPLES[variable]}"


def test_a_wrong_password_and_a_missing_database_are_named_and_the_password_is_not(database):
    user, _, rest = database.partition("@")
    wrong = refusal("DATABASE_URL", f"{user.rpartition(':')[0]}:secret@{rest}")
    assert "password authentication failed" in wrong and "secret" not in wrong
    assert "leave it out: then `make run` starts its own PostgreSQL." in wrong
    assert 'database "none" does not exist' in refusal("DATABASE_URL", database.rpartition("/")[0] + "/none")
    wrong = refusal("REDIS_URL", f"redis://:secret@{OUTSIDE_REDIS.partition('@')[2]}")
    assert "invalid username-password pair" in wrong and "secret" not in wrong
    assert "starts its own Valkey." in wrong


def test_a_server_that_is_not_there():
    assert "Connection refused" in refusal("DATABASE_URL", f"postgres://a:b@{NOWHERE}/c")
    assert "Connection refused" in refusal("REDIS_URL", f"redis://{NOWHERE}/0")


def test_a_user_who_may_not_make_tables(database):
    name = f"reader_{secrets.token_hex(4)}"
    other = psycopg2.connect(database)  # as a test's own transaction is seen by nobody else
    other.autocommit = True
    other.cursor().execute(f"CREATE ROLE {name} LOGIN PASSWORD 'reader'")
    try:
        text = refusal("DATABASE_URL", f"postgres://{name}:reader@{database.partition('@')[2]}")
    finally:
        other.cursor().execute(f"DROP ROLE {name}")
        other.close()
    assert "may not make tables" in text and "ALTER DATABASE" in text


# --- which of our own servers start, and where the demo goes -------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "HOME", tmp_path)
    monkeypatch.setattr("leadmgmt.local.state.HOME", tmp_path)
    monkeypatch.delenv("DEMO", raising=False)
    return tmp_path


def test_a_database_from_outside_gets_our_valkey_and_no_demo(home, database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.delenv("REDIS_URL")
    ours = servers.Servers()
    try:
        environment = ours.start()
        assert ours.labels == "Valkey"
        assert (environment["DATABASE_URL"], environment["DEMO"]) == (database, "0")
        outside.check("REDIS_URL", environment["REDIS_URL"])
        assert environment["REDIS_URL"].split("/")[2] != OUTSIDE_REDIS.split("/")[2]
    finally:
        ours.stop()
    assert not (home / "postgres").exists()


def test_the_demo_goes_elsewhere_only_when_asked_and_has_its_own_logins_there(home, database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("REDIS_URL", OUTSIDE_REDIS)
    monkeypatch.setenv("DEMO", "1")
    ours = servers.Servers()
    environment = ours.start()
    assert (environment["DEMO"], ours.labels) == ("1", "")
    assert environment["LEADMGMT_DEMO_LOGINS"] not in (
        str(home / "demo-logins.txt"),
        str(servers.demo_logins(database + "2")),
    )
    assert str(servers.demo_logins(None)) == str(home / "demo-logins.txt")


def test_a_command_for_another_database_does_not_inherit_the_demo(monkeypatch):
    for name in ("DEMO", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgres://theirs")
    command.add({"DATABASE_URL": "postgres://ours", "DEMO": "1", "SECRET_KEY": "key"})
    assert (os.environ["DEMO"], os.environ["DATABASE_URL"]) == ("0", "postgres://theirs")
    monkeypatch.delenv("DEMO")
    command.add({"DATABASE_URL": "postgres://theirs", "DEMO": "1"})
    assert os.environ["DEMO"] == "1"


# --- who is told what at the start ---------------------------------------------------------------


def test_facts_follow_the_database(db, monkeypatch, tmp_path):
    monkeypatch.setattr("leadmgmt.management.commands.demo.REMOVED", tmp_path / "demo-removed")
    assert facts() == {"demo": settings.DEMO, "history_wanted": settings.DEMO, "has_administrator": False}
    User.objects.create_superuser("ada")
    assert facts()["has_administrator"]


def test_the_history_is_wanted_until_it_is_there_whole(db, settings, monkeypatch, tmp_path):
    """Who posts to a form of the demo while the history is loading, and stops, gets it at the next start."""
    settings.DEMO = True
    removed = tmp_path / "demo-removed"
    monkeypatch.setattr("leadmgmt.management.commands.demo.REMOVED", removed)
    at = timezone.now()
    capture.submit(values={"email": "ada@acme.example"}, at=at, is_demo=True)
    assert facts()["history_wanted"]
    capture.submit(values={"email": stories.LISTED[0]}, at=at)  # a real lead, whatever the address
    assert facts()["history_wanted"]
    capture.submit(values={"email": stories.LISTED[1]}, at=at, is_demo=True)
    assert not facts()["history_wanted"]
    Lead.objects.update(is_demo=False)
    removed.touch()
    assert not facts()["history_wanted"], "taken away on purpose"


@pytest.mark.parametrize(
    ("demo", "wanted", "administrator", "file", "said"),
    [
        (True, True, True, True, "Sign in as one of these"),
        (True, False, True, True, "Sign in as one of these"),
        (True, False, True, False, "manage.py changepassword admin"),
        (False, False, False, True, "manage.py createsuperuser"),
        (False, False, True, True, ""),
    ],
)
def test_the_greeting(tmp_path, monkeypatch, capsys, demo, wanted, administrator, file, said):
    started = []

    class History:
        def __init__(self, *argv, **options):
            self.argv = argv

        def start(self, home):
            started.append(self.argv)
            return self

    monkeypatch.setattr(run, "django_child", History)
    logins = tmp_path / "demo-logins.txt"
    if file:
        logins.write_text("administrator  admin  3Ks9\n")
    found = {"demo": demo, "history_wanted": wanted, "has_administrator": administrator}
    history = run.greet(found, {"LEADMGMT_DEMO_LOGINS": str(logins)})
    output = capsys.readouterr().out
    assert said in output if said else output == ""
    assert ("3Ks9" in output) == (demo and file)
    assert started == ([("demo", "manage.py", "demo")] if wanted else [])
    assert ("Loading the demo's history" in output) == wanted == (history is not None)


# --- from the outside ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_both_from_outside_none_is_started_and_ctrl_c_leaves_them_alone(env, database):  # noqa: F811
    theirs = env | {"DATABASE_URL": database, "REDIS_URL": OUTSIDE_REDIS}
    del theirs["DEMO"]
    started = Run(theirs)
    try:
        started.until("Nobody can sign in yet: .venv/bin/python manage.py createsuperuser")
        assert "Using DATABASE_URL" in started.output and "Using REDIS_URL" in started.output
        assert "Starting PostgreSQL" not in started.output and "Starting Valkey" not in started.output
        assert status(theirs, "/readyz") == 200
        # The same shell, so the same two variables; the secret key is the run's.
        account = ("createsuperuser", "--noinput", "--username=ada", "--email=a@b.example")
        manage(theirs | {"DJANGO_SUPERUSER_PASSWORD": "x"}, *account)
        assert User.objects.get().username == "ada"
    finally:
        started.process.send_signal(signal.SIGINT)
        code = started.ended()
    assert (code, "Stopped." in started.output) == (0, True)
    psycopg2.connect(database).close()
    redis.Redis.from_url(OUTSIDE_REDIS).ping()
    left = {entry for entry in os.listdir(env["LEADMGMT_HOME"]) if entry.startswith(("postgres", "valkey"))}
    assert left == set()
    assert json.loads(Path(env["LEADMGMT_HOME"], "prepared.json").read_text())["demo"] is False
