"""A unit's lists: checked and kept, then sent; doubtful rows decided by a person; requests taken back.

Whatever way a list came, the same is done with it: a short one at once, one of more than `AT_ONCE` rows by a
worker, who calls `carry_on`, and tries again where that fails (`cohort.long_lists`). A list or row of another unit
does not exist (`DoesNotExist`).
"""

import logging
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

import duckdb
from django.db import connection, transaction
from django.db.models import QuerySet

from cohort.actions.facts import CannotWithdraw, withdraw_fact
from cohort.actions.hospitals.standing import bring_into_step, take
from cohort.hospital_lists import ReadList, SentRow, UnusableList, reject_opposite
from cohort.long_lists import TRIES, WAITING_STATES, Failure, ListState, may_try
from cohort.matching import RowState, Verdict
from cohort.models import HospitalList, HospitalRow
from cohort.policies import check_can_send_patients
from cohort.queries.hospitals import errors_of, rejected_of
from cohort.queries.matching import Asked, verdicts
from cohort.rules import Request
from shielding.accounts.models import Membership

logger = logging.getLogger(__name__)
#: How long a list that was checked waits to be sent.
KEPT = timedelta(days=1)
_NOT_SENT = [ListState.WAITING, ListState.CHECKED, ListState.FAILED]
#: So many rows take a second or two; thirty times as many would hold a page up for a minute.
AT_ONCE = 1_000


class KeyUsed(Exception):
    """The idempotency key came before, with another list."""


class InHand(Exception):
    """A worker is checking the list at this moment."""


class RowDecided(Exception):
    """Somebody has decided already who is meant by the row."""


class NoSuchCandidate(Exception):
    """The person chosen is not among those offered."""


class AlreadyWithdrawn(Exception):
    """The request has been taken back already, or never counted."""


@transaction.atomic
def check_list(*, read: ReadList, sha256: str, by: Membership, at: datetime) -> HospitalList:
    """Matches the people of a list, keeps it for a day and returns it, CHECKED: nothing counts before `send_list`.

    A long one is WAITING for `carry_on`. Raises NotAllowed.
    """
    check_can_send_patients(by)
    HospitalList.objects.filter(
        unit_id=by.organisation_id, state__in=_NOT_SENT, sent_at=None, checked_at__lt=at - KEPT
    ).delete()
    made = _keep(read, sha256=sha256, via=HospitalList.Via.UPLOAD, by=by, at=at, state=ListState.WAITING)
    return made if len(read.rows) > AT_ONCE else _go_on(made, by=by)


@transaction.atomic
def send_list(*, list_id: UUID, by: Membership, at: datetime) -> HospitalList:
    """Has the requests of a checked list count, and returns it; one in any other state is returned as it is.

    Each person who was matched gets a fact of the unit's, unless its latest word says the same
    already. A long list is SENDING, for `carry_on`. Raises NotAllowed, HospitalList.DoesNotExist.
    """
    check_can_send_patients(by)
    found = _locked_in(ListState.CHECKED, list_id, by)
    if found.state != ListState.CHECKED:
        return found
    found.state, found.sent_at, found.sent_by = ListState.SENDING, at, by.user
    found.tries, found.tried_at = 0, None
    found.save(update_fields=["state", "sent_at", "sent_by", "tries", "tried_at"])
    return found if found.rows.count() > AT_ONCE else _go_on(found, by=by)


@transaction.atomic
def try_again(*, list_id: UUID, by: Membership, at: datetime) -> HospitalList:
    """Has a list that FAILED be checked or sent once more, as it came, by a worker, and returns it.

    Nothing in it has counted, so it is as if it had been sent now, by whoever asks. A list in any other state is
    returned as it is. Raises NotAllowed, HospitalList.DoesNotExist.
    """
    check_can_send_patients(by)
    return _again(list_id, by=by, at=at)


@transaction.atomic
def submit_list(
    *, read: ReadList, sha256: str, idempotency_key: str, by: Membership, at: datetime
) -> tuple[HospitalList, bool]:
    """Checks and sends a list at once; returns it, and whether it is new: the same key and list again do nothing.

    A long one is SENDING, for `carry_on`; one that FAILED is so again, and as good as new. Raises KeyUsed,
    UnusableList where no row is good, NotAllowed.
    """
    check_can_send_patients(by)
    with connection.cursor() as cursor:
        # Whoever sends the same key meanwhile waits, and then finds the list there.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{by.organisation_id} {idempotency_key}"])
    there = HospitalList.objects.filter(unit_id=by.organisation_id, idempotency_key=idempotency_key).first()
    if there is not None:
        if there.sha256 != sha256:
            raise KeyUsed
        has_failed = there.state == ListState.FAILED
        return _again(there.pk, by=by, at=at), has_failed
    if not read.rows:
        raise UnusableList("No row can be used.")
    made = _keep(
        read,
        sha256=sha256,
        via=HospitalList.Via.API,
        by=by,
        at=at,
        state=ListState.SENDING,
        idempotency_key=idempotency_key,
        sent_at=at,
        sent_by_id=by.user_id,
    )
    return (made if len(read.rows) > AT_ONCE else _go_on(made, by=by)), True


def carry_on(*, list_id: UUID, at: datetime) -> None:
    """Checks or sends a list that waits for it, whole or not at all. Safe to call at any time, by any worker.

    A list that is gone, done, in another worker's hands or was tried a moment ago is left alone. One that fails is
    left for later calls; after `TRIES` of them it is FAILED, with the reason.
    """
    tried = _begin_try(list_id, at=at)
    if tried is None:
        return
    try:
        with transaction.atomic():
            found = _untaken(list_id).filter(tries=tried).first()
            if found is not None:
                _go_on(found, by=_whose(found))
    except Exception as error:
        # The text of an unexpected error may quote a person's data, so only its kind and place are kept.
        kind = type(error).__name__
        logger.error("Hospital list %s: %s\n%s", list_id, kind, "".join(traceback.format_tb(error.__traceback__)))
        if tried >= TRIES:
            _fail(list_id, Failure.NO_RECORDS if isinstance(error, duckdb.Error | OSError) else Failure.FAULT)


@transaction.atomic
def discard_list(*, list_id: UUID, by: Membership) -> None:
    """Deletes a list that is not to be sent. Raises InHand, NotAllowed, HospitalList.DoesNotExist."""
    check_can_send_patients(by)
    found = HospitalList.objects.filter(unit_id=by.organisation_id, state__in=_NOT_SENT)
    free = found.select_for_update(of=("self",), skip_locked=True).filter(pk=list_id).first()
    if free is None:
        found.get(pk=list_id)
        raise InHand
    free.delete()


@transaction.atomic
def decide_row(*, row_id: UUID, nhs_number: str | None, by: Membership, at: datetime) -> HospitalRow:
    """Says who is meant by a doubtful row of a list that was sent: one of its candidates, or None of them.

    Its request counts from now on. Returns the row. Raises RowDecided, NoSuchCandidate, NotAllowed,
    HospitalRow.DoesNotExist.
    """
    row = _locked(row_id, by)
    if row.state != RowState.DOUBTFUL:
        raise RowDecided
    row.decided_at, row.decided_by = at, by.user
    if nhs_number is None:
        row.state = RowState.NOT_THEM.value
        row.save(update_fields=["state", "decided_at", "decided_by"])
        return row
    if nhs_number not in [candidate["nhs_number"] for candidate in row.candidates]:
        raise NoSuchCandidate
    row.matched_number = nhs_number
    take([row], by=by, at=at)
    row.refresh_from_db()
    return row


@transaction.atomic
def withdraw_row(*, row_id: UUID, reason: str, by: Membership, at: datetime) -> HospitalRow:
    """Takes the request of a row back, as if it had never been made, and returns the row.

    The person is on the list or off it as everything else that was said about them says. Raises
    AlreadyWithdrawn, NotAllowed, HospitalRow.DoesNotExist.
    """
    row = _locked(row_id, by)
    if row.fact is None or row.patient_id is None:
        raise AlreadyWithdrawn
    try:
        withdraw_fact(fact=row.fact, reason=reason, at=at, by=by)
    except CannotWithdraw as error:
        raise AlreadyWithdrawn from error
    bring_into_step([row.patient_id], by=by, at=at, is_mistake=True)
    return row


def _locked(row_id: UUID, by: Membership) -> HospitalRow:
    check_can_send_patients(by)
    return (
        HospitalRow.objects.select_for_update(of=("self",))
        .select_related("fact", "hospital_list")
        .get(pk=row_id, hospital_list__unit_id=by.organisation_id, hospital_list__state=ListState.SENT)
    )


def _locked_in(state: ListState, list_id: UUID, by: Membership) -> HospitalList:
    """Returns a list of the unit, locked if it is in this state, else as it is: a worker may have it for a minute."""
    found = HospitalList.objects.get(pk=list_id, unit_id=by.organisation_id)
    return HospitalList.objects.select_for_update(of=("self",)).get(pk=list_id) if found.state == state else found


def _untaken(list_id: UUID) -> QuerySet[HospitalList]:
    """Returns the list, locked, if it waits for a worker and none has it."""
    free = HospitalList.objects.select_for_update(of=("self",), skip_locked=True)
    return free.filter(pk=list_id, state__in=WAITING_STATES)


@transaction.atomic
def _begin_try(list_id: UUID, *, at: datetime) -> int | None:
    """Returns the number of the try that begins now, or None. It is kept first: a worker that is killed has had it."""
    found = _untaken(list_id).first()
    if found is None or not may_try(tries=found.tries, tried_at=found.tried_at, at=at):
        return None
    if found.tries >= TRIES:
        _fail(list_id, Failure.STOPPED)
        return None
    found.tries, found.tried_at = found.tries + 1, at
    found.save(update_fields=["tries", "tried_at"])
    return found.tries


def _fail(list_id: UUID, why: Failure) -> None:
    HospitalList.objects.filter(pk=list_id, state__in=WAITING_STATES, tries__gte=TRIES).update(
        state=ListState.FAILED, failure=why
    )


def _again(list_id: UUID, *, by: Membership, at: datetime) -> HospitalList:
    found = _locked_in(ListState.FAILED, list_id, by)
    if found.state != ListState.FAILED:
        return found
    if found.sent_at is None:
        found.state, found.checked_at, found.checked_by = ListState.WAITING, at, by.user
    else:
        found.state, found.sent_at, found.sent_by = ListState.SENDING, at, by.user
    found.tries, found.tried_at, found.failure = 0, None, ""
    found.save()
    return found


def _keep(
    read: ReadList,
    *,
    sha256: str,
    via: HospitalList.Via,
    by: Membership,
    at: datetime,
    state: ListState,
    **others: Any,
) -> HospitalList:
    """Returns a list with its good rows waiting to be matched."""
    return HospitalList.objects.create(
        unit_id=by.organisation_id,
        via=via,
        state=state,
        checked_at=at,
        checked_by_id=by.user_id,
        sha256=sha256,
        waiting=[asdict(row) | {"birth_date": row.birth_date.isoformat()} for row in read.rows],
        **_left_out(read),
        **others,
    )


def _left_out(read: ReadList) -> dict[str, Any]:
    errors = sorted(read.errors, key=lambda error: (error.number, error.column))
    return {
        "errors": [asdict(error) for error in errors],
        "rejected": [{"number": number, "cells": cells} for number, cells in sorted(read.rejected, key=itemgetter(0))],
    }


def _go_on(found: HospitalList, *, by: Membership) -> HospitalList:
    """Matches the rows that wait; has those of a list that is to be sent count; and returns the list."""
    if found.waiting:
        _match(found)
    found.state = ListState.CHECKED if found.state == ListState.WAITING else ListState.SENT
    if found.state == ListState.SENT and found.sent_at is not None:
        take(list(found.rows.filter(state=RowState.MATCHED).order_by("number")), by=by, at=found.sent_at)
    found.save(update_fields=["state", "waiting", "errors", "rejected"])
    return found


def _match(found: HospitalList) -> None:
    read = ReadList([_sent(row) for row in found.waiting], errors_of(found), rejected_of(found))
    asked = [Asked(row.nhs_number, row.given_name, row.family_name, row.birth_date, row.postcode) for row in read.rows]
    matched = _agreeing(read, verdicts(asked))
    HospitalRow.objects.bulk_create((_row(found, sent, verdict) for sent, verdict in matched), batch_size=2000)
    found.waiting = []
    for name, value in _left_out(read).items():
        setattr(found, name, value)


def _sent(kept: dict[str, Any]) -> SentRow:
    return SentRow(
        **{**kept, "request": Request(kept["request"]), "birth_date": date.fromisoformat(kept["birth_date"])}
    )


def _whose(found: HospitalList) -> Membership:
    """Returns whose word a list is: of whoever sent it, or else had it checked, as a member of the unit."""
    who = found.sent_by_id or found.checked_by_id
    everyone = Membership.objects.filter(user_id=who, organisation_id=found.unit_id)
    return everyone.select_related("user", "organisation").order_by("-ended_at", "pk")[0]


def _agreeing(read: ReadList, found: Sequence[Verdict]) -> list[tuple[SentRow, Verdict]]:
    """Returns rows with their verdicts; of two matched to one person that ask opposite things the later is in error."""
    first: dict[str, SentRow] = {}
    agreeing: list[tuple[SentRow, Verdict]] = []
    for row, verdict in zip(read.rows, found, strict=True):
        is_matched = verdict.state is RowState.MATCHED
        said = first.setdefault(verdict.candidates[0].nhs_number, row) if is_matched else row
        if said.request is row.request:
            agreeing.append((row, verdict))
        else:
            reject_opposite(read, row, said.number)
    return agreeing


def _row(made: HospitalList, sent: SentRow, verdict: Verdict) -> HospitalRow:
    is_doubtful = verdict.state is RowState.DOUBTFUL
    return HospitalRow(
        hospital_list=made,
        number=sent.number,
        request=sent.request.value,
        nhs_number=sent.nhs_number,
        given_name=sent.given_name,
        family_name=sent.family_name,
        birth_date=sent.birth_date,
        postcode=sent.postcode,
        reason=sent.reason,
        disease_group=sent.disease_group,
        medicine=sent.medicine,
        state=verdict.state.value,
        candidates=[asdict(candidate) for candidate in verdict.candidates] if is_doubtful else [],
        matched_number=verdict.candidates[0].nhs_number if verdict.state is RowState.MATCHED else "",
    )
