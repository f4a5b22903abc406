import hashlib
import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import nhs_number
import pytest

from cohort.extracts.schema import TABLES
from shielding.demo.cast import CAST, FIRST_NUMBER
from shielding.demo.country import Country, make_country
from shielding.demo.names import SAFE_CONTACT_INSTRUCTIONS
from shielding.demo.patients import COLUMNS
from shielding.demo.people import nhs_number as number_of
from shielding.demo.people import numbered_sql
from tests.demo.reading import TODAY, near, rows_of


def files_of(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(tmp_path: Path) -> None:
    for name, threads, seed in (("a", 1, 7), ("b", 2, 7), ("c", 2, 8)):
        make_country(tmp_path / name, people=3000, seed=seed, as_at=TODAY, threads=threads)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert files_of(tmp_path / "a").keys() == files_of(tmp_path / "c").keys()
    assert files_of(tmp_path / "a")["extracts/gp/patients.csv"] != files_of(tmp_path / "c")["extracts/gp/patients.csv"]


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_each_file_has_its_suppliers_place_and_format(tmp_path: Path, file_format: Any) -> None:
    make_country(tmp_path, people=200, as_at=TODAY, file_format=file_format)
    expected = {"answers.parquet"} | {
        f"extracts/{name}.{file_format}"
        for name in ("gp/patients", "gp/events", "dispensing/medications", "hospital/admissions")
    }
    assert {name for name in files_of(tmp_path) if not name.startswith("reference/")} == expected


@pytest.mark.parametrize("people", [0, 199, 56_000_001])
def test_a_country_too_small_or_too_large_is_refused(tmp_path: Path, people: int) -> None:
    with pytest.raises(ValueError, match="people"):
        make_country(tmp_path, people=people, as_at=TODAY)


def test_every_number_is_valid_different_and_of_the_test_range(patients: list[dict[str, str]]) -> None:
    numbers = [row["nhs_number"] for row in patients]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("999") and nhs_number.is_valid(number) for number in numbers)


@pytest.mark.parametrize("first", [0, 899_990, 55_999_000, 89_999_990])
def test_numbers_are_valid_and_the_same_in_sql_at_the_ends_of_both_ranges(first: int) -> None:
    expected = [number_of(index) for index in range(first, first + 20)]
    found = duckdb.sql(
        f"SELECT nhs FROM ({numbered_sql(f'SELECT n FROM range({first}, {first + 20}) AS t(n)')}) ORDER BY n"
    )
    assert [str(number) for (number,) in found.fetchall()] == expected
    assert all(nhs_number.is_valid(number) and number.startswith("9") for number in expected)
    assert all(number.startswith("999") == (first + place < 900_000) for place, number in enumerate(expected))


def test_no_two_of_a_million_people_have_one_number() -> None:
    found = duckdb.sql(
        f"SELECT count(DISTINCT nhs), count(DISTINCT nhs) FILTER (nhs >= 9990000000) "
        f"FROM ({numbered_sql('SELECT n FROM range(1000000) AS t(n)')})"
    )
    assert found.fetchall() == [(1_000_000, 900_000)]


def test_the_cast_is_there_at_fixed_numbers_in_every_country(tmp_path: Path, country: Country) -> None:
    other = make_country(tmp_path, people=200, seed=99, as_at=date(2021, 1, 1))
    assert country.cast.keys() == other.cast.keys() == {role.given_name for role in CAST}
    for name, member in country.cast.items():
        assert (member.nhs_number, member.birth_date) == (other.cast[name].nhs_number, other.cast[name].birth_date)
        assert member.practice_code == country.practice_codes[1 if name == "Charlie" else 0]
    rows = {row["nhs_number"]: row for row in rows_of(other.gp / "patients.csv")}
    for member in other.cast.values():
        row = rows[member.nhs_number]
        assert (row["given_name"], row["family_name"], row["sex"]) == (
            member.given_name,
            member.family_name,
            member.sex,
        )
        assert (row["practice_code"], row["postcode"]) == (member.practice_code, member.postcode)
    assert len(CAST) <= FIRST_NUMBER


def test_the_cast_are_who_the_stories_need(country: Country, patients: list[dict[str, str]]) -> None:
    row = {each["given_name"]: each for each in patients[: len(CAST)]}
    assert row["Dora"]["death_status"] == "FORMAL"
    assert row["Emeka"]["is_restricted"] == "true"
    assert row["Farah"]["unsafe_channels"] == "LETTER"
    assert row["Farah"]["safe_contact_instruction"] in SAFE_CONTACT_INSTRUCTIONS
    assert row["Gwen"]["no_fixed_abode"] == "true"
    assert not row["Gwen"]["address_line_1"]
    assert [name for name, member in country.cast.items() if not member.criteria] == ["Hugo", "Ivy"]


def test_nobody_else_has_a_given_name_of_the_cast(patients: list[dict[str, str]]) -> None:
    names = [member.given_name for member in CAST]
    assert not [row for row in patients[len(CAST) :] if any(name in row["given_name"] for name in names)]


@pytest.mark.parametrize(
    ("column", "value", "share"),
    [
        ("death_status", "FORMAL", 0.003),
        ("death_status", "INFORMAL", 0.001),
        ("is_restricted", "true", 0.002),
        ("moved_away_code", None, 0.003),
        ("no_fixed_abode", "true", 0.001),
        ("asked_not_to_be_contacted", "true", 0.001),
        ("unsafe_channels", None, 0.003),
    ],
)
def test_circumstances_are_as_common_as_they_should_be(
    patients: list[dict[str, str]], column: str, value: str | None, share: float
) -> None:
    count = sum(1 for row in patients if row[column] and value in (None, row[column]))
    assert near(count, share * len(patients))


def test_everybody_unsafe_to_contact_has_an_instruction_that_does_not_say_why(patients: list[dict[str, str]]) -> None:
    assert all(bool(row["unsafe_channels"]) == bool(row["safe_contact_instruction"]) for row in patients)
    why = re.compile("abuse|violen|partner|husband|wife|safeguard|risk|danger", re.IGNORECASE)
    assert not [text for text in SAFE_CONTACT_INSTRUCTIONS if why.search(text)]


def test_a_quarter_has_no_mobile_and_numbers_are_ofcoms_for_drama(patients: list[dict[str, str]]) -> None:
    mobiles = [row["mobile"] for row in patients if row["mobile"]]
    assert near(len(patients) - len(mobiles), 0.25 * len(patients))
    assert all(re.fullmatch("07700 900[0-9]{3}", number) for number in mobiles)
    assert all(re.fullmatch("01632 960[0-9]{3}", row["landline"]) for row in patients if row["landline"])


def test_ages_and_sexes_are_englands(patients: list[dict[str, str]], country: Country) -> None:
    def share(low: int, high: int) -> float:
        ages = [(TODAY - date.fromisoformat(row["birth_date"])).days / 365.2425 for row in patients]
        return sum(low <= age < high for age in ages) / len(ages)

    assert share(0, 18) == pytest.approx(0.214, abs=0.015)
    assert share(18, 70) == pytest.approx(0.65, abs=0.02)
    assert 0.125 < share(70, 101) < 0.145
    assert country.planted["aged-70-and-over"] == pytest.approx(share(70, 101) * len(patients), abs=3)
    assert sum(row["sex"] == "F" for row in patients) / len(patients) == pytest.approx(0.51, abs=0.015)


def test_rows_per_person_is_an_average(country: Country, tables: duckdb.DuckDBPyConnection) -> None:
    total = sum(
        tables.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        for table in ("events", "medications", "admissions")
    )
    assert 5 * country.people * 0.95 < total < 5 * country.people * 1.25


@pytest.mark.parametrize("table", ["events", "medications", "admissions"])
def test_no_row_is_sent_twice_or_dated_after_the_extract(
    country: Country, tables: duckdb.DuckDBPyConnection, table: str
) -> None:
    rows = f"(SELECT * FROM {table} LIMIT (SELECT count(*) FROM {table}) - {country.dirty_rows[table]})"
    later = tables.execute(f"SELECT count(*) FROM {rows} WHERE date::DATE > DATE '{TODAY}'").fetchall()
    twice = tables.execute(f"SELECT count(*) - count(DISTINCT t) FROM {rows} AS t").fetchall()
    assert (later, twice) == ([(0,)], [(0,)])


def test_households_share_an_address_and_mostly_a_name(patients: list[dict[str, str]]) -> None:
    homes: dict[str, list[dict[str, str]]] = {}
    for row in patients:
        if row["uprn"]:
            homes.setdefault(row["uprn"], []).append(row)
    assert 2.2 < len(patients) / len(homes) < 2.6
    shared = [people for people in homes.values() if len(people) > 1]
    assert all(len({(row["address_line_1"], row["postcode"]) for row in people}) == 1 for people in shared)
    alike = sum(len({row["family_name"] for row in people}) == 1 for people in shared)
    assert 0.5 < alike / len(shared) < 0.95


def test_names_have_the_marks_that_systems_get_wrong(patients: list[dict[str, str]]) -> None:
    names = [f"{row['given_name']} {row['family_name']}" for row in patients]
    for wanted in ("'", "-", "é", "ł", "Đ", "Al-", "Ó ", "-Cholmondeley-"):
        assert any(wanted in name for name in names), wanted
    assert max(map(len, names)) < 100


def test_columns_are_those_of_the_extract_schema(country: Country) -> None:
    folders = {"medications": country.dispensing, "admissions": country.hospital}
    for table in TABLES:
        header = rows_of(folders.get(table.name, country.gp) / f"{table.name}.csv")[0].keys()
        assert sorted(header) == sorted(column.name for column in table.columns)
    assert len(COLUMNS) == 25
