"""The criteria language: what rules, programs, routing and segments may ask.

A condition is a tree, kept as JSON: `{"all": […]}`, `{"any": […]}`, `{"none": […]}`, nested, over
leaves `{"is": "<key of CRITERIA>", …its parameters}`. `{}` means everybody.

working on…                                    | read
the label, parameters, SQL and words of one    | base.py, then fields.py, history.py, touchpoint.py
checking, SQL and the sentence of a whole tree | tree.py
live counts, samples, the leads that match     | matching.py

A new kind of condition is one class and one line here. An app above composes its own table from
this one (`scoring.criteria.SCORED_CRITERIA`); nothing registers itself.
"""

from leads.criteria.base import LEAD, TOUCHPOINT, BadCondition
from leads.criteria.fields import CompanyField, LeadField
from leads.criteria.history import Did, DidNothing, FromSource, OlderThan
from leads.criteria.touchpoint import TouchpointIs

__all__ = ["CRITERIA", "LEAD", "TOUCHPOINT", "BadCondition"]

CRITERIA = {
    "lead_field": LeadField(),
    "company_field": CompanyField(),
    "did": Did(),
    "did_nothing": DidNothing(),
    "older_than": OlderThan(),
    "source": FromSource(),
    "touchpoint": TouchpointIs(),
}
