"""Rules about declared properties: through the engine, in words, and refused where nobody declared them."""

import pytest

from leads.tests.cast import declare
from leads.tests.conftest import declared
from scoring.explain import explain
from scoring.models import Rule, Score
from scoring.rescore import rescore_due
from scoring.rules import problems_of
from scoring.tests.cast import DAY, NOW, activity, current, did, lead, touchpoint

__all__ = ["declared"]
pytestmark = pytest.mark.django_db
GERMAN = {"property": "language", "one_of": ["de", "at"]}


def test_it_counts_what_said_so(declared):
    declare("download", "language")
    rule = activity(10, "download", "/roi") | {"condition": touchpoint("download", "/roi") | GERMAN}
    version = current(rule | {"cap_count": 3})
    sarah = lead()
    for n, language in enumerate(["DE", "en", "at", None]):
        did(sarah, "download", "/roi", ago=n * DAY, properties={"language": language})
    assert rescore_due(at=NOW) == 1
    assert Score.objects.get(lead=sarah, model_version=version).engagement == 20
    did(sarah, "download", "/roi", properties={"language": "de"})
    assert rescore_due(at=NOW) == 1
    assert Score.objects.get(lead=sarah, model_version=version).engagement == 30
    (line,) = explain(lead=sarah, at=NOW).lines
    assert (line.points, line.count) == (30, 3)


def test_what_nobody_declared_is_refused(declared):
    rule = Rule(name="R", kind="activity", points=5, condition=touchpoint("download") | GERMAN)
    assert problems_of(rule) == [
        "property: there is no property “language” of “download”; declare it under Properties of activities."
    ]
    declare("download", "language")
    assert problems_of(rule) == []
