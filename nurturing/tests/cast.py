"""The people and programs of the nurturing tests. Sarah may be mailed, Bob never said so, Carl has only a phone."""

from datetime import UTC, datetime, timedelta

from leads import consent
from leads.models import Company, Lead
from nurturing.models import EmailTemplate, Program, ProgramVersion, Step

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

HELLO = "Hello {{ lead.first_name | default: 'there' }},\n\nread this: https://acme.example/roi\n\nor that https://acme.example/prices?a=1&b=2"


def lead(email="sarah@buyer.net", *, consented=True, **values):
    values = {
        "first_name": "Sarah",
        "last_name": "Miller",
        "created_at": MONDAY,
        "updated_at": MONDAY,
    } | values
    row = Lead.objects.create(email=email, **values)
    if consented and email:
        allow(row)
    return row


def allow(row):
    consent.grant(
        lead=row, channel="email", purpose="marketing", basis="consent", text_version="1", at=MONDAY
    )


def sarah(**values):
    return lead("sarah@buyer.net", **values)


def bob(**values):
    return lead("bob@buyer.net", consented=False, first_name="Bob", **values)


def carl(**values):
    return lead(None, first_name="Carl", last_name="Phone", phone="+49301234567", **values)


def acme(name="Acme"):
    return Company.objects.create(
        name=name, domain=f"{name.lower()}.net", created_at=MONDAY, updated_at=MONDAY
    )


def template(slug="hello", subject="For {{ lead.first_name }}", body=HELLO):
    return EmailTemplate.objects.create(name=slug.title(), slug=slug, subject=subject, body=body)


def program(slug="webinar", steps=("mail", 7 * 24, "mail", "call"), *, entry=None, position=1, **values):
    """A published program. Steps: "mail", "call", hours to wait, or an EmailTemplate."""
    made = Program.objects.create(
        name=slug.title(), slug=slug, entry=entry or {}, position=position, **values
    )
    version = ProgramVersion.objects.create(program=made, number=1, status="published", published_at=MONDAY)
    for place, step in enumerate(steps, start=1):
        add_step(version, place, step)
    made.current_version = version
    made.save(update_fields=["current_version"])
    return made


def add_step(version, place, step):
    if isinstance(step, int):
        Step.objects.create(version=version, position=place, kind="wait", wait_hours=step)
    elif step == "call":
        Step.objects.create(version=version, position=place, kind="call_task", instruction="Ask")
    else:
        mail = template(f"{version.program.slug}-{place}") if step == "mail" else step
        Step.objects.create(version=version, position=place, kind="mail", template=mail)
