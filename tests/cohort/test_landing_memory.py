"""Personal data that DuckDB cannot hold in memory goes where nobody else can read it, and is removed."""

from pathlib import Path
from typing import Any

import pytest

import cohort
from cohort.actions.demographics import private_database, private_folder


def test_what_does_not_fit_in_memory_goes_into_a_private_folder_that_is_removed(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUN_FOLDER = tmp_path / "runs"
    settings.EXTRACT_MEMORY_LIMIT = "50MB"
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with private_database() as duck:
        duck.execute(
            "CREATE TABLE many AS SELECT hash(i)::VARCHAR AS a, hash(i, 1)::VARCHAR AS b FROM range(2000000) t(i)"
        )
        (folder,) = settings.RUN_FOLDER.iterdir()
        assert list(folder.rglob("*.tmp"))
        assert folder.stat().st_mode & 0o077 == 0
    assert not list(settings.RUN_FOLDER.iterdir())
    assert not list(here.iterdir())


def test_no_database_of_duckdb_spills_where_it_was_started() -> None:
    for path in Path(cohort.__file__).parent.rglob("*.py"):
        assert "duckdb.connect()" not in path.read_text(), f"{path.name} does not say where it spills"


def test_a_private_folder_of_a_killed_process_goes_when_the_next_is_made(settings: Any, tmp_path: Path) -> None:
    settings.RUN_FOLDER = tmp_path
    (tmp_path / ".private-of-a-killed-process").mkdir()
    with private_folder() as first, private_folder() as second:
        assert set(tmp_path.iterdir()) == {first, second}
    assert not list(tmp_path.iterdir())
