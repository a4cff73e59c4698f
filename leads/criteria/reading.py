"""What one reading of a condition looks up, each thing once: the small tables that conditions name rows of."""

from contextlib import contextmanager
from contextvars import ContextVar

from leads.models import CustomField, DeclaredProperty, DomainList, LeadList, Product

_found: ContextVar[dict | None] = ContextVar("found", default=None)


@contextmanager
def reading():
    """Within it `once` asks each question once; a reading inside a reading shares its answers."""
    if _found.get() is not None:
        yield
        return
    token = _found.set({})
    try:
        yield
    finally:
        _found.reset(token)


def once(key, ask):
    """`ask()`, remembered under `key` until the reading ends; outside of one it is asked each time."""
    found = _found.get()
    if found is None:
        return ask()
    if key not in found:
        found[key] = ask()
    return found[key]


def named(model):
    """{slug: name} of a small table, by name."""
    return once(model, lambda: dict(model.objects.order_by("name").values_list("slug", "name")))


def products():
    return named(Product)


def lead_lists():
    return named(LeadList)


def domain_lists():
    return named(DomainList)


def custom_fields():
    """{name: CustomField}, `custom.<key>` of the lead and `company.custom.<key>` of its company; also those not in use."""
    return once(CustomField, lambda: {custom_name(row): row for row in CustomField.objects.all()})


def declared_properties():
    """Every DeclaredProperty, also those not in use."""
    return once(DeclaredProperty, lambda: list(DeclaredProperty.objects.all()))


def custom_name(row):
    return f"company.custom.{row.key}" if row.owner == CustomField.Owner.COMPANY else f"custom.{row.key}"
