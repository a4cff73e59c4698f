"""WHO they are and WHAT happened: every fact that other apps lean on.

people      Lead, Company and their domains, external ids, field and stage history
log         Touchpoint, Activity: the append-only activity log
channels    Source, Campaign, CaptureForm, Question, Submission, ApiKey, IdempotentRequest
permission  Consent, Suppression
imports     ImportRun and its rejected lines, EnrichmentUpload
content     Product, Asset and what it is about
lists       LeadList, DomainList: kept by hand
custom      CustomField: typed fields made in the admin; DeclaredProperty of activities
rescoring   RescoreRequest: many leads that are still to be asked for
"""

from leads.models.channels import (
    ApiKey,
    Campaign,
    CaptureForm,
    IdempotentRequest,
    LeadType,
    Origin,
    Question,
    Source,
    Submission,
)
from leads.models.content import Asset, AssetState, BuyingStage, Product
from leads.models.custom import CustomField, DeclaredProperty
from leads.models.imports import EnrichmentUpload, ImportRejection, ImportRun
from leads.models.lists import DomainEntry, DomainList, LeadList, ListMember
from leads.models.log import Activity, Touchpoint
from leads.models.people import (
    Company,
    CompanyDomain,
    ExternalId,
    FieldChange,
    Lead,
    Place,
    Relationship,
    Stage,
    StageChange,
)
from leads.models.permission import Basis, Channel, Consent, Purpose, Suppression
from leads.models.rescoring import RescoreRequest

__all__ = [
    "Activity",
    "ApiKey",
    "Asset",
    "AssetState",
    "Basis",
    "BuyingStage",
    "Campaign",
    "CaptureForm",
    "Channel",
    "Company",
    "CompanyDomain",
    "Consent",
    "CustomField",
    "DeclaredProperty",
    "DomainEntry",
    "DomainList",
    "EnrichmentUpload",
    "ExternalId",
    "FieldChange",
    "IdempotentRequest",
    "ImportRejection",
    "ImportRun",
    "Lead",
    "LeadList",
    "LeadType",
    "ListMember",
    "Origin",
    "Place",
    "Product",
    "Purpose",
    "Question",
    "Relationship",
    "RescoreRequest",
    "Source",
    "Stage",
    "StageChange",
    "Submission",
    "Suppression",
    "Touchpoint",
]
