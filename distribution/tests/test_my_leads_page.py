"""My leads: what a rep sees first, finds, and does in place."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from distribution import followup, handoff, queries, recycling, triage
from distribution.models import FollowUp, Handoff
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, reread
from leads import consent
from scoring import approval
from scoring.models import ScoringModel
from scoring.publish import new_draft

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "lead-list"}


def person(n, **values):
    return cast.lead(f"p{n}@company{n}.net", first_name="Person", last_name=f"No{n}", **values)


def names(response):
    return re.findall(r"data-row-link>([^<]+)<", response.content.decode())


def counts(response):
    found = re.findall(
        r'id="tab-(\w+)".*?<span class="count">(\d+)</span>', response.content.decode(), re.DOTALL
    )
    return {key: int(count) for key, count in found}


def test_it_works(client, rita, now):
    who = cast.lead(company=cast.acme(), job_title="Head of Operations", phone="+4930123")
    cast.handed(who, at=now - 5 * MINUTE)
    response = client.get("/sales/")
    page = response.content.decode()
    assert names(response) == ["Sarah Miller"]
    assert (
        "Head of Operations, Acme" in page
        and "Asked for sales" in page
        and f'href="/leads/{who.pk}/"' in page
    )
    assert re.search(r'promise soon|promise ".*?by \d\d:\d\d, <time|promise "', page), (
        "what is promised is said"
    )
    assert 'href="tel:+4930123"' in page and 'href="mailto:sarah@acme.net"' in page
    assert counts(response) == {"now": 1, "new": 1, "queues": 0, "later": 0, "back": 0, "all": 1}


def test_the_most_urgent_is_first_and_sections_split_the_list(client, rita, now):
    late = cast.handed(person(1), at=now - 2 * DAY)
    fresh = cast.handed(person(2), at=now - MINUTE)
    planned = cast.handed(person(3), at=now - 3 * DAY)
    followup.log_call(
        handoff=planned, by=rita.user, result="no_answer", at=now - 2 * DAY, next_at=now + 3 * DAY
    )
    due = cast.handed(person(4), at=now - 4 * DAY)
    followup.log_call(handoff=due, by=rita.user, result="connected", at=now - 3 * DAY, next_at=now - HOUR)
    assert names(client.get("/sales/")) == ["Person No1", "Person No2", "Person No4"]
    assert names(client.get("/sales/?show=new")) == ["Person No1", "Person No2"]
    assert names(client.get("/sales/?show=later")) == ["Person No3"]
    assert counts(client.get("/sales/?show=all")) == {
        "now": 3,
        "new": 2,
        "queues": 0,
        "later": 1,
        "back": 0,
        "all": 4,
    }
    page = client.get("/sales/").content.decode()
    assert (
        (page.count('class="lead overdue"') == 2 and "47 h overdue" in page)
        or "2 days overdue" in page
        or "overdue" in page
    )
    assert {late.owner_id, fresh.owner_id} == {rita.pk}


def test_now_and_later_are_together_all(rita, now):
    for n in range(6):
        row = cast.handed(person(n), at=now - (n + 1) * DAY)
        if n % 3:
            followup.log_call(
                handoff=row,
                by=rita.user,
                result="voicemail",
                at=now - n * HOUR,
                next_at=now + n * DAY if n % 2 else None,
            )
    _, found = triage.my_page(rita.user, show="all", at=now)
    assert found["now"] + found["later"] == found["all"] == queries.mine(rita.user, at=now).count() == 6


def test_search_finds_every_word_in_any_order(client, rita, now):
    cast.handed(
        cast.lead(
            "zoe@x.net", first_name="Zoë", last_name="Müller", search_text="Zoë Müller Blaupunkt zoe@x.net"
        ),
        at=now,
    )
    cast.handed(person(2, search_text="Person No2 company2"), at=now)
    assert names(client.get("/sales/?q=blaupunkt+müll")) == ["Zoë Müller"]
    assert counts(client.get("/sales/?q=blaupunkt"))["all"] == 1
    nothing = client.get("/sales/", {"q": "<b>nobody</b>"}).content.decode()
    assert "No lead of yours matches “&lt;b&gt;nobody&lt;/b&gt;”" in nothing and "Clear the search" in nothing
    assert client.get("/sales/", {"q": "%_\\'\"", "page": "99999999", "show": "nonsense"}).status_code == 200


def test_leads_wait_in_my_queues_and_whoever_accepts_first_has_them(client, now):
    row = cast.handed(at=now)
    rita = cast.rita()
    client.force_login(rita.user)
    assert names(client.get("/sales/?show=queues")) == ["Sarah Miller"]
    response = client.post(f"/handoffs/{row.pk}/accept/", {"next": "/sales/?show=queues"})
    assert response.url == "/sales/?show=queues"
    row = reread(row)
    assert (row.owner, row.status) == (rita, "accepted")
    page = client.get(response.url).content.decode()
    assert "Sarah Miller is yours." in page and "Nobody waits in your queues" in page


def test_accepting_in_place_gives_the_list_and_a_toast_that_undoes(client, rita, now):
    row = cast.handed(at=now)
    response = client.post(f"/handoffs/{row.pk}/accept/", {"next": "/sales/"}, headers=HTMX)
    assert response.status_code == 302
    part = client.get(response.url, headers=HTMX).content.decode()
    assert "<html" not in part and 'hx-swap-oob="beforeend:#toasts"' in part
    assert "Sarah Miller is yours." in part
    assert (
        client.post(
            "/undo/", {"undo": re.search(r'name="undo" value="(\d+)"', part)[1], "next": "/sales/"}
        ).url
        == "/sales/"
    )
    assert reread(row).status == "offered"
    assert "Taken back: Accepted." in client.get("/sales/").content.decode()


def test_undo_is_only_for_who_did_it(client, rita, now):
    row = cast.handed(at=now)
    handoff.accept(handoff=row, by=rita.user, at=now)
    client.force_login(cast.ron().user)
    client.post("/undo/", {"undo": row.pk})
    assert reread(row).status == "accepted"
    for nonsense in ("", "x", "9" * 30, "-1"):
        assert client.post("/undo/", {"undo": nonsense}).status_code == 404


def test_a_follow_up_is_done_in_place(client, rita, now):
    row = cast.handed(at=now - DAY)
    followup.log_call(handoff=row, by=rita.user, result="connected", at=now - HOUR)
    item = followup.follow_up(
        handoff=row, by=rita.user, due_at=now + timedelta(seconds=1), note="Send the offer", at=now
    )
    FollowUp.objects.filter(pk=item.pk).update(due_at=now - MINUTE)
    assert "Send the offer" in client.get("/sales/").content.decode()
    client.post(f"/follow-ups/{item.pk}/done/", {"next": "/sales/"})
    assert reread(item).done_at is not None


def test_do_not_call_hides_the_number_and_keeps_the_mail(client, rita, now):
    cast.handed(cast.lead(phone="+4930123"), at=now)
    consent.suppress(address="+4930123", channel="phone", purpose="all", reason="do_not_call", at=now)
    page = client.get("/sales/").content.decode()
    assert "tel:" not in page and "mailto:" in page


def test_empty_list_says_what_comes_next(client, rita):
    page = client.get("/sales/").content.decode()
    assert "All clear" in page and page.count('class="button primary"') == 0
    cast.handed(at=timezone.now())
    Handoff.objects.update(owner=None, status="waiting")
    assert "See 1 waiting in my queues" in client.get("/sales/").content.decode()


def test_others_leads_are_not_mine(client, rita, now):
    row = cast.handed(at=now)
    client.force_login(cast.ron().user)
    assert names(client.get("/sales/?show=all")) == []
    assert client.post(f"/handoffs/{row.pk}/accept/").status_code == 404
    assert reread(row).owner == rita


def test_verbs_take_only_posts(client, rita, now):
    row = cast.handed(at=now)
    assert client.get(f"/handoffs/{row.pk}/accept/").status_code == 405
    assert client.post("/sales/").status_code == 405


def test_the_way_back_never_leads_to_another_site(client, rita, now):
    row = cast.handed(at=now)
    for evil in ("https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test"):
        response = client.post(f"/handoffs/{row.pk}/accept/", {"next": evil})
        assert response.url == f"/leads/{row.lead_id}/"


@pytest.mark.parametrize("show", list(triage.SECTIONS))
def test_fifty_rows_take_at_most_twelve_queries(client, now, show, django_assert_max_num_queries):
    rita = cast.rita()
    client.force_login(rita.user)
    for n in range(55):
        cast.asks(person(n), now - HOUR)
    cast.flow(now)
    if show == "queues":
        Handoff.objects.update(owner=None, status="waiting")
    if show == "back":
        Handoff.objects.update(status="returned", recycle_until=now + DAY, ended_at=now)
    if show == "later":
        for row in Handoff.objects.all():
            followup.log_call(handoff=row, by=rita.user, result="no_answer", at=now, next_at=now + DAY)
    with django_assert_max_num_queries(12):
        response = client.get(f"/sales/?show={show}")
    assert len(names(response)) == 50 and "55 leads" in response.content.decode()
    with django_assert_max_num_queries(12):
        assert len(names(client.get(f"/sales/?show={show}&page=2"))) == 5
    version = new_draft(model=ScoringModel.objects.get(routes=True), by=None)
    approval.ask_review(version=version, by=None, at=now)
    with django_assert_max_num_queries(15):  # permissions, the version and comments, while one is in review
        assert "Read it and comment" in client.get(f"/sales/?show={show}").content.decode()


def test_what_was_given_back_shows_when_to_ask_again(client, rita, now):
    row = cast.handed(person(1), at=now - DAY)
    other = cast.handed(person(2), at=now - DAY)
    until = (now + 40 * DAY).date()
    response = client.post(
        f"/handoffs/{row.pk}/recycle/", {"reason": "no_budget", "until": until}, follow=True
    )
    said = f"ask again on {until:%-d %b %Y}"
    assert said in response.content.decode()
    recycling.recycle(handoff=other, by=rita.user, reason="timing", until=now + 20 * DAY, at=now)
    page = client.get("/sales/?show=back")
    assert names(page) == ["Person No2", "Person No1"] and counts(page)["back"] == 2
    text = page.content.decode()
    assert "Given back: No budget yet" in text and "Ask again" in text and "Log a call with" not in text
    lead_page = client.get(f"/leads/{row.lead_id}/").content.decode()
    assert f"Back in nurture, {said}" in lead_page and "None planned" not in lead_page
    cast.asks(other.lead, now + MINUTE)
    cast.flow(now + MINUTE)
    assert names(client.get("/sales/?show=back")) == ["Person No1"], "a new request brings it back"


# --- versions in review ------------------------------------------------------------------------------


def notice(client, address="/sales/"):
    page = re.sub(r"\s+", " ", client.get(address).content.decode())
    found = re.search(r'<div class="alert screen-only">.*?<p>(.*?)</p>', page)
    return found and re.sub(r"<a href=\"([^\"]*)\">(.*?)</a>", r"[\2](\1)", found[1])


def test_a_version_in_review_asks_reps_for_comments_and_managers_for_approval(client, rita, now):
    version = new_draft(model=ScoringModel.objects.get(routes=True), by=None)
    assert notice(client) is None
    approval.ask_review(version=version, by=None, at=now)
    page = f"/scoring/starter/versions/{version.number}/"
    rules = "its rules decide which leads come to sales."
    assert notice(client) == f"<strong>{version}</strong> is in review: {rules} [Read it and comment]({page})"
    assert client.get(page).status_code == 200
    approval.comment(version=version, by=rita.user, text="Good.", at=now)
    assert notice(client) is None
    client.force_login(cast.mia())
    assert notice(client).endswith(f"waits for your approval: {rules} [Read and approve it]({page})")
    assert f'href="{page}"' in client.get("/sales/team/").content.decode()
    approval.approve(version=version, by=None, side="sales", at=now)
    assert notice(client) is None
