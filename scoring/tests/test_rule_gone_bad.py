"""A rule in force whose condition cannot be evaluated any more: it holds for nobody, everybody else is scored."""

import pytest
from django.urls import reverse

from leads.models import CustomField, DomainList, Lead, LeadList, Product, Source
from leads.tests.cast import colleague
from scoring import gaps
from scoring.engine.rulebook import compile_version
from scoring.explain import explain, why_none
from scoring.models import Score, ScoringModel
from scoring.publish import problems
from scoring.rescore import rescore_due
from scoring.tests.cast import DECISION_MAKER, NOW, PRICING, SECOND, current, did, draft, lead

pytestmark = pytest.mark.django_db

USES_SAP = {
    "kind": "fit",
    "name": "Uses SAP",
    "points": 30,
    "condition": {"is": "custom_field", "field": "custom.erp", "op": "one_of", "value": ["SAP"]},
}


@pytest.fixture
def erp():
    return CustomField.objects.create(owner="lead", key="erp", label="ERP system", type="text")


def retype(field, kind):
    CustomField.objects.filter(pk=field.pk).update(type=kind)


def scored(who, version, at=NOW):
    type(who).objects.update(rescore_at=at)
    rescore_due(at=at)
    return Score.objects.get(lead=who, model_version=version)


def test_it_holds_for_nobody_and_everybody_is_scored(erp):
    version = current(DECISION_MAKER, USES_SAP, PRICING)
    sarah = lead(role="decision maker", custom={"erp": "SAP"})
    did(sarah, "page_view", "/pricing")
    assert scored(sarah, version).fit == 55
    retype(erp, "number")  # what the process has compiled before is not used any more
    assert (scored(sarah, version).fit, scored(sarah, version).engagement) == (25, 10)
    found = explain(lead=sarah, at=NOW)
    assert [line.points for line in found.lines if line.part == "fit"] == [25]
    retype(erp, "text")
    assert scored(sarah, version, NOW + SECOND).fit == 55


@pytest.mark.parametrize("change", [{"is_active": False}, {"choices": ["Oracle", "Odoo"], "type": "choice"}])
def test_retired_or_with_other_choices_it_goes_on(erp, change):
    version = current(USES_SAP)
    sarah = lead(custom={"erp": "SAP"})
    CustomField.objects.filter(pk=erp.pk).update(**change)
    assert scored(sarah, version).fit == 30


def test_for_whom_it_is_unread_is_for_nobody(erp):
    narrowed = {"kind": "age", "days": 1, "points": 5, "who": USES_SAP["condition"]}
    version = current(DECISION_MAKER, narrowed)
    sarah = lead(role="decision maker", custom={"erp": "SAP"})
    assert scored(sarah, version).engagement == 5
    retype(erp, "date")
    assert scored(sarah, version).engagement == 0


def test_a_model_whose_leads_cannot_be_told_judges_nobody(erp):
    model = ScoringModel.objects.create(name="SAP", slug="sap", applies_to=USES_SAP["condition"])
    version = current(DECISION_MAKER, model=model)
    sarah = lead(role="decision maker", custom={"erp": "SAP"})
    assert scored(sarah, version).fit == 25
    retype(erp, "yes_no")
    sarah.__class__.objects.update(rescore_at=NOW)
    rescore_due(at=NOW)
    assert not Score.objects.filter(model_version=version).exists()
    assert "cannot be read" in why_none(lead=sarah, at=NOW, model=model)


@pytest.mark.parametrize(
    ("make", "leaf", "problem"),
    [
        (LeadList, {"is": "in_list", "list": "x"}, "there is no list of leads “x”"),
        (DomainList, {"is": "domain_in_list", "list": "x"}, "there is no list of domains “x”"),
        (Product, {"is": "product_stated", "product": "x"}, "there is no product “x”"),
        (Source, {"is": "source", "one_of": ["x"]}, ""),
    ],
)
def test_what_it_names_may_go(make, leaf, problem):
    """The admin deletes no list in use; whoever does it otherwise, or deletes a product or source, stops nobody."""
    named = make.objects.create(slug="x", name="X")
    version = current(DECISION_MAKER, {"kind": "fit", "name": "Named", "points": 5, "condition": leaf})
    assert problems(version) == []
    sarah = lead(role="decision maker")
    named.delete()
    assert scored(sarah, version).fit == 25
    assert problems(version) == ([f"Named: {leaf_name(leaf)}: {problem}."] if problem else [])


def leaf_name(leaf):
    return next(name for name in leaf if name != "is")


@pytest.mark.parametrize(
    ("rule", "is_asked"),
    [
        ({"kind": "fit", "condition": {"none": [USES_SAP["condition"]]}}, True),
        ({"kind": "fit", "condition": {"is": "knows_fields", "at_least": 1, "fields": ["custom.erp"]}}, True),
        ({"kind": "age", "days": 1, "who": USES_SAP["condition"]}, True),
        (DECISION_MAKER, False),
    ],
)
def test_another_type_asks_for_new_scores_where_rules_in_force_read_the_field(
    admin_client, erp, rule, is_asked, django_capture_on_commit_callbacks
):
    draft(USES_SAP)
    current({"points": 5} | rule)
    sarah, _ = lead(), lead("test@northwind.example", is_test=True)
    Lead.objects.update(rescore_at=None)
    page = reverse("admin:leads_customfield_change", args=[erp.pk])
    for kind in ("text", "number"):
        assert not Lead.objects.exclude(rescore_at=None).exists()
        posted = {"label": "ERP", "type": kind, "choices": "", "position": "0", "is_active": "on"}
        with django_capture_on_commit_callbacks(execute=True):
            assert admin_client.post(page, posted).status_code == 302
    assert CustomField.objects.get().type == "number"
    assert list(Lead.objects.exclude(rescore_at=None)) == ([sarah] if is_asked else [])


def test_a_draft_says_so_instead(erp):
    version = draft(USES_SAP)
    retype(erp, "number")
    with pytest.raises(ValueError, match="must be one of"):
        compile_version(version)


def test_the_page_of_its_version_names_it(client, erp):
    version = current(DECISION_MAKER, USES_SAP)
    retype(erp, "number")
    mia = colleague("mia", "Marketer")
    client.force_login(mia)
    page = client.get(reverse("model-version", args=[version.model.slug, version.number])).content.decode()
    assert "ceased to work" in page
    assert "Uses SAP: op: must be one of" in page
    assert gaps.asked_by(version).keys() == {("lead_field", "role")}
