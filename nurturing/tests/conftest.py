import pytest


@pytest.fixture(autouse=True)
def local_mailbox(settings):
    """As without EMAIL_URL; pytest-django would put its own backend there."""
    settings.EMAIL_BACKEND = "nurturing.mailbox.MailboxBackend"
    settings.DOORBELLS_SILENT = True
    settings.POSTAL_ADDRESS = "Acme Ltd, 1 High Street, London"
    settings.DEFAULT_FROM_EMAIL = "Acme <news@acme.test>"
