"""Reads of what practices have mended of their patients' details."""

import hashlib
import json
from typing import Any

from cohort.amending import Detail
from cohort.models import Amendment, Patient
from cohort.queries.worklists import entries
from shielding.accounts.models import Membership


def values_of(patient: Patient, detail: Detail) -> dict[str, Any]:
    """Returns a detail of a patient by column, as JSON keeps it."""
    found = {column: getattr(patient, column) for column in detail.columns}
    return {column: value.isoformat() if hasattr(value, "isoformat") else value for column, value in found.items()}


def fingerprint(patient: Patient) -> str:
    """Returns a token of every detail that can be mended: another token, other details."""
    every = {detail.value: values_of(patient, detail) for detail in Detail}
    return hashlib.sha256(json.dumps(every, sort_keys=True).encode()).hexdigest()[:32]


def amendments(by: Membership, patient_id: Any) -> list[Amendment]:
    """Returns everything mended of somebody on the practice's lists, the newest first.

    Whichever practice did it: safety goes with the person. Somebody out of reach has none.
    """
    return list(
        Amendment.objects.filter(patient_id=patient_id, patient__entry__in=entries(by))
        .select_related("made_by", "ended_by", "practice")
        .order_by("-made_at", "-pk")
    )
