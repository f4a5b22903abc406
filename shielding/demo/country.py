"""The invented country: one seeded generator, of any size, for tests, demo and benchmarks.

`make_country` writes reference files and three suppliers' extracts in the shape of docs/extract.md,
and says what the search must find in them. See docs/invented-country.md.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import duckdb

from shielding.demo import patients, places, plans, records
from shielding.demo import reference as files
from shielding.demo.cast import CAST
from shielding.demo.dice import Dice, literal
from shielding.demo.people import make_people, nhs_number

FEWEST, MOST = 200, 56_000_000
#: Above this many people the extracts are Parquet unless told otherwise.
MOST_IN_CSV = 200_000


@dataclass(frozen=True)
class CastMember:
    """One of the fixed cast, as in this country. `criteria` are those that must find them."""

    given_name: str
    family_name: str
    nhs_number: str
    birth_date: date
    sex: str
    practice_code: str
    postcode: str
    council_code: str
    criteria: tuple[str, ...]
    about: str


@dataclass(frozen=True)
class Country:
    """What was made. `people` are those a loader must accept, the cast included.

    `planted` are people by criterion slug whom a search of `as_at` must find, no more and no fewer;
    `flagged` those with any high-risk one. `near_misses` are people by what nearly makes them hits.
    `dirty_rows` are, by table, rows at the end of its file that a loader must refuse. `answers` is a
    Parquet file of each planted person: nhs_number, practice_code, criterion, is_hit, about.
    """

    folder: Path
    people: int
    seed: int
    as_at: date
    reference: Path
    gp: Path
    dispensing: Path
    hospital: Path
    answers: Path
    cast: Mapping[str, CastMember]
    practice_codes: tuple[str, ...]
    closed_practice_code: str
    council_codes: tuple[str, ...]
    planted: Mapping[str, int]
    flagged: int
    near_misses: Mapping[str, int]
    dirty_rows: Mapping[str, int]


def make_country(
    folder: Path,
    *,
    people: int,
    seed: int = 2020,
    as_at: date,
    rows_per_person: int = 12,
    high_risk_share: float = 0.04,
    dirt: float = 0.001,
    file_format: Literal["csv", "parquet"] | None = None,
    memory_limit: str = "4GB",
    threads: int | None = None,
) -> Country:
    """Makes the country in `folder`: `reference/`, `extracts/{gp,dispensing,hospital}/` and `answers.parquet`.

    The same arguments give the same bytes, whatever the memory limit and the threads. `rows_per_person` is
    the average of coded rows (the plans' own come on top); `high_risk_share` is how many people the high-risk
    criteria find; `dirt` is how many rows of each table are to be refused. Raises ValueError for fewer than
    200 people or more than 56 million, or rows_per_person not from 1 to 1,000.
    """
    if not FEWEST <= people <= MOST:
        raise ValueError(f"An invented country has {FEWEST} to {MOST:,} people.")
    if not 1 <= rows_per_person <= 1000:
        raise ValueError("rows_per_person is from 1 to 1,000.")
    suffix = file_format or ("csv" if people <= MOST_IN_CSV else "parquet")
    copy = "(FORMAT csv, HEADER)" if suffix == "csv" else "(FORMAT parquet, COMPRESSION zstd)"
    reference, extracts = folder / "reference", folder / "extracts"
    gp, dispensing, hospital = (extracts / name for name in ("gp", "dispensing", "hospital"))
    for path in (reference, gp, dispensing, hospital):
        path.mkdir(parents=True, exist_ok=True)
    dice = Dice(seed)
    country_places = places.make_places(people - len(CAST), seed=seed)
    files.write_organisations(reference, country_places, as_at)
    files.write_councils(reference, country_places)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as scratch:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": f"{scratch}/spill",
        }
        if threads:
            config["threads"] = threads
        with duckdb.connect(f"{scratch}/people.duckdb", config=config) as connection:
            places.load_places(connection, country_places)
            files.write_postcodes(connection, reference / "postcodes.csv", country_places)
            make_people(connection, people=people, dice=dice, as_at=as_at, high_risk_share=high_risk_share)
            dirty = {
                "patients": patients.write_patients(
                    connection,
                    gp / f"patients.{suffix}",
                    people=people,
                    places=country_places,
                    dice=dice,
                    dirt=dirt,
                    copy=copy,
                )
            }
            for table in records.tables(dice, as_at, rows_per_person):
                path = {"events": gp, "medications": dispensing}.get(table.name, hospital) / f"{table.name}.{suffix}"
                dirty[table.name] = records.write_table(connection, table, path, dice=dice, dirt=dirt, copy=copy)
            planted = _planted(connection, as_at)
            flagged = _count(connection, " OR ".join(f"({where})" for where in plans.HIGH_RISK.values()))
            near_misses = {f"{slug}: {why}": _count(connection, where) for where, slug, why in _near_misses(as_at)}
            _write_answers(connection, folder / "answers.parquet", as_at)
    return Country(
        folder=folder,
        people=people,
        seed=seed,
        as_at=as_at,
        reference=reference,
        gp=gp,
        dispensing=dispensing,
        hospital=hospital,
        answers=folder / "answers.parquet",
        cast=MappingProxyType(_cast(country_places)),
        practice_codes=tuple(practice.code for practice in country_places.practices),
        closed_practice_code=country_places.closed_practice_code,
        council_codes=tuple(council.gss for council in country_places.councils),
        planted=MappingProxyType(planted),
        flagged=flagged,
        near_misses=MappingProxyType(near_misses),
        dirty_rows=MappingProxyType(dirty),
    )


def _count(connection: duckdb.DuckDBPyConnection, where: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM person WHERE {where}").fetchall()[0][0])


def _hits(as_at: date) -> dict[str, str]:
    """Returns by criterion SQL for the people whom a search on that day must find."""
    long_term = {slug: f"{where} AND {_under_70(as_at)}" for slug, where in plans.LONG_TERM.items()}
    return {**plans.HIGH_RISK, **long_term, "pregnant": plans.PREGNANT}


def _under_70(as_at: date) -> str:
    return f"birth_date > DATE '{as_at}' - INTERVAL 70 YEAR"


def _near_misses(as_at: date) -> list[tuple[str, str, str]]:
    """Returns SQL of people who nearly meet a criterion, the criterion, and why not."""
    return [
        *((plans.nearly(name), miss.criterion, miss.why_not) for name, miss in plans.NEAR_MISSES.items()),
        ("pregnancy = 3", "pregnant", "delivered since"),
        ("pregnancy = 4", "pregnant", "the code is older than 254 days"),
        ("has_heart_defect AND pregnancy = 3", "pregnant-heart-defect", "delivered since"),
        *((f"{where} AND NOT {_under_70(as_at)}", slug, "aged 70 or over") for slug, where in plans.LONG_TERM.items()),
    ]


def _planted(connection: duckdb.DuckDBPyConnection, as_at: date) -> dict[str, int]:
    planted = {slug: _count(connection, where) for slug, where in _hits(as_at).items()}
    return planted | {"aged-70-and-over": _count(connection, f"NOT {_under_70(as_at)}")}


def _write_answers(connection: duckdb.DuckDBPyConnection, path: Path, as_at: date) -> None:
    rows = [(where, slug, True, "planted") for slug, where in _hits(as_at).items()]
    rows += [(where, slug, False, why) for where, slug, why in _near_misses(as_at)]
    answers = " UNION ALL ".join(
        f"SELECT nhs::VARCHAR AS nhs_number, code AS practice_code, '{slug}' AS criterion, {is_hit} AS is_hit, "
        f"{literal(about)} AS about FROM person JOIN practice ON practice.number = practice WHERE {where}"
        for where, slug, is_hit, about in rows
    )
    connection.execute(f"COPY (FROM ({answers}) ORDER BY ALL) TO '{path}' (FORMAT parquet)")


def _cast(country_places: places.Places) -> dict[str, CastMember]:
    cast = {}
    for number, role in enumerate(CAST):
        practice = country_places.practices[role.practice]
        cast[role.given_name] = CastMember(
            given_name=role.given_name,
            family_name=role.family_name,
            nhs_number=nhs_number(number),
            birth_date=role.birth_date,
            sex=role.sex,
            practice_code=practice.code,
            postcode=patients.NO_FIXED_ABODE_POSTCODE
            if role.no_fixed_abode
            else patients.cast_address(country_places, number)[2],
            council_code=country_places.councils[practice.council].gss,
            criteria=(role.risk,) if role.risk else (),
            about=role.about,
        )
    return cast
