"""A unit's lists: checked and kept, then sent; doubtful rows decided by a person; requests taken back.

Whatever way a list came, the same is done with it. A list or row of another unit does not exist
(`DoesNotExist`).
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from cohort.actions.facts import CannotWithdraw, withdraw_fact
from cohort.actions.hospitals.standing import bring_into_step, take
from cohort.hospital_lists import ReadList, SentRow, UnusableList, reject_opposite
from cohort.matching import RowState, Verdict
from cohort.models import HospitalList, HospitalRow
from cohort.policies import check_can_send_patients
from cohort.queries.matching import Asked, verdicts
from shielding.accounts.models import Membership

#: How long a list that was checked waits to be sent.
KEPT = timedelta(days=1)


class KeyUsed(Exception):
    """The idempotency key came before, with another list."""


class RowDecided(Exception):
    """Somebody has decided already who is meant by the row."""


class NoSuchCandidate(Exception):
    """The person chosen is not among those offered."""


class AlreadyWithdrawn(Exception):
    """The request has been taken back already, or never counted."""


@transaction.atomic
def check_list(*, read: ReadList, sha256: str, by: Membership, at: datetime) -> HospitalList:
    """Matches the people of a list, keeps it for a day and returns it, CHECKED: nothing counts before `send_list`.

    Raises NotAllowed.
    """
    check_can_send_patients(by)
    HospitalList.objects.filter(
        unit_id=by.organisation_id, state=HospitalList.State.CHECKED, checked_at__lt=at - KEPT
    ).delete()
    return _keep(read, sha256=sha256, via=HospitalList.Via.UPLOAD, key=None, by=by, at=at)


@transaction.atomic
def send_list(*, list_id: UUID, by: Membership, at: datetime) -> HospitalList:
    """Has the requests of a checked list count, and returns it; one that was sent is returned as it is.

    Each person who was matched gets a fact of the unit's, unless its latest word says the same
    already. Raises NotAllowed, HospitalList.DoesNotExist.
    """
    check_can_send_patients(by)
    found = HospitalList.objects.select_for_update(of=("self",)).get(pk=list_id, unit_id=by.organisation_id)
    return found if found.state == HospitalList.State.SENT else _send(found, by=by, at=at)


@transaction.atomic
def submit_list(
    *, read: ReadList, sha256: str, idempotency_key: str, by: Membership, at: datetime
) -> tuple[HospitalList, bool]:
    """Checks and sends a list at once; returns it, and whether it is new: the same key and list again do nothing.

    Raises KeyUsed, UnusableList where no row is good, NotAllowed.
    """
    check_can_send_patients(by)
    with connection.cursor() as cursor:
        # Whoever sends the same key meanwhile waits, and then finds the list there.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{by.organisation_id} {idempotency_key}"])
    there = HospitalList.objects.filter(unit_id=by.organisation_id, idempotency_key=idempotency_key).first()
    if there is not None:
        if there.sha256 != sha256:
            raise KeyUsed
        return there, False
    if not read.rows:
        raise UnusableList("No row can be used.")
    made = _keep(read, sha256=sha256, via=HospitalList.Via.API, key=idempotency_key, by=by, at=at)
    return _send(made, by=by, at=at), True


@transaction.atomic
def discard_list(*, list_id: UUID, by: Membership) -> None:
    """Deletes a list that was checked and is not to be sent. Raises NotAllowed, HospitalList.DoesNotExist."""
    check_can_send_patients(by)
    HospitalList.objects.select_for_update(of=("self",)).get(
        pk=list_id, unit_id=by.organisation_id, state=HospitalList.State.CHECKED
    ).delete()


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
        .get(pk=row_id, hospital_list__unit_id=by.organisation_id, hospital_list__state=HospitalList.State.SENT)
    )


def _keep(
    read: ReadList, *, sha256: str, via: HospitalList.Via, key: str | None, by: Membership, at: datetime
) -> HospitalList:
    asked = [Asked(row.nhs_number, row.given_name, row.family_name, row.birth_date, row.postcode) for row in read.rows]
    matched = _agreeing(read, verdicts(asked))
    errors = sorted(read.errors, key=lambda error: (error.number, error.column))
    made = HospitalList.objects.create(
        unit_id=by.organisation_id,
        via=via,
        state=HospitalList.State.CHECKED,
        checked_at=at,
        checked_by_id=by.user_id,
        sha256=sha256,
        idempotency_key=key,
        errors=[asdict(error) for error in errors],
        rejected=[{"number": number, "cells": cells} for number, cells in sorted(read.rejected, key=lambda r: r[0])],
    )
    HospitalRow.objects.bulk_create((_row(made, sent, verdict) for sent, verdict in matched), batch_size=2000)
    return made


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


def _send(found: HospitalList, *, by: Membership, at: datetime) -> HospitalList:
    take(list(found.rows.filter(state=RowState.MATCHED).order_by("number")), by=by, at=at)
    found.state, found.sent_at, found.sent_by = HospitalList.State.SENT, at, by.user
    found.save(update_fields=["state", "sent_at", "sent_by"])
    return found
