from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads import capture, doorbell, intake
from leads.models import Activity, Campaign, Company, Consent, ExternalId, FieldChange, Lead, Submission
from leads.tests import cast
from leads.tests.cast import ADA, NOW
from leads.tests.races import at_once

LATER = NOW + timedelta(days=1)


@pytest.mark.django_db
def test_it_works():
    got = capture.submit(values=dict(ADA), at=NOW)
    assert got.created and got.activity.occurred_at == NOW
    lead = Lead.objects.get()
    assert got.lead.pk == lead.pk == got.activity.lead_id
    assert (lead.email, lead.name, lead.company.domain, lead.company.name) == (
        "ada@acme.example", "Ada Lovelace", "acme.example", "Acme",
    )  # fmt: skip
    assert (lead.company.size, lead.company.industry, lead.company.country) == (300, "Manufacturing", "DE")
    assert lead.rescore_at == lead.created_at == lead.last_activity_at == NOW
    assert (lead.place, lead.stage, lead.cycle_no) == ("scoring", "inquiry", 1)
    assert lead.search_text == "ada@acme.example Ada Lovelace Acme"
    assert str(lead.activities.get().touchpoint) == "lead_posted"


@pytest.mark.django_db
def test_the_lead_it_returns_is_the_lead_in_the_database():
    for values in (ADA, {**ADA, "first_name": "Augusta"}):
        got = capture.submit(values=dict(values), at=NOW).lead
        stored = Lead.objects.get(pk=got.pk)
        for field in Lead._meta.concrete_fields:
            assert getattr(got, field.attname) == getattr(stored, field.attname), field.name


@pytest.mark.django_db
def test_every_value_begins_its_history():
    cast.ada()
    told = {change.field: change.new for change in FieldChange.objects.filter(lead__isnull=False)}
    assert told.pop("company")["name"] == "Acme"
    assert told == {name: value for name, value in ADA.items() if name != "company"}
    of_company = set(FieldChange.objects.filter(company__isnull=False).values_list("field", "new", "applied"))
    assert of_company == {
        ("name", "Acme", True),
        ("size", 300, True),
        ("industry", "Manufacturing", True),
        ("country", "DE", True),
    }


@pytest.mark.django_db
def test_a_second_post_of_the_same_address_is_one_more_activity():
    cast.ada()
    got = capture.submit(values=dict(ADA), at=LATER, kind="webinar", asset="/webinars/lean")
    assert not got.created
    lead = Lead.objects.get()
    assert (lead.created_at, lead.last_activity_at) == (NOW, LATER)
    assert [str(a.touchpoint) for a in lead.activities.order_by("id")] == [
        "lead_posted",
        "webinar /webinars/lean",
    ]
    assert not FieldChange.objects.filter(recorded_at=LATER).exists()


@pytest.mark.django_db
def test_a_hand_raise_form_makes_exactly_one_activity():
    got = capture.submit(values=dict(ADA), at=NOW, form=cast.demo_request(), overwrite=False)
    assert str(got.activity.touchpoint) == "hand_raise demo-request"
    assert Activity.objects.count() == 1
    assert got.lead.lead_type == "hand_raise"
    assert not Consent.objects.exists()


@pytest.mark.django_db
def test_an_informational_form_grants_what_its_basis_says():
    form = cast.white_paper()
    submission = Submission(form=form, received_at=NOW, body=b"{}", status="accepted")
    got = capture.submit(values=dict(ADA), at=NOW, form=form, submission=submission, overwrite=False)
    assert str(got.activity.touchpoint) == "download /white-papers/roi"
    consent = Consent.objects.get()
    assert (consent.channel, consent.purpose, consent.basis) == ("email", "marketing", "consent")
    assert (consent.text_version, consent.submission_id) == ("white-paper:2", submission.pk)
    assert Submission.objects.get().lead_id == got.lead.pk
    capture.submit(values=dict(ADA) | {"consent": False}, at=LATER, form=form, overwrite=False)
    assert Consent.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lead_type", "asset", "expected"),
    [
        ("informational", "", "form_submit the-form"),
        ("event", "/events/fair", "event /events/fair"),
        ("event", "", "event the-form"),
        ("service", "", "form_submit the-form"),
        ("list", "", "form_submit the-form"),
    ],
)
def test_the_lead_type_of_a_form_decides_the_activity(lead_type, asset, expected):
    form = cast.form(slug="the-form", name="F", lead_type=lead_type, asset=asset)
    assert str(capture.submit(values=dict(ADA), at=NOW, form=form).activity.touchpoint) == expected


@pytest.mark.django_db
def test_source_campaign_and_origin_are_fixed_at_creation():
    fair, web = cast.source("fair", origin="partner"), cast.source("web")
    lead = cast.ada(source=fair, campaign=cast.campaign("spring"))
    assert (lead.source_id, lead.latest_source_id, lead.origin) == (fair.pk, fair.pk, "partner")
    again = cast.ada(source=web, campaign=cast.campaign("summer"), at=LATER)
    assert (again.source_id, again.latest_source_id, again.origin) == (fair.pk, web.pk, "partner")
    assert again.campaign.slug == "spring"


@pytest.mark.django_db
def test_utm_words_name_source_and_campaign():
    ads = cast.source("google-ads")
    values = dict(ADA) | {"utm_source": "Google Ads", "utm_campaign": "Spring Sale", "utm_term": "erp"}
    got = capture.submit(values=values, at=NOW)
    assert (got.lead.source_id, got.lead.campaign.slug) == (ads.pk, "spring-sale")
    assert got.activity.properties == {
        "utm_source": "Google Ads",
        "utm_campaign": "Spring Sale",
        "utm_term": "erp",
    }
    capture.submit(values=dict(ADA) | {"campaign": "spring sale", "source": "unheard-of"}, at=LATER)
    assert Campaign.objects.count() == 1
    assert Activity.objects.latest("id").properties == {"source": "unheard-of"}


@pytest.mark.django_db
def test_the_words_searched_for_are_an_activity_of_their_own_once_per_message():
    values = dict(ADA) | {"utm_term": "  Best ERP\tfor   C# shops? " + "x" * 120, "message_id": "m1"}
    capture.submit(values=values, at=NOW)
    lead = capture.submit(values=values, at=LATER).lead
    log = list(lead.activities.select_related("touchpoint").order_by("id"))
    assert [(a.touchpoint.kind, a.message_id, a.engagement) for a in log] == [
        ("lead_posted", "m1", True), ("search_visit", None, True),
    ]  # fmt: skip
    keyword = log[1].touchpoint.asset
    assert (keyword[:26], len(keyword)) == ("best erp for c# shops? xxx", 120)
    assert log[1].occurred_at == NOW


@pytest.mark.django_db
def test_a_public_form_fills_or_proposes_and_never_overwrites():
    cast.bob()
    mallory = {"email": "bob@acme.example", "last_name": "Mallory", "job_title": "CTO", "company_size": 5}
    lead = capture.submit(values=mallory, at=LATER, overwrite=False, form=cast.demo_request()).lead
    assert (lead.last_name, lead.job_title, lead.company_size) == ("Babbage", "CTO", 5)
    proposal = FieldChange.objects.get(applied=False)
    assert (proposal.field, proposal.old, proposal.new, proposal.lead_id) == (
        "last_name",
        "Babbage",
        "Mallory",
        lead.pk,
    )
    capture.submit(values=mallory, at=LATER, overwrite=False)
    assert FieldChange.objects.filter(applied=False).count() == 1  # the same proposal is made once


@pytest.mark.django_db
def test_a_server_overwrites_with_what_is_newer():
    cast.ada()
    cast.person({"email": ADA["email"], "last_name": "King"}, at=LATER)
    assert Lead.objects.get().search_text == "ada@acme.example Ada King Acme"
    late = capture.submit(
        values={"email": ADA["email"], "last_name": "Byron"}, at=LATER, occurred_at=NOW - timedelta(days=9)
    )
    assert late.lead.last_name == "King"
    assert FieldChange.objects.get(applied=False).new == "Byron"


@pytest.mark.django_db
def test_role_addresses_keep_the_first_name():
    lead = cast.info()
    assert lead.is_role_address
    again = cast.person({"email": "info@acme.example", "first_name": "Otto", "job_title": "Porter"}, at=LATER)
    assert (again.first_name, again.job_title) == ("Ines", "Porter")


@pytest.mark.django_db
def test_a_repeated_message_changes_nothing():
    web = cast.source()
    first = capture.submit(values=dict(ADA), at=NOW, source=web, message_id="m-1")
    again = capture.submit(values=dict(ADA) | {"last_name": "King"}, at=LATER, source=web, message_id="m-1")
    assert (again.lead.pk, again.created, again.activity) == (first.lead.pk, False, None)
    assert Lead.objects.get().last_name == "Lovelace"
    assert capture.submit(
        values=dict(ADA), at=LATER, message_id="m-1"
    ).activity  # another source, another message


@pytest.mark.django_db
def test_internal_and_test_traffic_is_flagged(settings):
    settings.INTERNAL_DOMAINS = ["us.example"]
    assert cast.person({"email": "tess@mail.us.example"}).is_test
    assert cast.person({"email": "x@y.example", "is_test": True}).is_test
    assert not cast.ada().is_test


@pytest.mark.django_db
def test_the_future_is_now():
    got = capture.submit(values=dict(ADA), at=NOW, occurred_at=NOW + timedelta(hours=3))
    assert got.activity.occurred_at == NOW


@pytest.mark.django_db
def test_nobody_is_refused():
    with pytest.raises(intake.InvalidLead) as caught:
        capture.submit(values={"first_name": "Ada"}, at=NOW)
    assert caught.value.problems[0][0] == "email"
    with pytest.raises(intake.InvalidLead):
        capture.submit(values={"email": "x@y.example", "phone": "5" * 41}, at=NOW)
    assert not Lead.objects.exists()


@pytest.mark.django_db
def test_email_wins_over_an_external_id_of_somebody_else():
    bob = cast.person(cast.BOB | {"external_id": "crm-2"})
    ada = cast.person(ADA | {"external_id": "crm-1"})
    got = capture.submit(values=ADA | {"external_id": "crm-2"}, at=LATER)
    assert got.lead.pk == ada.pk
    assert got.activity.properties == {"external_id_of_another_lead": "crm-2"}
    assert dict(ExternalId.objects.values_list("value", "lead_id")) == {"crm-1": ada.pk, "crm-2": bob.pk}


@pytest.mark.django_db
def test_an_external_id_finds_and_gains_the_address():
    lead = cast.person({"external_id": "crm-9"})
    assert lead.has_external_id and lead.search_text == "crm-9"
    again = cast.person(ADA | {"external_id": "crm-9"}, at=LATER)
    assert (again.pk, again.email, again.company.domain) == (lead.pk, ADA["email"], "acme.example")
    assert again.search_text == "ada@acme.example Ada Lovelace Acme crm-9"
    second = cast.person(ADA | {"external_id": "crm-10"}, at=LATER)
    assert second.pk == lead.pk and second.search_text.endswith("crm-9 crm-10")


@pytest.mark.django_db
def test_statements_per_post(django_assert_num_queries):
    """BEGIN and COMMIT apart: look, create, log for somebody new; look, hold, write, log for somebody known."""
    cast.ada(), cast.bob()
    with CaptureQueriesContext(connection) as queries:
        cast.person({"email": "eve@acme.example", "first_name": "Eve"})
    assert len([q for q in queries if "SAVEPOINT" not in q["sql"]]) <= 5
    with CaptureQueriesContext(connection) as queries:
        cast.person({"email": "eve@acme.example", "first_name": "Eve"})
    assert len([q for q in queries if "SAVEPOINT" not in q["sql"]]) <= 6


@pytest.mark.django_db
def test_a_batch_is_as_many_single_posts():
    items = [
        {"values": dict(ADA)},
        {"values": dict(cast.BOB), "message_id": "m-1"},
        {"values": ADA | {"job_title": "COO"}},
        {"values": dict(cast.BOB), "message_id": "m-1"},
        {"values": dict(cast.CARLA)},
        {"values": dict(cast.DORA)},
        {"values": dict(cast.DORA)},
        {"values": {"external_id": "x-1"}},
        {"values": {"external_id": "x-1", "email": "eve@acme.example"}},
    ]
    taken = capture.submit_many(items, at=NOW, kind="event", asset="/fair")
    assert [t.created for t in taken] == [True, True, False, False, True, True, True, True, False]
    assert [n for n, t in enumerate(taken) if t.activity_id is None] == [3]
    assert taken[0].lead_id == taken[2].lead_id and taken[1].lead_id == taken[3].lead_id
    assert taken[7].lead_id == taken[8].lead_id and taken[5].lead_id != taken[6].lead_id
    assert Lead.objects.get(email=ADA["email"]).job_title == "COO"
    assert Activity.objects.count() == 8
    assert set(Company.objects.values_list("domain", "name")) == {
        ("acme.example", "Acme"),
        (None, "Curie Labs"),
    }
    again = capture.submit_many(items, at=LATER, kind="event", asset="/fair")
    assert sum(t.created for t in again) == 2  # Dora left nothing by which she could be known


@pytest.mark.django_db
def test_a_batch_takes_a_fixed_number_of_statements():
    def batch(start, size):
        return [
            {"values": {"email": f"p{n}@company{n}.example", "last_name": "P"}}
            for n in range(start, start + size)
        ]

    capture.submit_many(batch(0, 3), at=NOW)
    with CaptureQueriesContext(connection) as queries:
        capture.submit_many(batch(0, 300), at=NOW)
    assert len(queries) <= 10


SPELLINGS = ["ada@acme.example", " Ada@Acme.example", "ADA@ACME.EXAMPLE ", "aDa@acme.EXAMPLE"]


@pytest.mark.django_db(transaction=True)
def test_200_posts_at_once_of_one_address_are_one_lead():
    def post(number):
        for turn in range(10):
            data = {"email": SPELLINGS[(number + turn) % 4], "company": "Acme", "company_size": 100 + number}
            values, _ = intake.clean(data, strict=True)
            capture.submit(values=values, at=NOW, overwrite=bool(number % 2))

    at_once(20, post)
    assert Lead.objects.count() == 1
    assert Activity.objects.filter(lead=Lead.objects.get()).count() == 200
    assert Company.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_external_id_at_once_is_one_lead():
    def post(number):
        for turn in range(5):
            values = {"external_id": f"crm-{turn}"} | (
                {"email": f"p{turn}@acme.example"} if number % 2 else {}
            )
            capture.submit(values=values, at=NOW)

    at_once(8, post)
    assert ExternalId.objects.count() == 5
    assert Activity.objects.count() == 40
    assert Lead.objects.filter(email__isnull=False).count() == 5
    assert Lead.objects.filter(email__isnull=True, external_ids__isnull=True).count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_same_message_at_once_is_one_activity():
    at_once(8, lambda _: capture.submit(values=dict(cast.DORA), at=NOW, message_id="m-1"))
    assert Activity.objects.count() == Lead.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_batches_and_posts_in_any_order_never_wait_for_each_other():
    people = [
        {"email": f"p{n}@company{n % 5}.example", "company_size": 50 + n % 3, "last_name": f"P{n}"}
        for n in range(40)
    ]

    def work(number):
        for turn in range(4):
            mine = people[turn * 7 :] + people[: turn * 7]
            mine = mine[::-1] if number % 2 else mine
            if number % 4 == 3:
                for values in mine[:15]:
                    capture.submit(values=values | {"last_name": f"N{number}"}, at=NOW)
            else:
                capture.submit_many([{"values": v | {"company_size": number + 1}} for v in mine], at=NOW)

    at_once(6, work)
    assert Lead.objects.count() == 40 and Company.objects.count() == 5
    assert not FieldChange.objects.filter(applied=True, field="email").exclude(old=None).exists()


def test_the_bell_is_known():
    with pytest.raises(KeyError):
        doorbell.ring("supper")
