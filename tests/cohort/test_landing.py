"""A search's results land once and whole, and a clinician's word stands against them."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohort.actions.demographics import refresh_people
from cohort.actions.facts import record_fact
from cohort.actions.landing import LandingError, land
from cohort.models import Evidence, Flag, ListEntry, ListFact, Patient, PracticeList, SearchCount, SearchRun
from cohort.rules import FactSource, Request
from tests.cohort.factories import (
    NOW,
    CodeListVersionFactory,
    CriterionVersionFactory,
    OrganisationFactory,
    SearchRunFactory,
    invented_nhs_number,
)

pytestmark = pytest.mark.django_db

AS_AT = date(2020, 3, 14)
PEOPLE = """
    person BIGINT, given_name VARCHAR, family_name VARCHAR, birth_date DATE, sex VARCHAR, practice_code VARCHAR,
    address_lines VARCHAR[], postcode VARCHAR, uprn VARCHAR, no_fixed_abode BOOLEAN, mobile VARCHAR, landline VARCHAR,
    email VARCHAR, death_status VARCHAR, death_date DATE, is_restricted BOOLEAN, is_invalid BOOLEAN,
    moved_away_code VARCHAR, asked_not_to_be_contacted BOOLEAN, unsafe_channels VARCHAR[],
    safe_contact_instruction VARCHAR
"""


def write_people(file: Path, *people: dict[str, Any]) -> Path:
    """Writes rows of the extract store's patients: Amina at Z90001, but for what is given."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as duck:
        duck.execute(f"CREATE TABLE people ({PEOPLE})")
        for given in people:
            row = {
                "person": int(invented_nhs_number(900)),
                "given_name": "Amina",
                "family_name": 'O\'Neil-"Begum", née\\Łukasz',
                "birth_date": date(1961, 2, 14),
                "sex": "F",
                "practice_code": "Z90001",
                "address_lines": ['1 Mill Lane, "Rear"', "Back\\slash", "{Braces}"],
                "postcode": "SM1 1AA",
                "uprn": "000012345678",
                "no_fixed_abode": False,
                "mobile": "07700900123",
                "landline": "",
                "email": "",
                "death_status": "",
                "death_date": None,
                "is_restricted": False,
                "is_invalid": False,
                "moved_away_code": "",
                "asked_not_to_be_contacted": False,
                "unsafe_channels": ["LETTER"],
                "safe_contact_instruction": "",
                **given,
            }
            duck.execute(f"INSERT INTO people VALUES ({', '.join('?' * len(row))})", list(row.values()))
        duck.execute(f"COPY people TO '{file}' (FORMAT parquet)")
    return file


def write_results(folder: Path, *people: dict[str, Any]) -> Path:
    """Writes what a search that flagged these people for a solid transplant writes."""
    write_people(folder / "people.parquet", *people)
    with duckdb.connect() as duck:
        duck.execute(f"CREATE VIEW people AS FROM '{folder / 'people.parquet'}'")
        for name, query in {
            "flags": "SELECT person, 'solid-transplant' AS criterion FROM people",
            "evidence": "SELECT person, 'solid-transplant' AS criterion, 'A transplant, ever' AS clause,"
            " 'SNOMED' AS system, '70536003' AS code, DATE '2014-05-03' AS event_date, 'GP' AS source,"
            " '' AS detail, 'solid-transplant' AS code_list FROM people",
            "counts": "SELECT 'solid-transplant' AS criterion, practice_code, count(*)::INTEGER AS people"
            " FROM people GROUP BY ALL",
        }.items():
            duck.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
    return folder


@pytest.fixture
def practice() -> Any:
    return OrganisationFactory(code="Z90001", name="Mill Lane Surgery")


def a_running_search() -> SearchRun:
    run = SearchRunFactory(state="RUNNING", finished_at=None, percent=50)
    code_list = CodeListVersionFactory()
    version = CriterionVersionFactory(criterion__slug="solid-transplant", number=1)
    version.code_lists.set([code_list])
    run.criteria.set([version])
    return run


def land_people(folder: Path, *people: dict[str, Any], at: Any = NOW) -> SearchRun:
    run = a_running_search()
    return land(run_id=run.pk, results=write_results(folder / str(run.pk), *people), as_at=AS_AT, at=at)


def test_a_flagged_person_lands_with_details_evidence_and_a_place_on_the_practices_list(
    practice: Any, tmp_path: Path
) -> None:
    run = land_people(tmp_path, {})

    patient = Patient.objects.get()
    assert patient.nhs_number == invented_nhs_number(900)
    assert patient.family_name == 'O\'Neil-"Begum", née\\Łukasz'
    assert patient.address_lines == ['1 Mill Lane, "Rear"', "Back\\slash", "{Braces}"]
    assert patient.unsafe_channels == ["LETTER"]
    assert patient.uprn == "000012345678"
    evidence = Evidence.objects.get()
    assert (evidence.flag.patient, evidence.code, evidence.event_date) == (patient, "70536003", date(2014, 5, 3))
    assert evidence.code_list_version is not None
    entry = ListEntry.objects.get()
    assert (entry.is_on_list, entry.is_flagged, entry.review_state) == (True, True, "TO_REVIEW")
    assert entry.because == ListFact.objects.get(source="ALGORITHM", run=run)
    assert entry.practice_list == PracticeList.objects.get(practice=practice)
    assert entry.practice_list.due_date == NOW.date() + timedelta(days=7)
    assert SearchCount.objects.get().people == 1
    assert (run.state, run.people_flagged) == ("LANDED", 1)


def test_landing_the_same_run_again_changes_nothing(practice: Any, tmp_path: Path) -> None:
    run = a_running_search()
    results = write_results(tmp_path / "results", {})
    for _ in range(2):
        land(run_id=run.pk, results=results, as_at=AS_AT, at=NOW)
    assert (Flag.objects.count(), Evidence.objects.count(), ListFact.objects.count()) == (1, 1, 1)


def test_a_second_search_adds_flags_but_neither_facts_nor_another_list_for_people_known_already(
    practice: Any, tmp_path: Path
) -> None:
    land_people(tmp_path, {})
    land_people(tmp_path, {})
    assert (Flag.objects.count(), ListFact.objects.count(), ListEntry.objects.count()) == (2, 1, 1)
    assert PracticeList.objects.count() == 1


def test_somebody_removed_by_their_gp_is_flagged_again_but_stays_off_the_list(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    patient = Patient.objects.get()
    record_fact(patient_id=patient.pk, source=FactSource.GP, request=Request.REMOVE, reason="low risk", at=NOW)
    land_people(tmp_path, {}, at=NOW + timedelta(days=7))
    assert not ListEntry.objects.get().is_on_list
    assert Flag.objects.count() == 2


def test_somebody_a_gp_had_taken_off_before_the_first_flag_does_not_come_on(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {"person": int(invented_nhs_number(901))})
    entry = ListEntry.objects.get()
    ListEntry.objects.filter(pk=entry.pk).update(
        is_flagged=False, review_state="ADDED", reviewed_at=NOW, reviewed_by=_user()
    )
    record_fact(patient_id=entry.pk, source=FactSource.GP, request=Request.REMOVE, reason="", at=NOW)
    land_people(tmp_path, {"person": int(invented_nhs_number(901))})
    entry.refresh_from_db()
    assert (entry.is_flagged, entry.is_on_list) == (True, False)


def _user() -> Any:
    from tests.cohort.factories import UserFactory

    return UserFactory()


def test_people_of_an_unknown_practice_land_nothing_at_all(practice: Any, tmp_path: Path) -> None:
    stranger = {"person": int(invented_nhs_number(902)), "practice_code": "Z99999"}
    run = a_running_search()
    results = write_results(tmp_path / "results", {}, stranger)
    with pytest.raises(LandingError, match="1 people are registered at practices"):
        land(run_id=run.pk, results=results, as_at=AS_AT, at=NOW)
    assert not Patient.objects.exists()
    assert not ListEntry.objects.exists()


def test_every_open_practice_gets_a_list_so_that_it_can_add_people(practice: Any, tmp_path: Path) -> None:
    OrganisationFactory(code="Z90002")
    OrganisationFactory(code="Z90003", closed_date=date(2019, 1, 1))
    land_people(tmp_path, {})
    assert set(PracticeList.objects.values_list("practice__code", flat=True)) == {"Z90001", "Z90002"}


def test_a_death_in_a_later_extract_reaches_people_whether_or_not_they_are_searched_again(
    practice: Any, tmp_path: Path
) -> None:
    land_people(tmp_path, {})
    died = {"death_status": "FORMAL", "death_date": date(2020, 3, 18)}
    stranger = {"person": int(invented_nhs_number(903))}
    later = write_people(tmp_path / "later.parquet", died, stranger)
    assert refresh_people(patients=later, as_at=date(2020, 3, 20)) == 1
    patient = Patient.objects.get()
    assert (patient.death_status, patient.as_at) == ("FORMAL", date(2020, 3, 20))


def test_an_older_extract_never_overwrites_newer_details(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {"mobile": "07700900999"})
    older = write_people(tmp_path / "older.parquet", {"mobile": "07700900000"})
    assert refresh_people(patients=older, as_at=AS_AT - timedelta(days=7)) == 0
    assert Patient.objects.get().mobile == "07700900999"


def test_somebody_who_registers_elsewhere_waits_on_their_new_practices_list(practice: Any, tmp_path: Path) -> None:
    other = OrganisationFactory(code="Z90002")
    land_people(tmp_path, {})
    moved = write_people(tmp_path / "moved.parquet", {"practice_code": "Z90002"})
    refresh_people(patients=moved, as_at=AS_AT + timedelta(days=7))
    assert ListEntry.objects.get().practice_list == PracticeList.objects.get(practice=other)
