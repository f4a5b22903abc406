"""Takes down people at risk whom the search did not find: on the list, or only recorded as vulnerable.

Somebody at high risk gets an entry on the practice's newest list, by a fact of the GP's to ADD. Somebody
vulnerable (domain, section 2) is not on the list and nobody writes to them: the practice's word is a
flag M, a fact of the GP's to REMOVE (section 5), kept without an entry. A search that finds them later
does not put them on the list against it, but has the practice review them.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from cohort import policies
from cohort.actions.amendments import hold_against
from cohort.actions.decisions import write_decision
from cohort.actions.facts import record_fact, withdraw_fact
from cohort.actions.order import put_in_order
from cohort.models import Addition, Criterion, ListEntry, ListFact, Patient, PracticeList
from cohort.queries import extracts
from cohort.queries.additions import recorded_as_vulnerable
from cohort.queries.worklists import entries, newest_list
from cohort.rules import FactSource, RemovalReason, Request, ReviewState
from shielding.accounts.models import Membership


class NoList(Exception):
    """The practice has no list yet to add people to."""


class PersonNotFound(Exception):
    """Nobody with these details is registered at the practice; where else they may be is not told."""


class PersonHasDied(Exception):
    """The person's death is registered, so they are not added."""


class AlreadyListed(Exception):
    """The person is on one of the practice's lists already, in whatever state: `entry` says which."""

    def __init__(self, entry: ListEntry) -> None:
        super().__init__("The person is on a list of the practice")
        self.entry = entry


class AlreadyRecorded(Exception):
    """The practice has recorded the person as vulnerable already."""


@dataclass(frozen=True)
class Grounds:
    """Why somebody is at risk: a disease group (empty: a clinician's judgement), the evidence and its date."""

    reason: str
    disease_group: str = ""
    evidence: str = ""
    evidence_date: date | None = None


@transaction.atomic
def add_person(*, nhs_number: str, birth_date: date, grounds: Grounds, by: Membership, at: datetime) -> ListEntry:
    """Puts somebody registered at the practice on its newest list, by the GP's word, and returns the entry.

    `nhs_number` is ten digits. Raises NoList, PersonNotFound, PersonHasDied, AlreadyListed, NotAllowed.
    """
    practice_list = _lock_newest_list(by)
    patient = _lock_patient(nhs_number, birth_date, by=by, at=at)
    entry = _place(patient, practice_list, by=by, at=at)
    _record(patient, Criterion.Tier.HIGH, grounds, by=by, at=at)
    return write_decision(entry, ReviewState.CONFIRMED if entry.is_flagged else ReviewState.ADDED, by=by, at=at)


@transaction.atomic
def record_vulnerable(*, nhs_number: str, birth_date: date, grounds: Grounds, by: Membership, at: datetime) -> ListFact:
    """Records that somebody registered at the practice is vulnerable, not at high risk; returns its fact.

    Whoever has an entry that the practice cannot see, from another's list, comes onto its newest list as
    removed. Raises as `add_person` does, and AlreadyRecorded.
    """
    practice_list = _lock_newest_list(by)
    patient = _lock_patient(nhs_number, birth_date, by=by, at=at)
    if recorded_as_vulnerable(by).filter(patient=patient).exists():
        raise AlreadyRecorded
    if not ListEntry.objects.filter(pk=patient.pk).exists():
        return _record(patient, Criterion.Tier.VULNERABLE, grounds, by=by, at=at)
    entry = _place(patient, practice_list, by=by, at=at)
    fact = _record(patient, Criterion.Tier.VULNERABLE, grounds, by=by, at=at)
    write_decision(entry, ReviewState.REMOVED, by=by, at=at, removal=(RemovalReason.LOW_RISK, "", False))
    return fact


@transaction.atomic
def take_back_vulnerable(*, fact_id: int, by: Membership, at: datetime) -> ListFact:
    """Withdraws that somebody is vulnerable, and returns the fact. Raises NotAllowed, ListFact.DoesNotExist."""
    policies.check_can_review(by)
    fact = recorded_as_vulnerable(by).get(pk=fact_id)
    withdraw_fact(fact=fact, reason="Undone by the practice", at=at, by=by)
    return fact


def _lock_newest_list(by: Membership) -> PracticeList:
    policies.check_can_review(by)
    newest = newest_list(by)
    if newest is None:
        raise NoList
    practice_list = PracticeList.objects.select_for_update(no_key=True).get(pk=newest.pk)
    policies.check_can_review(by, is_submitted=practice_list.submitted_at is not None)
    return practice_list


def _lock_patient(nhs_number: str, birth_date: date, *, by: Membership, at: datetime) -> Patient:
    """Returns somebody registered at the practice who is on none of its lists, as the newest extract has them."""
    details = extracts.registered_person(nhs_number=nhs_number, birth_date=birth_date, practice=by.organisation)
    if details is None:
        raise PersonNotFound
    if details["death_status"] == Patient.DeathStatus.FORMAL:
        raise PersonHasDied
    patient, is_new = Patient.objects.select_for_update().get_or_create(nhs_number=nhs_number, defaults=details)
    if not is_new:
        _bring_up_to_date(patient, details, at=at)
    if listed := entries(by).filter(pk=patient.pk).first():
        raise AlreadyListed(listed)
    return patient


def _place(patient: Patient, practice_list: PracticeList, *, by: Membership, at: datetime) -> ListEntry:
    """Returns the patient's entry, new or from another practice's list, on this list."""
    entry, _ = ListEntry.objects.select_for_update().get_or_create(
        patient=patient,
        defaults={
            "is_on_list": False,
            "changed_at": at,
            "is_flagged": False,
            "review_state": ReviewState.ADDED.value,
            "reviewed_at": at,
            "reviewed_by_id": by.user_id,
        },
    )
    entry.practice_list = practice_list
    entry.listed_at = at
    entry.save(update_fields=["practice_list", "listed_at"])
    put_in_order([patient.pk])
    return entry


def _record(patient: Patient, tier: Criterion.Tier, grounds: Grounds, *, by: Membership, at: datetime) -> ListFact:
    is_high = tier == Criterion.Tier.HIGH
    fact = record_fact(
        patient_id=patient.pk,
        source=FactSource.GP,
        request=Request.ADD if is_high else Request.REMOVE,
        reason=grounds.reason,
        at=at,
        by=by,
    )
    Addition.objects.create(
        fact=fact,
        tier=tier.value,
        disease_group=grounds.disease_group,
        evidence=grounds.evidence,
        evidence_date=grounds.evidence_date,
    )
    return fact


def _bring_up_to_date(patient: Patient, details: dict[str, Any], *, at: datetime) -> None:
    """Takes over an extract's details of somebody known, but for what was mended.

    Raises PersonNotFound where those known are newer and place them at another practice.
    """
    if details["as_at"] < patient.as_at:
        if patient.practice != details["practice"]:
            raise PersonNotFound
        return
    for name, value in hold_against(patient, details, at=at).items():
        setattr(patient, name, value)
    patient.save()
