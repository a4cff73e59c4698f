"""The criteria language: what rules, programs, routing and segments may ask. All of it in a table: docs/criteria.md.

A condition is a tree, kept as JSON: `{"all": […]}`, `{"any": […]}`, `{"none": […]}`, nested, over
leaves `{"is": "<key of CRITERIA>", …its parameters}`. `{}` means everybody.

working on…                                           | read
what every criterion carries                          | base.py, parameters.py
what a field can be asked                             | comparisons.py, then fields.py, custom.py, known.py
what somebody did, how often, when                    | touchpoint.py, properties.py, content.py, doings.py, history.py
where from, lists, interest, the company              | origin.py, lists.py, interest.py, accounts.py
checking, SQL and the sentence of a whole tree        | tree.py
live counts, samples, the leads that match            | matching.py
the values that occur, for whoever types one          | suggestions.py

A new kind of condition is one class and one line here. An app above composes its own table from
this one (`scoring.criteria.SCORED_CRITERIA`); nothing registers itself.
"""

from leads.criteria.accounts import ActivePeople, Monetary
from leads.criteria.base import LEAD, TOUCHPOINT, BadCondition
from leads.criteria.content import ContentIs
from leads.criteria.custom import CustomFieldIs
from leads.criteria.fields import CompanyField, LeadField
from leads.criteria.history import Did, DidNothing, FirstTime, Interactions, LastTime, OlderThan, Recency
from leads.criteria.interest import BuyingStageIs, ProductInterest, ProductStated, TimelineWithin
from leads.criteria.known import KnowsFields
from leads.criteria.lists import DomainInList, FreeMail, InList
from leads.criteria.origin import CameBy, FromCampaign, FromSource
from leads.criteria.touchpoint import Keyword, TouchpointIs

__all__ = ["CRITERIA", "LEAD", "TOUCHPOINT", "BadCondition"]

CRITERIA = {
    "lead_field": LeadField(),
    "company_field": CompanyField(),
    "custom_field": CustomFieldIs(),
    "knows_fields": KnowsFields(),
    "free_mail": FreeMail(),
    "in_list": InList(),
    "domain_in_list": DomainInList(),
    "source": FromSource(),
    "campaign": FromCampaign(),
    "offer": CameBy(),
    "timeline_within": TimelineWithin(),
    "product_stated": ProductStated(),
    "product_interest": ProductInterest(),
    "buying_stage": BuyingStageIs(),
    "did": Did(),
    "first_time": FirstTime(),
    "last_time": LastTime(),
    "interactions": Interactions(),
    "recency": Recency(),
    "did_nothing": DidNothing(),
    "older_than": OlderThan(),
    "monetary": Monetary(),
    "active_people": ActivePeople(),
    "touchpoint": TouchpointIs(),
    "keyword": Keyword(),
    "content": ContentIs(),
}
