"""The invented patients of two public sources load through their mappings."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import nhs_number
import pytest
from django.conf import settings as django_settings

from cohort.actions.extracts import ExtractRefused, LoadReport
from tests.cohort.extracts.conftest import rejected, stored

SOURCES = Path(django_settings.BASE_DIR).parent / "shared" / "reference" / "synthetic_patients"
Load = Callable[..., LoadReport]


def source(name: str) -> Path:
    if not (SOURCES / name).is_dir():
        pytest.skip(f"the reference files are not there: {SOURCES / name}")
    return SOURCES / name


def test_the_ehrql_patients_load(load: Load, settings: Any) -> None:
    report = load(
        source("ehrql_example-data"), mapping="ehrql", practice_code="Z90001", as_at=date(2020, 3, 20), supplier="ehrql"
    )
    counts = {table.table: (table.accepted, table.rejected) for table in report.tables}
    assert {table: sum(count) for table, count in counts.items()} == {"patients": 100, "events": 293, "medications": 14}
    people = stored(report, settings, "patients")
    assert all(nhs_number.is_valid(str(row[0])) and str(row[0]).startswith("999") for row in people)
    assert {row[5] for row in people} <= {"Z90001", "Z90002", "Z90004"}
    reasons = {row["reason"] for row in rejected(report, "patients") + rejected(report, "events")}
    assert all("after the extract date" in reason for reason in reasons)
    assert "invented" in report.notes[0]


def test_ehrql_people_without_a_registration_need_a_practice(load: Load) -> None:
    report = load(source("ehrql_example-data"), mapping="ehrql", supplier="ehrql")
    assert {row["column"] for row in rejected(report, "patients")} >= {"practice_code"}


def test_the_synthea_patients_load_and_say_what_cannot_be_used(load: Load, settings: Any) -> None:
    report = load(
        source("dbt-synthea_27"), mapping="synthea", practice_code="Z90002", as_at=date(2020, 3, 20), supplier="synthea"
    )
    assert {table.table: table.accepted + table.rejected for table in report.tables} == {"patients": 27, "events": 687}
    assert any("663 rows cannot be used: they are RxNorm" in note for note in report.notes)
    assert {row[1] for row in stored(report, settings, "records")} == {"SNOMED"}
    assert not load(source("dbt-synthea_27"), mapping="synthea", practice_code="Z90002", supplier="synthea").is_new


def test_synthea_needs_a_practice_and_a_whole_folder(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ExtractRefused, match="--practice"):
        load(source("dbt-synthea_27"), mapping="synthea")
    with pytest.raises(ExtractRefused, match=r"has no patients\.csv"):
        load(tmp_path, mapping="synthea")
