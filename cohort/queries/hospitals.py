"""Reads for hospital units: their lists, the rows with what became of each, and what units said of a person.

Everything takes the membership somebody works under. A unit reaches the rows it has sent and no
others; a practice what units said of its own people. Whatever is out of reach does not exist.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Func, IntegerField, OuterRef, QuerySet

from cohort.hospital_lists import RowError
from cohort.long_lists import WAITING_STATES, ListState
from cohort.matching import RowState
from cohort.models import HospitalList, HospitalRow, ListFact, Patient
from cohort.queries.matching import Known, known_people
from cohort.queries.worklists import entries
from cohort.rules import FactSource, Request
from shielding.accounts.models import Membership, Organisation
from shielding.audit.actions import stand_in_id

#: The pages of a list's rows, as they are called in its address, in order.
TABS: dict[str, tuple[RowState, ...]] = {
    "matched": (RowState.MATCHED,),
    "to-decide": (RowState.DOUBTFUL,),
    "not-found": (RowState.NOT_FOUND, RowState.NOT_THEM, RowState.DIED),
    "taken": (RowState.TAKEN, RowState.SAID_ALREADY),
}


@dataclass(frozen=True)
class ListCounts:
    """How many rows of a list are in each state; `wrong` could not be read."""

    by_state: dict[str, int]
    wrong: int

    def of(self, tab: str) -> int:
        """Returns how many rows a page of the list has."""
        return sum(self.by_state.get(state.value, 0) for state in TABS[tab])

    @property
    def rows(self) -> int:
        """How many rows were good."""
        return sum(self.by_state.values())


def lists(by: Membership) -> QuerySet[HospitalList, Any]:
    """Returns the unit's lists, the newest first."""
    return (
        HospitalList.objects.filter(unit_id=by.organisation_id)
        .select_related("unit", "checked_by", "sent_by")
        .defer("waiting", "rejected", "errors")
        .order_by("-checked_at", "pk")
    )


def one_list(by: Membership, list_id: UUID) -> HospitalList:
    """Returns a list of the unit, with what was wrong with it. Raises HospitalList.DoesNotExist."""
    found = HospitalList.objects.select_related("unit", "checked_by", "sent_by").defer("waiting")
    return found.get(pk=list_id, unit_id=by.organisation_id)


def failed(by: Membership) -> list[HospitalList]:
    """Returns the unit's lists that could not be checked or sent, the newest first."""
    return list(lists(by).filter(state=ListState.FAILED))


def waiting_list_ids() -> list[UUID]:
    """Returns the lists that wait for a worker to check or send them, the oldest first."""
    waiting = HospitalList.objects.filter(state__in=WAITING_STATES)
    return list(waiting.order_by("checked_at", "pk").values_list("pk", flat=True))


def errors_of(found: HospitalList) -> list[RowError]:
    """Returns what is wrong with the rows of a list that could not be used, by row then column."""
    return [RowError(**error) for error in found.errors]


def rejected_of(found: HospitalList) -> list[tuple[int, dict[str, str]]]:
    """Returns those rows as they came: number, and text by column."""
    return [(row["number"], row["cells"]) for row in found.rejected]


def counts(by: Membership, of: Sequence[HospitalList]) -> dict[UUID, ListCounts]:
    """Returns the counts of each list, in two queries."""
    by_list: dict[UUID, dict[str, int]] = {each.pk: {} for each in of}
    counted = (
        rows(by).filter(hospital_list__in=list(by_list)).values_list("hospital_list_id", "state").annotate(Count("pk"))
    )
    for list_id, state, count in counted.order_by():
        by_list[list_id][state] = count
    length = Func("rejected", function="jsonb_array_length", output_field=IntegerField())
    wrong = dict(HospitalList.objects.filter(pk__in=list(by_list)).values_list("pk", length))
    return {list_id: ListCounts(states, wrong[list_id]) for list_id, states in by_list.items()}


def rows(by: Membership) -> QuerySet[HospitalRow, Any]:
    """Returns the rows that a unit has sent or checked."""
    return HospitalRow.objects.filter(hospital_list__unit_id=by.organisation_id)


def rows_of(by: Membership, list_id: UUID, tab: str = "") -> QuerySet[HospitalRow, Any]:
    """Returns the rows of a list, or of one of its tabs, in the order of their numbers, with what became of each."""
    found = _with_outcome(rows(by)).filter(hospital_list_id=list_id)
    return (found.filter(state__in=[state.value for state in TABS[tab]]) if tab else found).order_by("number")


def to_decide(by: Membership) -> QuerySet[HospitalRow, Any]:
    """Returns the doubtful rows of every list that was sent, the oldest list first."""
    waiting = rows(by).filter(state=RowState.DOUBTFUL, hospital_list__state=ListState.SENT)
    return waiting.select_related("hospital_list").order_by("hospital_list__sent_at", "number")


def row(by: Membership, row_id: UUID) -> HospitalRow:
    """Returns a row of the unit with what became of it. Raises HospitalRow.DoesNotExist."""
    return _with_outcome(rows(by)).get(pk=row_id)


def _with_outcome(found: QuerySet[HospitalRow]) -> QuerySet[HospitalRow, Any]:
    withdrawn = ListFact.objects.filter(withdraws_id=OuterRef("fact_id"))
    return found.select_related(
        "hospital_list", "hospital_list__unit", "patient__entry__because", "fact", "decided_by"
    ).annotate(is_withdrawn=Exists(withdrawn))


def others_about(by: Membership, found: HospitalRow) -> QuerySet[HospitalRow, Any]:
    """Returns what else the unit has sent about the person of a row, the newest first."""
    if found.patient_id is None:
        return HospitalRow.objects.none()
    return (
        _with_outcome(rows(by))
        .filter(patient_id=found.patient_id)
        .exclude(pk=found.pk)
        .order_by("-hospital_list__sent_at", "-number")
    )


def outcome(found: Any) -> str:
    """Returns what became of a row, in a code that pages and the API put into words.

    NOT_SENT_YET, TO_DECIDE, NOT_FOUND, NOT_THEM, DIED, WITHDRAWN; of requests that count: ON_LIST and
    OFF_LIST, as asked; OVERRULED where somebody else's later word decided otherwise.
    """
    if found.state == RowState.MATCHED:
        return "NOT_SENT_YET"
    if found.state == RowState.DOUBTFUL:
        return "TO_DECIDE"
    if found.patient_id is None:
        return str(found.state)
    if found.is_withdrawn:
        return "WITHDRAWN"
    entry = getattr(found.patient, "entry", None)
    is_on_list = entry is not None and entry.is_on_list
    if is_on_list != (found.request == Request.ADD):
        return "OVERRULED"
    return "ON_LIST" if is_on_list else "OFF_LIST"


def candidates(found: HospitalRow) -> list[tuple[dict[str, Any], Known | None]]:
    """Returns those whom a doubtful row may be about: what agrees, and their details (None: known no more)."""
    known = known_people([candidate["nhs_number"] for candidate in found.candidates])
    return [(candidate, known.get(candidate["nhs_number"])) for candidate in found.candidates]


def shown_ids(found: Iterable[HospitalRow], *, with_candidates: bool = False) -> list[UUID]:
    """Returns the ids that the read log keeps for a page that shows these rows."""
    shown: set[UUID] = set()
    unknown: set[str] = set()
    for each in found:
        if each.patient_id is not None:
            shown.add(each.patient_id)
        elif each.matched_number or each.nhs_number:
            unknown.add(each.matched_number or each.nhs_number)
        if with_candidates:
            unknown |= {candidate["nhs_number"] for candidate in each.candidates}
    known = dict(Patient.objects.filter(nhs_number__in=unknown).values_list("nhs_number", "pk"))
    return [*shown, *(known.get(number) or stand_in_id(number) for number in unknown)]


@dataclass(frozen=True)
class Said:
    """What a hospital unit asked for about a person, and why. `is_withdrawn`: it took that back."""

    unit: Organisation
    request: str
    reason: str
    disease_group: str
    medicine: str
    at: datetime
    is_withdrawn: bool


def said_by_hospitals(by: Membership, patient_id: UUID) -> list[Said]:
    """Returns what hospital units said about one of a practice's people, the newest first; nothing of others."""
    if not entries(by).filter(pk=patient_id).exists():
        return []
    facts = (
        ListFact.objects.filter(patient_id=patient_id, source=FactSource.HOSPITAL.value, withdraws=None)
        .select_related("organisation")
        .prefetch_related("hospital_rows")
        .annotate(is_withdrawn=Exists(ListFact.objects.filter(withdraws_id=OuterRef("pk"))))
        .order_by("-at", "-pk")
    )
    said: list[Said] = []
    for fact in facts:
        if fact.organisation is None:
            continue
        sent = min(fact.hospital_rows.all(), key=lambda each: each.state != RowState.TAKEN, default=None)
        said.append(
            Said(
                unit=fact.organisation,
                request=fact.request,
                reason=fact.reason,
                disease_group=sent.disease_group if sent else "",
                medicine=sent.medicine if sent else "",
                at=fact.at,
                is_withdrawn=fact.is_withdrawn,
            )
        )
    return said


def added_by(unit: Organisation) -> QuerySet[ListFact]:
    """Returns the additions of a unit that it has not taken back. Narrow them to people before reading."""
    return ListFact.objects.filter(
        organisation=unit, source=FactSource.HOSPITAL.value, request=Request.ADD.value, withdrawn_by=None
    )


def open_units() -> QuerySet[Organisation]:
    """Returns the hospital units that have not closed, by name."""
    return Organisation.objects.filter(kind=Organisation.Kind.HOSPITAL, closed_date=None).order_by("name")
