"""Reads for a practice that adds somebody: who they are, and whom it has recorded as vulnerable."""

from datetime import date
from typing import Any

from django.db.models import QuerySet

from cohort.models import Criterion, ListEntry, ListFact, Patient
from cohort.queries import extracts
from cohort.queries.worklists import entries
from cohort.rules import FactSource
from shielding.accounts.models import Membership


def person_to_add(by: Membership, *, nhs_number: str, birth_date: date) -> Patient | None:
    """Returns somebody registered at the practice as they would be added, saved or not, or None.

    None for whoever is registered elsewhere, has another date of birth or is in no extract: where else
    somebody may be is not told.
    """
    details = extracts.registered_person(nhs_number=nhs_number, birth_date=birth_date, practice=by.organisation)
    if details is None:
        return None
    known = Patient.objects.filter(nhs_number=nhs_number).first()
    if known is None:
        return Patient(**details)
    if known.practice_id == by.organisation_id:
        return known
    return None if details["as_at"] < known.as_at else Patient(pk=known.pk, **details)


def listed(by: Membership, patient: Patient) -> ListEntry | None:
    """Returns the patient's entry on one of the practice's lists, or None."""
    return entries(by).filter(pk=patient.pk).select_related("patient").first()


def recorded_as_vulnerable(by: Membership) -> QuerySet[ListFact, Any]:
    """Returns the practice's standing word about the vulnerable who have no entry, the newest first.

    Once somebody has an entry, their page says it.
    """
    return (
        ListFact.objects.filter(
            source=FactSource.GP.value,
            organisation_id=by.organisation_id,
            addition__tier=Criterion.Tier.VULNERABLE,
            patient__practice_id=by.organisation_id,
            patient__entry=None,
            withdrawn_by=None,
        )
        .select_related("patient", "by", "addition")
        .order_by("-at", "-pk")
    )


def disease_groups() -> list[str]:
    """Returns the disease groups of the criteria of high risk, by name."""
    high = Criterion.objects.filter(tier=Criterion.Tier.HIGH)
    return list(high.order_by("disease_group").values_list("disease_group", flat=True).distinct())
