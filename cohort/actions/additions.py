"""Puts people on a practice's list whom the search did not find."""

from datetime import date, datetime

from django.db import transaction

from cohort import policies
from cohort.actions.decisions import write_decision
from cohort.actions.facts import record_fact
from cohort.actions.order import put_in_order
from cohort.models import ListEntry, Patient, PracticeList
from cohort.queries import extracts
from cohort.queries.worklists import entries, newest_list
from cohort.rules import FactSource, Request, ReviewState
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


@transaction.atomic
def add_person(*, nhs_number: str, birth_date: date, reason: str, by: Membership, at: datetime) -> ListEntry:
    """Puts somebody registered at the practice on its newest list, by the GP's word, and returns the entry.

    `nhs_number` is ten digits. Raises NoList, PersonNotFound, PersonHasDied, AlreadyListed, NotAllowed.
    """
    policies.check_can_review(by)
    newest = newest_list(by)
    if newest is None:
        raise NoList
    practice_list = PracticeList.objects.select_for_update(no_key=True).get(pk=newest.pk)
    policies.check_can_review(by, is_submitted=practice_list.submitted_at is not None)
    details = extracts.registered_person(nhs_number=nhs_number, birth_date=birth_date, practice=by.organisation)
    if details is None:
        raise PersonNotFound
    if details["death_status"] == Patient.DeathStatus.FORMAL:
        raise PersonHasDied
    patient, is_new = Patient.objects.select_for_update().get_or_create(nhs_number=nhs_number, defaults=details)
    if not is_new:
        _bring_up_to_date(patient, details)
    if listed := entries(by).filter(pk=patient.pk).first():
        raise AlreadyListed(listed)
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
    record_fact(patient_id=patient.pk, source=FactSource.GP, request=Request.ADD, reason=reason, at=at, by=by)
    return write_decision(entry, ReviewState.CONFIRMED if entry.is_flagged else ReviewState.ADDED, by=by, at=at)


def _bring_up_to_date(patient: Patient, details: dict[str, object]) -> None:
    """Takes over an extract's details of somebody known. Raises PersonNotFound where those known are newer
    and place them at another practice.
    """
    if details["as_at"] < patient.as_at:  # type: ignore[operator]
        if patient.practice != details["practice"]:
            raise PersonNotFound
        return
    for name, value in details.items():
        setattr(patient, name, value)
    patient.save()
