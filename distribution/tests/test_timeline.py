"""The activity log in words."""

import pytest
from django.utils import timezone

from distribution import followup, undo
from distribution.queries import my_leads
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, NOW
from distribution.timeline import moments, recent
from leads.activities import record

pytestmark = pytest.mark.django_db


def texts(who):
    return [moment.text for moment in moments(recent(who))]


def test_equal_ones_of_a_day_become_one_and_other_days_stay_apart():
    who = cast.lead()
    cast.did(who, "page_view", "/pricing", NOW, times=3)
    cast.did(who, "page_view", "/pricing", NOW - DAY)
    found = moments(recent(who))
    assert [(moment.text, moment.times) for moment in found] == [
        ("Viewed /pricing", 3),
        ("Viewed /pricing", 1),
    ]


def test_what_sales_did_carries_who_and_their_words():
    cast.rita()
    row = cast.handed()
    followup.log_call(
        handoff=row, by=row.owner.user, result="left_company", note="Ask for Bob", at=NOW + HOUR
    )
    latest = moments(recent(row.lead))[0]
    assert (latest.text, latest.said, latest.by, latest.tone) == (
        "Call: Left the company",
        "Ask for Bob",
        "Rita Us",
        "sales",
    )


def test_what_was_taken_back_stays_and_says_so():
    cast.rita()
    row = cast.handed()
    followup.note(handoff=row, by=row.owner.user, text="Oops", at=NOW + HOUR)
    undo.undo(handoff=row, by=row.owner.user, at=NOW + HOUR + MINUTE)
    correction, note, *_ = moments(recent(row.lead))
    assert (note.said, note.is_undone, correction.text) == ("Oops", True, "Taken back: Note added")


def test_scanner_clicks_are_shown_as_not_scored():
    who = cast.lead()
    record(lead=who, kind="mail_click", asset="/x", at=NOW, engagement=False)
    assert moments(recent(who))[0].is_scored is False


@pytest.mark.parametrize("kind", ["{0}", "}", "{asset.__class__}", "<b>", "%s", "demo_day"])
def test_a_kind_from_outside_is_text_and_no_format(kind):
    who = cast.lead()
    cast.did(who, kind, "{x}", NOW)
    assert texts(who) == [f"{kind.replace('_', ' ').capitalize()} {{x}}"]
    cast.rita()
    row = cast.handed(who, at=NOW + HOUR)
    cast.did(who, kind, "{y}", NOW + 2 * HOUR)
    assert my_leads(row.owner.user, at=NOW + 3 * HOUR).rows[0].why_now.endswith("{y}")


def test_pages_go_on_where_they_stopped_even_within_one_moment():
    who = cast.lead()
    for n in range(7):
        cast.did(who, "page_view", f"/{n}", NOW)
    first = recent(who, limit=4)
    rest = recent(who, before=(first[-1].occurred_at, first[-1].pk), limit=4)
    assert len({row.pk for row in first + rest}) == 7
    assert all(row.occurred_at <= timezone.now() for row in rest)
