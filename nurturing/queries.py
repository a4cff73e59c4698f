"""Reads: where a lead stands in its program, what comes next, which calls are open, and what the local mailbox holds."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from leads import consent
from nurturing.models import Enrollment, LocalMail, Step, Touch
from nurturing.schedule import steps_of

WORDS = {Step.Kind.MAIL: "mail", Step.Kind.CALL_TASK: "call"}
AHEAD = ["due", "claimed", "sending", "open"]


@dataclass(frozen=True)
class Position:
    """Where a lead stands: step `number` of `of` (waits not counted) and the touch ahead, if any."""

    program: str
    version: int
    number: int
    of: int
    touch: Touch | None
    is_paused: bool

    @property
    def due_at(self) -> datetime | None:
        return self.touch.due_at if self.touch else None

    def __str__(self):
        place = f"{self.program}, step {self.number} of {self.of}"
        if self.is_paused:
            return f"{place}, paused"
        if self.touch is None:
            return f"{place}, next step being scheduled"
        what = WORDS[self.touch.kind]
        if self.touch.status == Touch.Status.OPEN:
            return f"{place}, {what} open since {short(self.touch.due_at)}"
        return f"{place}, next {what} {short(self.touch.due_at)}"


def short(moment):
    return date_format(timezone.localtime(moment), "D j M H:i")


def positions(lead_ids):
    """{lead id: Position} for those in a main program. Three statements, however many leads."""
    enrollments = Enrollment.objects.filter(lead__in=list(lead_ids), status="active", is_main=True)
    enrollments = list(enrollments.select_related("program", "version"))
    steps = steps_of(row.version_id for row in enrollments)
    touches = {
        row.enrollment_id: row
        for row in Touch.objects.filter(enrollment__in=enrollments, status__in=AHEAD).select_related(
            "step__template"
        )
    }
    done = set()
    if len(touches) < len(enrollments):
        done = Touch.objects.filter(enrollment__in=enrollments, status__in=Touch.SETTLED)
        done = set(done.values_list("enrollment_id", "step_id"))
    found = {}
    for row in enrollments:
        reaching = [step for step in steps[row.version_id] if step.kind != Step.Kind.WAIT]
        ahead = touches.get(row.pk)
        passed = [step for step in reaching if (row.pk, step.pk) in done]
        number = reaching.index(ahead.step) + 1 if ahead else min(len(passed) + 1, len(reaching))
        found[row.lead_id] = Position(
            row.program.name, row.version.number, number, len(reaching), ahead, row.program.is_paused
        )
    return found


def open_calls(limit=50, *, lead_ids=None):
    """Calls to be made now, longest waiting first; who must not be called any more is left out."""
    rows = Touch.objects.filter(status=Touch.Status.OPEN).select_related(
        "lead__company", "enrollment__program", "step"
    )
    if lead_ids is not None:
        rows = rows.filter(lead__in=list(lead_ids))
    rows = list(rows.order_by("due_at", "pk")[:limit])
    refused = consent.refusals([row.lead_id for row in rows], channel="phone", purpose="sales")
    return [row for row in rows if row.lead_id not in refused]


def mails(*, before=None, limit=50):
    """The local mailbox, newest first, without the bodies. `before`: (at, id) of the last one shown."""
    rows = LocalMail.objects.defer("text", "html", "headers").order_by("-at", "-pk")
    if before:
        at, pk = before
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    return list(rows[:limit])
