"""PostgreSQL restarted under load: 503s, no 2xx without its row, and everybody recovers by themselves."""

import contextlib
import signal
import threading
import time

import pytest

from leadmgmt.local.state import LocalError
from leadmgmt.tests.outages.instance import BACK, PATIENCE

CLIENTS = 4
PEOPLE = 4


class Load:
    """Clients that post one new person after the other until they are told to stop."""

    def __init__(self, instance, label):
        self.instance, self.label = instance, label
        self.answers = []  # (e-mail, message id, Answer)
        self.ended = threading.Event()
        self.errors = []

    def __enter__(self):
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def work(self, client):
        turn = 0
        while not self.ended.is_set():
            turn += 1
            name = f"{client}-{turn}"
            email, message = f"p{name}@{self.label}.net", f"{self.label}-{name}"
            values = {"email": email, "last_name": name, "company_size": "300"}
            try:
                if turn % 2:
                    answer = self.instance.capture(values | {"message_id": message})
                else:
                    message, answer = None, self.instance.submit(values, "white-paper")
            except Exception as error:
                self.errors.append(error)
                return
            self.answers.append((email, message, answer))
            time.sleep(0.02)

    def taken(self):
        return [entry for entry in self.answers if entry[2].status in (200, 201)]

    def wait_for(self, status, *, times=1, since=0, within=PATIENCE):
        """Seconds until so many are answered by `status`, not counting the first `since` answers."""
        started = time.monotonic()
        while sum(answer.status == status for _, _, answer in self.answers[since:]) < times:
            assert time.monotonic() - started < within, f"no {times} x {status} within {within} s"
            time.sleep(0.02)
        return time.monotonic() - started


def restart(instance, signum):
    instance.postgres.child.process.send_signal(signum)
    instance.postgres.child.wait(60)


def start_again(postgres):
    """As the runner does: the last backends of a server that ended at once may hold its memory for a moment."""
    for _ in range(10):
        with contextlib.suppress(LocalError):
            return postgres.start()
        time.sleep(0.5)
    raise AssertionError(postgres.child.last_lines())


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_restart_under_load(instance, signum):
    label = signum.name.lower()
    _, usual = instance.usual(f"before-{label}", PEOPLE)
    with Load(instance, label) as load:
        load.wait_for(201, times=15)
        restart(instance, signum)
        load.wait_for(503)
        start_again(instance.postgres)
        back = len(load.answers)
        answered = load.wait_for(201, since=back, within=BACK + usual)
        load.wait_for(201, since=back, times=15)
    assert not load.errors
    assert {answer.status for _, _, answer in load.answers} == {201, 503}
    for _, _, answer in load.answers:
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) > 0
            assert b"again" in answer.body
    every_2xx_has_its_rows(instance, load)
    seconds = instance.caught_up(within=BACK + 2 * usual, leases=True)
    statuses = [answer.status for _, _, answer in load.answers]
    print(f"{label}: {statuses.count(201)} x 201, {statuses.count(503)} x 503, slowest "
          f"{max(answer.seconds for _, _, answer in load.answers):.2f} s; answers again after {answered:.1f} s, "
          f"caught up {seconds:.1f} s after the last post")  # fmt: skip
    instance.nothing_twice()
    assert instance.all_alive()
    instance.people(f"after-{label}", 2)
    instance.caught_up(within=BACK + usual, leases=True)
    instance.all_served(f"after-{label}", 2)
    instance.end_leases()
    instance.caught_up(within=BACK + usual)
    instance.nothing_twice()


def every_2xx_has_its_rows(instance, load):
    leads = dict(
        instance.rows("SELECT email, id FROM leads_lead WHERE email LIKE %s", [f"%@{load.label}.net"])
    )
    logged = instance.rows(
        "SELECT lead_id, message_id FROM leads_activity WHERE lead_id = ANY(%s)", [list(leads.values())]
    )
    by_message, busy = {message: lead for lead, message in logged}, {lead for lead, _ in logged}
    kept = {
        email
        for (email,) in instance.rows(
            "SELECT l.email FROM leads_submission s JOIN leads_lead l ON l.id = s.lead_id WHERE l.email LIKE %s",
            [f"%@{load.label}.net"],
        )
    }
    assert len(load.taken()) > 20
    for email, message, _ in load.taken():
        assert email in leads
        if message:
            assert by_message[message] == leads[email]
        else:
            assert email in kept
            assert leads[email] in busy
