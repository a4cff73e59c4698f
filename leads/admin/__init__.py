"""What marketers configure about capture, and what they look up about leads.

`LeadAdmin` is not registered here: scoring adds the rating, distribution the owner, and registers it.
"""

from leads.admin import (  # noqa: F401  registers them
    access,
    capture,
    content,
    custom_fields,
    enrichment,
    lists,
    properties,
)
from leads.admin.people import LeadAdmin

__all__ = ["LeadAdmin"]
