"""OMOP CDM 5.4: concepts become codes of ours, visits become episodes, and nobody is counted twice."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cohort.actions.extracts import ExtractRefused, LoadReport
from tests.cohort.extracts.conftest import AMINA, BOB, as_csv, rejected
from tests.cohort.extracts.test_mappings_fhir import records, rows

Load = Callable[..., LoadReport]

PERSON = {
    "person_id": "1",
    "gender_concept_id": "8532",
    "year_of_birth": "1961",
    "month_of_birth": "2",
    "day_of_birth": "14",
    "birth_datetime": "",
    "person_source_value": AMINA,
    "location_id": "7",
    "care_site_id": "3",
}
CONCEPTS = [
    ("1001", "SNOMED", "195967001"),
    ("1002", "ICD10", "B20.8"),
    ("1003", "OPCS4", "Y01.2"),
    ("1004", "dm+d", "325521000"),
    ("1005", "BNF", "0603020T0AAABAB"),
    ("1006", "RxNorm", "8640"),
    ("1007", "Read", "H33..00"),
    ("1008", "SNOMED", "325426006"),
]
CONDITION = {
    "condition_occurrence_id": "1",
    "person_id": "1",
    "condition_concept_id": "1001",
    "condition_start_date": "2019-03-04",
    "condition_source_concept_id": "0",
    "visit_occurrence_id": "",
    "visit_detail_id": "",
}
DRUG = {
    "person_id": "1",
    "drug_concept_id": "1006",
    "drug_exposure_start_date": "2019-05-01",
    "drug_source_concept_id": "1004",
}
VISIT = {"visit_occurrence_id": "50", "visit_concept_id": "9201"}


def concepts(*, tabs: bool = False) -> bytes:
    columns = ("concept_id", "concept_name", "vocabulary_id", "concept_code")
    lines = [columns, *((number, 'A "name"' if tabs else "A name", name, code) for number, name, code in CONCEPTS)]
    return "\n".join(("\t" if tabs else ",").join(line) for line in lines).encode()


def send(folder: Path, **tables: list[dict[str, str]]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "CONCEPT.csv").write_bytes(concepts())
    for name, lines in ({"person": [PERSON]} | tables).items():
        (folder / f"{name.upper()}.csv").write_bytes(as_csv(lines))
    return folder


@pytest.mark.parametrize(
    ("source_concept", "concept", "expected"),
    [
        ("0", "1001", ("SNOMED", "195967001", "GP")),
        ("1002", "1001", ("ICD-10", "B208", "HOSPITAL")),
        ("1003", "1001", ("OPCS-4", "Y012", "HOSPITAL")),
        ("1007", "1001", ("READ2", "H33..00", "GP")),
        ("1006", "1001", ("SNOMED", "195967001", "GP")),
        ("", "1001", ("SNOMED", "195967001", "GP")),
        ("1006", "1006", None),
    ],
)
def test_the_source_concept_is_used_where_we_know_its_system_else_the_standard_one(
    load: Load, tmp_path: Path, settings: Any, source_concept: str, concept: str, expected: tuple[str, str, str] | None
) -> None:
    condition = CONDITION | {"condition_concept_id": concept, "condition_source_concept_id": source_concept}
    report = load(send(tmp_path / "in", condition_occurrence=[condition]), mapping="omop", practice_code="Z90001")
    assert rows(report, settings, "records", "system, code, source") == ([expected] if expected else [])
    told = "CONDITION_OCCURRENCE: 1 left out: neither concept is of a code system of ours."
    assert (told in report.notes) is (expected is None)


@pytest.mark.parametrize(
    ("concept", "expected"),
    [("1004", ("DMD", "325521000")), ("1005", ("BNF", "0603020T0AAABAB")), ("1008", ("DMD", "325426006"))],
)
def test_medicines_are_dmd_or_bnf(
    load: Load, tmp_path: Path, settings: Any, concept: str, expected: tuple[str, str]
) -> None:
    drug = DRUG | {"drug_source_concept_id": concept}
    report = load(send(tmp_path / "in", drug_exposure=[drug]), mapping="omop", practice_code="Z90001")
    assert records(report, settings) == [(*expected, "2019-05-01", "MEDICINES", "")]


@pytest.mark.parametrize(
    ("visit_concept", "detail", "expected"),
    [
        ("9201", "", ("HOSPITAL", "visit 50")),
        ("262", "8", ("HOSPITAL", "detail 8")),
        ("9202", "8", ("GP", "")),
    ],
)
def test_an_inpatient_visit_is_an_episode_or_its_detail_is(
    load: Load, tmp_path: Path, settings: Any, visit_concept: str, detail: str, expected: tuple[str, str]
) -> None:
    condition = CONDITION | {"visit_occurrence_id": "50", "visit_detail_id": detail}
    folder = send(
        tmp_path / "in",
        condition_occurrence=[condition],
        visit_occurrence=[VISIT | {"visit_concept_id": visit_concept}],
    )
    report = load(folder, mapping="omop", practice_code="Z90001")
    assert rows(report, settings, "records", "source, episode") == [expected]


def test_procedures_measurements_and_observations_are_read_with_their_values(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    base = {"person_id": "1"}
    folder = send(
        tmp_path / "in",
        procedure_occurrence=[base | {"procedure_concept_id": "1003", "procedure_date": "2019-01-01"}],
        measurement=[
            base | {"measurement_concept_id": "1001", "measurement_date": "2019-01-02", "value_as_number": "31.5"}
        ],
        observation=[base | {"observation_concept_id": "1001", "observation_date": "2019-01-03"}],
    )
    report = load(folder, mapping="omop", practice_code="Z90001")
    assert rows(report, settings, "records", "date::VARCHAR, system, value") == [
        ("2019-01-01", "OPCS-4", None),
        ("2019-01-02", "SNOMED", 31.5),
        ("2019-01-03", "SNOMED", None),
    ]


def test_a_person_has_a_practice_and_an_address_and_is_held_for_want_of_a_name(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    bob = PERSON | {"person_id": "2", "person_source_value": BOB, "care_site_id": "", "day_of_birth": ""}
    folder = send(
        tmp_path / "in",
        person=[PERSON, bob | {"gender_concept_id": "8507", "location_id": ""}],
        location=[{"location_id": "7", "address_1": "1 Mill Lane", "city": "Sutton", "zip": "sm11aa"}],
        care_site=[{"care_site_id": "3", "care_site_source_value": "Z90001"}],
    )
    report = load(folder, mapping="omop", practice_code="Z90002")
    columns = "person, birth_date::VARCHAR, sex, practice_code, address_lines, postcode, is_invalid"
    assert rows(report, settings, "patients", columns) == [
        (int(AMINA), "1961-02-14", "F", "Z90001", ["1 Mill Lane", "Sutton"], "SM1 1AA", True),
        (int(BOB), "1961-02-01", "M", "Z90002", [], "", True),
    ]
    assert "PERSON: 1 have a birth date without month or day: the first is used." in report.notes
    assert "held as invalid records" in report.notes[0]


@pytest.mark.parametrize(
    ("kind", "day", "expected"),
    [
        ("32815", "2020-03-01", ("FORMAL", date(2020, 3, 1))),
        ("32817", "2020-03-01", ("INFORMAL", date(2020, 3, 1))),
        ("32815", "2020-03-21", ("", None)),
    ],
)
def test_a_death_is_formal_only_by_certificate(
    load: Load, tmp_path: Path, settings: Any, kind: str, day: str, expected: tuple[str, date | None]
) -> None:
    death = {"person_id": "1", "death_date": day, "death_type_concept_id": kind}
    report = load(send(tmp_path / "in", death=[death]), mapping="omop", practice_code="Z90001")
    assert rows(report, settings, "patients", "death_status, death_date") == [expected]


def test_the_vocabulary_may_come_with_tabs_as_athena_gives_it(load: Load, tmp_path: Path, settings: Any) -> None:
    folder = send(tmp_path / "in", condition_occurrence=[CONDITION])
    (folder / "CONCEPT.csv").write_bytes(concepts(tabs=True))
    assert len(records(load(folder, mapping="omop", practice_code="Z90001"), settings)) == 1


def test_bad_rows_lead_back_to_file_and_line_and_good_rows_go_on(load: Load, tmp_path: Path, settings: Any) -> None:
    lines = as_csv(
        [
            CONDITION,
            CONDITION | {"condition_start_date": "20190304"},
            CONDITION | {"person_id": "99"},
        ]
    ).splitlines()
    folder = send(tmp_path / "in")
    (folder / "condition_occurrence_1.csv").write_bytes(b"\n".join([*lines[:2], b"1,2", b"", *lines[2:]]))
    report = load(folder, mapping="omop", practice_code="Z90001")
    assert len(records(report, settings)) == 1
    (broken,) = rejected(report, "unreadable-condition_occurrence")
    assert (broken["file"], broken["line"]) == ("condition_occurrence_1.csv", "3")
    assert broken["reason"].startswith("has 2 fields where the header has 7")
    told = {
        row["source_line"]: (row["source_file"], row["column"], row["reason"]) for row in rejected(report, "events")
    }
    assert told["5"][:2] == ("condition_occurrence_1.csv", "date")
    assert told["5"][2].startswith("is written YYYYMMDD")
    assert told["6"][1:] == ("nhs_number", "is missing")


def test_missing_files_and_columns_are_named(load: Load, tmp_path: Path) -> None:
    folder = send(tmp_path / "in", condition_occurrence=[{"person_id": "1", "condition_concept_id": "1001"}])
    with pytest.raises(
        ExtractRefused, match=r"CONDITION_OCCURRENCE\.csv: required column missing: condition_start_date"
    ):
        load(folder, mapping="omop")
    (folder / "CONCEPT.csv").write_text("concept_id,code\n1,2\n")
    with pytest.raises(ExtractRefused, match=r"CONCEPT\.csv: this is not a CONCEPT table"):
        load(folder, mapping="omop")
    (folder / "CONCEPT.csv").unlink()
    with pytest.raises(ExtractRefused, match=r"has no CONCEPT\.csv"):
        load(folder, mapping="omop")
