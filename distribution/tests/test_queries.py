"""My leads, waiting, untouched, the brief and the team's load."""

import pytest
from django.contrib.auth.models import User

from distribution import briefing, feedback, followup, handoff, opportunities, queries, reports, triage
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, NOW
from leads import consent
from leads.models import Relationship

pytestmark = pytest.mark.django_db


def fresh(user):
    """As of a new request: roles are read once per user object."""
    return User.objects.get(pk=user.pk)


def my_leads(user, *, at, page=1):
    return triage.my_page(user, show="all", at=at, page=page)[0]


def test_the_most_urgent_comes_first():
    rita = cast.rita()
    by = rita.user
    overdue = cast.handed(cast.lead("overdue@a.net"), NOW - 2 * HOUR)
    asks = cast.handed(cast.lead("asks@b.net"), NOW - 30 * MINUTE)
    due, news, calm = (cast.handed(cast.lead(f"{n}@{n}.net"), NOW - 5 * DAY) for n in ("due", "news", "calm"))
    for row in (due, news, calm):
        followup.log_call(handoff=row, by=by, result="voicemail", at=NOW - 4 * DAY)
    followup.follow_up(handoff=due, by=by, due_at=NOW - HOUR, note="Budget?", at=NOW - 4 * DAY)
    cast.did(news.lead, "page_view", "/pricing", NOW - HOUR)
    page = my_leads(by, at=NOW)
    assert [row.handoff for row in page.rows] == [overdue, asks, due, news, calm]
    assert [row.urgency for row in page.rows] == ["overdue", "promised", "due", "fresh", "normal"]
    assert [row.next_step for row in page.rows] == [
        "First response",
        "First response",
        "Budget?",
        "Attempt 2 of 6",
        "Attempt 2 of 6",
    ]
    assert page.rows[0].is_overdue and page.rows[2].is_overdue and not page.rows[1].is_overdue
    assert page.rows[3].why_now == "Viewed /pricing" and page.rows[3].why_now_at == NOW - HOUR
    assert page.rows[0].since == NOW - 2 * HOUR and page.rows[0].score.rating in "ABCD"
    assert (page.count, page.has_next) == (5, False)


def test_what_the_rep_has_seen_is_no_news():
    rita = cast.rita()
    row = cast.handed(at=NOW - 5 * DAY)
    followup.log_call(handoff=row, by=rita.user, result="voicemail", at=NOW - 4 * DAY)
    cast.did(row.lead, "page_view", "/pricing", NOW - HOUR)
    followup.log_mail(handoff=row, by=rita.user, at=NOW - MINUTE)
    assert my_leads(rita.user, at=NOW).rows[0].urgency == "normal"


def test_then_rating_then_points_decide():
    rita = cast.rita()
    weak = cast.handed(cast.lead("weak@a.net", role="", company_size=None))
    strong = cast.handed(cast.lead("strong@b.net"))
    assert [row.handoff for row in my_leads(rita.user, at=NOW).rows] == [strong, weak]


def test_a_page_of_fifty_takes_twelve_queries_at_most(django_assert_max_num_queries):
    rita = cast.rita()
    people = [cast.lead(f"p{n}@firm{n}.net", company=cast.acme(f"Firm{n}")) for n in range(60)]
    for who in people:
        cast.asks(who)
    cast.flow()
    with django_assert_max_num_queries(12):
        page = my_leads(fresh(rita.user), at=NOW)
        assert [str(row.handoff.owner) + str(row.handoff.lead.company) for row in page.rows]
    assert (len(page.rows), page.count, page.has_next) == (50, 60, True)
    second = my_leads(rita.user, at=NOW, page=2)
    assert len(second.rows) == 10 and not {r.handoff.pk for r in page.rows} & {
        r.handoff.pk for r in second.rows
    }
    assert my_leads(rita.user, at=NOW, page=99).number == 2


def test_a_note_or_a_snooze_does_not_make_a_lead_touched():
    mia = cast.mia()
    rita = cast.rita(team=cast.team(mia))
    first, second = cast.handed(cast.lead("a@a.net")), cast.handed(cast.lead("b@b.net"), NOW + HOUR)
    handoff.accept(handoff=first, by=rita.user, at=NOW)
    followup.note(handoff=first, by=rita.user, text="Later", at=NOW)
    followup.follow_up(handoff=first, by=rita.user, due_at=NOW + 9 * DAY, at=NOW)
    page = triage.untouched_by_reps(fresh(mia), at=NOW + 3 * HOUR)
    assert [(row.handoff, row.since, row.handoff.owner) for row in page.rows] == [
        (first, NOW, rita),
        (second, NOW + HOUR, rita),
    ]
    followup.log_call(handoff=first, by=rita.user, result="no_answer", at=NOW + HOUR)
    assert [row.handoff for row in triage.untouched_by_reps(fresh(mia), at=NOW).rows] == [second]


def test_a_waiting_lead_is_nobodys_and_shown():
    row = cast.handed()
    rita = cast.rita()
    page = queries.waiting(fresh(rita.user), at=NOW)
    assert [each.handoff for each in page.rows] == [row] and page.rows[0].next_step == "Accept"
    assert not triage.untouched_by_reps(cast.ada(), at=NOW).rows


def test_the_brief():
    rita, acme = cast.rita(), cast.acme()
    colleague = cast.handed(cast.lead("tom@acme.net", first_name="Tom", company=acme), NOW - DAY)
    who = cast.lead(company=acme, timeline="this year", timeline_until=NOW - DAY)
    consent.suppress(address=who.email, channel="email", purpose="marketing", reason="unsubscribed", at=NOW)
    row = cast.handed(who)
    deal = opportunities.open(handoff=colleague, by=rita.user, at=NOW)
    feedback.give(handoff=row, by=rita.user, verdict="good", at=NOW)
    who.refresh_from_db()
    brief = briefing.brief(who, at=NOW)
    assert (brief.handoff, brief.is_open, brief.withheld, brief.where_now) == (
        row,
        True,
        "",
        "Sales: Rita Us",
    )
    assert (brief.next_step, brief.next_due) == ("First response", row.respond_by)
    assert brief.opening.startswith("They asked for sales (demo request) on 1 June")
    assert brief.questions[0] == "They once said “this year”; that time has passed. When is it now?"
    assert [(str(lead), where, owner) for lead, where, owner in brief.colleagues] == [
        ("Tom Miller", "Sales", "Rita Us")
    ]
    assert (
        brief.opportunities == [deal] and brief.owner_of_company == rita and brief.feedback.verdict == "good"
    )
    assert brief.closed == {"no_call": "", "no_mail": "", "no_marketing": "suppressed: unsubscribed"}


def test_the_brief_on_a_competitor_in_review_is_withheld_and_given_after_release():
    rita = cast.rita()
    row = cast.handed(cast.lead(company=cast.acme(relationship=Relationship.COMPETITOR)))
    max_ = cast.max_()
    brief = briefing.brief(row.lead, at=NOW)
    assert (
        "competitor" in brief.withheld and not brief.opening and not brief.questions and brief.score is None
    )
    handoff.assign(handoff=row, rep=rita, by=max_, at=NOW)
    assert not briefing.brief(row.lead, at=NOW).withheld


def test_after_six_unanswered_attempts_recycling_is_suggested():
    rita = cast.rita()
    row = cast.handed()
    for n in range(6):
        followup.log_call(handoff=row, by=rita.user, result="voicemail", at=NOW + n * DAY)
    brief = briefing.brief(row.lead, at=NOW + 6 * DAY)
    assert brief.suggestion == "6 unanswered attempts: give the lead back as unresponsive."
    assert brief.next_step == "Give back as unresponsive?"


def test_the_load_of_a_team(django_assert_max_num_queries):
    mia = cast.mia()
    north = cast.team(mia)
    rita, ron = cast.rita(team=north), cast.ron(team=north, is_present=False)
    cast.rep("Tom", queues=[])
    row = cast.handed(cast.lead("a@a.net"))
    cast.handed(cast.lead("b@b.net"))
    followup.log_call(handoff=row, by=rita.user, result="connected", at=NOW, next_at=NOW + 3 * HOUR)
    mia = fresh(mia)
    with django_assert_max_num_queries(4):
        load = reports.team_load(mia, at=NOW + 2 * HOUR)
    assert load == [
        {"rep": rita, "present": True, "due_today": 1, "open": 2, "untouched": 1, "overdue": 1, "oldest_untouched": NOW},
        {"rep": ron, "present": False, "due_today": 0, "open": 0, "untouched": 0, "overdue": 0, "oldest_untouched": None},
    ]  # fmt: skip
    assert len(reports.team_load(cast.ada(), at=NOW)) == 3


def test_a_running_promise_stands_above_all_that_has_no_date():
    """By the promise's end, then follow-ups by their date, then news, then the rest: the rating decides last."""
    rita = cast.rita()
    by = rita.user
    calm, news, due_late, due_early = (
        cast.handed(cast.lead(f"{name}@{name}.net"), NOW - 9 * DAY)
        for name in ("calm", "news", "late", "early")
    )
    for row in (calm, news, due_late, due_early):
        followup.log_call(handoff=row, by=by, result="connected", at=NOW - 8 * DAY)
    followup.follow_up(handoff=due_late, by=by, due_at=NOW - HOUR, at=NOW - 8 * DAY)
    followup.follow_up(handoff=due_early, by=by, due_at=NOW - 2 * HOUR, at=NOW - 8 * DAY)
    cast.did(news.lead, "page_view", "/pricing", NOW - HOUR)
    cold = cast.lead("cold@cold.net", role="", company_size=None)
    fresh = handoff.offer(lead=cold, reason="Met at the fair", at=NOW - MINUTE)
    fresher = handoff.offer(lead=cast.lead("hot@hot.net"), reason="Met at the fair", at=NOW)
    expected = [fresh, fresher, due_early, due_late, news, calm]
    assert [row.handoff for row in my_leads(by, at=NOW).rows] == expected
    handoff.accept(handoff=fresh, by=by, at=NOW)
    assert my_leads(by, at=NOW).rows[0].handoff == fresh, "accepting keeps no promise"
