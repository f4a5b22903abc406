"""Needs handed to a local authority, what it does with them, and the authority of those that have none."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cohort.models import Patient
from coordinators import policies, queries
from coordinators.models import Need, Referral
from coordinators.queries import CouncilReferral
from coordinators.rules import ReferralState, RejectionReason, can_move
from shielding.accounts.models import Membership
from shielding.audit.actions import record_read
from shielding.places.queries import local_authorities_for, local_authority_for


class ReferralNotFound(Exception):
    """There is no such referral to this person's local authority."""


class AlreadyAnswered(Exception):
    """The referral is in a state from which this cannot be done; `state` says which."""

    def __init__(self, state: ReferralState) -> None:
        super().__init__(state)
        self.state = state


def hand_over(needs: list[Need], patient: Patient, *, by: Membership, at: datetime) -> list[Referral]:
    """Refers needs that have just been found to the local authority of the person's postcode on that day.

    With no known one they wait for `find_authorities`. A restricted record tells nobody outside where the person
    is, so it makes none. Run it in a transaction, and check before that `by` may.
    """
    if not needs or patient.is_restricted:
        return []
    authority = local_authority_for(postcode=patient.postcode, on=timezone.localdate(at))
    return Referral.objects.bulk_create(
        Referral(
            need=need, patient=patient, local_authority=authority, state=ReferralState.WAITING, made_at=at, made_by=by
        )
        for need in needs
    )


@transaction.atomic
def accept(*, referral_id: UUID, by: Membership, at: datetime) -> Referral:
    """The authority takes the referral on at `at` (kept in the change history). Done already, it changes nothing.

    Raises NotAllowed, ReferralNotFound, AlreadyAnswered.
    """
    referral = _locked(referral_id, by)
    if referral.state != ReferralState.ACCEPTED:
        _move(referral, ReferralState.ACCEPTED)
        referral.save(update_fields=["state"])
    return referral


@transaction.atomic
def close(*, referral_id: UUID, what_was_done: str, by: Membership, at: datetime) -> Referral:
    """Records the outcome of an accepted referral, in the authority's words. The same again changes nothing.

    Raises ValueError without words, NotAllowed, ReferralNotFound, AlreadyAnswered.
    """
    what_was_done = what_was_done.strip()
    if not what_was_done:
        raise ValueError("Say what was done.")
    referral = _locked(referral_id, by)
    if (referral.state, referral.what_was_done, referral.settled_by_id) == (
        ReferralState.CLOSED,
        what_was_done,
        by.pk,
    ):
        return referral
    _move(referral, ReferralState.CLOSED)
    referral.what_was_done = what_was_done
    return _settle(referral, by, at)


@transaction.atomic
def reject(*, referral_id: UUID, reason: RejectionReason, by: Membership, at: datetime) -> Referral:
    """Records why the authority does not act on the referral. The same again changes nothing.

    Raises NotAllowed, ReferralNotFound, AlreadyAnswered.
    """
    referral = _locked(referral_id, by)
    if (referral.state, referral.rejection_reason, referral.settled_by_id) == (ReferralState.REJECTED, reason, by.pk):
        return referral
    _move(referral, ReferralState.REJECTED)
    referral.rejection_reason = reason
    return _settle(referral, by, at)


@transaction.atomic
def record_download(*, membership: Membership, at: datetime) -> list[CouncilReferral]:
    """Returns the authority's open referrals, the oldest first, and notes that they were downloaded.

    `downloaded_at` keeps the first time. The read is logged in the same transaction: no log, no list.
    Raises NotAllowed.
    """
    policies.check_can_answer_referrals(membership)
    rows = [queries.for_council(referral) for referral in queries.open_referrals(membership)]
    ids = [row.id for row in rows]
    Referral.objects.filter(pk__in=ids, downloaded_at__isnull=True).update(downloaded_at=at)
    record_read(by=membership, what="coordinators:download", patient_ids=[row.patient_id for row in rows], at=at)
    return rows


@transaction.atomic
def find_authorities(*, at: datetime) -> int:
    """Looks again for the authority of referrals that have none, and returns how many got one.

    Postcodes are loaded and addresses mended after a referral was made. A restricted record is left alone.
    """
    lost = list(queries.without_authority().select_related("patient").select_for_update(skip_locked=True, of=("self",)))
    if not lost:
        return 0
    authorities = local_authorities_for([referral.patient.postcode for referral in lost], timezone.localdate(at))
    for referral in lost:
        referral.local_authority = authorities[referral.patient.postcode]
    found = [referral for referral in lost if referral.local_authority is not None]
    Referral.objects.bulk_update(found, ["local_authority"], batch_size=1000)
    return len(found)


def _locked(referral_id: UUID, by: Membership) -> Referral:
    policies.check_can_answer_referrals(by)
    referral = queries.referrals_for(by).filter(pk=referral_id).select_for_update(of=("self",)).first()
    if referral is None:
        raise ReferralNotFound
    return referral


def _move(referral: Referral, to: ReferralState) -> None:
    state = ReferralState(referral.state)
    if not can_move(state, to):
        raise AlreadyAnswered(state)
    referral.state = to


def _settle(referral: Referral, by: Membership, at: datetime) -> Referral:
    referral.settled_at, referral.settled_by = at, by
    referral.save(update_fields=["state", "settled_at", "settled_by", "what_was_done", "rejection_reason"])
    return referral
