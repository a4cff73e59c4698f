"""The people of the tests. Ada decides at Acme, a company of 300; Bob is her colleague; Carla writes from free mail;
Dora was met at a booth and left only a phone number; Info is an address that many use; Tess works here."""

from datetime import UTC, datetime

from django.contrib.auth.models import Group, User

from leads import capture, properties
from leads.models import Campaign, CaptureForm, DeclaredProperty, Source

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

ADA = {
    "email": "ada@acme.example",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "company": "Acme",
    "company_size": 300,
    "role": "decision maker",
    "job_title": "Head of Operations",
    "country": "DE",
    "industry": "Manufacturing",
    "phone": "+4930123456",
}
BOB = {"email": "bob@acme.example", "first_name": "Bob", "last_name": "Babbage", "role": "user"}
CARLA = {"email": "carla@gmail.com", "first_name": "Carla", "last_name": "Curie", "company": "Curie Labs"}
DORA = {"phone": "+4915112345678", "first_name": "Dora", "last_name": "Dirac"}
INFO = {"email": "info@acme.example", "first_name": "Ines", "last_name": "Reception"}


def ada(**more):
    return person(ADA, **more)


def bob(**more):
    return person(BOB, **more)


def carla(**more):
    return person(CARLA, **more)


def dora(**more):
    return person(DORA, **more)


def info(**more):
    return person(INFO, **more)


def person(values, *, at=NOW, **arguments):
    """The lead, captured through the real verb; keyword arguments are those of `capture.submit`."""
    return capture.submit(values=dict(values), at=at, **arguments).lead


def colleague(name, role, **values):
    """Somebody of ours with the rights of a role: `Marketer`, `Sales rep`, `Sales manager`, `Administrator`."""
    user = User.objects.create_user(name, **values)  # no password: hashing one takes longer than the test
    user.groups.add(Group.objects.get(name=role))
    return user


def demo_request(**more):
    """A form by which people ask for sales."""
    return form(slug="demo-request", name="Request a demo", lead_type="hand_raise", **more)


def white_paper(**more):
    """An informational form with a stated basis for marketing mail."""
    defaults = {
        "name": "White paper",
        "lead_type": "informational",
        "asset": "/white-papers/roi",
        "marketing_basis": "consent",
        "basis_text": "We may write to you about our products.",
        "basis_version": "2",
    }
    return form(slug="white-paper", **defaults | more)


def form(*, slug, **fields):
    return CaptureForm.objects.create(slug=slug, **fields)


def source(slug="web", **fields):
    return Source.objects.create(slug=slug, name=fields.pop("name", slug.title()), **fields)


def campaign(slug="spring", **fields):
    return Campaign.objects.create(slug=slug, name=fields.pop("name", slug.title()), **fields)


def declare(kind, key, label="", choices=()):
    """A declared property, as this process sees it at once. Tests that declare use the fixture `declared`."""
    properties.forget()
    return DeclaredProperty.objects.create(kind=kind, key=key, label=label or key, choices=list(choices))
