"""A segment knows every program and routing rule that asks for it, whichever app they live in."""

import pytest
from django.contrib import admin

from distribution.models import RoutingRule, SalesQueue
from distribution.tests import cast
from nurturing.models import Enrollment, Program
from scoring.models import Segment

pytestmark = pytest.mark.django_db


def test_programs_and_routing_rules_are_named():
    segment = Segment.objects.create(name="Large", slug="large")
    tree = {"all": [{"is": "segment", "segment": "large"}]}
    Program.objects.create(name="Track", slug="track", entry=tree)
    RoutingRule.objects.create(
        name="To enterprise", queue=SalesQueue.objects.get(is_default=True), condition=tree
    )
    assert [str(use) for use in admin.site.get_model_admin(Segment).uses(segment)] == [
        "program “Track”",
        "routing rule “To enterprise”",
    ]


def test_one_that_is_gone_keeps_no_lead_waiting():
    """The admin refuses to delete it; whoever deletes it otherwise loses the rule, and no lead."""
    cast.rita()
    segment = Segment.objects.create(name="Large", slug="large")
    tree = {"is": "segment", "segment": "large"}
    special = SalesQueue.objects.create(name="Enterprise", slug="enterprise")
    RoutingRule.objects.create(name="To enterprise", queue=special, condition=tree)
    usual = Program.objects.get(is_default=True)
    Program.objects.create(name="Track", slug="track", entry=tree, current_version=usual.current_version)
    segment.delete()
    assert cast.handed().queue == cast.queue()
    other = cast.lead("nils@acme.net")
    cast.did(other, "download", "/a")
    cast.flow()
    assert Enrollment.objects.get(lead=other).program == usual
