"""Reads for a list that is decided in a spreadsheet: what is downloaded, and what a file sent back would do.

They reach nobody but the people of the membership's own practice (`cohort.queries.worklists.entries`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from cohort.decision_sheets import BORN, DECISION, NHS_NUMBER, Choice, Decisions, Row, token
from cohort.models import Evidence, Flag, ListEntry, ReviewQuery
from cohort.queries.review import version
from cohort.queries.worklists import entries, standing_flags
from cohort.rules import RemovalReason, ReviewState
from shielding.accounts.models import Membership

#: People read at a time for a download, which bounds its memory.
_AT_ONCE = 500
_RECORDS_SHOWN = 4
_SOURCES = {"GP": "GP record", "HOSPITAL": "hospital", "MEDICINES": "medicines"}
#: Their location is told to nobody outside; a file may go anywhere.
_RESTRICTED = "Restricted record: see the screen"


class WhoToDownload(StrEnum):
    """Whom a download is about, as it is called in addresses."""

    TO_REVIEW = "to-review"
    EVERYBODY = "everybody"


_STATES = {
    WhoToDownload.TO_REVIEW: [ReviewState.TO_REVIEW],
    WhoToDownload.EVERYBODY: [ReviewState.TO_REVIEW, ReviewState.CONFIRMED, ReviewState.REMOVED, ReviewState.ADDED],
}


class MostlyOthers(Exception):
    """Most of a file's people are not the practice's. It says no more: not who, nor whether anybody knows them."""


class Outcome(StrEnum):
    """What a row of a file would do, or why it would do nothing."""

    CONFIRM = "CONFIRM"
    REMOVE = "REMOVE"
    LEAVE = "LEAVE"
    SO_ALREADY = "SO_ALREADY"
    CHANGED = "CHANGED"
    QUESTION_OPEN = "QUESTION_OPEN"
    DIED = "DIED"


@dataclass
class Plan:
    """What a file would do: each row understood, with its entry, by outcome. `read` has all problems by now."""

    read: Decisions
    rows: dict[Outcome, list[tuple[Row, ListEntry]]] = field(default_factory=lambda: defaultdict(list))

    def count(self, outcome: Outcome) -> int:
        """Returns how many rows come to that."""
        return len(self.rows.get(outcome, []))

    @property
    def does_anything(self) -> bool:
        """Says whether anybody would be decided about."""
        return bool(self.rows.get(Outcome.CONFIRM) or self.rows.get(Outcome.REMOVE))


def people_to_download(by: Membership, list_id: UUID, who: WhoToDownload) -> list[UUID]:
    """Returns the ids of the people of a list, in its order."""
    states = [state.value for state in _STATES[who]]
    found = entries(by).filter(practice_list_id=list_id, review_state__in=states)
    return list(found.order_by("sort_key", "pk").values_list("pk", flat=True))


def download_rows(by: Membership, patient_ids: Sequence[UUID]) -> Iterator[list[str]]:
    """Yields a row of `cohort.decision_sheets.COLUMNS` for each of these people, in three queries for every 500."""
    for start in range(0, len(patient_ids), _AT_ONCE):
        some = patient_ids[start : start + _AT_ONCE]
        found = {
            row.pk: row for row in entries(by).filter(pk__in=some).select_related("patient", "reviewed_by", "because")
        }
        flags: dict[UUID, list[Flag]] = defaultdict(list)
        for flag in standing_flags().filter(patient_id__in=found).select_related("criterion_version__criterion"):
            flags[flag.patient_id].append(flag)
        records: dict[UUID, list[Any]] = defaultdict(list)
        for record in (
            Evidence.objects.filter(flag__patient_id__in=found, flag__ended_in=None)
            .order_by(F("event_date").desc(nulls_last=True), "pk")
            .values_list("flag__patient_id", "term", "detail", "code", "source", "event_date", named=True)
        ):
            records[record.flag__patient_id].append(record)
        for patient_id in some:
            if patient_id in found:
                yield _download_row(found[patient_id], flags[patient_id], records[patient_id])


def plan(by: Membership, list_id: UUID, read: Decisions, *, found: QuerySet[ListEntry] | None = None) -> Plan:
    """Returns what a file would do to a list now; rows about nobody on it become problems of `read`.

    `found` are the practice's entries, for who locks them first. Raises MostlyOthers.
    """
    people = (entries(by) if found is None else found).filter(patient__nhs_number__in=[r.nhs_number for r in read.rows])
    known = {row.patient.nhs_number: row for row in people.select_related("patient", "reviewed_by")}
    if read.rows and len(known) * 2 < len(read.rows):
        raise MostlyOthers
    asked_about = set(
        ReviewQuery.objects.filter(practice_id=by.organisation_id, answered_at=None).values_list(
            "patient_id", flat=True
        )
    )
    planned = Plan(read)
    wrong: list[tuple[Row, str, str]] = []
    for row in read.rows:
        entry = known.get(row.nhs_number)
        if problem := _problem(row, entry, list_id):
            wrong.append((row, *problem))
        elif entry is not None:
            planned.rows[_outcome(row, entry, asked_about)].append((row, entry))
    for row, column, what in wrong:
        read.reject(row.number, [(column, what)])
    if wrong:
        read.rows = [row for row in read.rows if row.number not in read.rejected]
        read.problems.sort(key=lambda problem: problem.number)
    return planned


def _problem(row: Row, entry: ListEntry | None, list_id: UUID) -> tuple[str, str] | None:
    if entry is None:
        return NHS_NUMBER, "Nobody of this number is on your list. Take the row out."
    if entry.practice_list_id != list_id:
        return NHS_NUMBER, "This person is on another of your lists. Send the row with that list."
    if row.choice is Choice.LEAVE:
        return None
    if entry.patient.birth_date not in row.born:
        return BORN, "Not the birth date of the person of this NHS number, so rows may be mixed up. Download again."
    if entry.review_state == ReviewState.LAPSED:
        return DECISION, "A later search no longer finds them, and they are off the list. Decide on their own page."
    return None


def _outcome(row: Row, entry: ListEntry, asked_about: set[UUID]) -> Outcome:
    if row.choice is Choice.LEAVE:
        return Outcome.LEAVE
    if _is_so_already(row, entry):
        return Outcome.SO_ALREADY
    if row.version != token(version(entry)):
        return Outcome.CHANGED
    if entry.pk in asked_about:
        return Outcome.QUESTION_OPEN
    if row.choice is Choice.CONFIRM:
        return Outcome.DIED if entry.patient.death_status else Outcome.CONFIRM
    return Outcome.REMOVE


def _is_so_already(row: Row, entry: ListEntry) -> bool:
    if entry.recheck:
        return False
    if row.choice is Choice.CONFIRM:
        return entry.review_state in {ReviewState.CONFIRMED, ReviewState.ADDED} and entry.is_on_list
    said = (ReviewState.REMOVED, row.reason, row.detail, row.is_told, False)
    return said == (
        entry.review_state,
        entry.removal_reason,
        entry.removal_detail,
        entry.is_patient_told,
        entry.is_on_list,
    )


def _download_row(entry: ListEntry, flags: Iterable[Flag], records: Sequence[Any]) -> list[str]:
    patient = entry.patient
    if patient.is_restricted:
        address = phones = _RESTRICTED
    else:
        lines = ["No fixed abode"] if patient.no_fixed_abode else [*patient.address_lines, patient.postcode]
        address = ", ".join(line for line in lines if line)
        phones = ", ".join(number for number in (patient.mobile, patient.landline) if number)
    versions = {flag.criterion_version for flag in flags}
    reasons = sorted(f"{each.criterion.disease_group}: {each.plain_english}" for each in versions)
    if not reasons and entry.because is not None:
        reasons = [entry.because.reason]
    return [
        patient.nhs_number,
        patient.family_name,
        patient.given_name,
        patient.birth_date.isoformat(),
        address,
        phones,
        patient.safe_contact_instruction,
        "; ".join(dict.fromkeys(reasons)),
        _in_short(records),
        _decided(entry),
        token(version(entry)),
        *[""] * 5,
    ]


def _in_short(records: Sequence[Any]) -> str:
    said = []
    for record in records:
        words = [record.term or record.detail or record.code, _SOURCES.get(record.source, "")]
        words.append(f"{record.event_date:%-d %B %Y}" if record.event_date else "")
        said.append(", ".join(word for word in words if word))
    said = list(dict.fromkeys(said))
    more = len(said) - _RECORDS_SHOWN
    return "; ".join([*said[:_RECORDS_SHOWN], *([f"and {more:,} more"] if more > 0 else [])])


def _decided(entry: ListEntry) -> str:
    said = entry.get_review_state_display()
    if entry.review_state == ReviewState.REMOVED:
        reason = entry.get_removal_reason_display()
        is_detailed = entry.removal_reason == RemovalReason.OTHER and entry.removal_detail
        said += f": {entry.removal_detail if is_detailed else reason}"
    if entry.reviewed_at is not None:
        said += f" ({entry.reviewed_by}, {entry.reviewed_at:%-d %B %Y})"
    if entry.recheck:
        said += f". Look again: {entry.get_recheck_display()}"
    if entry.patient.death_status:
        said += ". The record says that they have died"
    return said
