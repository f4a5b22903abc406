"""Writes to the read log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.utils.crypto import salted_hmac

from shielding.accounts.models import Membership
from shielding.audit.models import ReadLog


def record_read(*, by: Membership, what: str, patient_ids: Iterable[UUID], at: datetime) -> ReadLog | None:
    """Logs that `by` was shown these people in the view named `what`.

    Returns the log row, or None where nobody was shown (an empty page tells nothing about anybody).
    """
    shown = sorted(set(patient_ids))
    if not shown:
        return None
    return ReadLog.objects.create(
        at=at, user_id=by.user_id, organisation_id=by.organisation_id, role=by.role, what=what, patient_ids=shown
    )


def record_download(*, by: Membership, what: str, patient_ids: Iterable[UUID], at: datetime) -> ReadLog:
    """Logs that `by` was given a file of people's data, also where none of them is a patient known here."""
    return ReadLog.objects.create(
        at=at,
        user_id=by.user_id,
        organisation_id=by.organisation_id,
        role=by.role,
        what=what,
        patient_ids=sorted(set(patient_ids)),
    )


def stand_in_id(nhs_number: str) -> UUID:
    """Returns the id that stands in the log for somebody who has no row here, always the same for a person.

    Keyed, so that nobody can find the number from the id, or an id from a number, without the secret key.
    """
    digest = salted_hmac("shielding.audit.stand_in_id", nhs_number, algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=5)
