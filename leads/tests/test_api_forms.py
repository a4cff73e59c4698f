import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from leads.models import Activity, Campaign, CaptureForm, Consent, Lead, Source, Submission

pytestmark = pytest.mark.django_db

URL = "/api/v1/forms/white-paper/submissions/"
SITE = "https://www.acme.example"
THANKS = f"{SITE}/thanks"
ADA = {"email": "ada@engines.example", "first_name": "Ada", "company_size": "120"}


@pytest.fixture
def form():
    form = CaptureForm.objects.create(
        name="White paper", slug="white-paper", asset="/white-papers/roi", marketing_basis="legitimate_interest",
        source=Source.objects.create(name="Web site", slug="web"), origins=[SITE], thank_you_urls=[THANKS, f"{SITE}/roi"],
        campaign=Campaign.objects.create(name="ROI", slug="roi"),
    )  # fmt: skip
    questions = [("email", "E-mail", True), ("first_name", "First name", True), ("company", "Company", False),
                 ("company_size", "Company size", False), ("timeline", "Timeline", False)]  # fmt: skip
    for position, (name, label, required) in enumerate(questions):
        form.questions.create(name=name, field=name, label=label, required=required, position=position)
    return form


@pytest.fixture
def web():
    return Client(raise_request_exception=False)


def post(web, data=ADA, url=URL, **headers):
    return web.post(url, json.dumps(data), content_type="application/json", headers=headers)


def browse(web, data=ADA, url=URL, **headers):
    """As a browser posts a form."""
    return web.post(url, data, headers={"Accept": "text/html,application/xhtml+xml", **headers})


def errors(response):
    return {error["attr"]: error["detail"] for error in response.json()["errors"]}


def test_it_takes_a_submission(web, form):
    response = post(web)
    assert response.status_code == 201, response.json()
    submission = Submission.objects.get()
    assert response.json() == {"id": str(submission.pk)}
    assert json.loads(bytes(submission.body)) == ADA
    assert submission.status == "accepted"
    assert submission.ip == "127.0.0.1"
    lead = Lead.objects.get()
    assert submission.lead == lead
    assert (lead.email, lead.first_name, lead.company_size) == ("ada@engines.example", "Ada", 120)
    assert (lead.source.slug, lead.campaign.slug) == ("web", "roi")
    assert Activity.objects.get().touchpoint.asset == "/white-papers/roi"
    assert Consent.objects.get().submission == submission


def test_a_hand_raise_is_logged_as_one(web, form):
    CaptureForm.objects.update(lead_type="hand_raise")
    post(web)
    touchpoint = Activity.objects.get().touchpoint
    assert (touchpoint.kind, touchpoint.asset) == ("hand_raise", "white-paper")


def test_known_and_unknown_people_get_the_same_answer(web, form):
    answers = [post(web), post(web)]
    assert {answer.status_code for answer in answers} == {201}
    assert {tuple(answer.json()) for answer in answers} == {("id",)}
    assert Lead.objects.count() == 1


def test_it_never_overwrites(web, form):
    post(web)
    post(web, ADA | {"first_name": "Mallory", "timeline": "later"})
    lead = Lead.objects.get()
    assert (lead.first_name, lead.timeline) == ("Ada", "later")
    assert lead.field_changes.filter(field="first_name", applied=False).get().new == "Mallory"


def test_json_is_known_by_its_content(web, form):
    response = web.post(URL, json.dumps(ADA), content_type="text/plain")
    assert response.status_code == 201


def test_urlencoded_and_multipart(web, form):
    body = (
        "email=ada%2Bdemo%40engines.example&first_name=L%C3%B8vd&company=Engines+%26+Co&timeline=a&timeline=b"
    )
    assert web.post(URL, body, content_type="application/x-www-form-urlencoded").status_code == 201
    cv = SimpleUploadedFile("cv.pdf", b"%PDF")
    assert web.post(URL, ADA | {"timeline": ["now", "later"], "cv": cv}).status_code == 201
    assert Lead.objects.get(email="ada+demo@engines.example").first_name == "Løvd"
    assert Lead.objects.get(email="ada+demo@engines.example").timeline == "a, b"
    assert Lead.objects.get(email=ADA["email"]).timeline == "now, later"
    assert Submission.objects.latest("received_at").unmapped == {"cv": "file, not kept: cv.pdf"}


def test_unknown_answers_are_kept_as_unmapped(web, form):
    response = post(web, ADA | {"favourite_colour": "red", "place": "sales", "nested": {"a": [1]}})
    assert response.status_code == 201
    assert Submission.objects.get().unmapped == {
        "favourite_colour": "red",
        "place": "sales",
        "nested": {"a": [1]},
    }
    assert Lead.objects.get().place == "scoring"


def test_utm_of_the_page_is_kept_with_the_activity(web, form):
    post(web, ADA | {"utm_source": "google"})
    assert Activity.objects.get().properties == {"utm_source": "google"}


def test_a_program_that_fills_every_field_makes_no_lead(web, form):
    response = post(web, ADA | {"hp_website": "https://spam.example"})
    assert response.status_code == 201
    assert Submission.objects.get().status == "invalid"
    assert not Lead.objects.exists()


def test_an_idempotency_key_makes_one_submission(web, form):
    answers = [post(web, ADA, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert Submission.objects.count() == 1
    assert post(web, ADA | {"first_name": "Eve"}, **{"Idempotency-Key": "k"}).status_code == 422


# --- refusals -----------------------------------------------------------------------------------


def test_missing_and_invalid_answers_are_named_and_the_post_is_kept(web, form):
    response = post(web, {"email": "nonsense", "first_name": " "})
    assert response.status_code == 400
    assert set(errors(response)) == {"email", "first_name"}
    assert errors(response)["first_name"] == "First name is missing. Fill it in."
    submission = Submission.objects.get()
    assert (submission.status, submission.lead) == ("invalid", None)
    assert {error["field"] for error in submission.errors} == {"email", "first_name"}
    assert not Lead.objects.exists()


def test_a_required_address_that_is_missing_is_named_once(web, form):
    response = post(web, {"first_name": "Ada"})
    assert errors(response) == {"email": "E-mail is missing. Fill it in."}


@pytest.mark.parametrize("answer", [{"a": 1}, 7, True, ["a", 1]])
def test_a_wrong_type_is_named(web, form, answer):
    response = post(web, ADA | {"first_name": answer})
    assert response.status_code == 400
    assert set(errors(response)) == {"first_name"}


def test_an_unknown_or_closed_form_is_404(web, form):
    assert post(web, url="/api/v1/forms/nothing/submissions/").status_code == 404
    CaptureForm.objects.update(is_active=False)
    response = post(web)
    assert response.status_code == 404
    assert response.json()["errors"][0]["detail"].startswith("No form with this name.")


def test_other_methods_are_405(web, form):
    assert web.get(URL).status_code == 405
    assert web.put(URL).status_code == 405


def test_when_capture_fails_the_raw_post_is_kept(web, form, monkeypatch):
    monkeypatch.setattr("leads.submissions.capture.submit", lambda **kwargs: 1 / 0)
    assert post(web).status_code == 500
    submission = Submission.objects.get()
    assert submission.status == "invalid"
    assert json.loads(bytes(submission.body)) == ADA


# --- origins ------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [SITE, "HTTPS://www.ACME.example"])
def test_a_listed_site_may_post(web, form, origin):
    response = post(web, Origin=origin)
    assert response.status_code == 201
    assert response["Access-Control-Allow-Origin"] == origin
    assert "Origin" in response["Vary"]


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "http://www.acme.example", "https://www.acme.example.evil.example", ""],
)
def test_a_foreign_site_may_not(web, form, origin):
    response = post(web, Origin=origin)
    assert response.status_code == 403
    assert not response.has_header("Access-Control-Allow-Origin")
    assert not Submission.objects.exists()


def test_without_an_origin_anybody_may(web, form):
    response = post(web)
    assert response.status_code == 201
    assert not response.has_header("Access-Control-Allow-Origin")


def test_errors_can_be_read_by_a_listed_site(web, form):
    response = post(web, {}, Origin=SITE)
    assert response.status_code == 400
    assert response["Access-Control-Allow-Origin"] == SITE


def test_the_preflight_is_answered_per_form(web, form):
    response = web.options(URL, headers={"Origin": SITE, "Access-Control-Request-Method": "POST"})
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == SITE
    assert "content-type" in response["Access-Control-Allow-Headers"]
    assert web.options(URL, headers={"Origin": "https://evil.example"}).status_code == 403
    assert web.options("/api/v1/forms/nothing/submissions/", headers={"Origin": SITE}).status_code == 404


# --- browsers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "sent_to"),
    [
        (None, THANKS),
        (f"{SITE}/roi", f"{SITE}/roi"),
        ("https://evil.example/", THANKS),
        (f"{THANKS}?x=1", THANKS),
        (f"{THANKS}@evil.example", THANKS),
        ("//evil.example", THANKS),
        ("javascript:alert(1)", THANKS),
    ],
)
def test_a_browser_is_sent_on_to_a_listed_page(web, form, wanted, sent_to):
    response = browse(web, ADA | ({"next": wanted} if wanted else {}))
    assert response.status_code == 303
    assert response["Location"] == sent_to
    assert Submission.objects.get().unmapped == {}


def test_without_listed_pages_it_is_our_own(web, form):
    CaptureForm.objects.update(thank_you_urls=[])
    response = browse(web)
    assert response["Location"] == "/f/white-paper/thanks/"
    assert "Thank you" in web.get(response["Location"]).content.decode()


def test_a_browser_gets_a_page_that_names_the_field_and_keeps_the_values(web, form):
    response = browse(web, {"email": "nonsense", "first_name": "<b>Ada</b>", "timeline": ["x", "y"]})
    assert response.status_code == 400
    page = response.content.decode()
    assert "E-mail is not an e-mail address." in page
    assert 'value="nonsense"' in page
    assert "&lt;b&gt;Ada&lt;/b&gt;" in page
    assert "<b>Ada" not in page
    assert Submission.objects.get().status == "invalid"


def test_the_hosted_page(web, form):
    CaptureForm.objects.update(basis_text="We may write to you.")
    form.questions.filter(name="timeline").update(choices=["now", "later"])
    response = web.get("/f/white-paper/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "We may write to you." in page
    assert '<option value="later">later</option>' in page
    assert 'type="email"' in page
    assert "form-action 'self' https://www.acme.example" in response["Content-Security-Policy"]
    assert not response.cookies


def test_the_hosted_page_posts_to_the_same_code(web, form):
    response = browse(web, url="/f/white-paper/", Origin="http://testserver")
    assert response.status_code == 303
    assert Lead.objects.get().email == ADA["email"]
    assert browse(web, url="/f/white-paper/", Origin="https://evil.example").status_code == 403


def test_the_hosted_page_asks_few_queries(web, form, django_assert_num_queries):
    with django_assert_num_queries(1):
        web.get("/f/white-paper/")
    assert web.get("/f/nothing/").status_code == 404


def test_with_an_idempotency_key_the_raw_post_is_kept_too(web, form, monkeypatch):
    monkeypatch.setattr("leads.submissions.capture.submit", lambda **kwargs: 1 / 0)
    assert post(web, ADA, **{"Idempotency-Key": "k"}).status_code == 500
    assert Submission.objects.get().status == "invalid"
    monkeypatch.undo()
    assert post(web, ADA, **{"Idempotency-Key": "k"}).status_code == 201


def test_an_optional_answer_that_cannot_be_read_costs_the_answer_and_not_the_lead(web, form):
    form.questions.create(name="agree", field="consent", label="I agree", position=9)
    response = post(web, ADA | {"company_size": "about 300", "timeline": "x" * 99, "agree": "perhaps"})
    assert response.status_code == 201, response.json()
    lead, submission = Lead.objects.get(), Submission.objects.get()
    assert (lead.first_name, lead.company_size, lead.timeline) == ("Ada", None, "")
    assert (submission.status, submission.lead) == ("accepted", lead)
    assert submission.unmapped == {"company_size": "about 300", "timeline": "x" * 99, "agree": "perhaps"}
    told = {error["field"]: error["detail"] for error in submission.errors}
    assert told["company_size"].startswith("is not a whole number.")
    assert told.keys() == {"company_size", "timeline", "agree"}
    assert not Consent.objects.exists(), "perhaps is no yes"


def test_a_required_answer_and_a_mistyped_address_are_still_refused(web, form):
    form.questions.filter(name="company_size").update(required=True)
    assert errors(post(web, ADA | {"company_size": "about 300"}))["company_size"] == (
        "Company size is not a whole number. Send the number of employees, e.g. 250."
    )
    form.questions.filter(name="email").update(required=False)
    assert set(errors(post(web, ADA | {"email": "ada@", "phone": "+49 30 1234"}))) == {"email"}
    form.questions.create(name="phone", field="phone", label="Phone", position=9)
    response = post(web, {"first_name": "Ada", "company_size": "5", "phone": "12"})
    assert set(errors(response)) == {"email"}, "nothing that is left says who it is"
    assert not Lead.objects.exists()
