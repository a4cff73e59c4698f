import pytest

from leads.tests import criteria_cast


@pytest.fixture
def cast(db):
    """{key: Lead} of the four about whom conditions are asked."""
    return criteria_cast.make_cast()
