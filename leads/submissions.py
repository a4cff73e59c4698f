"""A public form was posted: keep what came in, word for word, and make it a lead where that is possible.

Anybody can post anything about anybody, so a submission fills empty fields or proposes, and never overwrites.
"""

import logging
from typing import NamedTuple

from django.db import InterfaceError, OperationalError
from rest_framework.exceptions import APIException

from leads import capture, intake
from leads.models import CaptureForm, Question, Source, Submission
from leads.parsers import BadBody, TooLarge, read_answers
from leads.rows import fetch

log = logging.getLogger(__name__)

HONEYPOT = "hp_website"  # nobody sees this field; programs that fill every field do not know that
NEXT = "next"


FIND = """
SELECT f.id, f.name, f.slug, f.lead_type, f.asset, f.marketing_basis, f.basis_text, f.basis_version, f.campaign_id, f.origins,
  f.thank_you_urls, f.is_demo, s.id, s.slug, s.origin,
  (SELECT json_agg(json_build_object('name', q.name, 'field', q.field, 'label', q.label, 'required', q.required,
                                     'choices', q.choices) ORDER BY q.position, q.id)
   FROM leads_question q WHERE q.form_id = f.id)
FROM leads_captureform f LEFT JOIN leads_source s ON s.id = f.source_id
WHERE f.slug = %s AND f.is_active
"""
COLUMNS = (
    "id", "name", "slug", "lead_type", "asset", "marketing_basis", "basis_text", "basis_version", "campaign_id", "origins",
    "thank_you_urls", "is_demo",
)  # fmt: skip


def find_form(slug):
    """The open form of that slug with its questions as `asked` and its source, or None.

    Written out, as every post of a form begins with it: three ORM queries took a third of the time of a post.
    """
    for row in fetch(FIND, [slug]):
        *columns, source_id, source_slug, source_origin, questions = row
        form = CaptureForm(**dict(zip(COLUMNS, columns, strict=True)))
        form.source = Source(pk=source_id, slug=source_slug, origin=source_origin) if source_id else None
        form.asked = [Question(**question) for question in questions or []]
        return form
    return None


class Posted(NamedTuple):
    """A request as it arrived; `is_whole` is false when the body was cut at 256 KB."""

    body: bytes
    is_whole: bool
    content_type: str
    ip: str | None
    user_agent: str
    referrer: str


class Reading(NamedTuple):
    answers: dict
    values: dict
    unmapped: dict
    is_bot: bool
    unread: dict  # {name of an optional question: what could not be read in its answer}


class Refused(Exception):
    """An invalid submission. `problems`: {name of the question, or "" for the whole: what to change}."""

    def __init__(self, problems, *, answers=None, cause=None):
        super().__init__(problems)
        self.problems, self.answers, self.cause = problems, answers or {}, cause


def receive(*, form, posted, at, once):
    """Take in what was posted; (Reading, whatever `once` made of the Submission).

    `once` is called with a function that writes, and may spare the call where the same was sent before. Whatever goes wrong, the
    raw post is kept, in a transaction of its own; only with the database away nothing can be, and the sender is told to retry.
    """
    try:
        reading = read(form, posted, at=at)
        return reading, once(lambda: accept(form, posted, reading, at=at))
    except Refused as refused:
        keep(form, posted, at=at, errors=refused.problems)
        raise
    except (OperationalError, InterfaceError, APIException):
        raise
    except Exception:
        log.exception("a submission of %s could not be captured; its raw body is kept", form.slug)
        keep(form, posted, at=at, errors={"": "server error"})
        raise


def read(form, posted, *, at):
    try:
        if not posted.is_whole:
            raise TooLarge
        answers, files = read_answers(posted.body, posted.content_type)
    except BadBody as error:
        raise Refused({"": str(error.detail)}, cause=error) from None
    return understand(form, answers, files, at=at)


def understand(form, answers, files, *, at):
    questions = {question.name: question for question in form.asked}
    data, unmapped = {}, {name: f"file, not kept: {file}" for name, file in files.items()}
    for name, answer in answers.items():
        if name in questions:
            data[questions[name].field] = as_text(answer)
        elif name in capture.UTM:
            data[name] = as_text(answer)
        elif name not in (HONEYPOT, NEXT):
            unmapped[name] = answer
    problems = {
        question.name: f"{question.label} is missing. Fill it in."
        for question in questions.values()
        if question.required and is_blank(answers.get(question.name))
    }
    by_field = {question.field: question for question in questions.values()}
    values, unread = {}, {}
    try:
        values, unread = clean(data, by_field, at=at)
    except intake.InvalidLead as error:
        for field, problem, remedy in error.problems:
            question = by_field.get(field)
            name, label = (question.name, question.label) if question else (field, field or "The form")
            problems.setdefault(name, f"{label} {problem} {remedy}")
    if problems:
        raise Refused(problems, answers=answers)
    unmapped |= {name: answers[name] for name in unread}
    is_bot = not is_blank(answers.get(HONEYPOT))
    return Reading(answers, values, intake.storable(unmapped), is_bot, intake.storable(unread))


def clean(data, by_field, *, at):
    """(values, {name of the question: problem}): an optional answer that cannot be read costs us the answer and not
    the lead. Not so for the e-mail address: who mistyped it would never hear from us, and is told."""
    try:
        return intake.clean(data, strict=False, at=at)[0], {}
    except intake.InvalidLead as error:
        spared = {
            field: f"{problem} {remedy}"
            for field, problem, remedy in error.problems
            if field in data and field != "email" and not (field in by_field and by_field[field].required)
        }
        if len(spared) < len(error.problems):
            raise
    rest = {field: value for field, value in data.items() if field not in spared}
    if "consent" in spared:
        rest["consent"] = False  # what is not clearly a yes is none
    values = intake.clean(rest, strict=False, at=at)[0]
    return values, {
        by_field[field].name if field in by_field else field: text for field, text in spared.items()
    }


def as_text(answer):
    """Ticked boxes of one name are one answer."""
    if isinstance(answer, list) and all(isinstance(part, str) for part in answer):
        return ", ".join(part for part in answer if part.strip())
    return answer


def is_blank(answer):
    return answer is None or answer == [] or (isinstance(answer, str) and not answer.strip())


def accept(form, posted, reading, *, at):
    """Make it a lead: the Submission, written in one transaction with everything that follows from it."""
    if reading.is_bot:
        return keep(form, posted, at=at, errors={HONEYPOT: "filled in by a program"})
    unread = [
        {"field": name, "detail": f"{text} Kept as it was sent."} for name, text in reading.unread.items()
    ]
    submission = new(
        form, posted, at, status=Submission.Status.ACCEPTED, unmapped=reading.unmapped, errors=unread
    )
    try:
        capture.submit(
            values=reading.values,
            form=form,
            submission=submission,
            at=at,
            overwrite=False,
            is_demo=form.is_demo,
        )
    except intake.InvalidLead as error:
        raise Refused(
            {name: f"{name or 'The form'} {problem} {remedy}" for name, problem, remedy in error.problems}
        ) from None
    return submission


def keep(form, posted, *, at, errors):
    errors = [{"field": name, "detail": detail} for name, detail in errors.items()]
    submission = new(form, posted, at, status=Submission.Status.INVALID, errors=intake.storable(errors))
    submission.save(force_insert=True)
    return submission


def new(form, posted, at, **kwargs):
    return Submission(
        form=form, received_at=at, body=posted.body, content_type=posted.content_type[:200], ip=posted.ip,
        user_agent=posted.user_agent[:400], referrer=posted.referrer[:400], **kwargs,
    )  # fmt: skip
