"""Handing the needs that a case conference wrote down to the council, as referrals."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cohort.models import Patient
from coordinators import policies
from coordinators.actions.conferences import ConferenceNotFound, check_seen, lock
from coordinators.actions.referrals import hand_over
from coordinators.conference_rules import OPEN_CONFERENCES
from coordinators.models import Need, Referral
from coordinators.queries import conferences as queries
from shielding.accounts.models import Membership

_LONGEST = 300


class NotToBeReferred(Exception):
    """The person has died, or their record is restricted and no council is told where they are."""


@transaction.atomic
def refer_needs(*, conference_id: UUID, item_id: UUID, seen: int, by: Membership, at: datetime) -> list[Referral]:
    """Refers the needs of somebody on the agenda to the council of their postcode; returns the new referrals.

    For the practice, who asks the person whether they agree. A need that this meeting has referred, or of which a
    council has a referral open, is left out, so that sending it again changes nothing. Raises NotAllowed,
    ConferenceNotFound, NotNow, Changed where the needs are not those `seen`, NotToBeReferred.
    """
    policies.check_can_call_conferences(by)
    conference = lock(conference_id, by, OPEN_CONFERENCES)
    person = queries.person_on(by, conference, item_id, timezone.localdate(at))
    if person is None or not person.name:
        raise ConferenceNotFound
    check_seen(person.version, seen)
    # Whoever refers somebody waits for whoever else does, and then sees what they did.
    patient = Patient.objects.select_for_update(no_key=True).get(pk=person.patient_id)
    if patient.is_restricted or patient.death_status == Patient.DeathStatus.FORMAL:
        raise NotToBeReferred
    detail = person.needs_detail
    if len(detail) > _LONGEST:
        detail = f"{detail[: _LONGEST - 1]}…"
    wanted = queries.not_referred(item_id, patient.pk, person.needs)
    found = Need.objects.bulk_create(
        Need(patient=patient, agenda_item_id=item_id, kind=kind.value, detail=detail) for kind in wanted
    )
    return hand_over(found, patient, by=by, at=at)
