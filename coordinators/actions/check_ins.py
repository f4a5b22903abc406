"""Logging a check-in: what was said, what is needed, and the referrals that come of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from coordinators import policies, queries
from coordinators.actions.referrals import hand_over
from coordinators.models import CheckIn, Need
from coordinators.rules import SOMEBODY_ANSWERED, CheckInOutcome, NeedKind
from shielding.accounts.models import Membership


class NotOnCaseload(Exception):
    """The person is not on this coordinator's caseload."""


class HasDied(Exception):
    """The person's death is registered, so nobody can have checked in with them."""


class NothingSaidYet(Exception):
    """Needs, or whether it is safe to talk, were given for a try at which nobody answered."""


class FormAlreadyUsed(Exception):
    """The form's token belongs to another check-in."""


@transaction.atomic
def log_check_in(
    *,
    patient_id: UUID,
    outcome: CheckInOutcome,
    is_safe_to_talk: bool | None,
    note: str,
    needs: Sequence[tuple[NeedKind, str]],
    by: Membership,
    at: datetime,
    check_in_id: UUID | None = None,
) -> CheckIn:
    """Logs a try to speak to somebody on `by`'s caseload, with the needs found: (kind, detail), one of a kind.

    Each need becomes a referral to the local authority of the person's postcode on that day; with no
    known one the referral waits for `find_authorities`. A restricted record tells nobody outside where
    the person is, so their needs make no referral and stay with the coordinator.

    `check_in_id` is the form's token: sent twice, the check-in of the first time is returned.
    Raises NotAllowed, NotOnCaseload, HasDied, NothingSaidYet, FormAlreadyUsed.
    """
    policies.check_can_lead(by)
    # The lock makes a double click wait for the first, and then find what it wrote.
    assignment = queries.assignments(by).filter(patient_id=patient_id).select_for_update(of=("self",)).first()
    if assignment is None:
        raise NotOnCaseload
    if check_in_id is not None and (earlier := CheckIn.objects.filter(pk=check_in_id).first()):
        if (earlier.patient_id, earlier.by_id) != (patient_id, by.pk):
            raise FormAlreadyUsed
        return earlier
    patient = assignment.patient
    if patient.death_status == patient.DeathStatus.FORMAL:
        raise HasDied
    if outcome not in SOMEBODY_ANSWERED and (needs or is_safe_to_talk is not None):
        raise NothingSaidYet
    check_in = CheckIn.objects.create(
        id=check_in_id or uuid4(),
        patient=patient,
        at=at,
        by=by,
        outcome=outcome,
        is_safe_to_talk=is_safe_to_talk,
        note=note.strip(),
    )
    found = Need.objects.bulk_create(
        Need(patient=patient, check_in=check_in, kind=kind, detail=detail.strip()) for kind, detail in needs
    )
    hand_over(found, patient, by=by, at=at)
    return check_in
