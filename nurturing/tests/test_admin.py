"""Programs change by versions, templates show what they will look like, and doubtful mail waits for a person."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from nurturing.models import EmailTemplate, Enrollment, Program, ProgramVersion, Step, Touch
from nurturing.tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def template():
    return EmailTemplate.objects.create(
        name="Hello", slug="hello-x", subject="Hello", body="Hello {{ lead.first_name }}"
    )


@pytest.fixture
def draft(template):
    """Mail, wait three days, call."""
    program = Program.objects.create(name="Track", slug="track")
    version = ProgramVersion.objects.create(program=program, number=1)
    Step.objects.create(version=version, position=1, kind="mail", template=template)
    Step.objects.create(version=version, position=2, kind="wait", wait_hours=72)
    Step.objects.create(version=version, position=3, kind="call_task", instruction="Ask for the timeline")
    return version


def steps_posted(version, *rows):
    """The steps of a version as its page posts them; `rows` are changes to each, in order, then new ones."""
    steps = list(version.steps.order_by("position"))
    posted = {"steps-TOTAL_FORMS": max(len(steps), len(rows)), "steps-INITIAL_FORMS": len(steps)}
    for n in range(posted["steps-TOTAL_FORMS"]):
        step = steps[n] if n < len(steps) else None
        values = {
            "id": step.pk, "order": step.position, "kind": step.kind, "wait_hours": step.wait_hours,
            "template": step.template_id or "", "instruction": step.instruction,
        } if step else {"id": "", "order": "", "kind": "", "wait_hours": "", "template": "", "instruction": ""}  # fmt: skip
        values |= {"version": version.pk} | (rows[n] if n < len(rows) else {})
        posted |= {f"steps-{n}-{name}": value for name, value in values.items()}
    return posted


def kinds(version):
    return list(version.steps.order_by("position").values_list("position", "kind"))


def change(version):
    return reverse("admin:nurturing_programversion_change", args=[version.pk])


def test_steps_swap_places_and_are_numbered(client, marketer, draft):
    answer = client.post(change(draft), steps_posted(draft, {"order": 3}, {"order": 2}, {"order": 1}))
    assert answer.status_code == 302
    assert kinds(draft) == [(1, "call_task"), (2, "wait"), (3, "mail")]


def test_a_step_is_added_and_another_taken_out(client, marketer, draft):
    new = {"kind": "wait", "wait_hours": 24}
    answer = client.post(change(draft), steps_posted(draft, {}, {"DELETE": "on"}, {}, new))
    assert answer.status_code == 302, [
        form.errors for form in answer.context["inline_admin_formsets"][0].formset
    ]
    assert kinds(draft) == [(1, "mail"), (2, "call_task"), (3, "wait")]


def test_a_step_without_what_it_needs_is_refused(client, marketer, draft):
    answer = client.post(change(draft), steps_posted(draft, {"template": ""}, {"wait_hours": ""}))
    found = [form.errors for form in answer.context["inline_admin_formsets"][0].formset]
    assert "Choose the e-mail template" in str(found[0]["template"])
    assert "how many hours" in str(found[1]["wait_hours"])
    answer = client.post(change(draft), steps_posted(draft, {}, {"wait_hours": 2_147_483_647}))
    found = [form.errors for form in answer.context["inline_admin_formsets"][0].formset]
    assert "at most 43,800 hours" in str(found[1]["wait_hours"])
    assert kinds(draft) == [(1, "mail"), (2, "wait"), (3, "call_task")]


def test_publish_then_read_only_then_edit(client, marketer, draft):
    answer = client.post(reverse("admin:nurturing_programversion_publish", args=[draft.pk]), follow=True)
    draft.refresh_from_db()
    assert draft.status == "published"
    page = answer.content.decode()
    assert "is in force" in page
    assert 'name="steps-0-kind"' not in page
    assert client.post(change(draft), steps_posted(draft, {"kind": "call_task"})).status_code == 403
    edit = reverse("admin:nurturing_program_edit", args=[draft.program_id])
    assert client.post(edit).url == client.post(edit).url
    second = draft.program.versions.get(status="draft")
    assert kinds(second) == kinds(draft)
    listed = client.get(reverse("admin:nurturing_program_change", args=[draft.program_id])).content.decode()
    assert "v1" in listed and "v2" in listed


def test_status_is_not_typed_in(client, marketer, draft):
    client.post(
        change(draft), steps_posted(draft) | {"status": "published", "number": 9, "program": draft.program_id}
    )
    draft.refresh_from_db()
    assert (draft.status, draft.number) == ("draft", 1)


def test_what_keeps_it_from_being_published_is_said(client, marketer, draft):
    draft.steps.exclude(kind="wait").delete()
    answer = client.post(reverse("admin:nurturing_programversion_publish", args=[draft.pk]), follow=True)
    assert "no mail and no call" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_entry_is_a_condition_with_ratings(client, marketer, draft):
    url = reverse("admin:nurturing_program_change", args=[draft.program_id])
    posted = {"name": "Track", "slug": "track", "position": "5", "is_main": "on"}
    tree = {"any": [{"is": "rating", "one_of": ["A", "B"]}, {"is": "source", "one_of": ["fair"]}]}
    assert client.post(url, posted | {"entry": json.dumps(tree)}).status_code == 302
    draft.program.refresh_from_db()
    assert draft.program.entry == tree
    bad = client.post(url, posted | {"entry": '{"any": [{"is": "rating", "one_of": "A"}]}'})
    assert "any[0].one_of: must be a list" in str(bad.context["adminform"].form.errors["entry"])
    count = client.post(reverse("admin:nurturing_program_condition"), {"tree": json.dumps(tree)}).json()
    assert count["sentence"] == "Rating is A or B or lead source is “fair”."


def test_one_default_program(client, marketer, draft):
    Program.objects.update(is_default=False)
    Program.objects.create(name="Rest", slug="rest", is_default=True)
    url = reverse("admin:nurturing_program_change", args=[draft.program_id])
    posted = {"name": "Track", "slug": "track", "position": "5", "entry": "", "is_default": "on"}
    assert "“Rest” is the default now" in str(client.post(url, posted).context["adminform"].form.errors)


def test_a_preview_of_what_is_typed(client, marketer):
    url = reverse("admin:nurturing_emailtemplate_preview")
    seen = client.post(
        url, {"subject": "For {{ company.name }}", "body": "Dear {{ lead.first_name }} <script>x</script>"}
    )
    page = seen.content.decode()
    assert "For Acme" in page
    assert "Dear Sarah" in page
    assert "<script>" not in page
    assert 'sandbox=""' in page
    assert 'role="alert"' in client.post(url, {"subject": "x", "body": "{% if %}"}).content.decode()
    assert client.get(url).status_code == 405


def test_a_template_that_cannot_be_sent_is_not_saved(client, marketer, template):
    url = reverse("admin:nurturing_emailtemplate_change", args=[template.pk])
    answer = client.post(
        url, {"name": "Hello", "slug": "hello-x", "subject": "x", "body": "{{ lead.first_name"}
    )
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["body"]


def touches(draft, count, status="uncertain"):
    now = timezone.now()
    step = draft.steps.get(kind="mail")
    for n in range(count):
        lead = cast.lead(f"p{n}@buyer.net", consented=False)
        inside = Enrollment.objects.create(
            lead=lead, program=draft.program, version=draft, cycle_no=1, entered_at=now
        )
        Touch.objects.create(
            enrollment=inside, lead=lead, step=step, kind="mail", due_at=now, status=status, settled_at=now
        )


def test_doubtful_mail_waits_for_a_person(client, marketer, draft, django_assert_max_num_queries):
    touches(draft, 55)
    url = reverse("admin:nurturing_touch_changelist")
    client.get("/admin/")
    with django_assert_max_num_queries(12):
        page = client.get(url)
    assert len(page.context["cl"].result_list) == 50
    first = Touch.objects.first()
    client.post(url, {"action": "send_again", "_selected_action": [first.pk]})
    first.refresh_from_db()
    assert first.status == "due"
    assert Touch.objects.filter(status="uncertain").count() == 54


def test_nothing_doubtful_is_good_news(client, marketer, draft):
    touches(draft, 1, status="sent")
    page = client.get(reverse("admin:nurturing_touch_changelist")).content.decode()
    assert "none has failed" in page


@pytest.mark.parametrize("name", ["program", "programversion", "emailtemplate", "touch"])
def test_lists_ask_few_questions(client, marketer, draft, name, django_assert_max_num_queries):
    client.get("/admin/")
    with django_assert_max_num_queries(12):
        assert client.get(reverse(f"admin:nurturing_{name}_changelist")).status_code == 200
