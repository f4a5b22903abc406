"""What a unit's requests do to the people they are about: facts, a place on their practice's list, and its state there.

Set-based, since a list has up to 30,000 rows. The practice's own decisions are never overwritten:
where a request goes against one it stands, as the later, and the practice is asked to look again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pyarrow as pa
from django.conf import settings
from django.db import connection

from cohort.actions.demographics import check_as_it_goes, plan_for_whole_tables
from cohort.actions.facts import ask_again, recompute
from cohort.actions.newcomers import bring_in
from cohort.actions.order import put_in_order
from cohort.matching import RowState
from cohort.models import HospitalRow, ListEntry, ListFact, Patient
from cohort.rules import DECISIVE, FactSource, Recheck, RemovalReason, Request, ReviewState
from shielding.accounts.models import Membership


@dataclass(frozen=True)
class _Outcome:
    state: RowState
    patient_id: UUID | None = None
    fact_id: int | None = None


def take(rows: Sequence[HospitalRow], *, by: Membership, at: datetime) -> None:
    """Has the requests of rows count whose `matched_number` says whom they are about, and writes their outcomes.

    In the order given; one list's or one row's. Run it in a transaction.
    """
    if not rows:
        return
    with connection.cursor() as cursor:
        # One at a time: two lists that name the same new people would wait for each other.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('cohort_hospitallist'))")
        plan_for_whole_tables(cursor)
        check_as_it_goes(cursor)
        numbers = sorted({row.matched_number for row in rows})
        bring_in(cursor, pa.array([int(number) for number in numbers], pa.int64()), at=at)
    people = {person.nhs_number: person for person in Patient.objects.filter(nhs_number__in=numbers)}
    ids = [person.pk for person in people.values()]
    list(ListEntry.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    outcomes = _outcomes(rows, people, by=by, at=at)
    asked = {
        outcome.patient_id: Request(row.request)
        for row, outcome in zip(rows, outcomes, strict=True)
        if outcome.patient_id is not None and outcome.state is RowState.TAKEN
    }
    _place(asked, by=by, at=at)
    recompute(patient_ids=asked, at=at)
    bring_into_step(asked, by=by, at=at)
    _ask_practices(asked, at=at)
    _write(rows, outcomes)


def _outcomes(
    rows: Sequence[HospitalRow], people: dict[str, Patient], *, by: Membership, at: datetime
) -> list[_Outcome]:
    """Returns what becomes of each row; appends the facts of those that are new."""
    said = _said(by, [person.pk for person in people.values()])
    new: dict[UUID, ListFact] = {}
    for row in rows:
        person = people.get(row.matched_number)
        if person is None or _has_died(row, person) or person.pk in new or person.pk in said.get(row.request, {}):
            continue
        new[person.pk] = ListFact(
            patient=person,
            source=FactSource.HOSPITAL.value,
            request=row.request,
            reason=row.reason,
            at=at,
            by_id=by.user_id,
            organisation_id=by.organisation_id,
        )
    ListFact.objects.bulk_create(new.values(), batch_size=2000)
    outcomes: list[_Outcome] = []
    first: set[UUID] = set()
    for row in rows:
        person = people.get(row.matched_number)
        if person is None:
            outcomes.append(_Outcome(RowState.NOT_FOUND))
        elif _has_died(row, person):
            outcomes.append(_Outcome(RowState.DIED))
        elif person.pk in new:
            state = RowState.SAID_ALREADY if person.pk in first else RowState.TAKEN
            first.add(person.pk)
            outcomes.append(_Outcome(state, person.pk, new[person.pk].pk))
        else:
            outcomes.append(_Outcome(RowState.SAID_ALREADY, person.pk, said[row.request][person.pk]))
    return outcomes


def _has_died(row: HospitalRow, person: Patient) -> bool:
    return row.request == Request.ADD and person.death_status == Patient.DeathStatus.FORMAL


def _said(by: Membership, patient_ids: list[UUID]) -> dict[str, dict[UUID, int]]:
    """Returns, by request, whom the unit's latest word asks it of, with that fact; not where somebody who
    decides (`rules.DECISIVE`) has asked for the opposite since.
    """
    said: dict[str, dict[UUID, int]] = {request.value: {} for request in Request}
    facts = (
        ListFact.objects.filter(
            patient_id__in=patient_ids,
            source__in=[source.value for source in DECISIVE],
            withdraws=None,
            withdrawn_by=None,
        )
        .order_by("at", "pk")
        .values_list("pk", "patient_id", "source", "organisation_id", "request")
    )
    for pk, patient_id, source, organisation_id, request in facts:
        is_ours = source == FactSource.HOSPITAL and organisation_id == by.organisation_id
        for other, people in said.items():
            if other != request:
                people.pop(patient_id, None)
        if is_ours:
            said[request][patient_id] = pk
    return said


def _place(asked: dict[UUID, Request], *, by: Membership, at: datetime) -> None:
    """Gives whoever is added and has no entry one on their practice's newest list; it counts as reviewed by the
    unit's clinicians. Those who had lapsed go to the newest list, since they are to be reviewed again.
    """
    added = [patient_id for patient_id, request in asked.items() if request is Request.ADD]
    if not added:
        return
    with connection.cursor() as cursor:
        _insert_lists(cursor, added, at=at)
        newest = (
            "LEFT JOIN LATERAL (SELECT x.id FROM cohort_practicelist x WHERE x.practice_id = p.practice_id"
            " ORDER BY x.submitted_at IS NOT NULL, x.due_date DESC, x.id LIMIT 1) newest ON true"
        )
        values: dict[str, Any] = {"people": [str(patient_id) for patient_id in added], "at": at, "by": by.user_id}
        cursor.execute(
            "UPDATE cohort_listentry e SET practice_list_id = newest.id, listed_at = %(at)s"
            f" FROM cohort_patient p {newest}"
            " WHERE p.id = e.patient_id AND p.id = ANY(%(people)s::uuid[])"
            " AND (e.review_state = 'LAPSED' OR e.practice_list_id IS NULL)",
            values,
        )
        cursor.execute(
            "INSERT INTO cohort_listentry (patient_id, is_on_list, changed_at, is_flagged, practice_list_id,"
            "  listed_at, review_state, reviewed_at, reviewed_by_id, removal_reason, removal_detail)"
            " SELECT p.id, false, %(at)s, false, newest.id, %(at)s, 'ADDED', %(at)s, %(by)s, '', ''"
            f" FROM cohort_patient p {newest} WHERE p.id = ANY(%(people)s::uuid[]) ORDER BY p.id"
            " ON CONFLICT (patient_id) DO NOTHING",
            values,
        )
    put_in_order(added)


def _insert_lists(cursor: Any, added: list[UUID], *, at: datetime) -> None:
    """A practice without any list gets one of the newest search; so does one with no open list for whom lapsed."""
    cursor.execute(
        "INSERT INTO cohort_practicelist (id, run_id, practice_id, due_date)"
        " SELECT gen_random_uuid(), run.id, o.id, %(due)s FROM accounts_organisation o"
        " CROSS JOIN (SELECT id FROM cohort_searchrun WHERE state = 'LANDED' ORDER BY finished_at DESC LIMIT 1) run"
        " WHERE o.closed_date IS NULL AND EXISTS (SELECT 1 FROM cohort_patient p"
        "   LEFT JOIN cohort_listentry e ON e.patient_id = p.id"
        "   WHERE p.practice_id = o.id AND p.id = ANY(%(people)s::uuid[])"
        "   AND NOT EXISTS (SELECT 1 FROM cohort_practicelist x WHERE x.practice_id = o.id"
        "    AND (x.submitted_at IS NULL OR coalesce(e.review_state, '') <> 'LAPSED')))"
        " ON CONFLICT (run_id, practice_id) DO NOTHING",
        {
            "people": [str(patient_id) for patient_id in added],
            "due": at.date() + timedelta(days=settings.VALIDATION_DAYS),
        },
    )


def bring_into_step(patient_ids: Iterable[UUID], *, by: Membership, at: datetime, is_mistake: bool = False) -> None:
    """Has the state of review follow the list for those of whom hospitals alone have decided.

    They are ADDED while they are on it, else REMOVED, and their practice sees that nobody has told
    them yet. Whoever a search flagged is their practice's to review, and whoever a practice decided
    about stays as it decided.
    """
    decided = ListFact.objects.filter(
        patient_id__in=list(patient_ids), source=FactSource.GP.value, withdraws=None, withdrawn_by=None
    ).values_list("patient_id", flat=True)
    hospitals_alone = set(patient_ids) - set(decided)
    entries = ListEntry.objects.filter(pk__in=hospitals_alone, is_flagged=False)
    stamp = {"reviewed_at": at, "reviewed_by_id": by.user_id}
    entries.filter(is_on_list=True, review_state=ReviewState.REMOVED).update(
        review_state=ReviewState.ADDED, removal_reason="", removal_detail="", is_patient_told=None, **stamp
    )
    entries.filter(is_on_list=False, review_state=ReviewState.ADDED).update(
        review_state=ReviewState.REMOVED,
        removal_reason=(RemovalReason.ADDED_BY_MISTAKE if is_mistake else RemovalReason.OTHER).value,
        removal_detail="" if is_mistake else f"Taken off by {by.organisation}"[:300],
        is_patient_told=False,
        **stamp,
    )


def _ask_practices(asked: dict[UUID, Request], *, at: datetime) -> None:
    """Has the practices look again at those of whom their own latest word is the opposite."""
    latest: dict[UUID, str] = dict(
        ListFact.objects.filter(
            patient_id__in=list(asked), source=FactSource.GP.value, withdraws=None, withdrawn_by=None
        )
        .order_by("at", "pk")
        .values_list("patient_id", "request")
    )
    against = [patient_id for patient_id, request in latest.items() if request != asked[patient_id]]
    if against:
        ask_again(patient_ids=against, why=Recheck.HOSPITAL_DISAGREES, at=at)


def _write(rows: Sequence[HospitalRow], outcomes: Sequence[_Outcome]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cohort_hospitalrow r SET state = n.state, patient_id = n.patient_id, fact_id = n.fact_id,"
            " matched_number = n.number, decided_at = n.decided_at, decided_by_id = n.decided_by"
            " FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[], %s::uuid[])"
            "  AS n (id, state, patient_id, fact_id, number, decided_at, decided_by) WHERE r.id = n.id",
            [
                [str(row.pk) for row in rows],
                [outcome.state.value for outcome in outcomes],
                [str(outcome.patient_id) if outcome.patient_id else None for outcome in outcomes],
                [outcome.fact_id for outcome in outcomes],
                [row.matched_number for row in rows],
                [row.decided_at for row in rows],
                [str(row.decided_by_id) if row.decided_by_id else None for row in rows],
            ],
        )
