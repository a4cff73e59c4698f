"""What comes next in a version of a program, and when."""

from collections import defaultdict
from datetime import timedelta

from nurturing.models import Step, Touch


def steps_of(version_ids):
    """{version id: its steps in order}."""
    steps = defaultdict(list)
    rows = Step.objects.filter(version__in=set(version_ids)).select_related("template")
    for step in rows.order_by("version", "position"):
        steps[step.version_id].append(step)
    return steps


def following(steps, position=-1):
    """The next step that becomes a touch after `position` and the waiting before it → (step, timedelta).

    At the end of the program the step is None and the waiting is what trails behind the last one.
    """
    wait = timedelta()
    for step in steps:
        if step.position <= position:
            continue
        if step.kind != Step.Kind.WAIT:
            return step, wait
        wait += timedelta(hours=step.wait_hours)
    return None, wait


def kinds_after(steps, position=-1):
    return {step.kind for step in steps if step.position > position} - {Step.Kind.WAIT}


def touch(enrollment, step, due_at):
    return Touch(enrollment=enrollment, lead_id=enrollment.lead_id, step=step, kind=step.kind, due_at=due_at)
