"""WHO they are and WHAT happened: every fact that other apps lean on.

people      Lead, Company and their domains, external ids, field and stage history
log         Touchpoint, Activity: the append-only activity log
channels    Source, Campaign, CaptureForm, Question, Submission, ApiKey, IdempotentRequest
permission  Consent, Suppression
imports     ImportRun and its rejected lines
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
from leads.models.imports import ImportRejection, ImportRun
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

__all__ = [
    "Activity",
    "ApiKey",
    "Basis",
    "Campaign",
    "CaptureForm",
    "Channel",
    "Company",
    "CompanyDomain",
    "Consent",
    "ExternalId",
    "FieldChange",
    "IdempotentRequest",
    "ImportRejection",
    "ImportRun",
    "Lead",
    "LeadType",
    "Origin",
    "Place",
    "Purpose",
    "Question",
    "Relationship",
    "Source",
    "Stage",
    "StageChange",
    "Submission",
    "Suppression",
    "Touchpoint",
]
