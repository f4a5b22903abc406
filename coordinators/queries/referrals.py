"""Reads of a council's referrals: it reaches its own, and of each as much as it must know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from cohort.models import Patient
from coordinators.models import Referral
from coordinators.rules import ReferralState, death_notice, safe_contact
from shielding.accounts.models import Membership

OPEN_STATES = (ReferralState.WAITING, ReferralState.ACCEPTED)


def referrals_for(membership: Membership) -> QuerySet[Referral]:
    """Returns the referrals to this membership's local authority, and to no other.

    None where the organisation is no local authority. People whose record is restricted are not there,
    also where it became so after the referral was made.
    """
    authority = membership.organisation.local_authority_id
    if authority is None:
        return Referral.objects.none()
    return Referral.objects.filter(local_authority=authority, patient__is_restricted=False).select_related(
        "need", "patient__practice"
    )


def open_referrals(membership: Membership) -> QuerySet[Referral]:
    """Returns the authority's referrals that are waiting or accepted, the oldest first."""
    return referrals_for(membership).filter(state__in=OPEN_STATES).order_by("made_at", "pk")


def referrals_in(membership: Membership, state: ReferralState) -> QuerySet[Referral]:
    """Returns the authority's referrals in one state: open ones the oldest first, settled ones the newest first."""
    found = referrals_for(membership).filter(state=state)
    return found.order_by("made_at", "pk") if state in OPEN_STATES else found.order_by("-settled_at", "pk")


def referral_for(membership: Membership, referral_id: UUID) -> Referral | None:
    """Returns one of the authority's referrals, or None: another authority's is not there."""
    return referrals_for(membership).filter(pk=referral_id).first()


def referral_counts(membership: Membership) -> dict[ReferralState, int]:
    """Returns how many referrals the authority has in each state."""
    counts: Mapping[str, int] = dict(
        referrals_for(membership).order_by().values_list("state").annotate(people=Count("pk"))
    )
    return {state: counts.get(state, 0) for state in ReferralState}


@dataclass(frozen=True)
class CouncilReferral:
    """All that a council is told about a referral: who, where, what is needed, how to make contact safely.

    Nothing clinical is in it. Contact details are empty where `death_notice` says the person has died,
    and once the referral is settled: nobody is to be visited then.
    """

    id: UUID
    patient_id: UUID
    state: ReferralState
    made_at: datetime
    downloaded_at: datetime | None
    nhs_number: str
    given_name: str
    family_name: str
    birth_date: date
    death_notice: str
    safe_contact: str
    need: str
    detail: str
    address_lines: tuple[str, ...]
    postcode: str
    uprn: str
    mobile: str
    landline: str
    email: str
    practice: str
    practice_phone: str
    settled_at: datetime | None
    what_was_done: str
    rejection_reason: str


def for_council(referral: Referral) -> CouncilReferral:
    """Returns what the council may know of a referral that came out of `referrals_for`."""
    patient = referral.patient
    is_told_where = referral.state in OPEN_STATES and patient.death_status != Patient.DeathStatus.FORMAL
    contact: dict[str, Any] = dict.fromkeys(("postcode", "uprn", "mobile", "landline", "email"), "")
    if is_told_where:
        contact = {name: getattr(patient, name) for name in contact}
    return CouncilReferral(
        id=referral.pk,
        patient_id=patient.pk,
        state=ReferralState(referral.state),
        made_at=referral.made_at,
        downloaded_at=referral.downloaded_at,
        nhs_number=patient.nhs_number,
        given_name=patient.given_name,
        family_name=patient.family_name,
        birth_date=patient.birth_date,
        death_notice=death_notice(patient.death_status),
        safe_contact=safe_contact(patient.safe_contact_instruction, patient.unsafe_channels),
        need=referral.need.get_kind_display(),
        detail=referral.need.detail,
        address_lines=tuple(patient.address_lines) if is_told_where else (),
        practice=patient.practice.name,
        practice_phone=patient.practice.phone,
        settled_at=referral.settled_at,
        what_was_done=referral.what_was_done,
        rejection_reason=referral.get_rejection_reason_display(),
        **contact,
    )


def without_authority() -> QuerySet[Referral]:
    """Returns the referrals whose postcode was in no known area when they were made: a worklist, not a loss."""
    return Referral.objects.filter(
        local_authority__isnull=True, state=ReferralState.WAITING, patient__is_restricted=False
    )
