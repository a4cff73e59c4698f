"""The pages of custom fields, content, lists and purchased data in a real browser."""

import pytest
from django.urls import reverse
from django.utils import timezone

from leads import activities, content, enrichment, lists
from leads.models import (
    Asset,
    Campaign,
    CustomField,
    DeclaredProperty,
    DomainList,
    EnrichmentUpload,
    LeadList,
    Product,
)
from leads.tests import cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def data():
    now = timezone.now()
    for name in ("Mixer", "Oven"):
        Product.objects.create(name=name, slug=name.lower(), cycle_days=90, price_from=5000, price_to=90_000)
    for key, kind in (("seats", "number"), ("cloud", "yes_no"), ("renewal", "date")):
        CustomField.objects.create(key=key, label=f"{key.title()} <img src=x onerror=alert(1)>", type=kind)
    erp = CustomField.objects.create(key="erp", label="ERP system", type="choice", choices=["SAP", "Oracle"])
    ada, bob = cast.ada(), cast.bob()
    asset = Asset.objects.create(path="/pricing", title="Pricing", covers_below=True)
    content.classify(asset=asset, buying_stage="decision", products=["mixer"], tags=["roi"], at=now)
    for path in ("/pricing", "/blog/lean", "/blog/lean", "/guides/<b>x</b>", "/guides/<b>x</b>"):
        activities.record(lead=ada, kind="page_view", asset=path, at=now)
    language = DeclaredProperty.objects.create(
        kind="download", key="language", label="language", choices=["de", "en"]
    )
    for said in ({"medium": "cpc", "<b>x</b>": "<i>y</i>"}, *({"session": n} for n in range(201))):
        activities.record(lead=ada, kind="webinar", at=now, properties=said)
    summit, rivals = (
        LeadList.objects.create(name="Summit", slug="summit"),
        DomainList.objects.create(name="R", slug="r"),
    )
    lists.add_to_list(to=summit, lead_ids=[ada.pk, bob.pk], at=now)
    lists.add_domains(to=rivals, domains=["rival.example", "other.example"], at=now)
    push = Campaign.objects.create(name="Push", slug="push", products=["oven"])
    text = "Domain,Employees,Favourite colour\nacme.example,300,red\nx,2,<b>blue</b>\n"
    seen = enrichment.upload(provider="DataCo", file_name="firms.csv", body=text.encode(), at=now)
    used = enrichment.upload(provider="DataCo", file_name="firms-2.csv", body=text.encode(), at=now)
    enrichment.start(upload=used, columns={"Employees": "size"}, at=now)
    EnrichmentUpload.objects.create(
        provider="Slow",
        file_name="big.csv",
        matched_by="domain",
        at=now,
        rows=90_000,
        done=31_000,
        columns={"a": "size"},
    )

    def at(name, row):
        return reverse(f"admin:leads_{name}_change", args=[row.pk])

    return {
        "fields": reverse("admin:leads_customfield_changelist"), "field": at("customfield", erp),
        "lead": at("lead", ada), "products": reverse("admin:leads_product_changelist"),
        "properties": reverse("admin:leads_declaredproperty_changelist"), "property": at("declaredproperty", language),
        "new-property": reverse("admin:leads_declaredproperty_add"), "assets": reverse("admin:leads_asset_changelist"), "asset": at("asset", asset), "campaign": at("campaign", push),
        "lists": reverse("admin:leads_leadlist_changelist"), "list": at("leadlist", summit),
        "domains": at("domainlist", rivals), "uploads": reverse("admin:leads_enrichmentupload_changelist"),
        "upload": reverse("admin:leads_enrichmentupload_add"), "preview": at("enrichmentupload", seen),
        "report": at("enrichmentupload", used), "progress": at("enrichmentupload", EnrichmentUpload.objects.latest("id")),
    }  # fmt: skip


def test_the_pages_are_accessible_in_the_dark_and_fit_a_phone(window, admin_user, data, monkeypatch):
    """In the light all pages of the settings are looked at together, above."""
    monkeypatch.setattr("leads.admin.enrichment.RELOAD", "3600")  # not while it is looked at
    page, found = window(admin_user, "dark"), {}
    for name, url in data.items():
        window.resize(page, "dark")
        page.goto(url)
        window.picture(page, f"data-{name}")
        problems = window.violations(page)
        window.resize(page, "phone")
        window.picture(page, f"data-{name}-phone")
        if problems := problems + window.too_wide(page):
            found[name] = problems
    assert not found


def test_chosen_leads_go_on_a_list_and_back(window, admin_user, data):
    page = window(admin_user)
    page.goto(reverse("admin:leads_lead_changelist"))
    page.locator("input[name=_selected_action]").first.check()
    page.get_by_label("Select action to run").select_option("put_on_list")
    page.get_by_role("button", name="Run").click()
    window.picture(page, "data-choose")
    page.get_by_label("… or a new one called").fill("Dinner")
    page.get_by_role("button", name="Put on a list").click()
    page.get_by_text("1 lead on this list").wait_for()
    page.get_by_role("button", name="Undo 1 lead put on").click()
    page.get_by_text("Undone: 1 lead as before.").wait_for()
    page.get_by_text("0 leads on this list").wait_for()


def test_the_key_of_a_custom_field_is_proposed_from_its_label(window, admin_user):
    page = window(admin_user)
    page.goto(reverse("admin:leads_customfield_add"))
    page.get_by_label("Label").press_sequentially("2nd ERP system")
    assert page.get_by_label("Key").input_value() == "nd_erp_system"
