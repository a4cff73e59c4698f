"""The activity log in words."""

import pytest
from django.utils import timezone

from distribution import followup, handoff, undo
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE, NOW, reread
from distribution.timeline import moments, recent
from distribution.triage import my_page
from leads.activities import record
from leads.models import Asset, CaptureForm, Lead, Question

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


def test_what_is_named_is_called_by_its_title_and_the_path_stands_beside_it():
    who = cast.lead()
    Asset.objects.create(path="/pricing", title="Prices {0}")
    CaptureForm.objects.create(name="Request a demo", slug="demo-request")
    facts = {"mail": "Compare vendors", "program": "Welcome"}
    for minutes, kind, asset, properties in (
        (5, "page_view", "/pricing", {"title": "Pricing | Us"}),
        (4, "hand_raise", "demo-request", {}),
        (3, "mail_sent", "paper-compare", facts),
        (2, "mail_click", "/pricing", facts),
        (1, "mail_click", "/else", {}),
    ):
        record(lead=who, kind=kind, asset=asset, at=NOW - minutes * MINUTE, properties=properties)
    assert [(moment.text, moment.path) for moment in reversed(moments(recent(who)))] == [
        ("Viewed “Prices {0}”", "/pricing"),
        ("Asked for sales through “Request a demo”", ""),
        ("We sent the mail “Compare vendors”", ""),
        ("Clicked “Prices {0}” in our mail “Compare vendors”", "/pricing"),
        ("Clicked /else in our mail", ""),
    ]


def test_who_gave_it_and_to_whom():
    rita, ron = cast.rita(), cast.ron()
    row = cast.handed()
    to = ron if row.owner == rita else rita
    handoff.assign(handoff=row, rep=to, by=cast.ada(), at=NOW + MINUTE)
    handoff.accept(handoff=reread(row), by=to.user, at=NOW + 2 * MINUTE)
    accepted, given, *_ = moments(recent(row.lead))
    assert (given.text, given.by) == (f"Ada Us gave it to {to}", "")
    assert (accepted.text, accepted.by) == (f"{to} accepted", "")


def test_an_answer_that_could_not_be_read_is_shown_as_it_was_said(client):
    form = CaptureForm.objects.create(name="Demo", slug="demo", lead_type="hand_raise")
    for name, label in (("email", "E-mail"), ("company_size", "How many are you?")):
        Question.objects.create(form=form, name=name, field=name, label=label, required=name == "email")
    answers = {
        "email": "a@b.net",
        "company_size": "<b>fifty</b> or so",
        "message": "Call me",
        "empty": "",
        "tags": ["x", 1],
    }
    path = "/api/v1/forms/demo/submissions/"
    assert client.post(path, answers, content_type="application/json").status_code == 201
    readable = answers | {"company_size": 50} | dict.fromkeys("abcdefgh", "")
    assert client.post(path, readable, content_type="application/json").status_code == 201
    who = Lead.objects.get(email="a@b.net")
    later, first = moments(recent(who))
    assert first.answers == [
        ("How many are you?", "<b>fifty</b> or so", "is not a whole number"),
        ("Tags", '["x", 1]', ""),
        ("Message", "Call me", ""),
    ]
    assert [question for question, *_ in later.answers] == ["Tags", "Message"]
    client.force_login(cast.max_())
    page = client.get(f"/leads/{who.pk}/").content.decode()
    assert "“&lt;b&gt;fifty&lt;/b&gt; or so”" in page and "kept as it was said, not counted" in page


@pytest.mark.parametrize("kind", ["{0}", "}", "{asset.__class__}", "<b>", "%s", "demo_day"])
def test_a_kind_from_outside_is_text_and_no_format(kind):
    who = cast.lead()
    cast.did(who, kind, "{x}", NOW)
    assert texts(who) == [f"{kind.replace('_', ' ').capitalize()} {{x}}"]
    cast.rita()
    row = cast.handed(who, at=NOW + HOUR)
    cast.did(who, kind, "{y}", NOW + 2 * HOUR)
    assert my_page(row.owner.user, show="all", at=NOW + 3 * HOUR)[0].rows[0].why_now.endswith("{y}")


def test_pages_go_on_where_they_stopped_even_within_one_moment():
    who = cast.lead()
    for n in range(7):
        cast.did(who, "page_view", f"/{n}", NOW)
    first = recent(who, limit=4)
    rest = recent(who, before=(first[-1].occurred_at, first[-1].pk), limit=4)
    assert len({row.pk for row in first + rest}) == 7
    assert all(row.occurred_at <= timezone.now() for row in rest)
