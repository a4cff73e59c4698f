"""How marketers shape scoring: models, their versions, the rules of a draft, and rating scales.

Published is read-only. `Edit` makes a draft; marketing and sales approve it; `Publish` asks for it to be filled and
shows how far it is; readers see the scores of the version before until the flip.
"""

from scoring.admin import custom_fields, models, rules, scales, versions  # noqa: F401  registers them
from scoring.admin.leads import ScoredLeadAdmin
from scoring.admin.segments import SegmentAdmin

__all__ = ["ScoredLeadAdmin", "SegmentAdmin"]
