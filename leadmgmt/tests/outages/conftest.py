import pytest

from leadmgmt.tests.outages import instance as own


@pytest.fixture(scope="package")
def instance():
    """One installation for all that break it and leave it whole; xdist keeps this folder together, so that one suffices."""
    with own.instance() as started:
        yield started
