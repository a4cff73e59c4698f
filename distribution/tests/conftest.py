import pytest


@pytest.fixture(autouse=True)
def quiet(settings):
    """No bells and the local mailbox, as without EMAIL_URL; pytest-django would put its own backend there."""
    settings.DOORBELLS_SILENT = True
    settings.EMAIL_BACKEND = "nurturing.mailbox.MailboxBackend"
    settings.PUBLIC_URL = "https://leads.test"
