"""The whole house: at least one row of everything that the product shows, most of them in several states."""

from distribution.models import CompanyOwner, Notice, RoutingRule, SalesQueue
from distribution.tests import cast
from leads import consent, content, enrichment, lists
from leads.models import (
    ApiKey,
    Asset,
    Campaign,
    CustomField,
    DomainList,
    EnrichmentUpload,
    LeadList,
    Product,
    Submission,
)
from leads.tests import cast as people
from nurturing import versions
from nurturing.enrollment import enroll
from nurturing.models import Program, Touch
from scoring.models import ModelVersion, ScoringModel, Segment
from scoring.publish import ask_publish, new_draft
from scoring.tests.cast import approved

DECIDES = {"all": [{"is": "lead_field", "field": "role", "op": "equals", "value": "decision maker"}]}
FIRMS = "Domain,Employees,Favourite colour\nacme.example,300,red\nx,2,<b>blue</b>\n"


def world(*, at):
    rep = cast.rita(team=cast.team(cast.mia()))
    captured(at)
    described(at)
    scored(at)
    nurtured(at)
    queue = SalesQueue.objects.get(is_default=True)
    RoutingRule.objects.create(name="Decision makers", condition=DECIDES, queue=queue)
    sarah = cast.lead("sarah@acme.net", company=cast.acme(), created_at=at, updated_at=at)
    CompanyOwner.objects.create(company=sarah.company, rep=rep, since=at, is_named_account=True)
    Notice.objects.create(
        rep=rep, subject="A lead for you", text="…", status="failed", reason="554 No", due_at=at
    )


def captured(at):
    source, campaign = people.source(), people.campaign()
    form = people.white_paper(source=source, campaign=campaign)
    form.questions.create(name="email", field="email", label="E-mail", required=True)
    form.questions.create(name="role", field="role", label="Role", choices=["user", "buyer"], position=1)
    ApiKey.objects.create_key(name="Website", scopes=["capture"], source=source)
    CustomField.objects.create(key="erp", label="ERP system", type="choice", choices=["SAP", "Oracle"])
    people.declare("download", "language", "Language", ["de", "en"])
    people.ada(
        at=at, form=form, submission=Submission(form=form, body=b"{}", status="accepted", received_at=at)
    )
    consent.suppress(
        address="no@more.example", channel="email", purpose="marketing", reason="unsubscribed", at=at
    )


def described(at):
    """Products, assets, lists, and purchased data in every state."""
    Product.objects.create(name="Mixer", slug="mixer", cycle_days=90, price_from=5000, price_to=90_000)
    asset = Asset.objects.create(path="/pricing", title="Pricing", covers_below=True)
    content.classify(asset=asset, buying_stage="decision", products=["mixer"], tags=["roi"], at=at)
    Campaign.objects.create(name="Push", slug="push", products=["mixer"])
    summit = LeadList.objects.create(name="Summit", slug="summit")
    lists.add_to_list(to=summit, lead_ids=[people.bob(at=at).pk], at=at)
    rivals = DomainList.objects.create(name="Rivals", slug="rivals")
    lists.add_domains(to=rivals, domains=["rival.example", "other.example"], at=at)
    enrichment.upload(provider="DataCo", file_name="seen.csv", body=FIRMS.encode(), at=at)
    used = enrichment.upload(provider="DataCo", file_name="used.csv", body=FIRMS.encode(), at=at)
    enrichment.start(upload=used, columns={"Employees": "size"}, at=at)
    EnrichmentUpload.objects.create(
        provider="Slow", file_name="big.csv", matched_by="domain", at=at, rows=90_000, done=31_000, columns={"a": "size"}
    )  # fmt: skip


def scored(at):
    """A version in force, one being filled, a draft, and a segment."""
    Segment.objects.create(name="Deciders", slug="deciders", condition=DECIDES)
    model = ScoringModel.objects.get(routes=True)
    filling = new_draft(model=model, by=None)
    ask_publish(version=approved(filling), by=None, at=at)
    new_draft(model=model, by=None, of=ModelVersion.objects.filter(model=model).first())


def nurtured(at):
    program = Program.objects.get(is_default=True)
    tim = cast.lead("tim@firm.net", created_at=at, updated_at=at)
    enroll(lead_ids=[tim.pk], at=at, program=program)
    Touch.objects.update(status="uncertain", reason="no answer after the mail was complete", settled_at=at)
    versions.new_draft(program=program)
