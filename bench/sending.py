"""Nurture mails per second of one worker, against bare smtplib on one connection.

Both talk to the same server process and send mails of the same size, in turns. Ours renders each
mail, checks consent under lock, commits before and after, and schedules the next step.
"""

import os
import smtplib
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime

from bench import stack
from bench.figures import figure

MAILS = 500
ROUNDS = 3
AT = datetime(2026, 3, 2, tzinfo=UTC)
BODY = """Hello {{ lead.first_name | default: "there" }},

this is what others at {{ company.name | default: "companies like yours" }} read: https://acme.example/roi

And this is what it costs: https://acme.example/prices
"""


def main():
    with stack.servers(POSTAL_ADDRESS="Acme Ltd, London", DEFAULT_FROM_EMAIL="news@acme.test") as environment:
        path = os.path.join(environment["BENCH_FOLDER"], "taken")
        sink = subprocess.Popen(
            [sys.executable, "-m", "nurturing.tests.sink", "0", path], stdout=subprocess.PIPE, text=True
        )
        try:
            port = int(sink.stdout.readline())
            os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
            stack.setup_django()
            rates = {"ours": [], "bare": []}
            payload = enrolled(0, 50)
            ours(50)
            for number in range(1, ROUNDS + 1):
                rates["bare"].append(bare(port, payload))
                enrolled(number, MAILS)
                rates["ours"].append(ours(MAILS))
        finally:
            sink.kill()
            sink.wait()
    figure(
        "sending",
        ours=statistics.median(rates["ours"]),
        yardstick=statistics.median(rates["bare"]),
        unit="mails/s",
    )


def enrolled(number, count):
    """`count` leads with a mail due; returns one such mail as bytes."""
    from leads.models import Consent, Lead
    from nurturing import mail
    from nurturing.enrollment import enroll
    from nurturing.models import EmailTemplate, Program, ProgramVersion, Step, Touch

    template, _ = EmailTemplate.objects.get_or_create(
        slug="bench", defaults={"name": "Bench", "subject": "For {{ lead.first_name }}", "body": BODY}
    )
    program = Program.objects.create(name=f"Bench {number}", slug=f"bench-{number}")
    version = ProgramVersion.objects.create(program=program, number=1, status="published")
    for position, kind in enumerate(["mail", "wait", "mail"], start=1):
        Step.objects.create(
            version=version, position=position, kind=kind, template=template if kind == "mail" else None,
            wait_hours=24 * 3650 if kind == "wait" else 0,
        )  # fmt: skip
    program.current_version = version
    program.save(update_fields=["current_version"])
    people = Lead.objects.bulk_create(
        Lead(email=f"p{number}-{n}@buyer.net", first_name=f"P{n}", created_at=AT, updated_at=AT)
        for n in range(count)
    )
    Consent.objects.bulk_create(
        Consent(lead=row, channel="email", purpose="marketing", basis="consent", at=AT) for row in people
    )
    enroll(lead_ids=[row.pk for row in people], at=AT, program=program)
    touch = Touch.objects.select_related("lead__company", "step__template").filter(lead=people[0]).get()
    return mail.render(touch.step.template, touch.lead, touch).message().as_bytes(linesep="\r\n")


def bare(port, payload):
    with smtplib.SMTP("127.0.0.1", port) as server:
        started = time.monotonic()
        for number in range(MAILS):
            server.sendmail("news@acme.test", [f"b{number}@buyer.net"], payload)
        return MAILS / (time.monotonic() - started)


def ours(count):
    from nurturing import touches
    from nurturing.models import Touch

    started = time.monotonic()
    done = 0
    while batch := touches.perform_due(at=AT, limit=100):
        done += batch
    spent = time.monotonic() - started
    if done != count or Touch.objects.filter(kind="mail", step__position=1).exclude(status="sent").exists():
        raise SystemExit(f"{done} of {count} mails performed")
    return count / spent


if __name__ == "__main__":
    main()
