"""Models of the cohort app."""

from cohort.models.bulk import BulkReceipt
from cohort.models.criteria import CodeList, CodeListCode, CodeListVersion, Criterion, CriterionVersion
from cohort.models.drafts import AssuranceCase, CriterionDraft, DraftRevision, SignOff
from cohort.models.extracts import Extract, MendedRows, SourceAgeLimit
from cohort.models.hospitals import HospitalList, HospitalRow, UnitToken
from cohort.models.lists import ListEntry, ListFact, PracticeList
from cohort.models.oversight import LateDecision, ListSignOff, Reminder
from cohort.models.patients import Patient
from cohort.models.review import Addition, Amendment, RemovalDraft, RemovalTold, ReviewQuery
from cohort.models.risk_models import RiskList, RiskListFact
from cohort.models.runs import (
    Evidence,
    Flag,
    SearchAttrition,
    SearchCombination,
    SearchCount,
    SearchGroup,
    SearchRun,
)

__all__ = [
    "Addition",
    "Amendment",
    "AssuranceCase",
    "BulkReceipt",
    "CodeList",
    "CodeListCode",
    "CodeListVersion",
    "Criterion",
    "CriterionDraft",
    "CriterionVersion",
    "DraftRevision",
    "Evidence",
    "Extract",
    "Flag",
    "HospitalList",
    "HospitalRow",
    "LateDecision",
    "ListEntry",
    "ListFact",
    "ListSignOff",
    "MendedRows",
    "Patient",
    "PracticeList",
    "Reminder",
    "RemovalDraft",
    "RemovalTold",
    "ReviewQuery",
    "RiskList",
    "RiskListFact",
    "SearchAttrition",
    "SearchCombination",
    "SearchCount",
    "SearchGroup",
    "SearchRun",
    "SignOff",
    "SourceAgeLimit",
    "UnitToken",
]
