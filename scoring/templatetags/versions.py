"""What waits for somebody's approval or review, for the page that they start from."""

from django import template
from django.utils import timezone

from scoring import approval, documents

register = template.Library()


@register.inclusion_tag("scoring/_waiting.html")
def waiting_for_approval(user):
    """The versions that wait for this person's signature; nothing where there is none."""
    return {"versions": approval.waiting_for(user)}


@register.inclusion_tag("scoring/_review_reminder.html")
def review_reminder(user):
    """The models whose yearly review is due, for those who may record it; nothing where there is none."""
    may_review = user.has_perm("scoring.change_scoringmodel")
    return {"due": documents.review_due(timezone.now()) if may_review else [], "user": user}
