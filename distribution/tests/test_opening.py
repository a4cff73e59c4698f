"""What to say first, what comes next, and the status: by how far sales has come with a lead."""

import pytest
from django.utils import timezone

from distribution import briefing, followup, handoff, opportunities, recycling, triage, undo
from distribution.models import Handoff, Notice
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, NOW, reread
from leads import capture
from leads.models import Asset, CaptureForm, Consent
from scoring import publish
from scoring.models import Rule, ScoringModel
from scoring.rescore import rescore

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita():
    return cast.rita()


@pytest.fixture
def row(rita):
    return cast.handed(cast.lead(company=cast.acme()))


def brief(row, at=NOW + DAY):
    return briefing.brief(reread(row.lead), at=at)


def test_not_yet_contacted(row):
    told = brief(row, NOW)
    assert (
        told.opening.startswith("They asked for sales (demo request) on 1 June")
        and "thank them" in told.opening
    )
    assert (told.next_step, told.handoff.progress_words) == ("First response", "New")


def test_tried(row, rita):
    followup.log_call(handoff=row, by=rita.user, result="voicemail", at=NOW + MINUTE)
    told = brief(row)
    assert told.opening.startswith("Tried once, last on 1 June") and "(voicemail)" in told.opening
    followup.log_call(handoff=row, by=rita.user, result="no_answer", at=NOW + HOUR)
    told = brief(row)
    assert told.opening.startswith("Tried 2 times") and "thank" not in told.opening
    assert (told.next_step, told.handoff.progress_words) == ("Attempt 3 of 6", "Attempting (2 of 6)")


def test_a_call_that_was_taken_back_was_none(row, rita):
    followup.log_call(handoff=row, by=rita.user, result="voicemail", at=NOW + MINUTE)
    undo.undo(handoff=row, by=rita.user, at=NOW + 2 * MINUTE)
    assert brief(row).opening.startswith("They asked for sales")


def test_talked_and_met(row, rita):
    followup.log_call(handoff=row, by=rita.user, result="connected", note="Budget in Q3", at=NOW + MINUTE)
    told = brief(row)
    assert told.opening.startswith("Connected on 1 June") and "“Budget in Q3”" in told.opening
    followup.log_meeting(handoff=row, by=rita.user, state="no_show", at=NOW + HOUR)
    assert brief(row).opening.startswith("No-show on 1 June")
    assert brief(row).next_step == "Plan what follows the meeting"


def test_asks_again_after_we_talked(row, rita):
    followup.log_call(handoff=row, by=rita.user, result="connected", at=NOW + MINUTE)
    cast.did(row.lead, "hand_raise", "quote-request", NOW + HOUR)
    assert brief(row).opening.startswith("They asked for sales again (quote request)")


def test_an_opportunity_on_an_untouched_lead_is_the_next_step(row, rita):
    deal = opportunities.open(handoff=row, by=rita.user, name="Seats", amount=12500, at=NOW + MINUTE)
    told = brief(row)
    assert told.next_step == "Opportunity: won or lost?"
    assert told.opening.startswith("The opportunity “Seats”, EUR 12,500 has been open since 1 June")
    assert told.questions[0].startswith("What still has to happen")
    assert (
        triage.my_page(rita.user, show="all", at=NOW + DAY)[0].rows[0].next_step
        == "Opportunity: won or lost?"
    )
    opportunities.win(opportunity=deal, by=rita.user, amount="11000.5", at=NOW + HOUR)
    told = brief(row)
    assert told.opening.startswith("A customer since 1 June") and "EUR 11,000.50" in told.opening
    assert "thank" not in told.opening and told.next_step == ""


def test_recycled(row, rita):
    recycling.recycle(handoff=row, by=rita.user, reason="no_budget", until=NOW + 60 * DAY, at=NOW + HOUR)
    told = brief(row)
    assert (
        told.opening.startswith("Given back on 1 June")
        and "No budget yet. Leave it to marketing until 31 July" in told.opening
    )
    assert told.questions == [] and told.next_step == "Back in nurture, ask again on 31 Jul 2026"
    assert told.ask_again == told.next_due == NOW + 60 * DAY
    after = brief(row, NOW + 61 * DAY)
    assert after.opening.endswith("No budget yet. Ask whether that has changed.") and after.questions


def test_disqualified(row, rita):
    recycling.disqualify(handoff=row, by=rita.user, reason="no_need", at=NOW + HOUR)
    assert brief(row).opening == "Disqualified: No need. There is nothing to say."


def test_a_mail_that_may_not_be_sent_is_not_announced(rita):
    who = cast.lead()
    cast.did(who, "download", "/a", NOW)
    cast.flow(NOW)
    told = briefing.brief(reread(who), at=NOW)
    assert told.closed["no_marketing"] == "no consent"
    assert "no mail will go out: no consent" in told.program and "next mail" not in told.where_now
    Consent.objects.create(
        lead=who, channel="email", purpose="marketing", basis="consent", text_version="1", at=NOW
    )
    assert "next mail" in briefing.brief(reread(who), at=NOW).program


def test_what_a_server_sends_in_is_no_form(client, rita):
    """It is in the log as what it is, and brings no points for downloading."""
    taken = capture.submit(values={"email": "ada@acme.example", "last_name": "Ada"}, at=timezone.now())
    assert str(taken.activity.touchpoint) == "lead_posted"
    rescore(lead_ids=[taken.lead.pk], at=timezone.now())
    client.force_login(cast.max_())
    page = client.get(f"/leads/{taken.lead.pk}/").content.decode()
    assert "Sent in through the API" in page and "Filled in the form" not in page
    assert "Downloaded something" not in page


def test_the_currency_is_one_setting(settings, row, rita):
    settings.CURRENCY = "USD"
    opportunities.open(handoff=row, by=rita.user, name="Seats", amount="1234567.8", at=NOW + MINUTE)
    assert "USD 1,234,567.80" in brief(row).opening


def test_accepted_is_not_new(row, rita):
    handoff.accept(handoff=row, by=rita.user, at=NOW + MINUTE)
    told = brief(row, NOW + 2 * MINUTE)
    assert (told.next_step, told.handoff.progress_words) == ("First response", "Accepted, not contacted yet")


def test_what_they_took_is_spoken_of_and_not_what_they_looked_at(rita):
    who = cast.lead()
    cast.did(who, "download", "/white-papers/roi-guide", NOW - HOUR)
    cast.did(who, "page_view", "/pricing", NOW)
    assert briefing.brief(who, at=NOW).opening.startswith("Refer to “roi guide”")
    other = cast.lead("b@b.net")
    cast.did(other, "page_view", "/pricing", NOW)
    assert briefing.brief(other, at=NOW).opening.startswith("Ask what they are working on")


def test_what_they_took_is_called_by_its_title(rita):
    Asset.objects.create(path="/white-papers/roi", title="What planning pays")
    CaptureForm.objects.create(name="Request a demo", slug="demo-request")
    who = cast.lead()
    cast.did(who, "download", "/white-papers/roi", NOW - HOUR)
    opening = lambda: briefing.brief(who, at=NOW).opening
    assert opening().startswith("Refer to “What planning pays”")
    cast.asks(who)
    assert opening().startswith("They asked for sales (Request a demo) on 1 June")


@pytest.fixture
def bitten(rita):
    """Sarah followed a mail to the free trial, which marketing offers as a next step."""
    version = publish.new_draft(model=ScoringModel.objects.get(routes=True), by=None)
    offer = {"is": "touchpoint", "kind": "mail_click", "asset": "/free-trial"}
    Rule.objects.create(version=version, kind="bite", name="Tries it", condition=offer)
    publish.publish(version=version, by=None, at=NOW - DAY, approved=True)
    Asset.objects.create(path="/free-trial", title="Free trial")
    who = cast.lead()
    cast.did(who, "mail_click", "/free-trial", NOW)
    cast.flow(NOW)
    return Handoff.objects.select_related("lead", "owner__user").get(lead=who)


def test_an_offer_taken_up_is_no_request(client, bitten, rita):
    assert (bitten.why_now, bitten.is_hand_raise) == ("Took up the offer “Free trial”", False)
    assert brief(bitten, NOW).opening.startswith("They took up the offer “Free trial” on 1 June")
    client.force_login(rita.user)
    rita.team = cast.team(cast.mia())
    rita.save(update_fields=["team"])
    mia = rita.team.manager
    for user, path, words in (
        (rita.user, "/sales/", "Took up an offer"),
        (mia, "/sales/team/", "· took up an offer"),
        (rita.user, f"/leads/{bitten.lead_id}/", "Took up the offer “Free trial”"),
    ):
        client.force_login(user)
        page = client.get(path).content.decode()
        assert words in page and "sked for sales" not in page, path


def test_who_takes_up_an_offer_while_a_rep_has_them_is_announced_as_that(rita, bitten):
    Notice.objects.all().delete()
    cast.did(bitten.lead, "mail_click", "/free-trial", NOW + 2 * HOUR)
    cast.flow(NOW + 2 * HOUR)
    row = reread(bitten)
    assert (row.why_now_at, row.is_hand_raise) == (NOW + 2 * HOUR, False)
    assert Notice.objects.get().text.startswith("A lead of yours took up an offer of a next step.")
