import pytest

from leads.tests.conftest import marketer
from nurturing.tests.sink import start

__all__ = ["marketer"]


@pytest.fixture(autouse=True)
def local_mailbox(settings):
    """As without EMAIL_URL; pytest-django would put its own backend there."""
    settings.EMAIL_BACKEND = "nurturing.mailbox.MailboxBackend"
    settings.DOORBELLS_SILENT = True
    settings.POSTAL_ADDRESS = "Acme Ltd, 1 High Street, London"
    settings.DEFAULT_FROM_EMAIL = "Acme <news@acme.test>"


@pytest.fixture
def sink(settings):
    """Real SMTP: mail to people goes to the sink that this returns."""
    server, sink = start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_TIMEOUT = 60
    yield sink
    server.stop()
