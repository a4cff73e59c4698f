"""Fields that an installation adds: taken in by every door, typed, with their history, and refused in clear words."""

import json

import pytest
from django.urls import reverse

from leads import capture, custom_fields, identity, importing
from leads.intake import InvalidLead, clean
from leads.models import Activity, ApiKey, Company, CustomField, FieldChange, Lead, Question
from leads.tests import cast
from leads.tests.cast import ADA, NOW

pytestmark = pytest.mark.django_db

TYPES = {
    "erp_system": ("choice", ["SAP", "Oracle", "None"]),
    "seats": ("number", []),
    "renewal_date": ("date", []),
    "uses_cloud": ("yes_no", []),
    "remark": ("text", []),
}


@pytest.fixture(autouse=True)
def fields():
    for key, (kind, choices) in TYPES.items():
        CustomField.objects.create(
            key=key, label=key.replace("_", " ").capitalize(), type=kind, choices=choices
        )
    CustomField.objects.create(key="plants", label="Plants", type="number", owner="company")


def told(lead):
    changes = FieldChange.objects.filter(lead=lead, field__startswith="custom.").order_by("id")
    return [(change.field, change.old, change.new, change.origin, change.applied) for change in changes]


def test_it_works():
    said = {
        "erp_system": "sap",
        "seats": "1 200",
        "renewal_date": "2027-03-31",
        "uses_cloud": "no",
        "plants": 3,
    }
    values, _ = clean(ADA | {"custom": said}, strict=True, at=NOW)
    lead = Lead.objects.get(pk=capture.submit(values=values, at=NOW).lead.pk)
    assert lead.custom == {
        "erp_system": "SAP", "seats": 1200, "renewal_date": "2027-03-31", "uses_cloud": False,
    }  # fmt: skip
    assert lead.company.custom == {"plants": 3}
    assert ("custom.uses_cloud", None, False, "person", True) in told(lead)
    of_company = FieldChange.objects.get(company=lead.company, field="custom.plants")
    assert (of_company.new, of_company.origin, of_company.applied) == (3, "person", True)


def test_a_company_that_nobody_knows_loses_nothing():
    said = {"email": "ada@gmail.com", "external_id": "crm-7", "custom": {"plants": "3", "seats": 5}}
    values, _ = clean(said, strict=True, at=NOW)
    taken = capture.submit(values=values, at=NOW)
    lead = Lead.objects.get(pk=taken.lead.pk)
    assert (lead.company, lead.custom) == (None, {"seats": 5})
    assert Activity.objects.get(pk=taken.activity.pk).properties == {
        "fields_without_company": {"custom.plants": 3}
    }
    assert "crm-7" in lead.search_text


def test_the_lead_that_capture_returns_is_the_stored_one():
    for seats in (5, 6):
        values, _ = clean(ADA | {"custom": {"seats": seats}}, strict=True, at=NOW)
        got = capture.submit(values=values, at=NOW).lead
        assert got.custom == Lead.objects.get(pk=got.pk).custom == {"seats": seats}


def test_survivorship_is_that_of_every_field():
    lead = cast.ada()
    identity.set_fields(lead=lead, values={"custom.seats": 10}, origin="rep", at=NOW)
    identity.set_fields(lead=lead, values={"custom.seats": 99, "custom.remark": "x"}, origin="person", at=NOW)
    assert lead.custom == {"seats": 10, "remark": "x"}
    assert told(lead)[1:] == [
        ("custom.seats", 10, 99, "person", False), ("custom.remark", None, "x", "person", True),
    ]  # fmt: skip
    identity.set_fields(lead=lead, values={"custom.seats": None}, origin="rep", at=NOW)
    assert lead.custom == {"remark": "x"}
    assert lead.rescore_at is not None


def test_bought_values_fill_what_is_empty_and_name_who_sold_them():
    company = cast.ada(at=NOW).company
    Company.objects.filter(pk=company.pk).update(custom={"plants": 1})  # nobody knows where this came from
    values = {"custom.plants": 9, "custom.age": 4, "size": 999}
    identity.set_fields_many([(company, values)], origin="enrichment", at=NOW, provider="DataCo")
    company.refresh_from_db()
    assert (company.custom, company.size) == ({"plants": 1, "age": 4}, 300)
    bought = FieldChange.objects.filter(provider="DataCo").values_list("field", "applied")
    assert set(bought) == {("custom.plants", False), ("custom.age", True), ("size", False)}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("renewal_date", "31.03.2027", "is not a date. Write it as 2027-03-31."),
        ("renewal_date", "2027-02-30", "is not a date."),
        ("renewal_date", "20270331", "is not a date."),
        ("seats", "many", "is not a number. Write it as 1250 or 12.5."),
        ("seats", True, "is not a number."),
        ("seats", 10**400, "is out of range."),
        ("seats", "1e5", "is not a number."),
        ("erp_system", "Navision", "is none of the choices. Use one of: SAP, Oracle, None."),
        ("uses_cloud", "maybe", "is neither yes nor no."),
        ("uses_cloud", 1.0, "is neither yes nor no."),
        ("remark", {"a": 1}, "is not text."),
        ("remark", "x\x00", "contains control characters."),
        ("remark", "x" * 501, "is longer than 500 characters."),
        ("colour", "red", "is not a custom field."),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(key, value, words):
    with pytest.raises(InvalidLead) as refused:
        clean(ADA | {"custom": {key: value}}, strict=True, at=NOW)
    ((field, problem, remedy),) = refused.value.problems
    assert field == f"custom.{key}"
    assert f"{problem} {remedy}".startswith(words)


@pytest.mark.parametrize("value", ["", "  ", None])
def test_nothing_said_is_unknown(value):
    values, _ = clean(ADA | {"custom": dict.fromkeys(TYPES, value)}, strict=True, at=NOW)
    assert not [name for name in values if custom_fields.is_value(name)]


def test_custom_is_an_object():
    for wrong in ("x", ["seats"], 5):
        with pytest.raises(InvalidLead) as refused:
            clean(ADA | {"custom": wrong}, strict=True, at=NOW)
        assert refused.value.problems[0][0] == "custom"


def test_retired_fields_are_no_longer_taken():
    CustomField.objects.filter(key="seats").update(is_active=False)
    with pytest.raises(InvalidLead, match="is not a custom field"):
        clean(ADA | {"custom": {"seats": 4}}, strict=True, at=NOW)


def test_without_custom_fields_in_the_input_nothing_is_asked(django_assert_num_queries):
    with django_assert_num_queries(0):
        clean(dict(ADA), strict=True, at=NOW)


# --- the doors --------------------------------------------------------------------------------------


def test_the_api_takes_and_shows_them(client):
    _, key = ApiKey.objects.create_key(name="site", scopes=["capture", "read"])
    how = {"content_type": "application/json", "headers": {"Authorization": f"Api-Key {key}"}}
    body = ADA | {"custom": {"seats": 40, "plants": 2}, "product_interest": "Mixer"}
    lead = client.post("/api/v1/leads/", body, **how).json()
    assert (lead["custom"], lead["company"]["custom"], lead["product_interest"]) == (
        {"seats": 40}, {"plants": 2}, "Mixer",
    )  # fmt: skip
    wrong = client.post("/api/v1/leads/", ADA | {"custom": {"colour": "red", "seats": "x"}}, **how)
    assert wrong.status_code == 400
    assert {error["attr"] for error in wrong.json()["errors"]} == {"custom.colour", "custom.seats"}


@pytest.fixture
def form():
    form = cast.form(slug="erp", name="ERP check")
    asked = [
        "email",
        "custom.seats",
        "custom.renewal_date",
        "custom.uses_cloud",
        "custom.erp_system",
        "custom.remark",
    ]
    for position, field in enumerate(asked):
        name = field.removeprefix("custom.")
        Question.objects.create(form=form, name=name, field=field, label=name, position=position)
    return form


def test_a_form_asks_with_the_right_control(client, form):
    page = client.get(reverse("public-form", args=["erp"])).content.decode()
    assert '<input type="number" name="seats" step="any" inputmode="decimal"' in page
    assert '<input type="date" name="renewal_date"' in page
    assert '<option value="No">No</option>' in page
    assert '<option value="Oracle">Oracle</option>' in page
    assert '<input type="text" name="remark"' in page


def test_a_form_fills_them(client, form):
    answers = {
        "email": "eve@acme.example",
        "seats": "12.5",
        "renewal_date": "2027-03-31",
        "uses_cloud": "Yes",
    }
    answers |= {"erp_system": "Oracle", "remark": "<b>now</b>"}
    assert client.post("/api/v1/forms/erp/submissions/", answers).status_code == 201
    assert Lead.objects.get().custom == {
        "seats": 12.5, "renewal_date": "2027-03-31", "uses_cloud": True, "erp_system": "Oracle", "remark": "<b>now</b>",
    }  # fmt: skip


def test_a_required_answer_that_cannot_be_read_is_named(client, form):
    Question.objects.filter(name="renewal_date").update(required=True)
    posted = {"email": "eve@acme.example", "renewal_date": "soon"}
    answer = client.post("/api/v1/forms/erp/submissions/", posted)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["attr"], "Write it as 2027-03-31." in error["detail"]) == ("renewal_date", True)


def test_an_import_fills_them_with_one_look_at_the_fields(tmp_path, django_assert_max_num_queries):
    path = tmp_path / "leads.csv"
    path.write_text(
        "mail,seats,plants,product\n" + "".join(f"p{n}@c{n}.example,{n},{n},Mixer\n" for n in range(300))
    )
    columns = {
        "mail": "email",
        "seats": "custom.seats",
        "plants": "custom.plants",
        "product": "product_interest",
    }
    mapping = importing.Map.parse({"columns": columns})
    run = importing.start(path=path, mapping=mapping, at=NOW)
    with django_assert_max_num_queries(25):
        importing.carry_on(run=run, path=path, mapping=mapping, at=NOW)
    assert (run.created, run.rejected) == (300, 0)
    lead = Lead.objects.get(email="p7@c7.example")
    assert (lead.custom, lead.company.custom, lead.product_interest) == ({"seats": 7}, {"plants": 7}, "Mixer")
    with pytest.raises(importing.BadMap, match=r"custom\.colour"):
        importing.Map.parse({"columns": {"a": "custom.colour"}})


def test_json_keeps_the_types():
    values, _ = clean(ADA | {"custom": {"seats": 1.5, "uses_cloud": True}}, strict=True, at=NOW)
    capture.submit(values=values, at=NOW)
    assert json.dumps(Lead.objects.get().custom, sort_keys=True) == '{"seats": 1.5, "uses_cloud": true}'
