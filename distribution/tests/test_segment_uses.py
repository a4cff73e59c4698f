"""A segment knows every program and routing rule that asks for it, whichever app they live in."""

import pytest

from distribution.models import RoutingRule, SalesQueue
from nurturing.models import Program
from scoring.models import Segment
from scoring.segments import uses

pytestmark = pytest.mark.django_db


def test_programs_and_routing_rules_are_named():
    segment = Segment.objects.create(name="Large", slug="large")
    tree = {"all": [{"is": "segment", "segment": "large"}]}
    Program.objects.create(name="Track", slug="track", entry=tree)
    RoutingRule.objects.create(
        name="To enterprise", queue=SalesQueue.objects.get(is_default=True), condition=tree
    )
    assert [str(use) for use in uses(segment)] == ["program “Track”", "routing rule “To enterprise”"]
