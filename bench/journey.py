"""From a post to the rep's list, or to the first nurture mail being due: seconds, over 200 posts.

Runs the whole product as `make run` does, with the demo's history loaded. Half the posts raise a hand
and must stand in a rep's list; half download a paper and must have their first mail due.
"""

import http.client
import json
import statistics
import time
import uuid

from bench import stack
from bench.figures import figure, percentile

POSTS = 200
RATE = 5  # posts per second
PATIENCE = 30  # seconds


def main():
    with stack.servers() as environment:
        stack.manage("demo", "--config")
        stack.manage("demo")
        stack.setup_django()
        with stack.running(environment) as address:
            warm = [_journey(address, n) for n in range(6)]
            del warm
            waits = [_journey(address, n) for n in range(POSTS)]
    by_way = {"to_rep": waits[0::2], "to_nurture": waits[1::2], "all": waits}
    for name, seconds in by_way.items():
        figure(
            f"journey_{name}_p99", ours=percentile(seconds, 0.99), yardstick=1.0, unit="s",
            median=round(statistics.median(seconds), 3), worst=round(max(seconds), 3), posts=len(seconds),
        )  # fmt: skip


def _journey(address, n):
    """Post one lead and wait until it has arrived. Returns the seconds since the answer was asked for."""
    hand_raise = n % 2 == 0
    email = f"{uuid.uuid4().hex}@bench-{n}.example"
    form = "demo-request" if hand_raise else "white-paper"
    started = time.monotonic()
    connection = http.client.HTTPConnection(*address, timeout=30)
    body = {
        "email": email, "first_name": "Ada", "last_name": "Bench", "company": f"Bench {n}",
        "company_size": 300, "role": "decision maker", "country": "DE",
    }  # fmt: skip
    connection.request(
        "POST", f"/api/v1/forms/{form}/submissions/", json.dumps(body), {"Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    answer.read()
    if answer.status != 201:
        raise SystemExit(f"the post was answered {answer.status}")
    arrived = _in_a_reps_list if hand_raise else _first_mail_due
    while not arrived(email):
        if time.monotonic() - started > PATIENCE:
            raise SystemExit(f"{email} had not arrived after {PATIENCE} s")
        time.sleep(0.005)
    waited = time.monotonic() - started
    time.sleep(max(0.0, 1 / RATE - waited))
    return waited


def _in_a_reps_list(email):
    from distribution.models import Handoff

    return Handoff.objects.filter(
        lead__email=email, status=Handoff.Status.OFFERED, owner__isnull=False
    ).exists()


def _first_mail_due(email):
    from nurturing.models import Touch

    return Touch.objects.filter(lead__email=email, kind="mail").exists()


if __name__ == "__main__":
    main()
