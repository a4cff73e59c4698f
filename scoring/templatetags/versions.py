"""What several pages say of models and their versions: which one decides, and what waits for somebody's approval."""

from django import template

from scoring import approval
from scoring.queries import deciding

register = template.Library()


@register.simple_tag
def who_decides(model):
    """Whether a model decides what passes to sales; else which one does."""
    if model.routes:
        return "This model decides what passes to sales."
    return f"This model informs; {deciding() or 'no model'} decides what passes to sales."


@register.inclusion_tag("scoring/_waiting.html")
def waiting_for_approval(user):
    """The versions that wait for this person's signature; nothing where there is none."""
    return {"versions": approval.waiting_for(user)}


@register.inclusion_tag("scoring/_review_notice.html")
def review_notice(user):
    """The version that has waited longest for what this person may do, in one line: sign it, or comment on it."""
    waiting = approval.waiting_for(user)
    return {"version": next(iter(waiting or approval.to_comment_on(user)), None), "may_sign": bool(waiting)}
