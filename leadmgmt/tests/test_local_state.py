import socket
import stat

import pytest

from leadmgmt.local.command import needs_database
from leadmgmt.local.state import LocalError, State, free_port, locked, port_taken


@pytest.fixture
def listening():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_what_is_remembered_survives_and_only_its_owner_reads_it(tmp_path):
    secret = State(tmp_path).secret("postgres_password")
    port = State(tmp_path).port("postgres_port")
    again = State(tmp_path)
    assert again.secret("postgres_password") == secret
    assert again.port("postgres_port") == port
    assert stat.S_IMODE(again.path.stat().st_mode) == 0o600
    assert len(secret) > 40


def test_a_taken_port_is_replaced_and_the_new_one_remembered(tmp_path, listening):
    State(tmp_path).update(valkey_port=listening)
    port = State(tmp_path).port("valkey_port")
    assert port != listening
    assert State(tmp_path)["valkey_port"] == port


def test_port_taken_tells_a_listener_from_a_connection_just_closed(listening):
    assert port_taken(listening)
    port = free_port()
    with socket.socket() as server:  # its side of the connection stays in TIME_WAIT
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert not port_taken(port)


def test_a_damaged_state_file_names_the_remedy(tmp_path):
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(LocalError, match="make reset"):
        State(tmp_path)


def test_a_lock_is_refused_to_the_second_and_free_afterwards(tmp_path):
    waits = []

    class Waited(Exception):
        pass

    def on_wait():
        waits.append(1)
        raise Waited

    with locked(tmp_path / "lock"), pytest.raises(Waited), locked(tmp_path / "lock", on_wait=on_wait):
        pytest.fail("the lock was given twice")
    with locked(tmp_path / "lock", on_wait=on_wait):
        pass
    assert waits == [1]


@pytest.mark.parametrize(
    ("argv", "needed"),
    [
        (["manage.py", "migrate"], True),
        (["manage.py", "import_leads", "a.csv"], True),
        (["manage.py", "migrate", "--help"], False),
        (["manage.py"], False),
        (["manage.py", "--version"], False),
        (["manage.py", "makemigrations", "--check"], False),
        (["manage.py", "check"], False),
        (["manage.py", "check", "--database", "default"], True),
    ],
)
def test_only_database_commands_start_servers(argv, needed):
    assert needs_database(argv) is needed
