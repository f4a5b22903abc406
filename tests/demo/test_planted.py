"""What the generator planted is what a search of its loaded extracts finds."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohort.actions.criteria import shipped_criteria
from cohort.extracts.loading import load
from cohort.extracts.reading import find_files
from cohort.extracts.schema import TABLES
from cohort.search.criteria import (CodeSet)
from cohort.search.engine import run_search
from shielding.demo.country import Country, make_country
from shielding.demo.records import CODE_LISTS
from tests.demo.reading import TODAY, near, rows_of


def test_noise_is_never_in_a_shipped_code_list(country: Country, tables: duckdb.DuckDBPyConnection) -> None:
    """Whoever has a listed code was planted, as a hit or as a near-miss of some criterion."""
    names = ("events", "medications", "admissions")
    everything = " UNION ALL ".join(f"SELECT nhs_number, system, code FROM {name}" for name in names)
    listed = f"read_csv('{CODE_LISTS}/*.csv', all_varchar = true)"
    strangers = tables.execute(
        f"SELECT count(DISTINCT nhs_number) FROM ({everything}) JOIN {listed} "
        f"USING (system, code) WHERE nhs_number NOT IN (SELECT nhs_number FROM '{country.answers}')"
    )
    assert strangers.fetchall() == [(0,)]


def code_sets() -> dict[str, CodeSet]:
    sets = {}
    for path in CODE_LISTS.glob("*.csv"):
        rows = rows_of(path)
        sets[path.stem] = CodeSet(
            path.stem,
            1,
            frozenset((row["system"], row["code"]) for row in rows if not row["paired_code"]),
            frozenset((row["system"], row["code"], row["paired_code"]) for row in rows if row["paired_code"]),
        )
    return sets


def load_all(country: Country, folder: Path) -> dict[str, Any]:
    """Loads the three suppliers' extracts and returns their counts by table, files in `folder`."""
    with (country.reference / "epraccur.csv").open(encoding="utf-8", newline="") as file:
        practices = [(row[0], date(2017, 10, 31) if row[11] else None) for row in csv.reader(file)]
    counts = {}
    for supplier in (country.gp, country.dispensing, country.hospital):
        scratch = folder / supplier.name
        scratch.mkdir(parents=True)
        files, ignored = find_files(supplier)
        assert not ignored
        loaded = load(
            files,
            made=scratch / "made",
            scratch=scratch,
            as_at=country.as_at,
            practices=practices,
            reject_above=0.01,
            memory_limit="1GB",
        )
        assert not loaded.notes
        counts |= {count.table: count for count in loaded.counts}
    return counts


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("seed", [2020, 1])
def test_a_search_of_the_loaded_extracts_finds_exactly_who_was_planted(
    tmp_path: Path, seed: int, file_format: Any
) -> None:
    country = make_country(
        tmp_path / "country",
        people=2000,
        seed=seed,
        as_at=TODAY,
        high_risk_share=0.2,
        dirt=0.004,
        file_format=file_format,
    )
    counts = load_all(country, tmp_path)
    assert counts.keys() == {table.name for table in TABLES}
    assert {name: count.rejected for name, count in counts.items()} == dict(country.dirty_rows)
    assert counts["patients"].accepted == country.people
    out = tmp_path / "out"
    result = run_search(
        criteria=shipped_criteria(),
        code_sets=code_sets(),
        patients=[tmp_path / "gp" / "made" / "patients-000-of-001.parquet"],
        records=[tmp_path / name / "made" / "records-000-of-001.parquet" for name in ("gp", "dispensing", "hospital")],
        search_date=TODAY,
        out=out,
        progress=lambda percent, doing: None,
        threads=1,
    )
    assert result.people_searched == country.people
    assert result.counts == dict(country.planted)
    assert result.people_flagged == country.flagged
    found = duckdb.sql(f"SELECT person::VARCHAR, criterion FROM '{out}/flags.parquet' ORDER BY ALL").fetchall()
    planted = duckdb.sql(
        f"SELECT nhs_number, criterion FROM '{country.answers}' WHERE is_hit AND criterion <> 'pregnant' ORDER BY ALL"
    ).fetchall()
    assert found == planted
    cast = {member.nhs_number: set(member.criteria) for member in country.cast.values()}
    assert {number: {slug for person, slug in found if person == number} for number in cast} == cast


def test_every_kind_of_near_miss_is_there_and_in_the_answers(country: Country) -> None:
    assert all(country.near_misses.values())
    answers = duckdb.sql(
        f"SELECT criterion || ': ' || about, count(*) FROM '{country.answers}' WHERE NOT is_hit GROUP BY 1"
    )
    assert dict(answers.fetchall()) == dict(country.near_misses)


def test_groups_have_the_published_proportions(country: Country) -> None:
    """About 4 % in all; each group's share of the five published counts (domain, section 4; dialysis 30,000)."""
    assert country.flagged / country.people == pytest.approx(0.04, abs=0.005)
    published = {
        "solid-transplant": 58_745,
        "severe-asthma": 171_007,
        "cystic-fibrosis": 105_289,
        "immunosuppression": 115_183,
        "dialysis": 30_000,
    }
    planted = {slug: country.planted[slug] for slug in published}
    for slug, people in published.items():
        assert planted[slug] / sum(planted.values()) == pytest.approx(people / sum(published.values()), abs=0.05), slug
    assert near(country.planted["pregnant"], 0.01 * country.people)


def test_the_high_risk_are_older_than_the_rest(country: Country, patients: list[dict[str, str]]) -> None:
    """70 and over: 43 % of the published list."""
    high = duckdb.sql(f"SELECT DISTINCT nhs_number FROM '{country.answers}' WHERE is_hit AND criterion <> 'pregnant'")
    numbers = {number for (number,) in high.fetchall()}
    old = [row for row in patients if row["nhs_number"] in numbers and row["birth_date"] <= "1950-04-01"]
    assert len(numbers) == country.flagged
    assert len(old) / len(numbers) == pytest.approx(0.43, abs=0.06)
