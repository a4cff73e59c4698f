"""Programs change by versions: draft → published → superseded. Who is inside finishes the version entered."""

from django.db import transaction
from django.db.models import Max

from leads import doorbell
from leads.criteria import BadCondition, tree
from nurturing import mail
from nurturing.models import Program, ProgramVersion, Step
from scoring.criteria import SCORED_CRITERIA

Status = ProgramVersion.Status


class NotPublishable(ValueError):
    """`problems`: what to change first, in words."""

    def __init__(self, problems):
        self.problems = problems
        super().__init__(" ".join(problems))


def new_draft(*, program):
    """The draft of a program: the one there is, or a copy of what is published."""
    with transaction.atomic():
        program = Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        draft = program.versions.filter(status=Status.DRAFT).order_by("-number").first()
        if draft:
            return draft
        number = (program.versions.aggregate(last=Max("number"))["last"] or 0) + 1
        draft = ProgramVersion.objects.create(program=program, number=number)
        copied = Step.objects.filter(version=program.current_version_id) if program.current_version_id else []
        Step.objects.bulk_create(
            Step(
                version=draft, position=step.position, kind=step.kind, template_id=step.template_id,
                wait_hours=step.wait_hours, instruction=step.instruction,
            )
            for step in copied
        )  # fmt: skip
    return draft


def problems(version):
    """What keeps a version from being published; empty when nothing does."""
    steps = list(version.steps.select_related("template").order_by("position"))
    found = []
    if not any(step.kind != Step.Kind.WAIT for step in steps):
        found.append("The program has no mail and no call. Add one step that reaches the lead.")
    for template in {step.template for step in steps if step.kind == Step.Kind.MAIL}:
        found += mail.check(template)
    try:
        tree.check(version.program.entry, criteria=SCORED_CRITERIA)
    except BadCondition as error:
        found.append(f"The entry condition cannot be used: {error}.")
    return found


def publish(*, version, at):
    """Make a draft the version that newcomers enter. Raises NotPublishable."""
    with transaction.atomic():
        program = Program.objects.select_for_update(no_key=True).get(pk=version.program_id)
        version = ProgramVersion.objects.select_related("program").get(pk=version.pk)
        if version.status != Status.DRAFT:
            raise NotPublishable(
                [f"{version} is {version.get_status_display().lower()}; only a draft can be published."]
            )
        found = problems(version)
        if found:
            raise NotPublishable(found)
        program.versions.filter(status=Status.PUBLISHED).update(status=Status.SUPERSEDED)
        ProgramVersion.objects.filter(pk=version.pk).update(status=Status.PUBLISHED, published_at=at)
        Program.objects.filter(pk=program.pk).update(current_version=version)
    version.refresh_from_db()
    return version


def pause(*, program):
    """From the commit on nothing of this program is begun; who is inside waits where they are."""
    Program.objects.filter(pk=program.pk).update(is_paused=True)


def go_on(*, program):
    """End a pause; what came due meanwhile is due now, one touch per lead."""
    Program.objects.filter(pk=program.pk).update(is_paused=False)
    doorbell.ring("touch")
