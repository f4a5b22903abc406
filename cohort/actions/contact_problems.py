"""Notes the address that a letter came back from, and the number that texts do not reach.

`cohort.queries.holds` holds people while their address or number is still that one, so that whoever
corrects it frees them by that alone; or the practice says that it is right all the same.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
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
# What was sent to an old address does not take the place of what is known of the present one. From the people one by
# one: without fresh statistics PostgreSQL would compare everybody with everybody.
_SENT = """
WITH sent AS MATERIALIZED (
  SELECT sent.id, now.said AS said_now, coalesce(
    (SELECT past.said FROM ({past}) AS past (id, until, number, said)
     WHERE past.id = sent.id AND past.until > coalesce(sent.at, now()) ORDER BY past.until, past.number LIMIT 1),
    now.said) AS said
  FROM unnest(%s::uuid[], %s::timestamptz[]) AS sent (id, at)
  CROSS JOIN LATERAL (SELECT said FROM ({present}) AS present (id, said) WHERE present.id = sent.id OFFSET 0) AS now
)
"""
_NOTE = """
UPDATE cohort_patient patient SET {value} = sent.said, {moment} = %s
FROM sent
WHERE patient.id = sent.id AND sent.said <> ''
  AND (sent.said = sent.said_now OR patient.{value} <> sent.said_now)
"""
_REACHED = """
UPDATE cohort_patient patient SET {value} = '', {moment} = NULL
FROM sent JOIN unnest(%s::uuid[], %s::timestamptz[]) AS known (id, at) ON known.id = sent.id
WHERE patient.id = sent.id AND patient.{value} = sent.said AND patient.{moment} <= known.at
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


def number_reached(*, sent_at: Mapping[UUID, datetime], known_at: Mapping[UUID, datetime]) -> int:
    """Takes back that texts cannot reach people whom a text to that very number has reached; returns how many.

    `sent_at` says, by person, when that text was made; what was noted after `known_at` stands. That it was noted
    stays in their history.
    """
    noted = Patient.objects.filter(pk__in=sent_at).exclude(undeliverable_mobile="").values_list("pk", flat=True)
    ids = list(noted)
    return _write(
        PlainNumber("mobile"),
        _REACHED.format(value="undeliverable_mobile", moment="undeliverable_at"),
        [ids, [known_at[patient_id] for patient_id in ids]],
        ids,
        sent_at,
    )


def _note(
    said: Expression,
    value: str,
    moment: str,
    patient_ids: Collection[UUID],
    at: datetime,
    sent_at: Mapping[UUID, datetime],
) -> int:
    return _write(said, _NOTE.format(value=value, moment=moment), [at], list(patient_ids), sent_at)


@transaction.atomic
def _write(said: Expression, update: str, values: list[Any], ids: list[UUID], sent_at: Mapping[UUID, datetime]) -> int:
    """Runs an update of people with what was `said` of them when something was sent; returns of how many."""
    if not ids:
        return 0
    # In one order, as everybody locks people who writes several.
    list(Patient.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    history: QuerySet[Patient] = apps.get_model("cohort", "PatientEvent").objects.all()
    past, past_values = history.values_list("pgh_obj_id", "pgh_created_at", "pgh_id", said).query.sql_with_params()
    present, present_values = Patient.objects.values_list("pk", said).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _SENT.format(past=past, present=present) + update,
            [*past_values, ids, [sent_at.get(patient_id) for patient_id in ids], *present_values, *values],
        )
        return int(cursor.rowcount)


def address_is_right(*, patient_id: UUID, by: Membership, seen: str) -> Patient:
    """Takes a practice's word that an address is right although a letter came back; returns the patient.

    `seen` is the moment, in ISO 8601, of the returned letter that the practice was shown. Raises
    AnotherByNow where that does not stand any more, NotAllowed, Patient.DoesNotExist.
    """
    return _take_back("returned_address", "returned_at", patient_id, by, seen)


def number_is_right(*, patient_id: UUID, by: Membership, seen: str) -> Patient:
    """Takes a practice's word that texts reach a number after all; as `address_is_right`."""
    return _take_back("undeliverable_mobile", "undeliverable_at", patient_id, by, seen)


@transaction.atomic
def _take_back(value: str, moment: str, patient_id: UUID, by: Membership, seen: str) -> Patient:
    patient = _lock(patient_id, by)
    noted_at: datetime | None = getattr(patient, moment)
    if noted_at is None or noted_at.isoformat() != seen:
        raise AnotherByNow
    setattr(patient, value, "")
    setattr(patient, moment, None)
    patient.save(update_fields=[value, moment])
    return patient


def _lock(patient_id: UUID, by: Membership) -> Patient:
    """Returns one of the people on the practice's lists, their row locked."""
    policies.check_can_review(by)
    here = entries(by).filter(patient=OuterRef("pk"))
    return Patient.objects.select_for_update(no_key=True).filter(Exists(here)).get(pk=patient_id)
