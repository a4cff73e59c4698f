import pytest

from leads import properties
from leads.models import DeclaredProperty
from leads.tests import criteria_cast
from leads.tests.cast import colleague


@pytest.fixture
def cast(db):
    """{key: Lead} of the four about whom conditions are asked."""
    return criteria_cast.make_cast()


@pytest.fixture
def declared(db):
    """DeclaredProperty rows of this test, which no other test is to remember."""
    properties.forget()
    yield DeclaredProperty.objects
    properties.forget()


@pytest.fixture
def marketer(client):
    """Mia, at the admin pages with `client`."""
    mia = colleague("mia", "Marketer", is_staff=True)
    client.force_login(mia)
    return mia
