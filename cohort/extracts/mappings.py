"""Folders of another shape, turned into the tables of the contract: invented patients to test with.

What a mapping writes goes through the same checks as a supplier's files. Nobody in these sources is
real; they get invented NHS numbers of the range kept for tests, and placeholders where the source
has no name or address. `docs/extract.md` documents both mappings.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from cohort.extracts.checks import weighted_sum

#: NHS numbers 999 000 0000 to 999 999 9999: of the million identifiers these have a check digit.
INVENTED_NUMBERS = 909_091


class CannotMap(Exception):
    """The folder cannot be mapped; `problems` says why."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


def source_files(mapping: str, folder: Path) -> list[Path]:
    """Returns the files the mapping reads. Raises CannotMap where some are missing."""
    names, _ = MAPPINGS[mapping]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise CannotMap([f"{folder} has no {', '.join(missing)}, which the mapping {mapping} reads."])
    return [folder / name for name in names]


def map_tables(
    mapping: str, folder: Path, into: Path, *, as_at: date, practices: list[str], practice_code: str
) -> list[str]:
    """Writes patients.csv, events.csv and so on into a folder, and returns what is to be told.

    `practices` are the codes of those that are open. Raises CannotMap.
    """
    names, write = MAPPINGS[mapping]
    with _sources(folder, names) as db:
        return write(db, into, as_at, sorted(practices), practice_code)


def _ehrql(db: duckdb.DuckDBPyConnection, into: Path, as_at: date, practices: list[str], code: str) -> list[str]:
    if not practices:
        raise CannotMap(["No practice is known yet to stand for those of the source; load organisations first."])
    _invent_numbers(db, "SELECT DISTINCT patient_id, patient_id::BIGINT AS nth FROM patients")
    db.execute(
        "CREATE TABLE practices AS SELECT unnest($1) AS code, generate_subscripts($1, 1) - 1 AS nth", [practices]
    )
    day = f"DATE '{as_at}'"
    _write(
        db,
        into / "patients.csv",
        f"""
        WITH registered AS (
            SELECT patient_id, arg_max(practice_pseudo_id, start_date) AS pseudo_id FROM practice_registrations
            WHERE start_date::DATE <= {day} AND (end_date = '' OR end_date::DATE > {day}) GROUP BY patient_id
        ),
        registered_deaths AS (SELECT patient_id, min(date) AS died FROM ons_deaths GROUP BY patient_id)
        SELECT nhs_number, 'Invented' AS given_name, concat('Person ', p.patient_id) AS family_name,
            date_of_birth AS birth_date,
            CASE sex WHEN 'female' THEN 'F' WHEN 'male' THEN 'M' WHEN 'intersex' THEN 'O' ELSE 'U' END AS sex,
            coalesce(practices.code, '{_quoted(code)}') AS practice_code,
            concat(p.patient_id, ' Invented Street (placeholder)') AS address_line_1, '' AS postcode,
            CASE WHEN died <= '{as_at}' THEN 'FORMAL'
                 WHEN date_of_death <> '' AND date_of_death <= '{as_at}' THEN 'INFORMAL' ELSE '' END AS death_status,
            CASE WHEN died <= '{as_at}' THEN died WHEN date_of_death <= '{as_at}' THEN date_of_death END AS death_date
        FROM patients p LEFT JOIN numbers USING (patient_id) LEFT JOIN registered USING (patient_id)
            LEFT JOIN registered_deaths USING (patient_id)
            LEFT JOIN practices ON practices.nth = pseudo_id::BIGINT % {len(practices)}
        ORDER BY p.row
        """,
    )
    for name, source, system, column, value in (
        ("events", "clinical_events", "SNOMED", "snomedct_code", "numeric_value"),
        ("medications", "medications", "DMD", "dmd_code", "''"),
    ):
        _write(
            db,
            into / f"{name}.csv",
            f"SELECT nhs_number, date, '{system}' AS system, {column} AS code, {value} AS value"
            f" FROM {source} LEFT JOIN numbers USING (patient_id) ORDER BY {source}.row",
            leave_out="" if name == "events" else "value",
        )
    return [
        "Mapped from ehrql: NHS numbers, names and addresses are invented, and practices of this system stand for"
        " those of the source."
    ]


def _synthea(db: duckdb.DuckDBPyConnection, into: Path, as_at: date, practices: list[str], code: str) -> list[str]:
    if not code:
        raise CannotMap(["Synthea has no English practices; say with --practice which to put people under."])
    _invent_numbers(db, "SELECT Id AS patient_id, row_number() OVER (ORDER BY Id) AS nth FROM patients")
    _write(
        db,
        into / "patients.csv",
        f"""
        SELECT nhs_number, "FIRST" AS given_name, "LAST" AS family_name, BIRTHDATE AS birth_date,
            CASE WHEN GENDER IN ('F', 'M') THEN GENDER ELSE 'U' END AS sex, '{_quoted(code)}' AS practice_code,
            ADDRESS AS address_line_1, CITY AS address_line_2, '' AS postcode,
            CASE WHEN DEATHDATE <> '' AND DEATHDATE[:10] <= '{as_at}' THEN 'FORMAL' ELSE '' END AS death_status,
            CASE WHEN DEATHDATE[:10] <= '{as_at}' THEN DEATHDATE[:10] END AS death_date
        FROM patients LEFT JOIN numbers ON patient_id = Id ORDER BY patients.row
        """,
    )
    _write(
        db,
        into / "events.csv",
        """
        WITH events AS (
            SELECT 1 AS part, row, PATIENT, START AS happened, CODE, '' AS value FROM conditions
            UNION ALL SELECT 2, row, PATIENT, START, CODE, '' FROM procedures
            UNION ALL SELECT 3, row, PATIENT, DATE, CODE, VALUE FROM observations
                WHERE TYPE = 'numeric' AND regexp_full_match(CODE, '[0-9]{6,18}')
        )
        SELECT nhs_number, happened[:10] AS date, 'SNOMED' AS system, CODE AS code, value
        FROM events LEFT JOIN numbers ON patient_id = PATIENT ORDER BY part, row
        """,
    )
    counts = db.execute("""
        SELECT (SELECT count(*) FROM medications),
            count(*) FILTER (WHERE TYPE = 'numeric' AND NOT regexp_full_match(CODE, '[0-9]{6,18}')),
            count(*) FILTER (WHERE TYPE <> 'numeric')
        FROM observations
    """).fetchall()[0]
    return [
        "Mapped from Synthea: NHS numbers are invented, and addresses (United States) have no postcode.",
        f"medications.csv: {counts[0]:,} rows cannot be used: they are RxNorm, which is not a code system of ours.",
        f"observations.csv: {counts[1]:,} rows cannot be used: LOINC and Synthea's own codes are no system of ours.",
        f"observations.csv: {counts[2]:,} rows are not used: their value is not a number.",
    ]


_Write = Callable[[duckdb.DuckDBPyConnection, Path, date, list[str], str], list[str]]
#: By name: the files it reads and what writes the tables.
MAPPINGS: dict[str, tuple[tuple[str, ...], _Write]] = {
    "ehrql": (
        ("patients.csv", "clinical_events.csv", "medications.csv", "ons_deaths.csv", "practice_registrations.csv"),
        _ehrql,
    ),
    "synthea": (
        ("patients.csv", "conditions.csv", "procedures.csv", "observations.csv", "medications.csv"),
        _synthea,
    ),
}


@contextmanager
def _sources(folder: Path, names: tuple[str, ...]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a database with one table of text a file, each row numbered (`row`)."""
    reading = ""
    try:
        with duckdb.connect() as db:
            for reading in names:
                db.execute(
                    f"CREATE TABLE {reading.removesuffix('.csv')} AS SELECT row_number() OVER () AS row, *"
                    " FROM read_csv($1, all_varchar=true, header=true, delim=',', quote='\"', nullstr='\\N')",
                    [str(folder / reading)],
                )
            reading = "The source"
            yield db
    except duckdb.Error as error:
        # DuckDB's own message may quote a row.
        raise CannotMap([f"{reading} is not in the shape this mapping reads ({type(error).__name__})."]) from None


def _invent_numbers(db: duckdb.DuckDBPyConnection, people: str) -> None:
    """Makes `numbers` (patient_id, nhs_number): the nth valid number of the test range for the nth person."""
    db.execute(
        "CREATE TABLE numbers AS WITH invented AS ("
        f" SELECT row_number() OVER (ORDER BY n) - 1 AS nth, 10 * n + digit AS nhs_number FROM ("
        f" SELECT n, (11 - ({weighted_sum('(10 * n)')}) % 11) % 11 AS digit FROM range(999000000, 1000000000) t(n))"
        f" WHERE digit < 10) SELECT patient_id, nhs_number FROM ({people}) JOIN invented USING (nth)"
    )
    most = db.execute(f"SELECT max(nth) FROM ({people})").fetchall()[0][0]
    if most is not None and most >= INVENTED_NUMBERS:
        raise CannotMap([f"The highest patient id is {most:,}; there are {INVENTED_NUMBERS:,} invented numbers."])


def _write(db: duckdb.DuckDBPyConnection, path: Path, sql: str, *, leave_out: str = "") -> None:
    columns = f"* EXCLUDE ({leave_out})" if leave_out else "*"
    db.execute(f"COPY (SELECT {columns} FROM ({sql})) TO '{_quoted(str(path))}' (FORMAT csv, HEADER)")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
