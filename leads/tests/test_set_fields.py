from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from leads import identity, intake
from leads.models import Company, FieldChange, Lead
from leads.tests import cast
from leads.tests.cast import NOW
from leads.tests.races import at_once

LATER = NOW + timedelta(days=1)


@pytest.fixture
def lead(db):
    lead = cast.ada()
    Lead.objects.update(rescore_at=None)
    return lead


def test_it_works(lead):
    rita = get_user_model().objects.create(username="rita")
    (change,) = identity.set_fields(
        lead=lead, values={"last_name": "King"}, origin="rep", at=LATER, actor=rita
    )
    assert (change.field, change.old, change.new, change.applied) == ("last_name", "Lovelace", "King", True)
    assert FieldChange.objects.get(pk=change.pk).actor == rita
    lead.refresh_from_db()
    assert (lead.last_name, lead.rescore_at, lead.updated_at) == ("King", LATER, LATER)
    assert lead.search_text == "ada@acme.example Ada King Acme"


def test_the_same_value_writes_nothing(lead):
    assert identity.set_fields(lead=lead, values={"last_name": "Lovelace"}, origin="rep", at=LATER) == []
    stored = Lead.objects.get()
    assert (stored.rescore_at, stored.updated_at) == (None, NOW)


@pytest.mark.parametrize(
    ("before", "after", "survives"),
    [
        ("rep", "person", "before"),
        ("rep", "enrichment", "before"),
        ("person", "import", "before"),
        ("import", "enrichment", "before"),
        ("enrichment", "import", "after"),
        ("import", "person", "after"),
        ("person", "rep", "after"),
        ("rep", "rep", "after"),
    ],
)
def test_a_lower_rank_only_proposes(lead, before, after, survives):
    identity.set_fields(lead=lead, values={"job_title": "before"}, origin="rep", at=NOW)
    FieldChange.objects.filter(field="job_title", lead=lead).update(origin=before)
    (change,) = identity.set_fields(lead=lead, values={"job_title": "after"}, origin=after, at=LATER)
    assert change.applied == (survives == "after")
    assert Lead.objects.get().job_title == survives


def test_without_overwrite_it_fills_or_proposes(lead):
    Lead.objects.update(job_title="")
    said = {"job_title": "CTO", "role": "user"}
    changes = identity.set_fields(lead=lead, values=said, origin="rep", at=LATER, overwrite=False)
    assert [(c.field, c.applied) for c in changes] == [("job_title", True), ("role", False)]
    assert identity.set_fields(lead=lead, values=said, origin="rep", at=LATER, overwrite=False) == []
    assert (lead.job_title, lead.role) == ("CTO", "decision maker")


def test_a_proposal_alone_asks_for_no_new_score(lead):
    identity.set_fields(lead=lead, values={"role": "user"}, origin="enrichment", at=LATER)
    assert Lead.objects.get().rescore_at is None


def test_a_passed_timeline_is_unknown_again(lead):
    values, _ = intake.clean({"email": lead.email, "timeline": "Within 30 days"}, strict=True, at=NOW)
    identity.set_fields(lead=lead, values=values, origin="person", at=NOW)
    assert Lead.objects.get().timeline_until == NOW + timedelta(days=30)
    soon, much_later = NOW + timedelta(days=9), NOW + timedelta(days=90)
    for at, applied in ((soon, False), (much_later, True)):
        values, _ = intake.clean({"email": lead.email, "timeline": "1-3 months"}, strict=True, at=at)
        changes = identity.set_fields(lead=lead, values=values, origin="person", at=at, overwrite=False)
        assert changes[0].applied is applied
    assert Lead.objects.get().timeline_until == much_later + timedelta(days=90)


def test_an_address_of_another_lead_is_refused(lead):
    bob = cast.bob()
    with pytest.raises(intake.InvalidLead, match="another lead"):
        identity.set_fields(lead=bob, values={"email": lead.email}, origin="rep", at=LATER)
    identity.set_fields(lead=bob, values={"email": "robert@acme.example"}, origin="rep", at=LATER)
    assert Lead.objects.get(pk=bob.pk).email == "robert@acme.example"


def test_a_person_fills_what_is_unknown_of_their_company(lead):
    identity.set_fields(lead=lead, values={"country": "FR"}, origin="person", at=LATER)
    proposal = FieldChange.objects.get(company__isnull=False, field="country", applied=False)
    assert (proposal.old, proposal.new) == ("DE", "FR")
    assert Company.objects.get().country == "DE"


def test_a_company_tells_all_its_people(lead):
    bob, carla = cast.bob(), cast.carla()
    Lead.objects.update(rescore_at=None)
    company = Company.objects.get(domain="acme.example")
    changes = identity.set_fields(
        company=company, values={"size": 5000, "name": "Acme Group"}, origin="rep", at=LATER
    )
    assert {c.field for c in changes} == {"size", "name"}
    assert (company.size, company.name_key) == (5000, "acme group")
    assert set(Lead.objects.filter(rescore_at=LATER)) == {lead, bob}
    assert Lead.objects.get(pk=bob.pk).search_text == "bob@acme.example Bob Babbage Acme Group"
    assert Lead.objects.get(pk=carla.pk).rescore_at is None


def test_a_relationship_is_a_field_with_history(lead):
    identity.set_fields(company=lead.company, values={"relationship": "customer"}, origin="rep", at=LATER)
    assert Company.objects.get().relationship == "customer"
    assert FieldChange.objects.filter(field="relationship", old="prospect", new="customer").exists()


def test_a_person_moves_to_a_chosen_company(lead):
    other = Company.objects.create(name="Quanta", name_key="quanta", created_at=NOW, updated_at=NOW)
    (change,) = identity.set_fields(lead=lead, values={"company": other}, origin="rep", at=LATER)
    assert change.new == {"id": other.pk, "name": "Quanta"} and change.old["name"] == "Acme"
    assert lead.company_id == other.pk and lead.search_text == "ada@acme.example Ada Lovelace Quanta"
    cast.ada(at=LATER + timedelta(days=1))
    assert Lead.objects.get().company_id == other.pk  # the address alone does not move her back


def test_unknown_origins_and_fields_are_refused(lead):
    with pytest.raises(ValueError, match="origin"):
        identity.set_fields(lead=lead, values={"role": "x"}, origin="gossip", at=LATER)
    with pytest.raises(ValueError, match="place"):
        identity.set_fields(lead=lead, values={"place": "sales"}, origin="rep", at=LATER)
    with pytest.raises(ValueError, match="domain"):
        identity.set_fields(company=lead.company, values={"domain": "x"}, origin="rep", at=LATER)


@pytest.mark.django_db(transaction=True)
def test_people_and_their_company_at_once():
    leads = [cast.person({"email": f"p{n}@acme.example"}) for n in range(6)]
    company = Company.objects.get()

    def say(number):
        for turn in range(10):
            if number == 0:
                identity.set_fields(company=company, values={"size": turn + 1}, origin="rep", at=NOW)
            else:
                mine = leads if number % 2 else leads[::-1]
                identity.set_fields_many(
                    [(lead, {"company_size": number, "role": f"r{turn}"}) for lead in mine],
                    origin="person",
                    at=NOW,
                )

    at_once(5, say)
    assert Company.objects.get().size == 10
