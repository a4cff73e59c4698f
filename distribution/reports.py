"""Figures of the sales side."""

from datetime import timedelta

from django.db.models import Count, Min, Q

from distribution.access import Role, roles, sees_all
from distribution.assignment import is_present
from distribution.models import FollowUp, Handoff, Rep

NOTHING = {"open": 0, "untouched": 0, "overdue": 0, "oldest_untouched": None}


def team_load(user, *, at):
    """One row per rep whom this user leads (administrators and marketers: all), the busiest first: dicts with rep,
    present, open, untouched, overdue, due_today and oldest_untouched (datetime or None). Three queries."""
    reps = (
        Rep.objects.filter(user__is_active=True)
        .select_related("user", "team")
        .order_by("user__last_name", "id")
    )
    if not sees_all(user):
        reps = reps.filter(team__manager=user) if Role.MANAGER in roles(user) else reps.filter(user=user)
    new = Q(first_response_at__isnull=True, respond_by__isnull=False)
    load = {
        row.pop("owner"): row
        for row in Handoff.objects.filter(owner__in=reps, status__in=Handoff.OPEN)
        .order_by()
        .values("owner")
        .annotate(
            open=Count("id"),
            untouched=Count("id", filter=new),
            overdue=Count("id", filter=new & Q(respond_by__lt=at)),
            oldest_untouched=Min("created_at", filter=new),
        )
    }
    due = dict(
        FollowUp.objects.filter(owner__in=reps, done_at__isnull=True, due_at__lt=at + timedelta(days=1))
        .order_by()
        .values_list("owner")
        .annotate(Count("id"))
    )
    rows = [
        {
            "rep": rep,
            "present": is_present(rep, at),
            "due_today": due.get(rep.pk, 0),
            **load.get(rep.pk, NOTHING),
        }
        for rep in reps
    ]
    return sorted(rows, key=lambda row: -row["open"])
