"""Mends a person's details by their practice's word, and holds that word against later extracts.

`cohort.amending.standing` is the rule. Whoever writes an extract's details over a patient's asks here
first. Both sides lock the patient's row, so that neither writes over what it has not seen.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from cohort import policies
from cohort.actions.facts import ask_again
from cohort.amending import Detail, EndedBy, Values, overruled, standing
from cohort.models import Amendment, Patient
from cohort.queries.amendments import fingerprint, values_of
from cohort.queries.worklists import entries
from cohort.rules import Recheck
from shielding.accounts.models import Membership

_COLUMNS = sorted({column for detail in Detail if detail.is_in_extracts for column in detail.columns})


class DetailsChanged(Exception):
    """Somebody, or an extract, has changed the person's details since the page was made."""


class DeathRegistered(Exception):
    """A registered death is mended at the register, not here."""


class AmendmentEnded(Exception):
    """The amendment stands no more, so it cannot be taken back."""


@transaction.atomic
def amend(*, patient_id: UUID, changes: Mapping[Detail, Values], by: Membership, at: datetime, seen: str) -> Patient:
    """Mends details of somebody registered at the practice, and returns them as they are now.

    `seen` is the `fingerprint` of the patient as shown. A detail that is what it was is left alone, and
    one mended back to what the extract says is the end of its amendment. Raises DetailsChanged,
    DeathRegistered, NotAllowed, Patient.DoesNotExist.
    """
    patient = _lock(patient_id, policies.check_can_review(by))
    if fingerprint(patient) != seen:
        raise DetailsChanged
    before = {row.detail: row for row in Amendment.objects.filter(patient=patient, ended_at=None)}
    for detail, value in changes.items():
        was = values_of(patient, detail)
        if value == was:
            continue
        if detail is Detail.DEATH and was["death_status"] == Patient.DeathStatus.FORMAL:
            raise DeathRegistered
        old = before.get(detail)
        said = (old.extract_says if old else was) if detail.is_in_extracts else None
        if old:
            is_taken_back = value == (said if detail.is_in_extracts else empty(detail))
            _end(old, EndedBy.WITHDRAWN if is_taken_back else EndedBy.REPLACED, by=by, at=at)
        if not old or not is_taken_back:
            Amendment.objects.create(
                patient=patient,
                practice_id=by.organisation_id,
                detail=detail.value,
                value=dict(value),
                extract_said=said,
                extract_says=said,
                made_at=at,
                made_by_id=by.user_id,
            )
        _write(patient, value)
    patient.save()
    return patient


@transaction.atomic
def withdraw_amendment(*, patient_id: UUID, amendment_id: int, by: Membership, at: datetime) -> Amendment:
    """Takes an amendment back, so that the patient's detail is what the extract says; returns it, ended.

    Raises AmendmentEnded, NotAllowed, Patient.DoesNotExist, Amendment.DoesNotExist.
    """
    patient = _lock(patient_id, policies.check_can_review(by))
    amendment = Amendment.objects.get(pk=amendment_id, patient=patient)
    if amendment.ended_at is not None:
        raise AmendmentEnded
    _end(amendment, EndedBy.WITHDRAWN, by=by, at=at)
    _write(patient, amendment.extract_says or empty(Detail(amendment.detail)))
    patient.save()
    return amendment


def empty(detail: Detail) -> Values:
    """Returns a detail that nobody has recorded."""
    return values_of(Patient(), detail)


def hold_against(patient: Patient, details: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    """Returns an extract's details of a patient whose row is locked, with what the practice mended held over them."""
    rows = Amendment.objects.filter(patient=patient, ended_at=None)
    asked = [(row.pk, row.detail, row.value, row.extract_said, row.extract_says) for row in rows]
    now = {column: _json(details[column]) for column in _COLUMNS}
    after = _after((*row, patient.pk, now) for row in asked if Detail(row[1]).is_in_extracts)
    after.write(at=at)
    held = after.overlays.get(patient.pk, {})
    return details | {column: _python(column, value) for column, value in held.items()}


def hold_amendments(cursor: Any, *, as_at: date, at: datetime, done: set[int]) -> bool:
    """Writes what practices have mended over the people of `landing_people`; says whether it changed anything.

    Only for whom these details will be taken, those not older than what is held. Of whom the extract has come to
    say something else about safe contact, their practice is asked to look again. `done` are the amendments
    that have been seen to, and are left out; it is added to. The patients' rows are locked until the
    transaction ends. Without amendments it costs one look.
    """
    cursor.execute(
        "SELECT id FROM cohort_patient WHERE id IN (SELECT patient_id FROM cohort_amendment"
        " WHERE ended_at IS NULL AND extract_said IS NOT NULL) ORDER BY id FOR NO KEY UPDATE"
    )
    cursor.execute(
        "SELECT a.id, a.detail, a.value, a.extract_said, a.extract_says, p.id, to_jsonb(l)"
        " FROM cohort_amendment a JOIN cohort_patient p ON p.id = a.patient_id"
        " JOIN landing_people l ON l.nhs_number = p.nhs_number"
        " WHERE a.ended_at IS NULL AND a.extract_said IS NOT NULL AND p.as_at <= %s AND a.id <> ALL(%s)",
        [as_at, list(done)],
    )
    rows = [
        (pk, detail, *map(json.loads, (value, said, says)), person, json.loads(now))
        for pk, detail, value, said, says, person, now in cursor.fetchall()
    ]
    if not rows:
        return False
    done |= {row[0] for row in rows}
    after = _after(rows)
    after.write(at=at)
    ask_again(patient_ids=after.news, why=Recheck.DETAILS_CHANGED, at=at)
    columns = ", ".join(_COLUMNS)
    cursor.execute(
        f"UPDATE landing_people l SET ({columns}) = (SELECT {columns} FROM jsonb_populate_record(l, v.held::jsonb))"
        " FROM unnest(%s::uuid[], %s::text[]) AS v (id, held) JOIN cohort_patient p USING (id)"
        " WHERE l.nhs_number = p.nhs_number",
        [[str(person) for person in after.overlays], [json.dumps(held) for held in after.overlays.values()]],
    )
    return True


@dataclass
class _After:
    """What an extract leaves of amendments.

    `overlays`: what is held, by patient; `says`: what the practice overrules still and what the extract says,
    by amendment; `ended`: these amendments; `news`: the patients to look at again.
    """

    overlays: dict[UUID, dict[str, Any]]
    says: dict[int, tuple[Values, Values]]
    ended: list[int]
    news: set[UUID]

    def write(self, *, at: datetime) -> None:
        """Ends the amendments that the extract has outdated, and notes what it says of the others."""
        Amendment.objects.filter(pk__in=self.ended).update(ended_at=at, ended_as=EndedBy.EXTRACT.value)
        changed = [Amendment(pk=pk, extract_said=said, extract_says=says) for pk, (said, says) in self.says.items()]
        Amendment.objects.bulk_update(changed, ["extract_said", "extract_says"], batch_size=1000)


def _after(rows: Iterable[tuple[int, str, Any, Any, Any, UUID, Values]]) -> _After:
    after = _After(defaultdict(dict), {}, [], set())
    for pk, name, value, said, says, person, extract in rows:
        detail = Detail(name)
        now = {column: extract[column] for column in detail.columns}
        held = standing(detail, value=value, said=said, says=says, now=now)
        if not held.stands:
            after.ended.append(pk)
        elif now != says:
            after.says[pk] = overruled(detail, value=value, said=said, now=now), now
        after.overlays[person].update(held.value)
        if held.is_news:
            after.news.add(person)
    return after


def _lock(patient_id: UUID, by: Membership) -> Patient:
    """Returns somebody of the practice's lists, their row locked."""
    entries(by).get(pk=patient_id)
    return Patient.objects.select_for_update(no_key=True).get(pk=patient_id, practice_id=by.organisation_id)


def _end(amendment: Amendment, how: EndedBy, *, by: Membership, at: datetime) -> None:
    amendment.ended_at, amendment.ended_as, amendment.ended_by_id = at, how.value, by.user_id
    amendment.save(update_fields=["ended_at", "ended_as", "ended_by"])


def _write(patient: Patient, values: Values) -> None:
    for column, value in values.items():
        setattr(patient, column, _python(column, value))


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _python(column: str, value: Any) -> Any:
    return date.fromisoformat(value) if value and column == "death_date" else value
