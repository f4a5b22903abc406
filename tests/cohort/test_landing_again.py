"""What a later search changes about people who are on a list: how clear they are, and who is asked about again."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohort.actions.decisions import confirm, remove
from cohort.actions.demographics import refresh_people
from cohort.actions.landing import land
from cohort.models import ListEntry, PracticeList, SearchRun
from cohort.queries.review import version
from cohort.rules import RemovalReason, Strength, strength
from tests.cohort.factories import (
    NOW,
    CriterionVersionFactory,
    MembershipFactory,
    OrganisationFactory,
    PracticeListFactory,
    invented_nhs_number,
)
from tests.cohort.test_landing import AS_AT, WEEK_LATER, a_running_search, land_people, write_people, write_results

pytestmark = pytest.mark.django_db

RECORDS: list[tuple[list[tuple[str, str, date | None]], Strength]] = [
    ([], Strength.DOUBTFUL),
    ([("GP", "1", date(2019, 1, 1))], Strength.DOUBTFUL),
    ([("GP", "1", date(2019, 1, 1)), ("GP", "1", date(2019, 1, 1))], Strength.DOUBTFUL),
    ([("GP", "1", None)], Strength.DOUBTFUL),
    ([("GP", "1", date(2019, 1, 1)), ("GP", "1", None)], Strength.LIKELY),
    ([("GP", "1", date(2019, 1, 1)), ("GP", "1", date(2019, 1, 2))], Strength.LIKELY),
    ([("GP", "1", date(2019, 1, 1)), ("GP", "2", date(2019, 1, 1))], Strength.LIKELY),
    ([("HOSPITAL", "1", date(2019, 1, 1)), ("HOSPITAL", "2", date(2019, 1, 1))], Strength.LIKELY),
    ([("MEDICINES", str(n), date(2019, 1, n)) for n in range(1, 9)], Strength.DOUBTFUL),
    ([("GP", "1", date(2019, 1, 1)), ("MEDICINES", "2", date(2019, 1, 1))], Strength.CLEAR),
    ([("GP", "1", date(2019, 1, 1)), ("HOSPITAL", "1", date(2019, 1, 1))], Strength.CLEAR),
]


@pytest.fixture
def practice() -> Any:
    return OrganisationFactory(code="Z90001", name="Mill Lane Surgery")


def write_evidence(folder: Path, records: list[tuple[str, str, date | None]]) -> None:
    """Puts these records in the place of a search's evidence about the person of `write_people`."""
    person = int(invented_nhs_number(900))
    rows = records or [("", "", None)]
    with duckdb.connect() as duck:
        duck.execute("CREATE TABLE e (source VARCHAR, code VARCHAR, event_date DATE)")
        duck.executemany("INSERT INTO e VALUES (?, ?, ?)", rows)
        duck.execute(
            f"COPY (SELECT {person} AS person, 'solid-transplant' AS criterion, 'A transplant, ever' AS clause,"
            " 'SNOMED' AS system, code, event_date, source, '' AS detail, 'solid-transplant' AS code_list FROM e)"
            f" TO '{folder / 'evidence.parquet'}' (FORMAT parquet)"
        )


@pytest.mark.parametrize(("records", "said"), RECORDS)
def test_landing_grades_evidence_as_the_rule_does(
    practice: Any, tmp_path: Path, records: list[tuple[str, str, date | None]], said: Strength
) -> None:
    assert strength(records) is said
    run = a_running_search()
    results = write_results(tmp_path / "results", {})
    write_evidence(results, records)
    land(run_id=run.pk, results=results, patients=[results / "people.parquet"], as_at=AS_AT, at=NOW)
    entry = ListEntry.objects.get()
    assert entry.strength == said
    assert entry.sort_key.startswith({"CLEAR": "1", "LIKELY": "2", "DOUBTFUL": "3"}[said] + "O'NEIL")
    assert entry.listed_at == NOW


def test_somebody_whom_the_search_finds_no_longer_has_no_strength(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    land_people(tmp_path, at=WEEK_LATER, searched=[{}])
    entry = ListEntry.objects.get()
    assert (entry.review_state, entry.strength, entry.sort_key[0]) == ("LAPSED", "", "4")


def test_a_changed_name_changes_the_place_on_the_page(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    refresh_people(
        patients=write_people(tmp_path / "p.parquet", {"family_name": "Abel"}), as_at=AS_AT + timedelta(days=1), at=NOW
    )
    assert ListEntry.objects.get().sort_key == "3ABEL, AMINA"


def decided(by: Any, state: str) -> ListEntry:
    entry = ListEntry.objects.get()
    if state == "CONFIRMED":
        return confirm(entry_id=entry.pk, by=by, at=NOW, seen=version(entry))
    reason = RemovalReason.MOVED_AWAY if state == "MOVED" else RemovalReason.LOW_RISK
    return remove(entry_id=entry.pk, reason=reason, detail="", is_patient_told=True, by=by, at=NOW, seen=version(entry))


def land_criteria(folder: Path, *slugs: str, number: int = 1) -> SearchRun:
    """Lands a search, a week later, in which Amina meets these criteria; she was searched for both."""
    run = a_running_search()
    run.criteria.set(
        CriterionVersionFactory(criterion__slug=slug, number=number) for slug in ("solid-transplant", "asthma")
    )
    results = write_results(folder / str(run.pk), {})
    with duckdb.connect() as duck:
        person = int(invented_nhs_number(900))
        rows = ", ".join(f"({person}, '{slug}', {date(2014, 5, 3).toordinal()})" for slug in slugs) or "(0, '', 0)"
        duck.execute(
            f"COPY (FROM (VALUES {rows}) AS t (person, criterion, fingerprint) WHERE criterion <> '')"
            f" TO '{results / 'flags.parquet'}' (FORMAT parquet)"
        )
    return land(run_id=run.pk, results=results, patients=[results / "people.parquet"], as_at=AS_AT, at=WEEK_LATER)


@pytest.mark.parametrize(
    ("state", "found", "number", "said"),
    [
        ("CONFIRMED", ("solid-transplant",), 1, ""),
        ("CONFIRMED", ("solid-transplant",), 2, ""),  # another version of the criterion is no other reason
        ("CONFIRMED", ("solid-transplant", "asthma"), 1, "REASON_NEW"),
        ("CONFIRMED", ("asthma",), 1, "REASON_NEW"),
        ("CONFIRMED", (), 1, "REASON_GONE"),
        ("REMOVED", ("solid-transplant", "asthma"), 1, "REASON_NEW"),
        ("REMOVED", (), 1, ""),  # as the practice said
    ],
)
def test_a_practice_is_asked_again_where_the_search_gives_other_reasons(
    practice: Any, tmp_path: Path, state: str, found: tuple[str, ...], number: int, said: str
) -> None:
    land_people(tmp_path, {})
    before = decided(MembershipFactory(organisation=practice), state)
    land_criteria(tmp_path, *found, number=number)
    entry = ListEntry.objects.get()
    assert (entry.recheck, entry.recheck_at) == (said, WEEK_LATER if said else None)
    assert (entry.review_state, entry.is_on_list) == (before.review_state, before.is_on_list)


def test_nobody_who_waits_for_review_is_asked_about_again(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    land_criteria(tmp_path, "asthma")
    entry = ListEntry.objects.get()
    assert (entry.review_state, entry.recheck) == ("TO_REVIEW", "")


@pytest.mark.parametrize(("state", "moves"), [("CONFIRMED", True), ("MOVED", True), ("REMOVED", False)])
def test_who_registers_elsewhere_comes_onto_the_new_practices_list(
    practice: Any, tmp_path: Path, state: str, moves: bool
) -> None:
    land_people(tmp_path, {})
    theirs = PracticeListFactory(practice=OrganisationFactory(code="Z90002"), run=SearchRun.objects.get())
    decided(MembershipFactory(organisation=practice), state)
    moved = write_people(tmp_path / "p.parquet", {"practice_code": "Z90002"})
    refresh_people(patients=moved, as_at=AS_AT + timedelta(days=7), at=WEEK_LATER)
    entry = ListEntry.objects.get()
    assert entry.practice_list == (theirs if moves else PracticeList.objects.get(practice=practice))
    assert (entry.recheck, entry.listed_at) == (("MOVED_HERE", WEEK_LATER) if moves else ("", NOW))
