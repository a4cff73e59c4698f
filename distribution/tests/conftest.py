import pytest
from django.utils import timezone

from distribution.tests import cast


@pytest.fixture(autouse=True)
def quiet(settings):
    """No bells and the local mailbox, as without EMAIL_URL; pytest-django would put its own backend there."""
    settings.DOORBELLS_SILENT = True
    settings.EMAIL_BACKEND = "nurturing.mailbox.MailboxBackend"
    settings.PUBLIC_URL = "https://leads.test"


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def rita(client):
    """The rep, signed in with `client`."""
    rita = cast.rita()
    client.force_login(rita.user)
    return rita


@pytest.fixture
def max_(client):
    """The marketer, signed in with `client`."""
    max_ = cast.max_()
    client.force_login(max_)
    return max_
