from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, send_mail
from django.urls import reverse

from leads.tests.cast import colleague
from nurturing import touches
from nurturing.enrollment import enroll
from nurturing.mailbox import is_reserved, why_local
from nurturing.models import LocalMail
from nurturing.tests.cast import MONDAY, program, sarah, template

pytestmark = pytest.mark.django_db
HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">x</a>'


@pytest.fixture
def marketer(client):
    user = colleague("mia", "Marketer")
    client.force_login(user)
    return client


def mails(count):
    return LocalMail.objects.bulk_create(
        LocalMail(at=MONDAY + timedelta(minutes=number // 2), message_id=str(number), sender="a@b.test", recipients="x@y.test",
                  subject=f"Mail {number}", text="Hello", html="<p>Hello</p>", why="No mail server")
        for number in range(count)
    )  # fmt: skip


def test_it_works(marketer):
    enroll(lead_ids=[sarah().pk], at=MONDAY, program=program())
    touches.perform_due(at=MONDAY)
    page = marketer.get(reverse("mailbox")).content.decode()
    assert "Not delivered: local mailbox" in page and "For Sarah" in page and "sarah@buyer.net" in page
    mail = LocalMail.objects.get()
    page = marketer.get(reverse("mailbox-mail", args=[mail.pk])).content.decode()
    assert "List-Unsubscribe-Post" in page and "https://acme.example/roi" in page and "sandbox" in page
    assert "Not delivered" in page


def test_empty_it_says_why_and_what_next(marketer):
    page = marketer.get(reverse("mailbox")).content.decode()
    assert "No mail yet" in page and "EMAIL_URL" in page


def test_it_requires_a_role(client):
    for url in (
        reverse("mailbox"),
        reverse("mailbox-mail", args=[mails(1)[0].pk]),
        reverse("mailbox-html", args=[mails(1)[0].pk]),
    ):
        assert client.get(url).status_code == 302
    client.force_login(User.objects.create_user("nobody"))
    assert client.get(reverse("mailbox")).status_code == 403


def test_fifty_a_page_by_keyset_and_few_statements(marketer, django_assert_max_num_queries):
    mails(120)
    seen, url = [], reverse("mailbox")
    for expected in (50, 50, 20):
        with django_assert_max_num_queries(8):
            answer = marketer.get(url)
        page = answer.context["mails"]
        assert len(page) == expected
        seen += [mail.pk for mail in page]
        url = reverse("mailbox") + "?before=" + answer.context["older"].replace("+", "%2B")
    assert len(set(seen)) == 120 and not answer.context["older"]


@pytest.mark.parametrize("before", ["nonsense", "2026-01-01_x", "_", "2026-13-99T00:00:00Z_"])
def test_a_cursor_of_nonsense_shows_the_first_page(marketer, before):
    mails(1)
    assert len(marketer.get(reverse("mailbox") + f"?before={before}").context["mails"]) == 1


def test_hostile_html_can_neither_run_nor_load(marketer):
    mail = LocalMail.objects.create(
        at=MONDAY, message_id="1", sender=HOSTILE, recipients=HOSTILE, subject=HOSTILE, text=HOSTILE, html=HOSTILE,
        headers={HOSTILE: HOSTILE}, why=HOSTILE,
    )  # fmt: skip
    for url in (reverse("mailbox"), reverse("mailbox-mail", args=[mail.pk])):
        page = marketer.get(url).content.decode()
        assert "<script>alert" not in page and "<img src=x" not in page
    answer = marketer.get(reverse("mailbox-html", args=[mail.pk]))
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'self'"
    assert "script-src" not in policy and policy["sandbox"].strip() == ""
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_django_s_own_mail_comes_here_too():
    send_mail("Subject", "Text", "a@b.test", ["x@buyer.net"])
    assert LocalMail.objects.get().why.startswith("No mail server")


def test_the_demo_stays_here_whatever_the_settings_say(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    message = EmailMessage("Subject", "Text", "a@b.test", ["x@buyer.net"])
    assert why_local(message, is_demo=True).startswith("Demo lead")
    assert why_local(message, is_demo=False) == ""


@pytest.mark.parametrize(
    "address",
    [
        "a@x.example",
        "a@EXAMPLE",
        "a@b.test",
        "a@b.invalid",
        "a@localhost",
        "a@example.com",
        "a@x.example.org.",
    ],
)
def test_reserved(address):
    assert is_reserved(address)


@pytest.mark.parametrize("address", ["a@example.de", "a@myexample.com", "a@test.com", "a@buyer.net"])
def test_not_reserved(address):
    assert not is_reserved(address)


def test_hostile_names_in_a_mail_stay_text(marketer):
    enroll(
        lead_ids=[sarah(first_name=HOSTILE[:100]).pk], at=MONDAY,
        program=program(steps=[template("t", body="<mjml><mj-body><mj-section><mj-column><mj-text>Hi {{ lead.first_name }}</mj-text></mj-column></mj-section></mj-body></mjml>")]),
    )  # fmt: skip
    touches.perform_due(at=MONDAY)
    html = LocalMail.objects.get().html
    assert "<script>" not in html and "&lt;script&gt;" in html
