"""Posts per second into a form and the API, against a bare view that inserts one row.

All three are served by the same processes in the same run, in turns, so that a noisy machine hits
them alike. Scoring stands still meanwhile: nothing but capture is measured.
"""

import http.client
import itertools
import json
import statistics
import threading
import time

from bench import stack
from bench.figures import figure

THREADS = 6
SECONDS = 4
ROUNDS = 3
counter = itertools.count()


def main():
    with stack.servers(DJANGO_SETTINGS_MODULE="bench.settings") as environment:
        stack.setup_django()
        _bare_table()
        key = _form_and_key()
        with stack.running(environment, names=("web",)) as address:
            ways = {
                "bare": ("/api/bare/", {}),
                "form": ("/api/v1/forms/bench/submissions/", {}),
                "api": ("/api/v1/leads/", {"Authorization": f"Api-Key {key}"}),
            }
            rates = {name: [] for name in ways}
            for name in ways:
                _load(address, *ways[name], seconds=1)
            for _ in range(ROUNDS):
                for name in ways:
                    rates[name].append(_load(address, *ways[name], seconds=SECONDS))
    bare = statistics.median(rates["bare"])
    for name in ("form", "api"):
        figure(f"capture_{name}", ours=statistics.median(rates[name]), yardstick=bare, unit="posts/s")


def _bare_table():
    from django.db import connection

    from bench.bare import BareLead

    with connection.schema_editor() as editor:
        editor.create_model(BareLead)


def _form_and_key():
    from leads.models import ApiKey, CaptureForm, Question

    form = CaptureForm.objects.create(name="Bench", slug="bench", marketing_basis="consent", basis_text="Yes")
    for name in ("email", "first_name", "last_name", "company"):
        Question.objects.create(form=form, name=name, field=name, label=name)
    _, key = ApiKey.objects.create_key(name="bench", scopes=["capture"])
    return key


def _load(address, path, headers, *, seconds):
    """Posts per second over `seconds` by THREADS keep-alive connections. A refusal ends the bench."""
    done, failed = [], []
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_post, args=(address, path, headers, until, done, failed))
        for _ in range(THREADS)
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{path}: {failed[0]}")
    return sum(done) / (time.monotonic() - started)


def _post(address, path, headers, until, done, failed):
    connection = http.client.HTTPConnection(*address, timeout=30)
    count = 0
    while time.monotonic() < until:
        n = next(counter)
        body = json.dumps(
            {
                "email": f"person{n}@company{n % 5000}.example",
                "first_name": "Ada",
                "last_name": f"Person {n}",
                "company": f"Company {n % 5000}",
            }
        )
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            failed.append(f"{answer.status} {text[:300]}")
            return
        count += 1
    done.append(count)


if __name__ == "__main__":
    main()
