import pytest

from nurturing import versions
from nurturing.enrollment import enroll
from nurturing.models import Enrollment, Program, ProgramVersion, Step
from nurturing.tests.cast import MONDAY, add_step, lead, program, sarah, template

pytestmark = pytest.mark.django_db


def test_it_works():
    made = program()
    draft = versions.new_draft(program=made)
    assert [(step.position, step.kind) for step in draft.steps.all()] == [
        (1, "mail"),
        (2, "wait"),
        (3, "mail"),
        (4, "call_task"),
    ]
    assert versions.new_draft(program=made) == draft
    old = made.current_version
    published = versions.publish(version=draft, at=MONDAY)
    made.refresh_from_db()
    old.refresh_from_db()
    assert (made.current_version, published.status, old.status) == (published, "published", "superseded")
    assert published.published_at == MONDAY and published.number == 2


def test_newcomers_enter_the_new_version_and_the_others_keep_theirs():
    made, first = program(), sarah()
    enroll(lead_ids=[first.pk], at=MONDAY, program=made)
    versions.publish(version=versions.new_draft(program=made), at=MONDAY)
    second = lead("second@buyer.net")
    enroll(lead_ids=[second.pk], at=MONDAY, program=Program.objects.get(pk=made.pk))
    assert list(Enrollment.objects.order_by("pk").values_list("version__number", flat=True)) == [1, 2]


def test_only_a_draft_can_be_published():
    with pytest.raises(versions.NotPublishable, match="only a draft"):
        versions.publish(version=program().current_version, at=MONDAY)


def test_a_program_that_reaches_nobody_cannot_be_published():
    made = program(steps=[24])
    with pytest.raises(versions.NotPublishable, match="no mail and no call"):
        versions.publish(version=versions.new_draft(program=made), at=MONDAY)


def test_a_template_with_a_fault_cannot_be_published():
    made = program()
    draft = versions.new_draft(program=made)
    add_step(draft, 9, template("broken", body="{{ lead.frist_name }}"))
    with pytest.raises(versions.NotPublishable, match="frist_name"):
        versions.publish(version=draft, at=MONDAY)
    made.refresh_from_db()
    assert made.current_version.number == 1


def test_a_condition_with_a_fault_cannot_be_published():
    made = program(entry={"is": "nonsense"})
    with pytest.raises(versions.NotPublishable, match="entry condition"):
        versions.publish(version=versions.new_draft(program=made), at=MONDAY)


def test_an_empty_database_has_a_published_default_program():
    default = Program.objects.get(is_default=True)
    assert default.current_version.status == "published"
    assert [step.kind for step in default.current_version.steps.all()] == [
        "mail",
        "wait",
        "mail",
        "wait",
        "call_task",
    ]
    assert versions.problems(default.current_version) == []
    assert ProgramVersion.objects.filter(status="published").count() == 1
    assert Step.objects.filter(kind="mail", template__isnull=True).count() == 0
