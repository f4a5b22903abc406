"""Who differs from the extract before: exactly those whose rows do, however the rows are sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohort.actions.extracts import LoadReport
from cohort.extracts import changes, store
from cohort.queries.extracts import extract_folder
from tests.cohort.extracts.conftest import ADMISSIONS, AMINA, BOB, CHARLIE, EVENTS, MEDICATIONS, PEOPLE, TABLES, write
from tests.cohort.factories import invented_nhs_number

Load = Callable[..., LoadReport]
DINA = invented_nhs_number(4)
SWAPPED = [EVENTS[0] | {"nhs_number": BOB}, EVENTS[1] | {"nhs_number": AMINA}]


def changed(report: LoadReport) -> set[str]:
    path = extract_folder(report.extract) / changes.CHANGED
    return {str(person) for (person,) in duckdb.execute("FROM read_parquet(?)", [str(path)]).fetchall()}


def rows_of(report: LoadReport, table: str) -> list[Any]:
    paths = [str(path) for path in store.shard_paths(extract_folder(report.extract), table)]
    return duckdb.execute("FROM read_parquet(?) ORDER BY ALL", [paths]).fetchall() if paths else []


def assert_has_rows_of(report: LoadReport, people: set[str]) -> None:
    for table in ("records", "patients"):
        theirs = [row for row in rows_of(report, table) if str(row[0]) in people]
        assert rows_of(report, f"changed-{table}") == theirs


CASES = [
    pytest.param({"events": EVENTS[::-1], "patients": PEOPLE[::-1]}, set(), id="another order"),
    pytest.param({"events": [*EVENTS, EVENTS[1] | {"date": "2020-02-02"}]}, {BOB}, id="a new record"),
    pytest.param({"events": [*EVENTS, EVENTS[1]]}, {BOB}, id="a record twice"),
    pytest.param({"events": [*EVENTS, EVENTS[1], EVENTS[1]]}, {BOB}, id="a record three times"),
    pytest.param({"events": EVENTS[:1]}, {BOB}, id="a record gone"),
    pytest.param({"events": SWAPPED}, {AMINA, BOB}, id="records moved between people"),
    pytest.param({"events": [EVENTS[0], EVENTS[1] | {"value": "2.6"}]}, {BOB}, id="another value"),
    pytest.param({"events": [EVENTS[0], EVENTS[1] | {"value": ""}]}, {BOB}, id="a value gone"),
    pytest.param({"admissions": [ADMISSIONS[0] | {"episode": "E2"}, ADMISSIONS[1]]}, {CHARLIE}, id="another episode"),
    pytest.param({"events": [*EVENTS, MEDICATIONS[0]], "medications": []}, {BOB}, id="another source"),
    pytest.param({"patients": [PEOPLE[0] | {"postcode": "SM1 1AX"}, *PEOPLE[1:]]}, {AMINA}, id="another address"),
    pytest.param({"patients": PEOPLE[:2], "admissions": []}, {CHARLIE}, id="a person gone"),
    pytest.param({"patients": [*PEOPLE, PEOPLE[0] | {"nhs_number": DINA}]}, {DINA}, id="a person come"),
]


@pytest.mark.parametrize(("change", "people"), CASES)
def test_who_differs_is_told_and_nobody_else(
    load: Load, tmp_path: Path, change: dict[str, list[dict[str, str]]], people: set[str]
) -> None:
    first = load(write(tmp_path / "first", TABLES))
    tables = {name: rows for name, rows in (TABLES | change).items() if rows}
    # One column more than the table has, so that files with the same rows are not the same files.
    tables["patients"] = [row | {"sent": "again"} for row in tables["patients"]]
    second = load(write(tmp_path / "second", tables))
    assert second.extract.changed_since == first.extract
    assert changed(second) == people
    assert_has_rows_of(second, people)


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (2, 8), (4, 4)])
def test_the_number_of_shards_may_change(load: Load, tmp_path: Path, settings: Any, before: int, after: int) -> None:
    people = [PEOPLE[0] | {"nhs_number": invented_nhs_number(n)} for n in range(1, 21)]
    settings.EXTRACT_SHARDS = before
    load(write(tmp_path / "first", {"patients": people}))
    settings.EXTRACT_SHARDS = after
    moved = [person | {"postcode": "SM1 1AX"} for person in people[5:8]]
    second = load(write(tmp_path / "second", {"patients": people[:5] + moved + people[9:]}))
    assert changed(second) == {invented_nhs_number(n) for n in (6, 7, 8, 9)}
    assert_has_rows_of(second, changed(second))
    assert len(rows_of(second, "changed-patients")) == 3


def test_a_first_extract_and_one_after_a_lost_folder_say_nothing_of_changes(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    first = load(write(tmp_path / "first", TABLES))
    assert first.extract.changed_since is None
    assert not (extract_folder(first.extract) / changes.CHANGED).exists()
    extract_folder(first.extract).rename(tmp_path / "lost")
    second = load(write(tmp_path / "second", TABLES | {"events": EVENTS[:1]}))
    assert second.extract.changed_since is None
    other = load(write(tmp_path / "third", TABLES), supplier="another")
    assert other.extract.changed_since is None


def test_everybody_has_left_when_no_good_row_is_sent(load: Load, tmp_path: Path) -> None:
    load(write(tmp_path / "first", TABLES))
    nobody = write(tmp_path / "second", {"patients": [PEOPLE[0] | {"sex": "X"}]})
    assert changed(load(nobody)) == {AMINA, BOB, CHARLIE}
