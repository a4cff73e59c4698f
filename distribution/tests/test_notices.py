"""Mail to our own people."""

import pytest
from django.core import mail

from distribution import handoff, notices
from distribution.models import Notice
from distribution.tests import cast
from distribution.tests.cast import HOUR, MINUTE, NOW
from nurturing.models import LocalMail

pytestmark = pytest.mark.django_db


def test_it_reaches_the_mailbox_through_the_states_of_any_mail():
    cast.rita()
    row = cast.handed()
    assert notices.send_notices(at=NOW) == 1
    notice, letter = Notice.objects.get(), LocalMail.objects.get()
    assert notice.status == "sent" and notice.message_id == letter.message_id
    assert letter.recipients == "rita@us.test" and letter.subject == "New lead: Sarah Miller"
    assert f"https://leads.test/leads/{row.lead_id}/" in letter.text and not letter.html
    assert "First response promised by 1 June 2026, 10:00 UTC" in letter.text
    assert "List-Unsubscribe" not in letter.headers, "this is not marketing"
    assert notices.send_notices(at=NOW) == 0


@pytest.mark.parametrize("flagged", ["lead", "rep"])
def test_what_belongs_to_the_demo_never_reaches_a_server(settings, flagged):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    rita = cast.rita(is_demo=flagged == "rep")
    rita.user.email = "rita@company.com"
    rita.user.save()
    cast.handed(cast.lead(is_demo=flagged == "lead"))
    notices.send_notices(at=NOW)
    assert Notice.objects.get().status == "sent" and mail.outbox == [] and LocalMail.objects.count() == 1


def test_a_real_one_goes_to_the_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    rita = cast.rita()
    rita.user.email = "rita@company.com"
    rita.user.save()
    cast.handed()
    notices.send_notices(at=NOW)
    assert [letter.to for letter in mail.outbox] == [["rita@company.com"]]


def test_a_rep_who_asked_for_a_lead_again_is_told_again():
    cast.rita()
    row = cast.handed()
    notices.send_notices(at=NOW)
    cast.asks(row.lead, NOW + HOUR)
    cast.flow(NOW + HOUR)
    notices.send_notices(at=NOW + HOUR)
    assert LocalMail.objects.latest("at").subject == "Asks again: Sarah Miller"


def test_what_is_out_of_date_is_not_sent():
    cast.rita()
    row = cast.handed()
    handoff.assign(handoff=row, rep=cast.ron(), by=cast.ada(), at=NOW + MINUTE)
    notices.send_notices(at=NOW + HOUR)
    assert dict(Notice.objects.values_list("rep__user__first_name", "status")) == {
        "Rita": "cancelled",
        "Ron": "sent",
    }


def test_a_rep_without_an_address_is_skipped_with_the_reason():
    rita = cast.rita()
    rita.user.email = ""
    rita.user.save()
    cast.handed()
    notices.send_notices(at=NOW)
    assert Notice.objects.get().reason == "The rep has no e-mail address"
