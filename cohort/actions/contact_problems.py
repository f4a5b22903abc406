"""Notes the address that a letter came back from, and the number that texts do not reach.

`cohort.queries.holds` holds people while their address or number is still that one, so that whoever
corrects it frees them by that alone; or the practice says that it is right all the same.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Exists, Expression, OuterRef, QuerySet

from cohort import policies
from cohort.models import Patient
from cohort.queries.holds import PlainNumber, printed_address
from cohort.queries.worklists import entries
from shielding.accounts.models import Membership

# What was said of somebody at each time is in the history until the moment it was changed, and then in their row.
# What was sent to an old address does not take the place of what is known of the present one.
_NOTE = """
WITH said AS MATERIALIZED (
  SELECT id, until, number, said FROM ({past}) AS past (id, until, number, said)
  UNION ALL SELECT id, 'infinity'::timestamptz, 0, said FROM ({present}) AS present (id, said)
), failed AS (
  SELECT DISTINCT ON (sent.id) sent.id, said.said
  FROM unnest(%s::uuid[], %s::timestamptz[]) AS sent (id, at)
  JOIN said ON said.id = sent.id AND said.until > coalesce(sent.at, now())
  ORDER BY sent.id, said.until, said.number
)
UPDATE cohort_patient patient SET {value} = failed.said, {moment} = %s
FROM failed JOIN said now ON now.id = failed.id AND now.until = 'infinity'
WHERE patient.id = failed.id AND failed.said <> '' AND (failed.said = now.said OR patient.{value} <> now.said)
"""


class AnotherByNow(Exception):
    """What the practice was shown does not stand any more, so nothing is taken back."""


def letter_returned(
    *, patient_ids: Collection[UUID], at: datetime, sent_at: Mapping[UUID, datetime] | None = None
) -> int:
    """Notes that letters to these people came back; returns of how many people it was noted.

    `sent_at` says, by person, when the letter was made, where that is known: what came back is then the
    address of that moment, and who has another by now is not held. Without it, it is the present one.
    """
    return _note(printed_address(), "returned_address", "returned_at", patient_ids, at, sent_at or {})


def number_undeliverable(
    *, patient_ids: Collection[UUID], at: datetime, sent_at: Mapping[UUID, datetime] | None = None
) -> int:
    """Notes that texts cannot reach these people's mobiles; returns of how many people. `sent_at`: as above."""
    return _note(PlainNumber("mobile"), "undeliverable_mobile", "undeliverable_at", patient_ids, at, sent_at or {})


@transaction.atomic
def _note(
    said: Expression,
    value: str,
    moment: str,
    patient_ids: Collection[UUID],
    at: datetime,
    sent_at: Mapping[UUID, datetime],
) -> int:
    ids = list(patient_ids)
    if not ids:
        return 0
    # In one order, as everybody locks people who writes several.
    list(Patient.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    history: QuerySet[Patient] = apps.get_model("cohort", "PatientEvent").objects.filter(pgh_obj__in=ids)
    past, past_values = history.values_list("pgh_obj_id", "pgh_created_at", "pgh_id", said).query.sql_with_params()
    present, present_values = Patient.objects.filter(pk__in=ids).values_list("pk", said).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE.format(past=past, present=present, value=value, moment=moment),
            [*past_values, *present_values, ids, [sent_at.get(patient_id) for patient_id in ids], at],
        )
        return int(cursor.rowcount)


@transaction.atomic
def address_is_right(*, patient_id: UUID, by: Membership, seen: str) -> Patient:
    """Takes a practice's word that an address is right although a letter came back; returns the patient.

    `seen` is the moment, in ISO 8601, of the returned letter that the practice was shown. Raises
    AnotherByNow where that does not stand any more, NotAllowed, Patient.DoesNotExist.
    """
    patient = _lock(patient_id, by)
    if patient.returned_at is None or patient.returned_at.isoformat() != seen:
        raise AnotherByNow
    patient.returned_address, patient.returned_at = "", None
    patient.save(update_fields=["returned_address", "returned_at"])
    return patient


@transaction.atomic
def number_is_right(*, patient_id: UUID, by: Membership, seen: str) -> Patient:
    """Takes a practice's word that texts reach a number after all; as `address_is_right`."""
    patient = _lock(patient_id, by)
    if patient.undeliverable_at is None or patient.undeliverable_at.isoformat() != seen:
        raise AnotherByNow
    patient.undeliverable_mobile, patient.undeliverable_at = "", None
    patient.save(update_fields=["undeliverable_mobile", "undeliverable_at"])
    return patient


def _lock(patient_id: UUID, by: Membership) -> Patient:
    """Returns one of the people on the practice's lists, their row locked."""
    policies.check_can_review(by)
    here = entries(by).filter(patient=OuterRef("pk"))
    return Patient.objects.select_for_update(no_key=True).filter(Exists(here)).get(pk=patient_id)
