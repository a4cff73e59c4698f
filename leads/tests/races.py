"""What several do at the same time, in threads with a database connection each; and who waits, or stands still, where.

No test of a race sleeps and hopes: it waits until what it is about has happened, for `PATIENCE` at most.
"""

import threading
import time
from contextlib import contextmanager
from functools import partial

from django.db import connections

from leads.rows import fetch

PATIENCE = 180  # seconds; only a test that fails waits so long


def together(*jobs, refused=()):
    """What each of the jobs, begun at the same time, returned, or the exception that it raised where that is one of
    `refused`; any other is raised."""
    start, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(number, job):
        try:
            start.wait(PATIENCE)
            results[number] = job()
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, refused):
            raise result
    return results


def at_once(count, work):
    """[work(0), work(1), …], as `together`."""
    return together(*(partial(work, number) for number in range(count)))


@contextmanager
def beside(*jobs, again=()):
    """In threads beside the block: `jobs` once, and `again` one time after the other until the block and the jobs are
    through. Whatever one of them raises is raised here."""
    failures, through = [], threading.Event()

    def run(step):
        try:
            step()
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    def repeat(step):
        while not through.is_set():
            step()

    once = [threading.Thread(target=run, args=[job]) for job in jobs]
    more = [threading.Thread(target=run, args=[partial(repeat, step)]) for step in again]
    for thread in once + more:
        thread.start()
    try:
        yield
    finally:
        for thread in once:
            thread.join()
        through.set()
        for thread in more:
            thread.join()
        if failures:
            raise failures[0]


def wait_until(condition, seconds=PATIENCE):
    """What `condition()` says as soon as it is something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.002)
    return found


WAITING = "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
GONE = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY(%s))"


def somebody_waits():
    """[pid of the backend] as soon as another connection waits for a lock that this one holds."""
    return wait_until(lambda: [pid for (pid,) in fetch(WAITING)])


BRAKE = """
CREATE SEQUENCE brake;
CREATE FUNCTION brake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('brake') %% %(every)s = 0 THEN PERFORM pg_advisory_xact_lock(%(lock)s); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER brake BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION brake();
SELECT pg_advisory_lock(%(lock)s)
"""
UNBRAKE = "DROP TRIGGER brake ON {table}; DROP FUNCTION brake(); DROP SEQUENCE brake"
LOCK = 4_711


@contextmanager
def brake(table, *, every):
    """In the block whoever writes the `every`th row of `table` stands still in the middle of its statement. Yields
    `kill(murder)`, which waits for that, calls `murder` for the process to be ended and returns when its backend has found
    out and rolled back; from then on rows are counted anew."""

    def kill(murder):
        pids = somebody_waits()
        murder()
        fetch(
            "SELECT pg_advisory_unlock(%s)", [LOCK]
        )  # a backend looks for its client when the statement is done
        wait_until(lambda: fetch(GONE, [pids])[0][0])
        fetch("SELECT pg_advisory_lock(%s), setval('brake', 1, false)", [LOCK])

    fetch(BRAKE.format(table=table), {"every": every, "lock": LOCK})
    try:
        yield kill
    finally:
        fetch("SELECT pg_advisory_unlock(%s)", [LOCK])
        fetch(UNBRAKE.format(table=table), returns=False)
