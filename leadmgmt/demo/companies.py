"""Companies that we knew before any of their people arrived."""

from leads import identity
from leads.models import Company, CompanyDomain


def known_company(name, domain, relationship, *, at):
    company, created = Company.objects.get_or_create(
        domain=domain, defaults={"name": name, "is_demo": True, "created_at": at, "updated_at": at}
    )
    if created:
        CompanyDomain.objects.create(domain=domain, company=company)
    identity.set_fields(company=company, values={"relationship": relationship}, origin="rep", at=at)
    return company
