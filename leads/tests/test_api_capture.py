import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from leads.models import Activity, ApiKey, Campaign, Lead, Source
from leads.tests.races import at_once

pytestmark = pytest.mark.django_db

URL = "/api/v1/leads/"


def new_key(*scopes, **kwargs):
    return ApiKey.objects.create_key(name="test", scopes=list(scopes), **kwargs)[1]


@pytest.fixture
def api():
    return with_key(new_key("capture", "read"))


def with_key(key):
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
    return client


def errors(response):
    return {error["attr"]: error["detail"] for error in response.json()["errors"]}


def test_it_takes_a_lead(api):
    response = api.post(
        URL, {"email": "Ada@Acme.example ", "first_name": "Ada", "last_name": "Lovelace", "company": "Acme"}
    )
    assert response.status_code == 201, response.json()
    body = response.json()
    lead = Lead.objects.get()
    assert body["id"] == lead.pk
    assert body["email"] == "ada@acme.example"
    assert body["company"] == {
        "id": lead.company_id, "name": "Acme", "domain": "acme.example", "relationship": "prospect", "custom": {},
    }  # fmt: skip
    assert (body["stage"], body["place"]) == ("inquiry", "scoring")
    assert body["last_activity_at"] is not None
    assert Activity.objects.get().lead == lead


def test_a_known_lead_is_matched_and_each_post_is_an_activity(api):
    for status in (201, 200, 200):
        assert api.post(URL, {"email": "ada@acme.example"}).status_code == status
    assert Lead.objects.count() == 1
    assert Activity.objects.count() == 3


def test_where_it_came_from(api):
    Source.objects.create(name="Partner webinar", slug="partner-webinar")
    response = api.post(
        URL,
        {
            "email": "ada@acme.example", "source": "Partner webinar", "campaign": "Autumn", "utm_medium": "mail",
            "occurred_at": "2026-01-02T03:04:05Z", "external_id": "crm-7",
        },
    )  # fmt: skip
    assert response.status_code == 201, response.json()
    body = response.json()
    assert (body["source"], body["campaign"]) == ("partner-webinar", "autumn")
    assert [entry["value"] for entry in body["external_ids"]] == ["crm-7"]
    activity = Activity.objects.get()
    assert activity.properties == {"utm_medium": "mail"}
    assert activity.occurred_at.isoformat() == "2026-01-02T03:04:05+00:00"
    assert Campaign.objects.get().slug == "autumn"


def test_the_key_may_name_the_source():
    source = Source.objects.create(name="Shop", slug="shop")
    response = with_key(new_key("capture", source=source)).post(URL, {"email": "ada@acme.example"})
    assert response.json()["source"] == "shop"


def test_a_message_id_is_logged_once(api):
    lead = {"email": "ada@acme.example", "message_id": "m-1"}
    first, second = api.post(URL, lead), api.post(URL, lead)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert Activity.objects.count() == 1


# --- refusals -----------------------------------------------------------------------------------


def test_without_a_key_it_is_401():
    response = APIClient().post(URL, {"email": "ada@acme.example"})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Api-Key"
    assert "Authorization: Api-Key" in errors(response)[None]


@pytest.mark.parametrize("key", ["", "nonsense", "AbCd1234." + "x" * 32, "AbCd\x001234." + "x" * 32])
def test_a_wrong_key_is_401(key):
    response = with_key(key).post(URL, {"email": "ada@acme.example"})
    assert response.status_code == 401
    assert "manage.py api_key" in errors(response)[None]


def test_the_right_prefix_is_not_enough(api):
    assert (
        with_key(new_key("capture")[:9] + "x" * 32).post(URL, {"email": "a@acme.example"}).status_code == 401
    )


def test_a_revoked_or_expired_key_is_401_at_once():
    key, secret = ApiKey.objects.create_key(name="test", scopes=["capture"])
    api = with_key(secret)
    assert api.post(URL, {"email": "a@acme.example"}).status_code == 201
    ApiKey.objects.filter(pk=key.pk).update(revoked=True)
    assert api.post(URL, {"email": "a@acme.example"}).status_code == 401
    ApiKey.objects.filter(pk=key.pk).update(revoked=False, expiry_date=timezone.now())
    assert api.post(URL, {"email": "a@acme.example"}).status_code == 401


def test_a_missing_scope_is_403():
    response = with_key(new_key("read")).post(URL, {"email": "ada@acme.example"})
    assert response.status_code == 403
    assert "`capture`" in errors(response)[None]
    assert not Lead.objects.exists()


@pytest.mark.parametrize(
    ("lead", "field"),
    [
        ({"email": "a@acme.example", "favourite_colour": "red"}, "favourite_colour"),
        ({"email": "not an address"}, "email"),
        ({"email": ["a@acme.example"]}, "email"),
        ({"email": "a@acme.example", "first_name": "x" * 1000}, "first_name"),
        ({"email": "a@acme.example", "company_size": "many"}, "company_size"),
        ({"email": "a@acme.example", "company_size": 10**30}, "company_size"),
        ({"email": "a@acme.example", "occurred_at": "yesterday"}, "occurred_at"),
        ({"email": "a@acme.example", "id": 7}, "id"),
        ({"email": "a@acme.example", "place": "sales"}, "place"),
        ({"email": "a@acme.example", "message_id": "x" * 1000}, "message_id"),
    ],
)
def test_bad_input_names_the_field(api, lead, field):
    response = api.post(URL, lead)
    assert response.status_code == 400
    assert response.json()["type"] == "validation_error"
    assert list(errors(response)) == [field]
    assert not Lead.objects.exists()


def test_nobody_is_no_lead(api):
    response = api.post(URL, {"first_name": "Ada"})
    assert response.status_code == 400
    assert not Lead.objects.exists()


@pytest.mark.parametrize(("method", "status"), [("put", 405), ("delete", 405), ("patch", 405)])
def test_other_methods_are_named(api, method, status):
    response = getattr(api, method)(URL, {})
    assert response.status_code == status
    assert "Use GET, POST" in errors(response)[None]


def test_another_content_type_is_415(api):
    response = api.post(URL, "<lead/>", content_type="application/xml")
    assert response.status_code == 415
    assert "application/json" in errors(response)[None]


def test_an_unknown_address_is_a_404_in_json(api):
    response = api.get("/api/v1/nothing/")
    assert response.status_code == 404
    assert response.json()["errors"][0]["code"] == "not_found"


# --- races --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_simultaneous_posts_of_one_address_make_one_lead():
    secret = new_key("capture")

    def post(number):
        address = ["ada@acme.example", " ADA@acme.example", "Ada@Acme.Example "][number % 3]
        return [with_key(secret).post(URL, {"email": address}).status_code for _ in range(5)]

    assert sorted(status for answers in at_once(8, post) for status in answers) == [200] * 39 + [201]
    assert Lead.objects.count() == 1
    assert Activity.objects.count() == 40


def test_the_described_fields_are_those_taken():
    from leads.api import LeadInputSerializer
    from leads.intake import FIELDS

    assert list(LeadInputSerializer().fields) == [*FIELDS, "custom"]
