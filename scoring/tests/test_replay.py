"""A past score recomputed today is the one that stood then, whatever changed since."""

from datetime import timedelta

import pytest

from leads.content import classify
from leads.identity import set_fields
from leads.lists import add_domains, add_to_list, take_off_domains, take_off_list
from leads.models import Asset, Company, CustomField, DomainList, Lead, LeadList
from scoring.explain import explain, why_none
from scoring.models import Score, ScoreChange
from scoring.rescore import age_due, rescore
from scoring.tests import replayed
from scoring.tests.cast import DAY, NOW, activity, current, did, lead

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def asks(points, **condition):
    return {"kind": "fit", "points": points, "condition": condition}


@pytest.fixture
def version(db):
    """A version that asks everything whose answer can change behind a lead's back."""
    CustomField.objects.create(key="erp", label="ERP system")
    CustomField.objects.create(key="contract_ends", label="Contract ends", type="date")
    CustomField.objects.create(key="group", label="Part of a group", type="yes_no", owner="company")
    LeadList.objects.create(name="Fair", slug="fair")
    DomainList.objects.create(name="Resellers", slug="resellers")
    return current(
        asks(1, **{"is": "custom_field", "field": "custom.erp", "op": "equals", "value": "SAP"}),
        asks(2, **{"is": "custom_field", "field": "custom.contract_ends", "op": "next_days", "value": 30}),
        asks(4, **{"is": "custom_field", "field": "company.custom.group", "op": "yes"}),
        asks(8, **{"is": "in_list", "list": "fair"}),
        asks(16, **{"is": "domain_in_list", "list": "resellers"}),
        asks(32, **{"is": "lead_field", "field": "role", "op": "known"}),
        asks(64, **{"is": "monetary", "at_least": 1000}),
        asks(128, **{"is": "company_field", "field": "name", "op": "equals", "value": "Contoso"}),
        asks(256, **{"is": "offer", "one_of": ["/guide"]}),
        {"kind": "activity", "points": 5, "condition": {"is": "content", "buying_stage": "decision"}},
        activity(12, "download", half_life_days=20, cap_points=40),
    )


def history(sarah):
    """What happens to her and around her, as (instant, what is done then)."""
    asset = Asset.objects.create(path="/compare", title="Compare")
    contoso = Company.objects.create(name="Contoso", name_key="contoso", created_at=NOW, updated_at=NOW)
    jonas = lead("jonas@northwind.example", at=NOW - 3 * DAY)
    Lead.objects.filter(pk=jonas.pk).update(company=sarah.company)
    fair, resellers = LeadList.objects.get(), DomainList.objects.get()

    def says(**values):
        return lambda at: set_fields(lead=sarah, values=values, origin="person", at=at)

    def of_company(**values):
        return lambda at: set_fields(company=sarah.company, values=values, origin="rep", at=at)

    return [
        says(**{"custom.erp": "SAP"}),
        lambda at: did(sarah, "page_view", "/compare", now=at),
        lambda at: add_to_list(to=fair, lead_ids=[sarah.pk], at=at),
        says(**{"custom.contract_ends": f"{NOW + 40 * DAY:%Y-%m-%d}"}),
        lambda at: did(sarah, "download", "/roi", now=at),
        of_company(**{"custom.group": True}),
        lambda at: classify(asset=asset, buying_stage="decision", at=at),
        lambda at: add_domains(to=resellers, domains=["northwind.example"], at=at),
        says(role="user"),
        lambda at: take_off_list(off=fair, lead_ids=[sarah.pk], at=at),
        says(**{"custom.erp": "Sage"}),
        lambda at: classify(asset=asset, buying_stage="awareness", at=at),
        of_company(**{"custom.group": None}),
        lambda at: take_off_domains(off=resellers, domains=["northwind.example"], at=at),
        lambda at: did(sarah, "page_view", "/compare", now=at - 20 * DAY, received_at=at),  # comes in late
        lambda at: did(
            jonas,
            "deal_won",
            now=at - 4 * DAY,
            received_at=at,
            engagement=False,
            properties={"amount": "5000"},
        ),
        says(company=contoso),
        lambda at: did(
            sarah, "download", "/guide", now=NOW - DAY, received_at=at
        ),  # what she came by, as it turns out
    ]


def test_what_stood_then_is_computed_again(version):
    sarah = lead(at=NOW - 3 * DAY, company={"domain": "northwind.example"})
    stood = {}
    for number, happens in enumerate(history(sarah)):
        at = NOW + number * 3 * DAY
        happens(at)
        for then in (at + HOUR, at + DAY):  # the scorer comes by, and the ager a day later
            age_due(at=then)
            rescore(lead_ids=[sarah.pk], at=then)
            score = Score.objects.get(lead=sarah, model_version=version)
            stood[then] = (score.fit, score.engagement, score.rating, score.verdict)
    changes = {
        row.at: (row.fit, row.engagement, row.new_rating, row.new_verdict)
        for row in ScoreChange.objects.all()
    }
    assert len({fit for fit, *_ in stood.values()}) > 8
    assert len(changes) > 1
    for at, row in (stood | changes).items():
        again = explain(lead=sarah, at=at)
        assert (again.fit, again.engagement, again.rating, again.verdict) == row, at
        assert round(sum(line.points for line in again.lines), 2) == again.total
    a_difference_would_be_found(sarah, version, sorted(stood))


def a_difference_would_be_found(sarah, version, rests):
    """By whoever compares many of them: what moved, what stood when the scorer had come by before, and what stands now."""

    def differing():
        moved = replayed.moved(ScoreChange.objects.all())
        earlier = replayed.before(moved, {version.model_id: rests})
        stands = replayed.stands(Score.objects.filter(model_version=version))
        return [[moment.at for moment, _ in replayed.differing(some)] for some in (moved, earlier, stands)]

    assert differing() == [[], [], []]
    first, second = ScoreChange.objects.filter(lead=sarah).order_by("at")
    ScoreChange.objects.filter(pk=first.pk).update(fit=-1, new_rating="A")
    Score.objects.filter(lead=sarah).update(engagement=-1)
    stands = Score.objects.get(lead=sarah).as_of
    assert differing() == [[first.at], [max(at for at in rests if at < second.at)], [stands]]


def test_before_the_first_publication_nothing_stood(version):
    early = NOW - 1001 * DAY
    sarah = lead(at=early)
    assert explain(lead=sarah, at=early) is None
    assert why_none(lead=sarah, at=early) == "No version of the scoring model was in force."
