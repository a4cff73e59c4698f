"""Lists kept by hand: on, off, undone, with dates, and whoever is concerned is scored again."""

from datetime import timedelta
from functools import partial

import pytest

from leads import lists
from leads.models import DomainEntry, DomainList, Lead, LeadList, ListMember, RescoreRequest
from leads.tests import cast
from leads.tests.cast import NOW
from leads.tests.races import together

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def summit():
    return LeadList.objects.create(name="Summit", slug="summit")


@pytest.fixture
def rivals():
    return DomainList.objects.create(name="Competitors", slug="competitors")


def settle():
    Lead.objects.update(rescore_at=None)


def due():
    return set(Lead.objects.exclude(rescore_at=None).values_list("email", flat=True))


@pytest.mark.django_db
def test_on_and_off_with_dates(summit):
    ada, bob = cast.ada(), cast.bob()
    settle()
    assert lists.add_to_list(to=summit, lead_ids=[ada.pk, ada.pk, 999_999], at=NOW) == 1
    assert due() == {ada.email}
    settle()
    everybody = Lead.objects.values_list("pk", flat=True)
    assert lists.add_to_list(to=summit, lead_ids=everybody, at=LATER) == 1
    assert due() == {bob.email}
    assert lists.take_off_list(off=summit, lead_ids=[ada.pk], at=LATER) == 1
    assert lists.take_off_list(off=summit, lead_ids=[ada.pk], at=LATER) == 0
    assert set(ListMember.objects.values_list("lead__email", "since", "until")) == {
        (ada.email, NOW, LATER), (bob.email, LATER, None),
    }  # fmt: skip


@pytest.mark.django_db
def test_a_step_is_undone(summit):
    ids = [cast.ada().pk, cast.bob().pk]
    lists.add_to_list(to=summit, lead_ids=ids, at=NOW)
    lists.take_off_list(off=summit, lead_ids=ids[:1], at=LATER)
    assert lists.last_steps(of=summit) == [(LATER, False, 1), (NOW, True, 2)]
    assert lists.undo_step(of=summit, step=LATER, at=LATER + timedelta(minutes=1)) == 1
    assert ListMember.objects.filter(until=None).count() == 2
    assert lists.undo_step(of=summit, step=NOW, at=LATER + timedelta(minutes=2)) == 1  # the other came later
    assert lists.undo_step(of=summit, step=NOW, at=LATER + timedelta(minutes=3)) == 0


@pytest.mark.django_db
def test_a_long_list_is_worked_off_in_batches(summit, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(lists, "BATCH", 10)
    now = {"created_at": NOW, "updated_at": NOW}
    Lead.objects.bulk_create(Lead(email=f"p{n}@c.example", **now) for n in range(35))
    with django_assert_max_num_queries(4 * 4 + 3):  # insert and ask, within a savepoint of each batch
        assert lists.add_to_list(to=summit, lead_ids=Lead.objects.values_list("pk", flat=True), at=NOW) == 35
    assert Lead.objects.filter(rescore_at=NOW).count() == 35


@pytest.mark.django_db
def test_addresses_are_read_from_any_paste():
    ada = cast.ada()
    text = 'E-mail;Name\n"ADA@acme.example";Ada\n<bob@acme.example>, bob@acme.example\nnot an address@@\nNo address here\n\n'
    read = lists.leads_by_email(text)
    assert read.found == [ada.pk]
    assert [(line, problem.split(".")[0]) for line, _, problem in read.problems] == [
        (3, "belongs to no lead"), (4, "is not an e-mail address"), (5, "has no e-mail address"),
    ]  # fmt: skip
    assert lists.leads_by_email("\x00" + "x" * 200_000).found == []


@pytest.mark.django_db(transaction=True)
def test_two_who_add_the_same_leads_at_once(summit):
    now = {"created_at": NOW, "updated_at": NOW}
    ids = [
        lead.pk for lead in Lead.objects.bulk_create(Lead(email=f"p{n}@c.example", **now) for n in range(200))
    ]
    moved = together(
        *(partial(lists.add_to_list, to=summit, lead_ids=order, at=NOW) for order in (ids, ids[::-1]))
    )
    assert sum(moved) == 200
    assert ListMember.objects.count() == 200


# --- domains -----------------------------------------------------------------------------------------


def test_domains_are_read_from_any_paste():
    read = lists.domains_in(
        "Rival.example\nhttps://www.rival.example/about, shop.rival.example\nsales@other.co.uk\nnot a domain"
    )
    assert read.found == ["other.co.uk", "rival.example"]
    assert [(line, text) for line, text, _ in read.problems] == [(4, "not"), (4, "a"), (4, "domain")]
    assert "Write it like acme.example." in read.problems[0][2]


@pytest.mark.django_db
def test_domains_concern_companies_and_addresses(rivals):
    ada, bob, carla, dora = cast.ada(), cast.bob(), cast.carla(), cast.dora()
    sub = cast.person({"email": "eve@mail.gmail.com"})
    settle()
    assert lists.add_domains(to=rivals, domains=["acme.example", "gmail.com"], at=NOW) == [
        "acme.example",
        "gmail.com",
    ]
    assert due() == {ada.email, bob.email, carla.email, sub.email}
    assert dora.email not in due()
    settle()
    assert lists.add_domains(to=rivals, domains=["acme.example"], at=LATER) == []
    assert due() == set()
    assert lists.take_off_domains(off=rivals, domains=["gmail.com", "x.example"], at=LATER) == ["gmail.com"]
    assert due() == {carla.email, sub.email}
    assert not RescoreRequest.objects.exists()
    assert lists.last_steps(of=rivals) == [(LATER, False, 1), (NOW, True, 2)]
    assert lists.undo_domains(of=rivals, step=LATER, at=LATER + timedelta(minutes=1)) == 1
    assert DomainEntry.objects.filter(until=None).count() == 2
    assert lists.undo_domains(of=rivals, step=NOW, at=LATER + timedelta(minutes=2)) == 1
