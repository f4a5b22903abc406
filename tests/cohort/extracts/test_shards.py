"""The store is divided by person: each shard is sorted, and together they are what one file would be."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohort.actions.extracts import LoadReport
from cohort.extracts import scratch, store
from cohort.queries.extracts import extract_folder, folders, newest_extracts, registered_person
from shielding.accounts.models import Organisation
from tests.cohort.extracts.conftest import EVENTS, PEOPLE, TABLES, stored, write
from tests.cohort.factories import invented_nhs_number

Load = Callable[..., LoadReport]
MANY = [
    EVENTS[n % 2] | {"nhs_number": invented_nhs_number(n % 9 + 1), "date": f"2019-01-{n % 28 + 1:02}"}
    for n in range(90)
]


@pytest.mark.parametrize("shards", [2, 8])
@pytest.mark.parametrize("gathered_rows", [1, 6_000_000])
def test_any_number_of_shards_holds_the_same_rows_each_person_in_one(
    load: Load, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, shards: int, gathered_rows: int
) -> None:
    tables = TABLES | {"events": MANY}
    whole = load(write(tmp_path / "in", tables))
    settings.EXTRACT_SHARDS = shards
    monkeypatch.setattr(scratch, "_GATHERED_ROWS", gathered_rows)
    divided = load(tmp_path / "in", supplier="divided")
    for table, order in (("patients", "person"), ("records", "system, code, person, date")):
        paths = store.shard_paths(extract_folder(divided.extract), table)
        assert [path.name for path in paths] == [f"{table}-{n:03}-of-{shards:03}.parquet" for n in range(shards)]
        for shard, path in enumerate(paths):
            rows = duckdb.execute(f"SELECT {order} FROM read_parquet(?)", [str(path)]).fetchall()
            assert rows == sorted(rows)
            people = duckdb.execute("SELECT person FROM read_parquet(?)", [str(path)]).fetchall()
            assert {person % shards for (person,) in people} <= {shard}
        assert sorted(stored(divided, settings, table), key=repr) == sorted(stored(whole, settings, table), key=repr)


def test_a_table_without_rows_has_no_files(load: Load, tmp_path: Path, settings: Any) -> None:
    settings.EXTRACT_SHARDS = 4
    load(write(tmp_path / "in", {"events": EVENTS}))
    (folder,) = folders(newest_extracts())
    assert store.shard_paths(folder, "patients") == []
    assert len(store.shard_paths(folder, "records")) == 4


def test_rows_of_one_person_in_two_files_are_told_whatever_the_shards(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    settings.EXTRACT_SHARDS = 4
    twins = {"patients-a": PEOPLE, "patients-b": [PEOPLE[0], PEOPLE[1] | {"sex": "F"}]}
    report = load(write(tmp_path / "in", twins))
    assert [(count.accepted, count.rejected) for count in report.tables] == [(2, 3)]


def test_a_person_is_found_in_their_shard(load: Load, tmp_path: Path, settings: Any) -> None:
    settings.EXTRACT_SHARDS = 4
    load(write(tmp_path / "in", TABLES))
    practice = Organisation.objects.get(code="Z90001")
    for person, born in ((PEOPLE[0], date(1961, 2, 14)), (PEOPLE[1], date(1948, 11, 2))):
        found = registered_person(nhs_number=person["nhs_number"], birth_date=born, practice=practice)
        assert found is not None
        assert found["given_name"] == person["given_name"]
