"""Capture: a lead comes in. Thin version: the set-based one follows."""

from typing import NamedTuple

from django.db import transaction

from leads import activities, consent, identity
from leads.models import Activity, FieldChange, Lead


class Captured(NamedTuple):
    lead: Lead
    created: bool
    activity: Activity | None


def submit(*, values, at, kind=None, asset="", source=None, campaign=None, form=None, submission=None,
           message_id=None, occurred_at=None, properties=None, overwrite=True, is_demo=False,
           origin="person"):  # fmt: skip
    with transaction.atomic():
        lead, created = identity.resolve(values=values, at=occurred_at or at, is_demo=is_demo)
        if created:
            for field, new in values.items():
                if field in identity.LEAD_FIELDS:
                    FieldChange.objects.create(
                        lead=lead, field=field, new=new, occurred_at=occurred_at or at, recorded_at=at, origin=origin
                    )
            Lead.objects.filter(pk=lead.pk).update(
                source=source, campaign=campaign, lead_type=form.lead_type if form else ""
            )
        else:
            identity.set_fields(lead=lead, values=values, origin=origin, at=occurred_at or at, overwrite=overwrite)
        if kind is None:
            kind, asset = ("form_submit", asset or "api") if form is None else kind_of(form)
        activity = activities.record(
            lead=lead, kind=kind, asset=asset, at=occurred_at or at, received_at=at, source=source,
            campaign=campaign, message_id=message_id, properties=properties,
        )  # fmt: skip
        if form and form.marketing_basis != "none":
            consent.grant(
                lead=lead, channel="email", purpose="marketing", basis=form.marketing_basis,
                text_version=f"{form.slug}:{form.basis_version}", at=at, submission=submission,
            )  # fmt: skip
    lead.refresh_from_db()
    return Captured(lead, created, activity)


def kind_of(form):
    if form.lead_type == "hand_raise":
        return "hand_raise", form.slug
    if form.lead_type == "event":
        return "event", form.asset or form.slug
    return ("download", form.asset) if form.asset and form.lead_type == "informational" else ("form_submit", form.slug)


def submit_many(items, *, at, **common):
    return [submit(at=at, **common | item) for item in items]
