"""How a version is agreed: draft → in review → approved, by marketing and by sales.

From the review on, triggers keep rules, thresholds and scale as they were read; `reopen` makes a draft of it again and
takes the approvals back, as they were given to something else. Comments stay through all of it.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from scoring.models import ModelVersion, VersionComment
from scoring.publish import NotPublishable, problems, write

Status = ModelVersion.Status
# side → the permission to sign for it
SIDES = {"marketing": "scoring.approve_for_marketing", "sales": "scoring.approve_for_sales"}
OPEN = (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED)  # not published yet
MAX_COMMENT = 5_000


class NotNow(ValueError):
    """What was asked does not fit the state the version is in; the words say what it is."""


def ask_review(*, version, by, at):
    """Put a draft before marketing and sales. Raises NotPublishable with what must be mended first, or NotNow."""
    with transaction.atomic():
        _lock(version)
        if version.status == Status.IN_REVIEW:
            return
        if version.status != Status.DRAFT:
            raise NotNow(f"{version} is {version.get_status_display().lower()}: only a draft goes to review.")
        # First read-only, then checked: what is reviewed is what was checked.
        write(version, status=Status.IN_REVIEW, review_asked_at=at, review_asked_by=by)
        if found := problems(version):
            raise NotPublishable(found)


def comment(*, version, by, text, at):
    """Say something about a version, whatever its state. Raises ValueError for an empty or overlong text."""
    text = text.strip().replace("\0", "")
    if not text:
        raise ValueError("Write something first.")
    if len(text) > MAX_COMMENT:
        raise ValueError(f"Keep a comment within {MAX_COMMENT:,} characters.")
    return VersionComment.objects.create(version=version, by=by, at=at, text=text)


def approve(*, version, by, side, at, seen=None):
    """Sign for one side; once both have signed, the version is approved. Signing twice is signing once.

    The caller has checked the permission in SIDES. `seen` is the `review_asked_at` of the page that was read: a
    version that was reopened and changed since is not signed unread. Raises NotNow.
    """
    with transaction.atomic():
        _lock(version)
        if getattr(version, f"approved_by_{side}_at"):
            return
        if version.status != Status.IN_REVIEW:
            raise NotNow(f"{version} is {version.get_status_display().lower()}, not in review.")
        if seen and seen != version.review_asked_at:
            raise NotNow(f"{version} was changed since you opened it: read it again, then approve it.")
        write(version, **{f"approved_by_{side}": by, f"approved_by_{side}_at": at})
        if not missing(version):
            write(version, status=Status.APPROVED)


def reopen(*, version, by, at, why=""):
    """Make a draft of it again. The approvals go, as they were given to what it was; a comment says who and why."""
    with transaction.atomic():
        _lock(version)
        if version.status == Status.DRAFT:
            return
        if version.status not in OPEN:
            raise NotNow(f"{version} was published and stays as it is: edit a new draft of it.")
        if version.publish_asked_at:
            raise NotNow(f"{version} is being published: stop that first.")
        write(
            version, status=Status.DRAFT, review_asked_at=None, review_asked_by=None, approved_by_marketing=None,
            approved_by_marketing_at=None, approved_by_sales=None, approved_by_sales_at=None,
        )  # fmt: skip
        comment(version=version, by=by, text=f"Back to draft. {why.strip()}"[:MAX_COMMENT], at=at)


def missing(version):
    """The sides that have not signed yet: a list of keys of SIDES."""
    return [side for side in SIDES if getattr(version, f"approved_by_{side}_at") is None]


def sides_of(user):
    """The sides this person may sign for."""
    return [side for side, permission in SIDES.items() if user.has_perm(permission)]


def waiting_for(user):
    """Versions in review that wait for this person's signature, longest first; each with its model loaded."""
    unsigned = Q(pk__in=[])
    for side in sides_of(user):
        unsigned |= Q(**{f"approved_by_{side}_at": None})
    return _in_review(unsigned)


def to_comment_on(user):
    """Versions in review that this person, who signs for no side, has not commented on yet; longest first, like above."""
    if sides_of(user):
        return []
    said = VersionComment.objects.filter(version=OuterRef("pk"), by=user, at__gte=OuterRef("review_asked_at"))
    return _in_review(~Exists(said))


def _in_review(condition):
    return list(
        ModelVersion.objects.filter(condition, status=Status.IN_REVIEW)
        .select_related("model", "review_asked_by")
        .order_by("review_asked_at", "pk")[:20]
    )


def _lock(version):
    version.refresh_from_db(from_queryset=ModelVersion.objects.select_for_update(no_key=True))
