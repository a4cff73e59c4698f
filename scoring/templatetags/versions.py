"""What waits for somebody's approval, for the page that they start from."""

from django import template

from scoring import approval

register = template.Library()


@register.inclusion_tag("scoring/_waiting.html")
def waiting_for_approval(user):
    """The versions that wait for this person's signature; nothing where there is none."""
    return {"versions": approval.waiting_for(user)}
