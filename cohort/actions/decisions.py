"""What a practice decides about one person: confirm, remove, and undo.

Each decision is a fact of the GP's (`cohort.actions.facts`) and the entry's state of review, in one
transaction. Decisions take the list's lock, then the person's, so that signing off and deciding
follow one another. A list or person of another practice does not exist (`DoesNotExist`).
"""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cohort import policies
from cohort.actions.facts import recompute, record_fact, withdraw_fact
from cohort.models import ListEntry, ListFact, PracticeList, RemovalDraft, RemovalTold
from cohort.models.lists import REMOVAL_REASONS
from cohort.queries.review import version
from cohort.queries.worklists import entries
from cohort.rules import TOLD_BY_NOBODY, UNREVIEWED, FactSource, RemovalReason, Request, ReviewState
from shielding.accounts.models import Membership


class EntryChanged(Exception):
    """Somebody has decided since the page was made; `entry` says who, what and when."""

    def __init__(self, entry: ListEntry) -> None:
        super().__init__("The entry has changed since it was shown")
        self.entry = entry


class DetailNeeded(Exception):
    """A removal for another reason must say which; and only an undo records an addition as a mistake."""


class NotToBeTold(Exception):
    """Nobody is to tell this person: they are not removed, know already, have died, or never were on the list."""


class NothingToUndo(Exception):
    """Nothing that this practice decided still stands."""


class ListSubmitted(Exception):
    """The list has been signed off, so nobody on it can go back to review, and it is not signed off again."""


@transaction.atomic
def confirm(*, entry_id: UUID, by: Membership, at: datetime, seen: str) -> ListEntry:
    """Keeps or puts somebody on the list, by the GP's word, and returns the entry.

    `seen` is the `version` of the entry when it was shown. Saying again what one has said already
    changes nothing. Raises EntryChanged, NotAllowed, ListEntry.DoesNotExist.
    """
    entry = lock_entry(entry_id, by)
    policies.check_can_review(by, is_submitted=is_submitted(entry))
    state = ReviewState.CONFIRMED if entry.is_flagged else ReviewState.ADDED
    if entry.review_state == state and entry.reviewed_by_id == by.user_id and entry.is_on_list and not entry.recheck:
        return entry
    check_seen(entry, seen)
    record_fact(
        patient_id=entry.pk,
        source=FactSource.GP,
        request=Request.ADD,
        reason="Confirmed by the practice",
        at=at,
        by=by,
    )
    return write_decision(entry, state, by=by, at=at)


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
    told_by: str = "",
    told_date: date | None = None,
) -> ListEntry:
    """Takes somebody off the list, by the GP's word, and returns the entry.

    `detail` (300 characters at most) is needed where the reason is OTHER. `is_patient_told`: a
    clinician has talked it over with them, `told_by` on `told_date`, or left out, the user on this day;
    nobody is written to about a removal before that. Saying again what one has said already changes
    nothing. Raises DetailNeeded, EntryChanged, NotAllowed, ListEntry.DoesNotExist.
    """
    if (reason is RemovalReason.OTHER and not detail) or reason is RemovalReason.ADDED_BY_MISTAKE:
        raise DetailNeeded
    entry = lock_entry(entry_id, by)
    policies.check_can_review(by, is_submitted=is_submitted(entry))
    said = (ReviewState.REMOVED, reason.value, detail, is_patient_told, by.user_id)
    held = (entry.review_state, entry.removal_reason, entry.removal_detail, entry.is_patient_told, entry.reviewed_by_id)
    if held == said and not entry.is_on_list and not entry.recheck:
        return entry
    check_seen(entry, seen)
    fact = record_fact(
        patient_id=entry.pk,
        source=FactSource.GP,
        request=Request.REMOVE,
        reason=detail or dict(REMOVAL_REASONS)[reason.value],
        at=at,
        by=by,
    )
    if is_patient_told:
        _record_told(fact, told_by, told_date, by=by, at=at)
    return write_decision(entry, ReviewState.REMOVED, by=by, at=at, removal=(reason, detail, is_patient_told))


@transaction.atomic
def remove_again(*, entry_id: UUID, by: Membership, at: datetime, seen: str) -> ListEntry:
    """Keeps somebody off the list who is removed and to be looked at again, as they were removed; returns the entry.

    Raises EntryChanged, where they are no longer removed too, NotAllowed, ListEntry.DoesNotExist.
    """
    entry = lock_entry(entry_id, by)
    if entry.review_state != ReviewState.REMOVED:
        raise EntryChanged(entry)
    told = RemovalTold.objects.filter(fact__patient_id=entry.pk).order_by("-recorded_at").first()
    is_told = bool(entry.is_patient_told)
    return remove(
        entry_id=entry_id,
        reason=RemovalReason(entry.removal_reason),
        detail=entry.removal_detail,
        is_patient_told=is_told,
        by=by,
        at=at,
        seen=seen,
        told_by=told.told_by if told and is_told else "",
        told_date=told.told_date if told and is_told else None,
    )


@transaction.atomic
def mark_told(*, entry_id: UUID, told_by: str, told_date: date, by: Membership, at: datetime) -> ListEntry:
    """Writes down that a clinician has talked a removal over with the person, and returns the entry.

    Raises NotToBeTold, NotAllowed, ListEntry.DoesNotExist.
    """
    entry = lock_entry(entry_id, policies.check_can_review(by))
    removals = ListFact.objects.filter(
        patient_id=entry.pk, source=FactSource.GP.value, request=Request.REMOVE.value, withdrawn_by=None, told=None
    )
    fact = removals.order_by("-at", "-pk").first()
    if entry.is_patient_told is not False or entry.removal_reason in TOLD_BY_NOBODY or fact is None:
        raise NotToBeTold
    _record_told(fact, told_by, told_date, by=by, at=at)
    entry.is_patient_told = True
    entry.save(update_fields=["is_patient_told"])
    return entry


def _record_told(fact: ListFact, told_by: str, told_date: date | None, *, by: Membership, at: datetime) -> None:
    RemovalTold.objects.create(
        fact=fact,
        told_by=told_by or str(by.user),
        told_date=told_date or timezone.localdate(at),
        recorded_at=at,
        recorded_by_id=by.user_id,
    )


@transaction.atomic
def reopen(*, entry_id: UUID, by: Membership, at: datetime, seen: str) -> ListEntry:
    """Undoes what the practice decided, withdrawing its facts, and returns the entry.

    Somebody whom a search flagged is to be reviewed again, or lapses where it finds them no longer.
    Of somebody whom the practice added, a removal is undone first; then the addition, which leaves
    them off the list as ADDED_BY_MISTAKE. Raises NothingToUndo, ListSubmitted, EntryChanged,
    NotAllowed, ListEntry.DoesNotExist.
    """
    entry = lock_entry(entry_id, by)
    policies.check_can_review(by, is_submitted=is_submitted(entry))
    check_seen(entry, seen)
    if ReviewState(entry.review_state) in UNREVIEWED:
        raise NothingToUndo
    if entry.is_flagged and is_submitted(entry):
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
        write_decision(entry, ReviewState.TO_REVIEW, by=None, at=None)
        recompute(patient_ids=[entry.pk], at=at)
        entry.refresh_from_db(fields=["review_state", "is_on_list", "because", "changed_at"])
        return entry
    if is_removed:
        return write_decision(entry, ReviewState.ADDED, by=by, at=at)
    mistake = (RemovalReason.ADDED_BY_MISTAKE, "", False)
    return write_decision(entry, ReviewState.REMOVED, by=by, at=at, removal=mistake)


def lock_entry(entry_id: UUID, by: Membership) -> ListEntry:
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


def is_submitted(entry: ListEntry) -> bool:
    """Says whether the list that somebody is on has been signed off."""
    return entry.practice_list is not None and entry.practice_list.submitted_at is not None


def check_seen(entry: ListEntry, seen: str) -> None:
    """Raises EntryChanged where what was decided is not what was shown."""
    if version(entry) != seen:
        raise EntryChanged(entry)


def write_decision(
    entry: ListEntry,
    state: ReviewState,
    *,
    by: Membership | None,
    at: datetime | None,
    removal: tuple[RemovalReason, str, bool] | None = None,
) -> ListEntry:
    """Writes the state of review, and returns the entry with its standing as recomputed.

    Nothing is left to look at again, nor half written by who decided.
    """
    entry.recheck, entry.recheck_at = "", None
    if by is not None:
        RemovalDraft.objects.filter(patient_id=entry.pk, user_id=by.user_id).delete()
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
            "recheck",
            "recheck_at",
        ]
    )
    entry.refresh_from_db(fields=["is_on_list", "because", "changed_at"])
    return entry
