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
from cohort.search.criteria import CodeSet
from cohort.search.engine import run_search
from cohort.search.terms import Tier
from shielding.demo.country import Country, make_country
from shielding.demo.plans import (
    FEWEST_OF_A_THOUSAND,
    GROUPS,
    LONG_TERM,
    NEAR_MISSES,
    TRANSPLANT_AND_MEDICINE,
)
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


def high_risk() -> tuple[str, ...]:
    """Returns the criteria of the high tier."""
    return tuple(criterion.slug for criterion in shipped_criteria() if criterion.tier is Tier.HIGH)


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
        extracts=[tmp_path / name / "made" for name in ("gp", "dispensing", "hospital")],
        search_date=TODAY,
        out=out,
        progress=lambda percent, doing: None,
        threads=1,
    )
    assert result.people_searched == country.people
    assert result.counts == dict(country.planted)
    assert result.people_flagged == country.flagged
    found = duckdb.sql(f"SELECT person::VARCHAR, criterion FROM '{out}/flags-*.parquet' ORDER BY ALL").fetchall()
    planted = duckdb.sql(
        f"SELECT nhs_number, criterion FROM '{country.answers}' "
        f"WHERE is_hit AND criterion IN {high_risk()} ORDER BY ALL"
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
    """About 4 % in all; each group's share of the published counts (domain, section 4), the rarest more."""
    assert country.flagged / country.people == pytest.approx(0.04, abs=0.005)
    total = sum(group.published for group in GROUPS)
    for group in GROUPS:
        expected = max(group.published / total, FEWEST_OF_A_THOUSAND / 1000) * country.flagged
        if group.slug == "immunosuppression":
            expected += TRANSPLANT_AND_MEDICINE * country.planted["solid-transplant"]
        assert near(country.planted[group.slug], expected), group.slug
    assert country.planted["pregnant-heart-defect"]
    assert near(country.planted["pregnant"], 0.01 * country.people)


def test_long_term_conditions_are_about_as_common_as_in_england(country: Country) -> None:
    """Shares of all people, under 70 only; QOF 2019-20 counts the old as well, and asthma without a medicine."""
    share = {slug: country.planted[slug] / country.people for slug in LONG_TERM}
    assert share == {
        "chronic-respiratory-disease": pytest.approx(0.07, abs=0.015),
        "chronic-heart-disease": pytest.approx(0.03, abs=0.01),
        "chronic-kidney-disease": pytest.approx(0.03, abs=0.01),
        "chronic-liver-disease": pytest.approx(0.005, abs=0.002),
        "chronic-neurological-conditions": pytest.approx(0.02, abs=0.007),
        "diabetes": pytest.approx(0.045, abs=0.01),
        "spleen-problems": pytest.approx(0.0012, abs=0.001),
        "weakened-immune-system": pytest.approx(0.012, abs=0.004),
        "severe-obesity": pytest.approx(0.022, abs=0.006),
    }


def test_everybody_planned_is_about_a_shipped_criterion(country: Country) -> None:
    shipped = {criterion.slug for criterion in shipped_criteria()}
    assert country.planted.keys() == shipped
    assert {miss.criterion for miss in NEAR_MISSES.values()} <= shipped


def test_the_high_risk_are_older_than_the_rest(country: Country, patients: list[dict[str, str]]) -> None:
    """70 and over: 43 % of the published list."""
    high = duckdb.sql(
        f"SELECT DISTINCT nhs_number FROM '{country.answers}' WHERE is_hit AND criterion IN {high_risk()}"
    )
    numbers = {number for (number,) in high.fetchall()}
    old = [row for row in patients if row["nhs_number"] in numbers and row["birth_date"] <= "1950-04-01"]
    assert len(numbers) == country.flagged
    assert len(old) / len(numbers) == pytest.approx(0.43, abs=0.06)
