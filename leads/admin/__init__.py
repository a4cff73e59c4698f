"""What marketers configure about capture, and what they look up about leads.

Not registered here: `LeadAdmin`, to which scoring adds the rating and distribution the owner, and `CustomFieldAdmin`.
"""

from leads.admin import (  # noqa: F401  registers them
    access,
    capture,
    content,
    enrichment,
    lists,
    properties,
)
from leads.admin.custom_fields import CustomFieldAdmin
from leads.admin.people import LeadAdmin

__all__ = ["CustomFieldAdmin", "LeadAdmin"]
