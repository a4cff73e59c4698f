"""What is not known of leads, what it could be worth, and who never asks."""

import re

import pytest

from distribution.tests import cast
from distribution.tests.cast import DAY
from distribution.tests.pages import read
from leads.models import CaptureForm, Question, Source
from scoring import gaps
from scoring.models import Rule, ScoringModel
from scoring.publish import new_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(now):
    """Two forms, of which one asks the role; the fair never brings a role."""
    fair, web = (Source.objects.create(name=name, slug=name.lower()) for name in ("Fair", "Web"))
    good = CaptureForm.objects.create(name="White paper", slug="white-paper")
    Question.objects.create(form=good, name="role", field="role", label="Your role")
    CaptureForm.objects.create(name="Booth", slug="booth")
    cast.some(20, now - DAY, fair, role="", job_title="", timeline="")
    cast.some(2, now - DAY, web, role="decision maker", timeline="")


def test_gaps_by_points_times_leads(client, max_, asked, now):
    version = ScoringModel.objects.get(routes=True).current_version
    found = {gap.key: gap for gap in gaps.gaps(version, at=now)}
    role = found["lead_field.role"]
    assert (role.lack, role.total, role.worth, role.weight) == (20, 22, 25, 500)
    assert [form.name for form in role.forms] == ["Booth"]
    assert [(source.name, leads) for source, leads in role.sources] == [("Fair", 20)]
    assert "Decides: VP, director, head, chief" in role.rules
    weights = [gap.weight for gap in gaps.gaps(version, at=now)]
    assert weights == sorted(weights, reverse=True) and all(weights)
    assert "company_field.size" not in found  # everybody has said it


def test_gaps_of_fields_that_are_asked_in_other_words(max_, asked, now):
    """How much is known is asked of each field; who asks for what is unknown misses nothing."""
    version = new_draft(model=ScoringModel.objects.get(routes=True), by=max_)
    version.rules.all().delete()
    knows = {"is": "knows_fields", "fields": ["phone", "company.size", "role"], "at_least": 2}
    unsaid = {"is": "lead_field", "field": "country", "op": "unknown"}
    for condition in (knows, unsaid):
        Rule.objects.create(version=version, kind="fit", name="Known", points=6, condition=condition)
    assert gaps.asked_by(version).keys() == {
        ("lead_field", "phone"), ("company_field", "size"), ("lead_field", "role"),
    }  # fmt: skip
    assert [gap.lack for gap in gaps.gaps(version, at=now) if gap.key == "lead_field.role"] == [20]


def test_every_gap_opens_the_leads_that_lack_it(client, max_, asked, now):
    page = read(client, "/marketing/gaps/")
    rows = re.findall(r'<a href="(/marketing/leads/\?lacks[^"]*)">(\d+)</a>', page)
    assert rows
    for address, count in rows:
        assert f'<h1>Leads <span class="count">{count}</span>' in read(client, address)
    assert "Buying role" in page and "Booth" in page


def test_gaps_without_leads_or_model(client, max_):
    assert "Every lead has what the rules ask for" in read(client, "/marketing/gaps/")
    ScoringModel.objects.update(routes=False)
    assert "Publish a model that routes" in read(client, "/marketing/gaps/")
