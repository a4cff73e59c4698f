from datetime import timedelta

import pytest

from leads import identity
from leads.models import Activity, Company, FieldChange, Lead
from leads.tests import cast
from leads.tests.cast import ADA, NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


def resolve(**values):
    return identity.resolve(values=values, at=NOW)


def test_it_works():
    lead, created = resolve(**ADA)
    assert created and lead.email == ADA["email"] and lead.company.name == "Acme"
    assert lead.rescore_at == NOW
    assert lead.job_title == ""  # it says who, not what
    assert not Activity.objects.exists()


def test_somebody_known_is_left_as_they_are():
    lead = cast.ada()
    found, created = identity.resolve(values=ADA | {"last_name": "King", "company_size": 7}, at=LATER)
    assert (found.pk, created) == (lead.pk, False)
    assert (found.last_name, found.updated_at, found.company.size) == ("Lovelace", NOW, 300)
    assert not FieldChange.objects.filter(recorded_at=LATER).exists()


def test_a_list_in_its_order():
    cast.bob()
    found = identity.resolve_many([dict(ADA), dict(cast.BOB), {"email": ADA["email"]}], at=NOW)
    assert [created for _, created in found] == [True, False, False]
    assert found[0][0] == found[2][0]


def test_colleagues_share_the_company_of_their_domain():
    assert cast.ada().company_id == cast.bob().company_id
    assert (
        cast.person({"email": "eve@mail.acme.example", "company": "ACME Inc."}).company_id
        == cast.ada().company_id
    )
    assert Company.objects.count() == 1


@pytest.mark.parametrize("email", ["carla@gmail.com", "carla@yahoo.co.uk", "carla@mailinator.com"])
def test_free_and_throw_away_mail_never_makes_a_company(email):
    lead, _ = resolve(email=email)
    assert lead.company is None
    lead, _ = resolve(email="2" + email, company="Curie Labs GmbH")
    assert (lead.company.name, lead.company.domain) == ("Curie Labs GmbH", None)
    other, _ = resolve(email="3" + email, company="curie labs")
    assert other.company_id == lead.company_id


def test_a_stated_domain_names_the_company():
    lead, _ = resolve(email="carla@gmail.com", company_domain="curie.example", company="Curie Labs")
    assert (lead.company.domain, lead.company.name) == ("curie.example", "Curie Labs")


def test_phone_and_name_never_merge():
    first, second = cast.dora(), cast.dora()
    assert first.pk != second.pk
    named = {"last_name": "Dirac", "company": "Quanta"}
    assert resolve(**named)[0].pk != resolve(**named)[0].pk
    assert Company.objects.count() == 1


def test_company_names_are_compared_without_their_trimmings():
    from leads.companies import name_key

    assert name_key("Acme, Inc.") == name_key("ACME") == "acme"
    assert name_key("A.C.M.E. GmbH & Co. KG") == "acme"
    assert name_key("Société Générale S.A.") == "société générale"
    assert name_key("AG") == "ag" and name_key("***") == "***"


def test_the_demo_is_marked():
    lead, _ = identity.resolve(values=ADA, at=NOW, is_demo=True)
    assert lead.is_demo and lead.company.is_demo


def test_nobody_at_all():
    assert identity.resolve_many([], at=NOW) == []
    assert Lead.objects.count() == 0
