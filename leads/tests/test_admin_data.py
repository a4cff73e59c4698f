"""What marketers keep beside the leads: custom fields, products, assets, lists. Pages open, bounded, refuse and undo."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from leads import activities, content, identity
from leads.models import (
    Asset,
    AssetState,
    Campaign,
    CaptureForm,
    CustomField,
    DomainEntry,
    DomainList,
    FieldChange,
    Lead,
    LeadList,
    ListMember,
    Product,
    Question,
)
from leads.tests import cast

pytestmark = pytest.mark.django_db


def listed(name):
    return reverse(f"admin:leads_{name}_changelist")


def at(name, row):
    return reverse(f"admin:leads_{name}_change", args=[row.pk])


def text_of(response):
    return html.unescape(response.content.decode())


PAGES = ["customfield", "declaredproperty", "product", "asset", "leadlist", "domainlist"]


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_list_says_what_to_do_next(client, marketer, name):
    page = client.get(listed(name))
    assert page.context["cl"].model_admin.empty_text in text_of(page)
    assert text_of(page).count('class="admin-button primary"') == 1
    assert client.get(reverse(f"admin:leads_{name}_add")).status_code == 200


def test_reps_stay_out(client):
    rep = cast.colleague("rita", "Sales rep", is_staff=True)
    client.force_login(rep)
    for name in PAGES:
        assert client.get(listed(name)).status_code == 403


# --- custom fields ---------------------------------------------------------------------------------------


def new_field(client, **more):
    posted = {
        "owner": "lead", "label": "ERP system", "key": "erp_system", "type": "choice", "choices": "SAP\nOracle",
        "help_text": "", "position": "0", "is_active": "on",
    }  # fmt: skip
    return client.post(reverse("admin:leads_customfield_add"), posted | more)


def test_a_field_is_made_and_its_key_stays(client, marketer):
    assert new_field(client).status_code == 302
    field = CustomField.objects.get()
    assert (field.key, field.choices) == ("erp_system", ["SAP", "Oracle"])
    assert "custom.erp_system" in text_of(client.get(listed("customfield")))
    client.post(at("customfield", field), {"label": "ERP", "key": "other", "owner": "company", "type": "text",
                                           "choices": "", "position": "0"})  # fmt: skip
    field.refresh_from_db()
    assert (field.label, field.key, field.owner, field.type, field.is_active) == (
        "ERP", "erp_system", "lead", "text", False,
    )  # fmt: skip
    assert client.post(reverse("admin:leads_customfield_delete", args=[field.pk])).status_code == 403


def test_the_type_is_fixed_once_there_are_values(client, marketer):
    new_field(client)
    identity.set_fields(lead=cast.ada(), values={"custom.erp_system": "SAP"}, origin="rep", at=cast.NOW)
    field = CustomField.objects.get()
    client.post(
        at("customfield", field), {"label": "ERP", "type": "text", "choices": "SAP\nOther", "position": "0"}
    )
    field.refresh_from_db()
    assert (field.label, field.type, field.choices) == ("ERP", "choice", ["SAP", "Other"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"key": "ERP"}, "Write it in lower-case letters"),
        ({"key": "erp-system"}, "Write it in lower-case letters"),
        ({"choices": "SAP"}, "at least two different choices"),
        ({"key": "ERP system"}, "Write it in lower-case letters"),
        ({"choices": "1\n2-5\n2-5"}, "“2-5” stands here twice."),
        ({"choices": "SAP\nsap"}, "“sap” stands here twice."),
        ({"type": "text"}, "Only a field of the type Choice has choices"),
        ({"owner": "company", "key": "taken"}, "There is a field with this key already"),
    ],
)
def test_a_field_that_cannot_be_made_says_why(client, marketer, wrong, words):
    CustomField.objects.create(key="taken", label="Taken")
    page = new_field(client, **wrong)
    assert words in text_of(page) and "slug”" not in text_of(page)
    assert CustomField.objects.count() == 1


def lead_form(lead, **more):
    posted = {name: getattr(lead, name) or "" for name in (
        "first_name", "last_name", "job_title", "role", "phone", "country", "industry", "company_size", "timeline",
        "product_interest", "buying_stage",
    )}  # fmt: skip
    return posted | {f"custom.{key}": value for key, value in lead.custom.items()} | more


def test_values_are_corrected_through_the_one_door(client, marketer):
    CustomField.objects.create(key="seats", label="Seats", type="number")
    CustomField.objects.create(key="cloud", label="In the cloud", type="yes_no")
    CustomField.objects.create(key="renewal", label="Renewal date", type="date")
    Product.objects.create(name="Mixer", slug="mixer")
    ada = cast.ada()
    page = text_of(client.get(at("lead", ada)))
    assert 'name="custom.seats"' in page and 'type="date" name="custom.renewal"' in page
    bad = client.post(at("lead", ada), lead_form(ada, **{"custom.renewal": "soon"}))
    assert "Renewal date is not a date. Write it as 2027-03-31." in text_of(bad)
    more = {
        "custom.seats": "12",
        "custom.cloud": "No",
        "product_interest": "mixer",
        "buying_stage": "decision",
    }
    assert client.post(at("lead", ada), lead_form(ada, **more)).status_code == 302
    ada.refresh_from_db()
    assert (ada.custom, ada.product_interest, ada.buying_stage) == (
        {"seats": 12, "cloud": False},
        "mixer",
        "decision",
    )
    changes = FieldChange.objects.filter(lead=ada, origin="rep", actor=marketer)
    assert set(changes.values_list("field", flat=True)) == {
        "custom.seats", "custom.cloud", "product_interest", "buying_stage",
    }  # fmt: skip
    page = text_of(client.get(at("lead", ada)))
    assert '<option value="No" selected>' in page
    assert "Decision: a colleague said so" in page
    assert (
        client.post(at("lead", ada), lead_form(ada, **{"custom.cloud": "No", "custom.seats": ""})).status_code
        == 302
    )
    ada.refresh_from_db()
    assert ada.custom == {"cloud": False}


def test_values_of_a_company(client, marketer):
    CustomField.objects.create(key="plants", label="Plants", type="number", owner="company")
    company = cast.ada().company
    posted = {"name": "Acme", "relationship": "prospect", "size": "300", "industry": "Manufacturing", "country": "DE",
              "custom.plants": "4", "domains-TOTAL_FORMS": 0, "domains-INITIAL_FORMS": 0}  # fmt: skip
    assert client.post(at("company", company), posted).status_code == 302
    company.refresh_from_db()
    assert company.custom == {"plants": 4}


def test_a_question_can_fill_a_custom_field(client, marketer):
    CustomField.objects.create(key="seats", label="Seats", type="number")
    form = CaptureForm.objects.create(name="F", slug="f-x")
    Question.objects.create(form=form, name="x", field="custom.seats", label="Seats?")
    page = text_of(client.get(at("captureform", form)))
    assert '<optgroup label="Custom fields">' in page
    assert '<option value="custom.seats" selected>Seats</option>' in page


# --- products and assets -----------------------------------------------------------------------------------


def test_campaigns_and_forms_name_products(client, marketer):
    Product.objects.create(name="Mixer", slug="mixer")
    Product.objects.create(name="Old", slug="old", is_active=False)
    push = Campaign.objects.create(name="Push", slug="push", products=["gone"])
    page = text_of(client.get(at("campaign", push)))
    assert "gone (not in use)" in page and "Mixer" in page and 'value="old"' not in page
    client.post(at("campaign", push), {"name": "Push", "slug": "push", "products": ["mixer"]})
    push.refresh_from_db()
    assert push.products == ["mixer"]
    answer = client.post(
        reverse("admin:leads_captureform_add"),
        {"name": "Demo", "slug": "demo-x", "lead_type": "hand_raise", "marketing_basis": "none", "basis_version": "1",
         "products": ["mixer"], "questions-TOTAL_FORMS": 0, "questions-INITIAL_FORMS": 0},
    )  # fmt: skip
    assert answer.status_code == 302
    assert CaptureForm.objects.get(slug="demo-x").products == ["mixer"]


def test_an_asset_is_described_and_described_anew(client, marketer):
    Product.objects.create(name="Mixer", slug="mixer")
    ada = cast.ada()
    activities.record(lead=ada, kind="page_view", asset="/pricing/all", at=timezone.now())
    Lead.objects.update(rescore_at=None)
    add = reverse("admin:leads_asset_add")
    said = {"path": "https://www.acme.example/Pricing/?x=1", "title": "Pricing", "covers_below": "on", "is_active": "on",
            "buying_stage": "decision", "products": ["mixer"], "tags": "roi\n price"}  # fmt: skip
    assert client.post(add, said).status_code == 302
    asset = Asset.objects.get()
    state = AssetState.objects.get()
    assert (asset.path, state.buying_stage, state.products, state.tags) == (
        "/pricing", "decision", ["mixer"], ["price", "roi"],
    )  # fmt: skip
    assert Lead.objects.get().rescore_at
    assert "described already" in text_of(client.post(add, said))
    change = {"title": "Prices", "covers_below": "on", "is_active": "on", "buying_stage": "decision",
              "products": ["mixer"], "tags": "price\nroi", "states-TOTAL_FORMS": 0, "states-INITIAL_FORMS": 0}  # fmt: skip
    assert client.post(at("asset", asset), change).status_code == 302
    assert AssetState.objects.count() == 1  # only its title is new
    assert client.post(at("asset", asset), change | {"buying_stage": "awareness"}).status_code == 302
    assert AssetState.objects.filter(until=None).get().buying_stage == "awareness"
    del change["is_active"]
    assert client.post(at("asset", asset), change).status_code == 302
    assert not AssetState.objects.filter(until=None).exists()
    page = text_of(client.get(at("asset", asset)))
    assert "What it was about" in page


@pytest.mark.parametrize(
    "path",
    [
        "javascript:alert(1)",
        "JaVa\tScript:alert(1)",
        "data:text/html,x",
        "ftp://acme.example/x",
        "vbscript:x",
    ],
)
def test_what_is_no_path_is_no_asset(client, marketer, path):
    answer = client.post(reverse("admin:leads_asset_add"), {"path": path, "title": "X", "is_active": "on"})
    assert "such as /pricing" in text_of(answer)
    assert not Asset.objects.exists()


@pytest.mark.parametrize(
    "path", ["/pricing", "http://acme.example/pricing", "//acme.example/pricing", "white-paper", "/a:b"]
)
def test_what_is_a_path_is_one(client, marketer, path):
    posted = {"path": path, "title": "X", "is_active": "on"}
    assert client.post(reverse("admin:leads_asset_add"), posted).status_code == 302


def test_the_list_of_assets_counts_and_names_what_is_missing(client, marketer, django_assert_max_num_queries):
    ada, now = cast.ada(), timezone.now()
    for n in range(30):
        asset = Asset.objects.create(path=f"/papers/{n}", title=f"Paper {n}")
        content.classify(asset=asset, buying_stage="awareness", at=now)
        activities.record(lead=ada, kind="download", asset=f"/papers/{n}", at=now)
    for n in range(14):
        for _ in range(2):
            activities.record(lead=ada, kind="page_view", asset=f"/<b>new</b>/{n}", at=now)
    activities.record(lead=ada, kind="page_view", asset="/once", at=now)
    with django_assert_max_num_queries(14):
        page = client.get(listed("asset"))
    assert "14 paths that leads read are not described yet." in text_of(page)
    assert page.content.decode().count("&lt;b&gt;new&lt;/b&gt;") >= 12
    assert "/once" not in text_of(page)
    assert page.context["cl"].result_list[0].consumed == 1
    prefilled = client.get(reverse("admin:leads_asset_add") + "?path=/new/1")
    assert 'value="/new/1"' in text_of(prefilled)


# --- lists -------------------------------------------------------------------------------------------------


@pytest.fixture
def summit():
    return LeadList.objects.create(name="Summit", slug="summit")


def test_addresses_are_pasted_uploaded_and_undone(client, marketer, summit):
    cast.ada(), cast.bob()
    file = SimpleUploadedFile(
        "guests.csv", b"\xef\xbb\xbfName;Mail\nBob;bob@acme.example\nZoe;zoe@nobody.example\n"
    )
    posted = {"name": "Summit", "note": "", "addresses": "ADA@acme.example, x@@y", "file": file}
    page = text_of(client.post(at("leadlist", summit), posted, follow=True))
    assert "2 leads put on; 0 were on it already." in page
    assert "zoe@nobody.example" in page and "belongs to no lead" in page and "x@@y" in page
    assert ListMember.objects.filter(list=summit, until=None).count() == 2
    page = text_of(client.get(at("leadlist", summit)))
    assert "2 leads on this list" in page and "2 leads put on" in page
    step = ListMember.objects.first().since.isoformat()
    undo = reverse("admin:leads_leadlist_undo", args=[summit.pk])
    assert "Undone: 2 leads" in text_of(client.post(undo, {"step": step}, follow=True))
    assert not ListMember.objects.filter(until=None).exists()
    assert "nothing left to undo" in text_of(client.post(undo, {"step": "soon"}, follow=True))
    assert client.get(undo).status_code == 405


def test_chosen_leads_are_put_on_a_list_and_taken_off(client, marketer, summit):
    ada, bob = cast.ada(), cast.bob()
    asked = {"action": "put_on_list", "_selected_action": [ada.pk, bob.pk]}
    page = text_of(client.post(listed("lead"), asked))
    assert "2 leads chosen" in page and "Summit" in page
    assert "Choose a list, or name a new one." in text_of(
        client.post(listed("lead"), asked | {"to": "", "new": ""})
    )
    client.post(listed("lead"), asked | {"to": "", "new": "Summit"})
    made = LeadList.objects.get(slug="summit-2")
    assert ListMember.objects.filter(list=made).count() == 2
    found = client.get(listed("lead") + "?list=summit-2")
    assert {lead.pk for lead in found.context["cl"].result_list} == {ada.pk, bob.pk}
    off = {"action": "take_off_list", "_selected_action": [ada.pk]}
    assert "… or a new one" not in text_of(client.post(listed("lead"), off))
    assert client.post(listed("lead"), off | {"to": made.pk}).status_code == 302
    assert ListMember.objects.get(list=made, until=None).lead == bob


def test_all_that_match_can_be_put_on_a_list(client, marketer, summit):
    cast.ada(), cast.bob(), cast.carla()
    asked = {"action": "put_on_list", "_selected_action": [Lead.objects.first().pk], "select_across": "1"}
    client.post(listed("lead") + "?q=acme", asked | {"to": summit.pk, "new": ""})
    assert ListMember.objects.filter(list=summit).count() == 2


def test_managers_look_at_leads_but_keep_no_lists(client, summit):
    manager = cast.colleague("max", "Sales manager", is_staff=True)
    client.force_login(manager)
    ada = cast.ada()
    client.post(
        listed("lead"), {"action": "put_on_list", "_selected_action": [ada.pk], "to": summit.pk, "new": ""}
    )
    assert not ListMember.objects.exists()
    assert (
        client.post(reverse("admin:leads_leadlist_undo", args=[summit.pk]), {"step": "x"}).status_code == 403
    )


def test_domains_are_pasted_many_at_once_and_wrong_lines_named(client, marketer):
    add = reverse("admin:leads_domainlist_add")
    posted = {
        "name": "Rivals",
        "slug": "rivals",
        "add": "rival.example\nhttps://www.other.example/x\nnonsense",
    }
    page = text_of(client.post(add, posted))
    assert "Line 3: “nonsense” is not a domain. Write it like acme.example." in page
    assert not DomainList.objects.exists()
    page = text_of(
        client.post(add, posted | {"add": "rival.example\nhttps://www.other.example/x"}, follow=True)
    )
    assert "2 domains put on" in page
    rivals = DomainList.objects.get()
    change = {"name": "Rivals", "add": "", "remove": "rival.example never.example"}
    page = text_of(client.post(at("domainlist", rivals), change, follow=True))
    assert "1 domain taken off" in page and "Not on the list: never.example." in page
    page = text_of(client.get(at("domainlist", rivals)))
    assert "1 domain on this list" in page and "other.example" in page
    gone = DomainEntry.objects.get(domain="rival.example").until.isoformat()
    client.post(reverse("admin:leads_domainlist_undo", args=[rivals.pk]), {"step": gone})
    assert DomainEntry.objects.filter(until=None).count() == 2


def test_the_lists_stay_bounded(client, marketer, django_assert_max_num_queries):
    for n in range(20):
        LeadList.objects.create(name=f"L{n}", slug=f"l{n}")
        DomainList.objects.create(name=f"D{n}", slug=f"d{n}")
        CustomField.objects.create(key=f"k{n}", label=f"K{n}")
        Product.objects.create(name=f"P{n}", slug=f"p{n}")
    for name in ("leadlist", "domainlist", "customfield", "product", "lead", "company"):
        with django_assert_max_num_queries(12):
            client.get(listed(name))
