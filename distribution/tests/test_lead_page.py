"""The lead page: what it shows, who may open it, and every action on it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from distribution import handoff, opportunities
from distribution.models import Feedback, FollowUp, Opportunity
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, reread
from distribution.tests.pages import read
from leads import consent, content, identity
from leads.models import Activity, Asset, CustomField, Product

pytestmark = pytest.mark.django_db
PANEL = {"HX-Request": "true", "HX-Target": "action-panel"}


@pytest.fixture
def row(rita, now):
    """Sarah of Acme asked for sales an hour ago; Rita has accepted her."""
    who = cast.lead(company=cast.acme(), job_title="Head of Operations", phone="+4930123")
    cast.did(who, "page_view", "/pricing", now - 2 * HOUR, times=3)
    row = cast.handed(who, at=now - HOUR)
    return handoff.accept(handoff=row, by=rita.user, at=now - 50 * MINUTE)


def page_of(client, row, query=""):
    return read(client, f"/leads/{row.lead_id}/{query}")


def test_it_works(client, row):
    cast.lead("bob@acme.net", first_name="Bob", last_name="Colleague", company=row.lead.company)
    page = page_of(client, row)
    for words in (
        "Sarah Miller", "Head of Operations", "Acme", "Sales: Rita Us", "Accepted (SAL)", "What to say first", "Why now",
        "Asked for sales through demo request", "Viewed /pricing", "3×", "Bob Colleague", "Fit", "Engagement",
        "Log a call", "Follow up", "Give back", "Good lead",
    ):  # fmt: skip
        assert words in page, words
    assert "style=" not in page and "onclick" not in page and "<script>" not in page


def test_the_breakdown_adds_up_to_the_score_and_shows_its_evidence(client, row):
    page = page_of(client, row)
    said = re.search(
        r"Why (\w)\?</h2>.*?<p [^>]*>Fit ([\d.]+) \(.*?\) and engagement ([\d.]+) \(.*?\) make \1\.<", page
    )
    parts = [
        float(found)
        for found in re.findall(r'scope="rowgroup">\w+</th><td class="num"><strong>([\d.]+)<', page)
    ]
    lines = [
        float(found.replace("−", "-")) for found in re.findall(r'<td class="num[^"]*">([+−][\d.]+)<svg', page)
    ]
    assert parts == [float(said[2]), float(said[3])] and round(sum(lines), 2) == sum(parts)
    assert re.search(r">Viewed /pricing</a>, <time", page)


def test_what_they_want_is_shown_with_what_decided(client, row, now):
    assert "What they want" not in page_of(client, row)
    Product.objects.create(name="Mixer", slug="mixer")
    CustomField.objects.create(key="erp", label="ERP system")
    CustomField.objects.create(key="plants", label="Plants", type="number", owner="company")
    asset = Asset.objects.create(path="/pricing", title="Prices <b>")
    content.classify(asset=asset, buying_stage="decision", products=["mixer"], at=now - MINUTE)
    lead = row.lead
    identity.set_fields(lead=lead, values={"custom.erp": "SAP"}, origin="rep", at=now)
    identity.set_fields(company=lead.company, values={"custom.plants": 1200}, origin="rep", at=now)
    page = page_of(client, row)
    assert (
        "<dt>Buying stage</dt> <dd>Decision" in page
        and "viewed “Prices &lt;b&gt;” on" in page
        and "(3 times)" in page
    )
    assert "<dt>Likely product</dt> <dd>Mixer" in page
    assert "<dt>ERP system</dt> <dd>SAP</dd>" in page and "<dt>Plants</dt> <dd>1,200</dd>" in page


def test_it_takes_a_bounded_number_of_queries(client, row, now, django_assert_max_num_queries):
    for n in range(60):
        cast.did(row.lead, "page_view", f"/page-{n}", now - n * MINUTE)
    for n in range(12):
        cast.lead(f"c{n}@acme.net", company=row.lead.company)
    with django_assert_max_num_queries(42):
        page = page_of(client, row)
    assert page.count('class="moment') == 50 and "Show what happened before" in page
    older = re.search(r'href="(/leads/\d+/timeline/\?before=[^"]+)"', page)[1]
    part = client.get(older, headers={"HX-Request": "true", "HX-Target": "older"}).content.decode()
    assert "<html" not in part and "/page-59" in part and "/page-2<" not in part
    assert "Back to the lead" in client.get(older).content.decode()
    for wrong in (
        "",
        "?before=x",
        "?before=2026-01-01,1",
        "?before=2026-99-01T00:00:00Z,1",
        "?before=2026-01-01T00:00:00Z,x",
    ):
        assert client.get(f"/leads/{row.lead_id}/timeline/{wrong}").status_code == 404


def test_marketing_may_not_write_but_sales_may_call_who_asked(client, row, now):
    consent.suppress(
        address="sarah@acme.net", channel="email", purpose="marketing", reason="unsubscribed", at=now
    )
    page = page_of(client, row)
    assert (
        "No marketing mail" in page
        and "calling and writing in person is fine" in page
        and "tel:+4930123" in page
    )
    consent.suppress(address="+4930123", channel="phone", purpose="all", reason="do_not_call", at=now)
    page = page_of(client, row)
    assert "Do not call:" in page and "tel:" not in page and "in person is fine" not in page


def test_who_may_open_it(client, row):
    for person, status in ((cast.ron().user, 404), (cast.mia(), 404), (cast.max_(), 200), (cast.ada(), 200)):
        client.force_login(person)
        assert client.get(f"/leads/{row.lead_id}/").status_code == status, person
    assert client.get("/leads/999999/").status_code == 404


def test_a_marketer_looks_and_touches_nothing(client, row):
    client.force_login(cast.max_())
    page = page_of(client, row)
    assert 'aria-label="Actions"' not in page
    assert client.post(f"/handoffs/{row.pk}/notes/", {"text": "hello"}).status_code == 403


def test_a_competitor_in_review_has_no_brief(client, now):
    company = cast.acme("Rival", relationship="competitor")
    row = cast.handed(cast.lead("spy@rival.net", company=company), at=now)
    assert row.queue.is_review
    client.force_login(cast.max_())
    page = page_of(client, row)
    assert (
        "The brief is withheld." in page
        and "Then ask:" not in page
        and "Why now" not in page
        and "make A" not in page
        and "Rule and evidence" not in page
    )


def test_a_marketer_lets_a_competitor_pass_to_a_rep(client, now):
    rita = cast.rita()
    row = cast.handed(
        cast.lead("spy@rival.net", company=cast.acme("Rival", relationship="competitor")), at=now
    )
    client.force_login(cast.max_())
    assert "Give to a rep" in page_of(client, row)
    assert "Rita Us" in page_of(client, row, "?do=assign")
    client.post(f"/handoffs/{row.pk}/assign/", {"rep": rita.pk})
    assert reread(row).owner == rita
    assert "Sarah Miller given to Rita Us." in page_of(client, row)
    client.force_login(rita.user)
    assert "data-panel" not in page_of(client, row, "?do=assign")


def test_a_panel_opens_with_and_without_htmx(client, row):
    assert "How did it go?" in page_of(client, row, "?do=call")
    part = client.get(f"/leads/{row.lead_id}/?do=call", headers=PANEL).content.decode()
    assert "<html" not in part and f'action="/handoffs/{row.pk}/calls/"' in part
    assert "data-panel" not in page_of(client, row, "?do=nonsense")
    assert "data-panel" not in page_of(client, row, "?do=won"), "no open opportunity"


def post(client, path, **data):
    return client.post(path, data)


def test_log_a_call_with_a_next_step_in_the_readers_zone(client, row, now):
    client.cookies["zone"] = "America/New_York"
    day = (now + 5 * DAY).date()
    response = post(
        client, f"/handoffs/{row.pk}/calls/", result="voicemail", note="Rang\ntwice", next_at=f"{day}T09:30"
    )
    assert response.status_code == 302 and response.url == f"/leads/{row.lead_id}/"
    row = reread(row)
    assert (row.attempts, row.progress, row.first_response_at is not None) == (1, "attempting", True)
    item = FollowUp.objects.get(done_at=None)
    assert timezone.localtime(item.due_at, timezone.get_fixed_timezone(-300)).strftime("%H:%M") in (
        "09:30",
        "08:30",
    )
    page = page_of(client, row)
    assert (
        "Call with Sarah Miller logged." in page
        and "Call: Voicemail" in page
        and "Rang twice" in page
        and 'name="undo"' in page
    )


def test_a_refused_form_keeps_what_was_typed_and_says_what_to_do(client, row, now):
    response = post(
        client, f"/handoffs/{row.pk}/calls/", note="Long <b>story</b>", next_at="2001-01-01T09:00"
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert "Choose one." in page and "This time has passed. Choose a later one." in page
    assert "Long &lt;b&gt;story&lt;/b&gt;</textarea>" in page and 'value="2001-01-01T09:00"' in page
    assert 'aria-invalid="true"' in page
    assert reread(row).attempts == 0


def test_each_action_calls_its_verb(client, row, now):
    at = f"/handoffs/{row.pk}"
    soon = timezone.localtime(now + 3 * DAY).strftime("%Y-%m-%dT%H:%M")
    post(client, f"{at}/notes/", text="Likes tea")
    post(client, f"{at}/mails/", note="Sent the deck")
    post(client, f"{at}/meetings/", state="held")
    post(client, f"{at}/follow-ups/", due_at=soon, note="Offer")
    post(client, f"{at}/feedback/", verdict="good")
    post(client, f"{at}/feedback/", verdict="too_early", note="Only reading")
    post(client, f"{at}/opportunities/", name="40 seats", amount="12500")
    assert (Feedback.objects.get().verdict, Feedback.objects.get().note) == ("too_early", "Only reading")
    deal = Opportunity.objects.get()
    assert (deal.name, deal.status, str(deal.amount)) == ("40 seats", "open", "12500.00")
    page = page_of(client, row)
    for words in (
        "Likes tea",
        "Sent the deck",
        "Meeting held",
        "Offer",
        "Opportunity opened: 40 seats",
        "Won: 40 seats",
    ):
        assert words in page, words
    wrong = post(client, f"/opportunities/{deal.pk}/won/", amount="0")
    assert wrong.status_code == 422 and b"Enter an amount above 0." in wrong.content
    post(client, f"/opportunities/{deal.pk}/won/", amount="11000.50")
    assert (reread(deal).status, str(reread(deal).amount)) == ("won", "11000.50")
    kinds = set(Activity.objects.filter(lead=row.lead).values_list("touchpoint__kind", flat=True))
    assert {"note", "mail_by_rep", "meeting", "feedback", "opportunity_opened", "deal_won"} <= kinds


def test_recycle_with_a_reason_and_a_day(client, row, now):
    day = timezone.localdate() + timedelta(days=30)
    assert b"Choose one." in post(client, f"/handoffs/{row.pk}/recycle/", until=day).content
    response = post(
        client, f"/handoffs/{row.pk}/recycle/", reason="no_budget", until=day, note="Asks again in summer"
    )
    assert response.status_code == 302
    assert reread(row).status == "returned"
    page = page_of(client, row)
    assert (
        "given back to marketing; ask again on" in page
        and "Given back to marketing: No budget yet" in page
        and "Asks again in summer" in page
        and "Log a call" not in page
    )


def test_lose_with_a_reason(client, row, rita, now):
    deal = opportunities.open(handoff=row, by=rita.user, name="Seats", at=now)
    assert post(client, f"/opportunities/{deal.pk}/lost/").status_code == 422
    post(client, f"/opportunities/{deal.pk}/lost/", reason="price", competitor="Rival")
    assert (reread(deal).status, reread(deal).competitor) == ("lost", "Rival")


def test_decline_gives_it_to_the_next_rep(client, rita, now):
    row = cast.handed(at=now)
    cast.ron()
    assert "Not my area" in page_of(client, row, "?do=decline")
    assert post(client, f"/handoffs/{row.pk}/decline/", reason="not_mine").url == "/sales/"
    assert str(reread(row).owner) == "Ron Us"
    assert b"Sarah Miller declined." in client.get("/sales/").content


def test_a_verb_that_cannot_be_done_says_why_and_keeps_the_form(client, row, rita, now):
    opportunities.open(handoff=row, by=rita.user, name="Seats", at=now)
    response = post(client, f"/handoffs/{row.pk}/recycle/", reason="no_budget", note="Kept words")
    page = response.content.decode()
    assert response.status_code == 422 and "Kept words</textarea>" in page
    assert re.search(r'role="alert">.*opportunity', page, re.DOTALL)
    assert reread(row).status == "accepted"


def test_a_lead_given_to_somebody_else_is_no_longer_mine_to_work_on(client, row):
    handoff.assign(handoff=row, rep=cast.ron(), by=cast.ada(), at=timezone.now())
    assert post(client, f"/handoffs/{row.pk}/notes/", text="mine?").status_code == 404


@pytest.mark.parametrize(
    "path", ["calls", "notes", "follow-ups", "recycle", "opportunities", "feedback", "decline", "disqualify"]
)
def test_others_may_not_act(client, row, path):
    client.force_login(cast.ron().user)
    assert post(client, f"/handoffs/{row.pk}/{path}/", text="x").status_code == 404
    client.logout()
    assert post(client, f"/handoffs/{row.pk}/{path}/").url.startswith("/sign-in/")


def test_undo_is_offered_for_what_was_just_done_and_not_for_what_came_before(client, row):
    client.post(f"/handoffs/{row.pk}/notes/", {"text": "Call back"})
    assert 'name="undo"' in page_of(client, row)
    client.post(f"/handoffs/{row.pk}/opportunities/", {"name": "Acme"})
    page = page_of(client, row)
    assert "Acme" in page
    assert 'name="undo"' not in page
