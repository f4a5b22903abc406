"""The search on Spark gives the reference's answer, and writes what the search on DuckDB writes."""

import tempfile
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.population import make_population
from benchmarks.steps import code_sets
from cohort.actions.criteria import shipped_criteria
from cohort.search import engine
from tests import spark
from tests.cohort.search.extracts import check, read, write_extract
from tests.cohort.search.strategies import CODE_SETS, SEARCH_DATES, criteria, people

pytest.importorskip("pyspark", reason="Spark is not installed: make test installs it")
from cohort.search.spark import run_search

WRITTEN = ["flags-*", "evidence-*", "people-*", "counts", "groups", "combinations", "attrition", "tally-profiles"]


def search(**given):
    return run_search(session=spark.session(), progress=lambda percent, doing: None, **given)


@settings(
    # The first is the simplest there is: the others count.
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.data())
def test_spark_agrees_with_the_reference(data: st.DataObject) -> None:
    search_date = data.draw(st.sampled_from(SEARCH_DATES))
    wanted = data.draw(criteria(least=60, most=60))
    everybody = data.draw(people(search_date, least=40, most=40))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = search(
            criteria=wanted,
            code_sets=CODE_SETS,
            extracts=[write_extract(folder / "extract", everybody, count=2)],
            search_date=search_date,
            out=folder / "out",
        )
        found = read(folder / "out", result)

    check(found, wanted, everybody, search_date)


def test_spark_writes_what_duckdb_writes(tmp_path: Path) -> None:
    country = make_population(tmp_path / "country", 3000, shards=2)
    extracts = country.first_week
    given = {
        "criteria": shipped_criteria(),
        "code_sets": code_sets(),
        "extracts": extracts,
        "search_date": date(2020, 3, 20),
    }
    told: list[int] = []

    by_duck = engine.run_search(**given, out=tmp_path / "duck", progress=lambda percent, doing: None)
    by_spark = run_search(
        session=spark.session(),
        **given,
        out=tmp_path / "spark",
        progress=lambda percent, doing: told.append(percent),
    )

    assert by_spark == by_duck
    assert by_spark.people_flagged > 100
    for name in WRITTEN:
        with duckdb.connect() as duck:
            one, other = (
                duck.sql(f"FROM read_parquet('{tmp_path / engine}/{name}.parquet') ORDER BY ALL")
                for engine in ("spark", "duck")
            )
            assert (one.columns, one.types) == (other.columns, other.types), name
            assert one.fetchall() == other.fetchall(), name
    assert told == sorted(told)
    assert told[-1] == 100


class Stopped(Exception):
    pass


def test_a_search_that_stops_leaves_nothing_and_can_begin_anew(tmp_path: Path) -> None:
    given = {
        "criteria": shipped_criteria()[:1],
        "code_sets": code_sets(),
        "search_date": date(2020, 3, 20),
        "out": tmp_path / "out",
    }
    with pytest.raises(engine.NoPatients):
        search(**given, extracts=[])
    given["extracts"] = [write_extract(tmp_path / "extract", {})]

    def stop(percent: int, doing: str) -> None:
        if percent:
            raise Stopped

    with pytest.raises(Stopped):
        run_search(session=spark.session(), progress=stop, **given)

    assert not (tmp_path / "out").exists()
    assert search(**given).people_searched == 0
