from collections.abc import Iterator

import duckdb
import pytest

from shielding.demo.country import Country, make_country
from tests.demo.reading import TODAY, rows_of


@pytest.fixture(scope="package")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return make_country(tmp_path_factory.mktemp("country"), people=20_000, as_at=TODAY, rows_per_person=5)


@pytest.fixture(scope="package")
def patients(country: Country) -> list[dict[str, str]]:
    """Everybody a loader must accept."""
    return rows_of(country.gp / "patients.csv")[: country.people]


@pytest.fixture(scope="package")
def tables(country: Country) -> Iterator[duckdb.DuckDBPyConnection]:
    """Returns the CSV files as tables of text."""
    with duckdb.connect() as connection:
        for path in (
            country.gp / "events.csv",
            country.dispensing / "medications.csv",
            country.hospital / "admissions.csv",
        ):
            connection.execute(f"CREATE TABLE {path.stem} AS FROM read_csv('{path}', all_varchar = true)")
        yield connection
