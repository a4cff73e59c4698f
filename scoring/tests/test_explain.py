import pytest

from leads.models import Lead
from scoring.explain import explain
from scoring.rescore import rescore
from scoring.tests.cast import DAY, DECISION_MAKER, HAND_RAISE, NOW, PRICING, activity, current, did, fit, lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def sarah():
    return lead(role="Decision maker")


def test_it_works(sarah):
    current(DECISION_MAKER, PRICING, fit(15, field="industry", op="equals", value="Software"))
    for days in (1, 2, 3, 10):
        did(sarah, "page_view", "/pricing", ago=days * DAY)
    why = explain(lead=sarah, at=NOW)
    print(why.as_text())
    assert [(line.points, line.count) for line in why.lines] == [(25, None), (35, 4), (-5, None)]
    assert sum(line.points for line in why.lines) == why.total == 55
    assert why.lines[1].raw == 40 and why.lines[1].factor == 0.875
    assert [e.what for e in why.lines[1].evidence] == ["Page view /pricing"] * 3
    assert why.verdict == "sales_ready" and why.not_passed == []
    assert [(u.field, u.worth) for u in why.unknown] == [("industry", 15)]
    assert why.outlook[0].at == NOW + 4 * DAY
