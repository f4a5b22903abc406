"""Finds the people of the extract store, or of the list, whom the rows of a hospital's list may be about.

A whole list at a time: one pass over the suppliers' newest extracts by NHS number, and two more, by
birth date and by postcode, for those whom their number does not settle. Never a query a row.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from cohort.extracts import store
from cohort.extracts.scratch import spilling_database
from cohort.matching import ALIKE, Comparison, Number, RowState, Verdict, born, decide
from cohort.models import Patient
from cohort.queries import extracts


@dataclass(frozen=True)
class Asked:
    """Somebody as a hospital names them. `nhs_number` is ten digits or empty; `postcode` as usual or empty."""

    nhs_number: str
    given_name: str
    family_name: str
    birth_date: date
    postcode: str


@dataclass(frozen=True)
class Known:
    """What is shown of somebody who may be meant. A restricted record shows no postcode."""

    nhs_number: str
    given_name: str
    family_name: str
    birth_date: date
    sex: str
    postcode: str
    is_restricted: bool


#: A comparison, and the rank of the extract it is with: 0 is the newest.
Ranked = tuple[int, Comparison]
_COLUMNS = "person, given_name, family_name, birth_date, postcode"
#: A name without case, accents, spaces and signs.
_BARE = "regexp_replace(strip_accents(lower({})), '[^a-z]', '', 'g')"


def verdicts(asked: Sequence[Asked]) -> list[Verdict]:
    """Returns who is meant by each, in the order given."""
    if not asked:
        return []
    with spilling_database() as db:
        _stage(db, asked)
        found = {row: _newest_of_each(ranked) for row, ranked in _by_number(db).items()}
        settled = [row for row, ranked in found.items() if _decided(ranked).state is RowState.MATCHED]
        db.register("settled_rows", pa.table({"row": pa.array(settled, pa.int64())}))
        db.execute("CREATE TABLE settled AS FROM settled_rows")
        db.execute("DELETE FROM asked WHERE row IN (SELECT row FROM settled)")
        for row, ranked in _by_details(db).items():
            found[row] = [*found.get(row, []), *ranked]
    return [_decided(found.get(row, [])) for row in range(len(asked))]


def _decided(ranked: Iterable[Ranked]) -> Verdict:
    return decide(compared for _, compared in ranked)


def known_people(nhs_numbers: Sequence[str]) -> dict[str, Known]:
    """Returns what may be shown of these people, by NHS number; those in no newest extract as the list has them."""
    wanted = set(nhs_numbers)
    found: dict[str, Known] = {}
    for extract in extracts.newest_extracts():
        paths = _shards(extracts.extract_folder(extract), wanted - set(found))
        if not paths:
            continue
        with spilling_database() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS}, sex, is_restricted FROM read_parquet($paths) WHERE person IN"
                " (SELECT unnest($people))",
                {"paths": paths, "people": [int(number) for number in wanted - set(found)]},
            ).fetchall()
        for person, given_name, family_name, birth_date, postcode, sex, is_restricted in rows:
            number = f"{person:010d}"
            shown = "" if is_restricted else postcode
            found[number] = Known(number, given_name, family_name, birth_date, sex, shown, is_restricted)
    for patient in Patient.objects.filter(nhs_number__in=wanted - set(found)):
        found[patient.nhs_number] = Known(
            patient.nhs_number,
            patient.given_name,
            patient.family_name,
            patient.birth_date,
            patient.sex,
            "" if patient.is_restricted else patient.postcode,
            patient.is_restricted,
        )
    return found


def _shards(folder: Path, numbers: set[str]) -> list[str]:
    paths = {store.shard_of(folder, "patients", int(number)) for number in numbers}
    return sorted(str(path) for path in paths if path is not None)


def _stage(db: duckdb.DuckDBPyConnection, asked: Sequence[Asked]) -> None:
    """Makes the table of those asked about and the view of everybody known, the newest extract first by `rank`."""
    rows = pa.table(
        {
            "row": pa.array(range(len(asked)), pa.int64()),
            "person": pa.array([int(each.nhs_number) if each.nhs_number else None for each in asked], pa.int64()),
            "given": pa.array([each.given_name for each in asked], pa.string()),
            "family": pa.array([each.family_name for each in asked], pa.string()),
            "birth_date": pa.array([each.birth_date for each in asked], pa.date32()),
            "postcode": pa.array([each.postcode for each in asked], pa.string()),
        }
    )
    db.register("asked_rows", rows)
    db.execute(
        f"CREATE TABLE asked AS SELECT row, person, {_BARE.format('given')} AS given,"
        f" {_BARE.format('family')} AS family, birth_date, postcode FROM asked_rows"
    )
    sources = [
        (rank, [str(path) for path in extracts.patients_paths([extract])])
        for rank, extract in enumerate(extracts.newest_extracts())
    ]
    selects = [f"SELECT {rank} AS rank, {_COLUMNS} FROM read_parquet({paths!r})" for rank, paths in sources if paths]
    numbers = [each.nhs_number for each in asked if each.nhs_number]
    listed = Patient.objects.filter(nhs_number__in=numbers).values_list(
        "nhs_number", "given_name", "family_name", "birth_date", "postcode"
    )
    columns: list[tuple[Any, ...]] = list(zip(*listed, strict=True)) or [()] * 5
    db.register(
        "listed_rows",
        pa.table(
            {
                "person": pa.array([int(number) for number in columns[0]], pa.int64()),
                "given_name": pa.array(columns[1], pa.string()),
                "family_name": pa.array(columns[2], pa.string()),
                "birth_date": pa.array(columns[3], pa.date32()),
                "postcode": pa.array(columns[4], pa.string()),
            }
        ),
    )
    # As a table: a join's filter cannot be pushed down into what lies in Python.
    db.execute("CREATE TABLE listed AS FROM listed_rows")
    # Whoever is in no extract any more is still known by the number they had.
    selects.append(f"SELECT {len(sources)} AS rank, {_COLUMNS} FROM listed")
    db.execute(f"CREATE VIEW known AS {' UNION ALL '.join(selects)}")


def _by_number(db: duckdb.DuckDBPyConnection) -> dict[int, list[Ranked]]:
    return _compared(db, "FROM asked a JOIN known k ON k.person = a.person", Number.SAME, "true")


def _by_details(db: duckdb.DuckDBPyConnection) -> dict[int, list[Ranked]]:
    """Compares each with whoever shares their birth date and a name, or their postcode and both names."""
    other = "(a.person IS NULL OR a.person <> k.person)"
    found: dict[int, list[Ranked]] = defaultdict(list)
    for join, worth in (
        ("k.birth_date = a.birth_date", f"greatest(given, family) >= {ALIKE}"),
        ("k.postcode = a.postcode AND a.postcode <> ''", f"least(given, family) >= {ALIKE}"),
    ):
        for row, ranked in _compared(db, f"FROM asked a JOIN known k ON {join} AND {other}", None, worth).items():
            found[row].extend(ranked)
    newest = _newest_ranks(db, {int(each.nhs_number) for ranked in found.values() for rank, each in ranked if rank})
    for row, ranked in found.items():
        current = [pair for pair in ranked if pair[0] == newest.get(pair[1].nhs_number, 0)]
        found[row] = _newest_of_each(current)
    return found


def _newest_ranks(db: duckdb.DuckDBPyConnection, people: set[int]) -> dict[str, int]:
    """Returns the rank of the newest extract that has each of these people: what an older one says is no more so."""
    if not people:
        return {}
    db.register("older_people", pa.table({"person": pa.array(sorted(people), pa.int64())}))
    db.execute("CREATE TABLE older AS FROM older_people")
    rows = db.execute("SELECT person, min(rank) FROM known SEMI JOIN older USING (person) GROUP BY person")
    return {f"{person:010d}": rank for person, rank in rows.fetchall()}


def _compared(db: duckdb.DuckDBPyConnection, source: str, number: Number | None, worth: str) -> dict[int, list[Ranked]]:
    """Returns (rank, comparison) by row. `worth` narrows them by how alike the names are, given and family."""
    given, family = _BARE.format("k.given_name"), _BARE.format("k.family_name")
    rows = db.execute(
        "SELECT row, rank, person, is_numbered, asked_born, known_born, is_swapped, is_same_postcode,"
        " CASE WHEN is_swapped THEN crossed_given ELSE straight_given END AS given,"
        " CASE WHEN is_swapped THEN crossed_family ELSE straight_family END AS family"
        " FROM (SELECT *, least(crossed_given, crossed_family) > least(straight_given, straight_family)"
        f"  AND least(crossed_given, crossed_family) >= {ALIKE} AS is_swapped"
        " FROM (SELECT row, rank, person, is_numbered, asked_born, known_born, is_same_postcode,"
        "  jaro_winkler_similarity(given, known_given) AS straight_given,"
        "  jaro_winkler_similarity(family, known_family) AS straight_family,"
        "  jaro_winkler_similarity(given, known_family) AS crossed_given,"
        "  jaro_winkler_similarity(family, known_given) AS crossed_family"
        " FROM (SELECT a.row, k.rank, k.person, a.person IS NOT NULL AS is_numbered, a.birth_date AS asked_born,"
        "  k.birth_date AS known_born, a.postcode <> '' AND a.postcode = k.postcode AS is_same_postcode,"
        f"  a.given, a.family, {given} AS known_given, {family} AS known_family {source})))"
        f" WHERE {worth}"
    ).fetchall()
    found: dict[int, list[Ranked]] = defaultdict(list)
    for row, rank, person, is_numbered, asked_born, known_born, is_swapped, is_same_postcode, first, last in rows:
        says = number or (Number.OTHER if is_numbered else Number.NOT_GIVEN)
        alike = (first or 0.0, last or 0.0)
        compared = Comparison(
            f"{person:010d}", says, born(asked_born, known_born), *alike, bool(is_swapped), bool(is_same_postcode)
        )
        found[row].append((rank, compared))
    return found


def _newest_of_each(found: list[Ranked]) -> list[Ranked]:
    """Returns each person once: as the newest extract that knows them has them."""
    newest: dict[str, Ranked] = {}
    for rank, compared in found:
        if compared.nhs_number not in newest or rank < newest[compared.nhs_number][0]:
            newest[compared.nhs_number] = (rank, compared)
    return list(newest.values())
