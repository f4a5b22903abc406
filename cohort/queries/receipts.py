"""Reads for the receipts of people decided together. They reach nobody but the practice's own people."""

from dataclasses import dataclass
from uuid import UUID

from cohort.models import BulkReceipt, ListEntry
from cohort.queries.worklists import entries
from cohort.rules import NotConfirmed
from shielding.accounts.models import Membership


@dataclass(frozen=True)
class Receipt:
    """A receipt with its people as they are now. `gone` were selected and are not the practice's any more."""

    receipt: BulkReceipt
    confirmed: list[ListEntry]
    removed: list[ListEntry]
    refused: list[tuple[ListEntry, NotConfirmed]]
    kept: set[UUID]
    gone: int


def receipt(by: Membership, list_id: UUID, receipt_id: UUID) -> Receipt:
    """Returns a receipt of one of the practice's lists, people by name. Raises BulkReceipt.DoesNotExist."""
    found = BulkReceipt.objects.select_related("practice_list__run", "practice_list__practice", "by", "undone_by").get(
        pk=receipt_id, practice_list_id=list_id, practice_list__practice_id=by.organisation_id
    )
    refused = {UUID(patient_id): NotConfirmed(why) for patient_id, why in found.refused.items()}
    named = {
        row.pk: row
        for row in entries(by)
        .filter(pk__in=[*found.confirmed, *found.removed, *refused])
        .select_related("patient", "reviewed_by")
        .order_by("patient__family_name", "patient__given_name", "pk")
    }
    removed = set(found.removed)
    return Receipt(
        receipt=found,
        confirmed=[row for row in named.values() if row.pk not in refused and row.pk not in removed],
        removed=[row for row in named.values() if row.pk in removed],
        refused=[(row, refused[row.pk]) for row in named.values() if row.pk in refused],
        kept=set(found.kept),
        gone=len(found.confirmed) + len(removed) + len(refused) - len(named),
    )
