"""A supplier's folder to spoil: Amina and Bob at one practice, Charlie at another."""

import csv
import gzip
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohort.actions.extracts import LoadReport, load_extract
from cohort.extracts import store
from tests.cohort.factories import OrganisationFactory, invented_nhs_number

AS_AT = date(2020, 3, 20)
AT = datetime(2020, 3, 21, 9, 0, tzinfo=UTC)
AMINA, BOB, CHARLIE = (invented_nhs_number(n) for n in (1, 2, 3))

PEOPLE = [
    {
        "nhs_number": AMINA,
        "given_name": "Amina",
        "family_name": "Khan",
        "birth_date": "1961-02-14",
        "sex": "F",
        "practice_code": "Z90001",
        "address_line_1": "1 Mill Lane",
        "postcode": "sm11aa",
    },
    {
        "nhs_number": f"{BOB[:3]} {BOB[3:6]} {BOB[6:]}",
        "given_name": "Bob",
        "family_name": "Marsh",
        "birth_date": "1948-11-02",
        "sex": "M",
        "practice_code": "Z90001",
        "address_line_1": "Flat 2, 3 High Street",
        "postcode": "SM1 1AB",
    },
    {
        "nhs_number": CHARLIE,
        "given_name": "Charlie",
        "family_name": "Stone",
        "birth_date": "1955-07-30",
        "sex": "M",
        "practice_code": "Z90002",
        "address_line_1": "9 Quay",
        "postcode": "SM1 1AC",
    },
]
EVENTS = [
    {"nhs_number": AMINA, "date": "2014-05-03", "system": "SNOMED", "code": "70536003", "value": ""},
    {"nhs_number": BOB, "date": "2019-01-31", "system": "SNOMED", "code": "195967001", "value": "2.5"},
]
MEDICATIONS = [{"nhs_number": BOB, "date": "2020-01-02", "system": "DMD", "code": "325521000"}]
ADMISSIONS = [
    {"nhs_number": CHARLIE, "episode": "E1", "date": "2018-06-01", "system": "ICD-10", "code": "B20.8"},
    {"nhs_number": CHARLIE, "episode": "E1", "date": "2018-06-01", "system": "OPCS-4", "code": "Y012"},
]
TABLES = {"patients": PEOPLE, "events": EVENTS, "medications": MEDICATIONS, "admissions": ADMISSIONS}


def as_csv(rows: list[dict[str, str]]) -> bytes:
    lines = [",".join(rows[0])]
    for row in rows:
        lines.append(",".join(f'"{v}"' if set(v) & set(',"\n') else v for v in row.values()))
    return ("\n".join(lines) + "\n").encode()


def write(folder: Path, tables: dict[str, list[dict[str, str]]], *, kind: str = "csv") -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    for name, rows in tables.items():
        content = as_csv(rows)
        if kind == "csv":
            (folder / f"{name}.csv").write_bytes(content)
        elif kind == "gz":
            (folder / f"{name}.csv.gz").write_bytes(gzip.compress(content))
        else:
            plain = folder / f".{name}"
            plain.write_bytes(content)
            types = "{'code': 'VARCHAR'}" if "code" in rows[0] else "{'nhs_number': 'VARCHAR'}"
            duckdb.execute(f"COPY (FROM read_csv('{plain}', types={types})) TO '{folder}/{name}.parquet'")
            plain.unlink()
    return folder


def stored(report: LoadReport, settings: Any, name: str) -> list[tuple]:
    paths = store.shard_paths(settings.EXTRACT_STORE / report.extract.folder, name)
    return duckdb.execute("FROM read_parquet(?)", [list(map(str, paths))]).fetchall() if paths else []


def rejected(report: LoadReport, name: str) -> list[dict[str, str]]:
    with (report.rejected_folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def practices(db: None) -> None:
    for code in ("Z90001", "Z90002"):
        OrganisationFactory(code=code)
    OrganisationFactory(code="Z90003", closed_date=date(2020, 3, 1))
    OrganisationFactory(code="Z90004", closed_date=date(2020, 4, 1))


@pytest.fixture
def load(practices: None) -> Callable[..., LoadReport]:
    def _load(folder: Path, **options: Any) -> LoadReport:
        arguments = {"supplier": "gp-systems", "as_at": AS_AT, "at": AT, "reject_above": 1.0} | options
        return load_extract(folder=folder, **arguments)

    return _load


def leftovers(settings: Any) -> list[str]:
    return sorted(os.listdir(settings.EXTRACT_STORE)) if settings.EXTRACT_STORE.exists() else []
