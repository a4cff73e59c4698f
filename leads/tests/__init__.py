import pytest

pytest.register_assert_rewrite("leads.tests.criteria_cast")
