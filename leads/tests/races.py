"""What several do at the same time: threads that begin together, each with a database connection of its own."""

import threading
import time
from functools import partial

from django.db import connections


def together(*jobs, refused=()):
    """What each of the jobs returned, or the exception that it raised where that is one of `refused`; any other is raised."""
    start, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(number, job):
        try:
            start.wait(30)
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


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.002)
