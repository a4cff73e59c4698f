import threading

import pytest
from django.test import Client
from django.urls import reverse

from leads import consent
from leads.models import Activity, Consent, Lead, Suppression
from leads.tests.races import PATIENCE, beside, somebody_waits
from nurturing import sending, touches
from nurturing.enrollment import UNSUBSCRIBED, enroll, leave
from nurturing.models import Enrollment, LocalMail, Touch
from nurturing.responses import resubscribe, unsubscribe
from nurturing.tests.cast import DAY, MONDAY, lead, program, sarah


def in_program(person):
    enroll(lead_ids=[person.pk], at=MONDAY, program=program())
    return Touch.objects.get(lead=person)


@pytest.mark.django_db
def test_it_works():
    person = sarah()
    token = in_program(person).link_token
    touches.perform_due(at=MONDAY)
    assert unsubscribe(token, at=MONDAY + DAY) == person
    person.refresh_from_db()
    assert (person.place, person.place_reason, person.wake_at) == ("parked", UNSUBSCRIBED, MONDAY + 91 * DAY)
    assert Enrollment.objects.get().status == "exited"
    assert Touch.objects.get(step__position=3).status == "cancelled"
    suppression = Suppression.objects.get()
    assert (suppression.address, suppression.channel, suppression.purpose) == (
        person.email,
        "email",
        "marketing",
    )
    assert Consent.objects.latest("at").granted is False
    assert Activity.objects.filter(touchpoint__kind="mail_unsubscribe", engagement=False).count() == 1
    touches.perform_due(at=MONDAY + 30 * DAY)
    assert LocalMail.objects.count() == 1


@pytest.mark.django_db
def test_a_hundred_times_is_like_once():
    token = in_program(sarah()).link_token
    for _ in range(100):
        unsubscribe(token, at=MONDAY)
    assert Suppression.objects.count() == Consent.objects.filter(granted=False).count() == 1
    assert Activity.objects.filter(touchpoint__kind="mail_unsubscribe").count() == 1


@pytest.mark.django_db
def test_sales_keeps_a_lead_that_wants_no_marketing():
    person = sarah()
    token = in_program(person).link_token
    leave(lead_ids=[person.pk], at=MONDAY, reason="Handed to sales")
    Lead.objects.update(place="sales")
    unsubscribe(token, at=MONDAY)
    person.refresh_from_db()
    assert person.place == "sales"
    assert consent.refusals([person.pk], channel="email", purpose="sales") == {}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(client, method):
    token = in_program(sarah()).link_token
    assert getattr(client, method)(reverse("unsubscribe", args=[token])).status_code == 200
    assert not Suppression.objects.exists() and Enrollment.objects.get().status == "active"


@pytest.mark.django_db
def test_one_click_needs_no_cookie_no_login_no_redirect():
    token = in_program(sarah()).link_token
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        reverse("unsubscribe", args=[token]),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200 and not answer.cookies
    assert b"You will get no more marketing mail" in answer.content
    assert Suppression.objects.exists()


@pytest.mark.django_db
def test_the_page_shows_one_button_and_not_the_address(client):
    token = in_program(sarah()).link_token
    page = client.get(reverse("unsubscribe", args=[token])).content.decode()
    assert page.count("<button") == 1 and "sarah@buyer.net" not in page and "s…@buyer.net" in page


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["unknown", "x" * 200, "sarah"])
def test_an_unknown_token_is_no_page(client, token):
    for url in (reverse("unsubscribe", args=[token]), reverse("resubscribe", args=[token])):
        assert client.post(url).status_code == 404
    assert client.get(reverse("unsubscribe", args=[token])).status_code == 404


@pytest.mark.django_db
def test_a_mistake_is_undone_where_the_program_stopped():
    person = sarah()
    token = in_program(person).link_token
    touches.perform_due(at=MONDAY)
    unsubscribe(token, at=MONDAY + DAY)
    assert resubscribe(token, at=MONDAY + DAY) == person
    person.refresh_from_db()
    assert person.place == "nurture" and Enrollment.objects.get().status == "active"
    touches.perform_due(at=MONDAY + 8 * DAY)
    assert LocalMail.objects.count() == 2  # the second mail, and not the first one again


@pytest.mark.django_db
def test_undoing_lifts_no_other_suppression(client):
    person = sarah()
    token = in_program(person).link_token
    consent.suppress(address=person.email, channel="email", purpose="marketing", reason="objected", at=MONDAY)
    assert client.post(reverse("resubscribe", args=[token])).status_code == 200
    assert Suppression.objects.get().lifted_at is None


@pytest.mark.django_db(transaction=True)
def test_who_unsubscribes_at_the_moment_of_sending_wins_the_race(settings, monkeypatch):
    """Twenty leads, each unsubscribing while the sender goes through the batch: a mail may be sent
    only where its `sending` was committed before the suppression."""
    people = [lead(f"p{number}@buyer.net") for number in range(20)]
    enroll(lead_ids=[person.pk for person in people], at=MONDAY, program=program(steps=["mail", 24, "mail"]))
    tokens = dict(Touch.objects.values_list("pk", "link_token"))
    suppressed, begun, order = {}, {}, threading.Lock()
    first_sent, first_gone = threading.Event(), threading.Event()
    real_turn = sending.turn

    def turn(model, last, row, **kwargs):
        gone = row.pk in suppressed  # committed before we even look
        with order:  # noted before the commit: who suppresses after it finds it here
            begun[row.pk] = True
        going = real_turn(model, last, row, **kwargs)
        if not going:
            with order:
                del begun[row.pk]
        assert not (going and gone), "begun after the suppression was committed"
        return going

    class Outlet:
        is_unreachable = False

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            pass

        def send(self, message):
            """The first mail is under way until somebody is gone: neither side is done before the other begins."""
            first_sent.set()
            assert first_gone.wait(PATIENCE)
            return sending.Outcome("sent")

    def unsubscribe_all():
        assert first_sent.wait(PATIENCE)
        for pk, token in reversed(tokens.items()):
            unsubscribe(token, at=MONDAY)
            with order:
                suppressed[pk] = pk in begun
            first_gone.set()

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    monkeypatch.setattr(sending, "turn", turn)
    monkeypatch.setattr(sending, "Outlet", Outlet)
    with beside(unsubscribe_all):
        touches.perform_due(at=MONDAY)
    touches.follow_up(at=MONDAY)
    sent = set(Touch.objects.filter(status="sent").values_list("pk", flat=True))
    assert sent == set(begun)
    assert all(was_begun for pk, was_begun in suppressed.items() if pk in sent)
    assert set() < sent < set(tokens)
    assert Suppression.objects.count() == 20
    assert not Enrollment.objects.filter(status="active").exists()
    assert not Touch.objects.filter(status__in=["due", "claimed", "sending"]).exists()
    assert set(Lead.objects.values_list("place", flat=True)) == {"parked"}


@pytest.mark.django_db(transaction=True)
def test_a_suppression_waits_for_a_sender_that_is_deciding():
    """Under the locks of `begin` nothing can slip in between the look and the commit."""
    person = sarah()
    touch = in_program(person)
    looking, events = threading.Event(), []

    class Slow(touches.MarketingGuard):
        def refusals(self, rows):
            refused = super().refusals(rows)
            looking.set()
            somebody_waits()
            events.append("decided")
            return refused

    def suppress():
        assert looking.wait(PATIENCE)
        consent.suppress(
            address=person.email, channel="email", purpose="marketing", reason="unsubscribed", at=MONDAY
        )
        events.append("suppressed")

    rows = sending.claim(Touch, at=MONDAY, limit=1, related=touches.RELATED)
    with beside(suppress):
        assert sending.begin(Touch, rows, at=MONDAY, guard=Slow()) == [touch]
    assert events == ["decided", "suppressed"]
