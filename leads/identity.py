"""Who somebody is. Thin version: the set-based one follows."""

from django.db import transaction

from leads import doorbell
from leads.models import Company, CompanyDomain, ExternalId, FieldChange, Lead

LEAD_FIELDS = ["email", "first_name", "last_name", "job_title", "role", "phone", "country", "industry",
               "company_size", "timeline", "timeline_until"]  # fmt: skip
COMPANY_FIELDS = ["name", "size", "industry", "country", "relationship"]


def resolve(*, values, at, is_demo=False):
    with transaction.atomic():
        company = find_company(values, at, is_demo)
        initial = {k: v for k, v in values.items() if k in LEAD_FIELDS and v not in (None, "")}
        if values.get("email"):
            lead, created = Lead.objects.get_or_create(
                email=values["email"],
                defaults=initial | {"company": company, "created_at": at, "updated_at": at, "is_demo": is_demo},
            )
            return lead, created
        if values.get("external_id"):
            known = ExternalId.objects.filter(value=values["external_id"]).select_related("lead").first()
            if known:
                return known.lead, False
        lead = Lead.objects.create(
            **initial, company=company, created_at=at, updated_at=at, is_demo=is_demo,
            has_external_id=bool(values.get("external_id")),
        )  # fmt: skip
        if values.get("external_id"):
            ExternalId.objects.create(lead=lead, value=values["external_id"])
        return lead, True


def find_company(values, at, is_demo):
    domain = values.get("company_domain") or (values.get("email") or "@").split("@")[1]
    name = values.get("company", "")
    if domain and domain not in {"gmail.com"}:
        company, created = Company.objects.get_or_create(
            domain=domain, defaults={"name": name, "created_at": at, "updated_at": at, "is_demo": is_demo}
        )
        if created:
            CompanyDomain.objects.create(domain=domain, company=company)
        return company
    if name:
        return Company.objects.get_or_create(
            name_key=name.casefold(), domain=None,
            defaults={"name": name, "created_at": at, "updated_at": at, "is_demo": is_demo},
        )[0]  # fmt: skip
    return None


def resolve_many(values, *, at):
    return [(lead.pk, created) for lead, created in (resolve(values=v, at=at) for v in values)]


def set_fields(*, lead=None, company=None, values, origin, at, actor=None, overwrite=True):
    target = lead or company
    changes = []
    with transaction.atomic():
        for field, new in values.items():
            if field not in (LEAD_FIELDS if lead else COMPANY_FIELDS) or new in (None, ""):
                continue
            old = getattr(target, field)
            if old == new:
                continue
            applied = overwrite or old in (None, "")
            changes.append(
                FieldChange.objects.create(
                    lead=lead, company=company, field=field, old=old, new=new, occurred_at=at, recorded_at=at,
                    origin=origin, applied=applied, actor=actor,
                )
            )  # fmt: skip
            if applied:
                setattr(target, field, new)
        if any(change.applied for change in changes):
            if lead:
                lead.rescore_at = at
            target.save()
            doorbell.ring("score")
    return changes
