"""What a practice decides about its list: confirm, remove, undo, add a person, sign off.

Each decision is a fact of the GP's (`cohort.actions.facts`) and the entry's state of review, in one
transaction. Decisions take the list's lock, then the person's, so that signing off and deciding
follow one another. A list or person of another practice does not exist (`DoesNotExist`).
"""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from cohort import policies
from cohort.actions.facts import recompute, record_fact, withdraw_fact
from cohort.models import ListEntry, ListFact, Patient, PracticeList
from cohort.models.lists import REMOVAL_REASONS
from cohort.queries import extracts
from cohort.queries.validation import entries, newest_list, version
from cohort.rules import UNREVIEWED, FactSource, RemovalReason, Request, ReviewState
from shielding.accounts.models import Membership

__all__ = [
    "AlreadyListed",
    "DetailNeeded",
    "EntryChanged",
    "ListSubmitted",
    "NoList",
    "NothingToUndo",
    "PeopleLeft",
    "PersonHasDied",
    "PersonNotFound",
    "add_person",
    "confirm",
    "remove",
    "reopen",
    "submit_list",
    "version",
]


class EntryChanged(Exception):
    """Somebody has decided since the page was made; `entry` says who, what and when."""

    def __init__(self, entry: ListEntry) -> None:
        super().__init__("The entry has changed since it was shown")
        self.entry = entry


class DetailNeeded(Exception):
    """A removal for another reason must say which; and only an undo records an addition as a mistake."""


class NothingToUndo(Exception):
    """Nothing that this practice decided still stands."""


class ListSubmitted(Exception):
    """The list has been signed off, so nobody on it can go back to review, and it is not signed off again."""


class PeopleLeft(Exception):
    """A list with people still to review is not signed off; `count` says how many."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} people are still to review")
        self.count = count


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
def confirm(*, entry_id: UUID, by: Membership, at: datetime, seen: str) -> ListEntry:
    """Keeps or puts somebody on the list, by the GP's word, and returns the entry.

    `seen` is the `version` of the entry when it was shown. Saying again what one has said already
    changes nothing. Raises EntryChanged, NotAllowed, ListEntry.DoesNotExist.
    """
    entry = _lock(entry_id, by)
    policies.check_can_review(by, is_submitted=_is_submitted(entry))
    state = ReviewState.CONFIRMED if entry.is_flagged else ReviewState.ADDED
    if entry.review_state == state and entry.reviewed_by_id == by.user_id and entry.is_on_list:
        return entry
    _check_seen(entry, seen)
    record_fact(
        patient_id=entry.pk,
        source=FactSource.GP,
        request=Request.ADD,
        reason="Confirmed by the practice",
        at=at,
        by=by,
    )
    return _decided(entry, state, by=by, at=at)


@transaction.atomic
def remove(
    *,
    entry_id: UUID,
    reason: RemovalReason,
    detail: str,
    is_patient_told: bool,
    by: Membership,
    at: datetime,
    seen: str,
) -> ListEntry:
    """Takes somebody off the list, by the GP's word, and returns the entry.

    `detail` (300 characters at most) is needed where the reason is OTHER. `is_patient_told`: a
    clinician has talked it over with them; nobody is written to about a removal before that. Saying
    again what one has said already changes nothing. Raises DetailNeeded, EntryChanged, NotAllowed,
    ListEntry.DoesNotExist.
    """
    if (reason is RemovalReason.OTHER and not detail) or reason is RemovalReason.ADDED_BY_MISTAKE:
        raise DetailNeeded
    entry = _lock(entry_id, by)
    policies.check_can_review(by, is_submitted=_is_submitted(entry))
    said = (ReviewState.REMOVED, reason.value, detail, is_patient_told, by.user_id)
    held = (entry.review_state, entry.removal_reason, entry.removal_detail, entry.is_patient_told, entry.reviewed_by_id)
    if held == said and not entry.is_on_list:
        return entry
    _check_seen(entry, seen)
    record_fact(
        patient_id=entry.pk,
        source=FactSource.GP,
        request=Request.REMOVE,
        reason=detail or dict(REMOVAL_REASONS)[reason.value],
        at=at,
        by=by,
    )
    return _decided(entry, ReviewState.REMOVED, by=by, at=at, removal=(reason, detail, is_patient_told))


@transaction.atomic
def reopen(*, entry_id: UUID, by: Membership, at: datetime, seen: str) -> ListEntry:
    """Undoes what the practice decided, withdrawing its facts, and returns the entry.

    Somebody whom a search flagged is to be reviewed again, or lapses where it finds them no longer.
    Of somebody whom the practice added, a removal is undone first; then the addition, which leaves
    them off the list as ADDED_BY_MISTAKE. Raises NothingToUndo, ListSubmitted, EntryChanged,
    NotAllowed, ListEntry.DoesNotExist.
    """
    entry = _lock(entry_id, by)
    policies.check_can_review(by, is_submitted=_is_submitted(entry))
    _check_seen(entry, seen)
    if ReviewState(entry.review_state) in UNREVIEWED:
        raise NothingToUndo
    if entry.is_flagged and _is_submitted(entry):
        raise ListSubmitted
    standing = ListFact.objects.filter(
        patient_id=entry.pk,
        source=FactSource.GP.value,
        organisation_id=by.organisation_id,
        withdraws=None,
        withdrawn_by=None,
    ).order_by("pk")
    is_removed = entry.review_state == ReviewState.REMOVED
    if not entry.is_flagged and is_removed:
        standing = standing.filter(request=Request.REMOVE.value)
    facts = list(standing)
    if not facts and not entry.is_flagged:
        raise NothingToUndo
    for fact in facts:
        withdraw_fact(fact=fact, reason="Undone by the practice", at=at, by=by)
    if entry.is_flagged:
        _decided(entry, ReviewState.TO_REVIEW, by=None, at=None)
        recompute(patient_ids=[entry.pk], at=at)
        entry.refresh_from_db(fields=["review_state", "is_on_list", "because", "changed_at"])
        return entry
    if is_removed:
        return _decided(entry, ReviewState.ADDED, by=by, at=at)
    mistake = (RemovalReason.ADDED_BY_MISTAKE, "", False)
    return _decided(entry, ReviewState.REMOVED, by=by, at=at, removal=mistake)


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
    entry.save(update_fields=["practice_list"])
    record_fact(patient_id=patient.pk, source=FactSource.GP, request=Request.ADD, reason=reason, at=at, by=by)
    return _decided(entry, ReviewState.CONFIRMED if entry.is_flagged else ReviewState.ADDED, by=by, at=at)


@transaction.atomic
def submit_list(*, list_id: UUID, by: Membership, at: datetime) -> PracticeList:
    """Signs a list off and returns it. Raises PeopleLeft, ListSubmitted, NotAllowed, PracticeList.DoesNotExist."""
    policies.check_can_submit(by)
    practice_list = PracticeList.objects.select_for_update(no_key=True).get(pk=list_id, practice_id=by.organisation_id)
    if practice_list.submitted_at is not None:
        raise ListSubmitted
    left = entries(by).filter(practice_list=practice_list, review_state=ReviewState.TO_REVIEW.value).count()
    if left:
        raise PeopleLeft(left)
    practice_list.submitted_at = at
    practice_list.submitted_by_id = by.user_id
    practice_list.save(update_fields=["submitted_at", "submitted_by"])
    return practice_list


def _lock(entry_id: UUID, by: Membership) -> ListEntry:
    """Returns the entry as it is now, with its list locked, then itself."""
    policies.check_can_see_lists(by)
    PracticeList.objects.select_for_update(of=("self",), no_key=True).filter(
        entries=entry_id, practice_id=by.organisation_id
    ).first()
    return (
        entries(by)
        .select_for_update(of=("self",))
        .select_related("practice_list", "patient", "reviewed_by")
        .get(pk=entry_id)
    )


def _is_submitted(entry: ListEntry) -> bool:
    return entry.practice_list is not None and entry.practice_list.submitted_at is not None


def _check_seen(entry: ListEntry, seen: str) -> None:
    if version(entry) != seen:
        raise EntryChanged(entry)


def _decided(
    entry: ListEntry,
    state: ReviewState,
    *,
    by: Membership | None,
    at: datetime | None,
    removal: tuple[RemovalReason, str, bool] | None = None,
) -> ListEntry:
    """Writes the state of review, and returns the entry with its standing as recomputed."""
    entry.review_state = state.value
    entry.reviewed_at = at
    entry.reviewed_by = by.user if by else None
    entry.removal_reason = removal[0].value if removal else ""
    entry.removal_detail = removal[1] if removal else ""
    entry.is_patient_told = removal[2] if removal else None
    entry.save(
        update_fields=[
            "review_state",
            "reviewed_at",
            "reviewed_by",
            "removal_reason",
            "removal_detail",
            "is_patient_told",
        ]
    )
    entry.refresh_from_db(fields=["is_on_list", "because", "changed_at"])
    return entry


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
