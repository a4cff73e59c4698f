"""What waits for somebody's approval, for the page that they start from."""

from django import template

from scoring import approval

register = template.Library()


@register.inclusion_tag("scoring/_waiting.html")
def waiting_for_approval(user):
    """The versions that wait for this person's signature; nothing where there is none."""
    return {"versions": approval.waiting_for(user)}


@register.inclusion_tag("scoring/_review_notice.html")
def review_notice(user):
    """The version that has waited longest for what this person may do, in one line: sign it, or comment on it."""
    waiting = approval.waiting_for(user)
    return {"version": next(iter(waiting or approval.to_comment_on(user)), None), "may_sign": bool(waiting)}
