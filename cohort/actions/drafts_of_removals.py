"""Keeps a removal that somebody has half written."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from cohort import policies
from cohort.models import RemovalDraft
from cohort.queries.worklists import entries
from shielding.accounts.models import Membership


@transaction.atomic
def keep_draft(
    *, patient_id: UUID, reason: str, detail: str, is_patient_told: bool | None, by: Membership, at: datetime
) -> None:
    """Keeps what the user has filled in of somebody's removal, in place of what they had before.

    An empty draft is none. Deciding about the person drops it. Raises NotAllowed, ListEntry.DoesNotExist.
    """
    policies.check_can_review(by)
    entry = entries(by).get(pk=patient_id)
    if not reason and not detail and is_patient_told is None:
        RemovalDraft.objects.filter(patient_id=entry.pk, user_id=by.user_id).delete()
        return
    said = {"reason": reason, "detail": detail, "is_patient_told": is_patient_told, "saved_at": at}
    RemovalDraft.objects.update_or_create(patient_id=entry.pk, user_id=by.user_id, defaults=said)
