"""OMOP CDM 5.4 as CSV or Parquet, with the CONCEPT table that says what its numbers mean.

Read block by block into a scratch database; every row of what comes out carries the file and line it
came from. OMOP knows nobody's name: see `_PERSON`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cohort.extracts.mappings.shared import (
    CannotMap,
    Job,
    Mapped,
    Mapping,
    UnreadableLines,
    quoted,
    scratch_database,
    write_parquet,
)
from cohort.extracts.reading import Source, SourceFile, Unreadable
from cohort.extracts.schema import Table

#: CONCEPT.vocabulary_id in small letters, and the code system of ours it is.
VOCABULARIES = {
    "snomed": "SNOMED",
    "dm+d": "DMD",
    "bnf": "BNF",
    "icd10": "ICD-10",
    "icd10gb": "ICD-10",
    "opcs4": "OPCS-4",
    "ctv3": "CTV3",
    "read": "READ2",
}
#: Inpatient visit, inpatient hospital, emergency room and inpatient visit, intensive care.
INPATIENT_VISITS = ("9201", "8717", "262", "32037")
DEATH_CERTIFICATE = "32815"


@dataclass(frozen=True)
class _Records:
    """A table of events: the columns of its concepts, date and value, and what its rows are without a stay."""

    concept: str
    source_concept: str
    date: str
    source: str = "GP"
    value: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return ("person_id", self.concept, self.date)


RECORDS = {
    "condition_occurrence": _Records("condition_concept_id", "condition_source_concept_id", "condition_start_date"),
    "procedure_occurrence": _Records("procedure_concept_id", "procedure_source_concept_id", "procedure_date"),
    "drug_exposure": _Records(
        "drug_concept_id", "drug_source_concept_id", "drug_exposure_start_date", source="MEDICINES"
    ),
    "measurement": _Records(
        "measurement_concept_id", "measurement_source_concept_id", "measurement_date", value="value_as_number"
    ),
    "observation": _Records(
        "observation_concept_id", "observation_source_concept_id", "observation_date", value="value_as_number"
    ),
}
_PERSON = ("person_id", "gender_concept_id", "year_of_birth", "person_source_value")
#: By table: the columns that must be there, and those that may be.
COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "person": (_PERSON, ("month_of_birth", "day_of_birth", "birth_datetime", "location_id", "care_site_id")),
    "location": (("location_id",), ("address_1", "address_2", "city", "county", "state", "zip")),
    "care_site": (("care_site_id", "care_site_source_value"), ()),
    "death": (("person_id", "death_date"), ("death_type_concept_id",)),
    "visit_occurrence": (("visit_occurrence_id", "visit_concept_id"), ()),
    "concept": (("concept_id", "vocabulary_id", "concept_code"), ()),
    **{
        name: (
            records.columns,
            (records.source_concept, "visit_occurrence_id", "visit_detail_id", *filter(None, [records.value])),
        )
        for name, records in RECORDS.items()
    },
}
_FILE = re.compile(rf"({'|'.join(COLUMNS)})([._-].*)?(\.csv|\.csv\.gz|\.parquet)", re.IGNORECASE)


def files_of(folder: Path) -> list[Path]:
    """Returns the files that are read. Raises CannotMap without PERSON or CONCEPT."""
    found = sorted(path for path in folder.iterdir() if _FILE.fullmatch(path.name))
    missing = {"person", "concept"} - {_table(path) for path in found}
    if missing:
        names = " and ".join(f"{name.upper()}.csv" for name in sorted(missing, reverse=True))
        raise CannotMap([f"{folder} has no {names}, which the mapping omop reads."])
    return found


def _map(job: Job) -> Mapped:
    lines: dict[str, int] = defaultdict(int)
    bad: dict[str, list[tuple[str, int, str, str]]] = defaultdict(list)
    problems = []
    with scratch_database(job) as db:
        _create(db)
        for number, path in enumerate(files_of(job.folder)):
            table = _table(path)
            db.execute("INSERT INTO files VALUES (?, ?)", [number, path.name])
            try:
                for read, unreadable in _read(db, number, path, table):
                    lines[table] += read
                    bad[table] += unreadable
            except Unreadable as error:
                problems.append(str(error))
        if problems:
            raise CannotMap(problems)
        _resolve(db)
        write_parquet(db, job.into / "patients.parquet", _patients(quoted(job.practice_code), str(job.as_at)))
        for table, source, extra in (
            ("events", "GP", ", value"),
            ("medications", "MEDICINES", ""),
            ("admissions", "HOSPITAL", ", episode"),
        ):
            write_parquet(
                db,
                job.into / f"{table}.parquet",
                f"SELECT nhs_number, date, system, code{extra}, name AS source_file, line AS source_line"
                f" FROM used JOIN files USING (file) WHERE source = '{source}'",
            )
        notes = list(_notes(db))
    return Mapped(notes, [UnreadableLines(kind, lines[kind], found) for kind, found in bad.items() if found])


OMOP = Mapping(files_of, _map)


def _table(path: Path) -> str:
    found = _FILE.fullmatch(path.name)
    return found.group(1).lower() if found else ""


def _create(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("CREATE TABLE files (file INTEGER, name VARCHAR)")
    for table, (needed, others) in COLUMNS.items():
        columns = ", ".join(f"{column} VARCHAR" for column in (*needed, *others))
        db.execute(f"CREATE TABLE {table} (file INTEGER, line BIGINT, {columns})")


def _read(
    db: duckdb.DuckDBPyConnection, number: int, path: Path, table: str
) -> Iterator[tuple[int, list[tuple[str, int, str, str]]]]:
    if table == "concept":
        _read_concepts(db, number, path)
        return
    source = Source(SourceFile(path, Table(table, "", ())))
    header = [name.strip().lower() for name in source.header]
    needed, others = COLUMNS[table]
    missing = [column for column in needed if column not in header]
    if missing:
        raise Unreadable(f"{path.name}: required column{'s' * (len(missing) > 1)} missing: {', '.join(missing)}.")
    columns = ", ".join(
        f"nullif(trim(c{header.index(column)}), '')" if column in header else "NULL" for column in (*needed, *others)
    )
    for batch in source.batches():
        db.register("batch", batch.rows)
        db.execute(f"INSERT INTO {table} SELECT {number}, line, {columns} FROM batch")
        db.unregister("batch")
        bad = [
            (path.name, line.line, f"{line.column} {line.reason}".strip(), ",".join(line.fields)) for line in batch.bad
        ]
        yield batch.rows.num_rows + len(bad), bad


def _read_concepts(db: duckdb.DuckDBPyConnection, number: int, path: Path) -> None:
    """Reads the vocabulary: as Athena gives it, with tabs and no quotes, or with commas; only what we can use."""
    ours = f"lower(vocabulary_id) IN {tuple(VOCABULARIES)}"
    columns = ", ".join(COLUMNS["concept"][0])
    if path.suffix.lower() == ".parquet":
        source = "read_parquet($1)"
    else:
        shape = "delim='\\t', quote='', escape=''" if _has_tabs(path) else "delim=',', quote='\"'"
        source = f"read_csv($1, all_varchar=true, header=true, {shape})"
    try:
        db.execute(
            f"INSERT INTO concept SELECT {number}, 0, {columns.replace('concept_id', 'concept_id::VARCHAR', 1)}"
            f" FROM {source} WHERE {ours}",
            [str(path)],
        )
    except duckdb.Error as error:
        raise Unreadable(f"{path.name}: this is not a CONCEPT table with {columns} ({type(error).__name__}).") from None


def _has_tabs(path: Path) -> bool:
    head = duckdb.execute(
        "SELECT column0 FROM read_csv($1, header=false, delim='\\x01', quote='', escape='', all_varchar=true,"
        " columns={'column0': 'VARCHAR'}) LIMIT 1",
        [str(path)],
    ).fetchall()
    return bool(head) and "\t" in (head[0][0] or "")


def _resolve(db: duckdb.DuckDBPyConnection) -> None:
    """Makes `used` (records with person, source, system and code) and `left_out` (table, why, how many)."""
    systems = " ".join(f"WHEN '{name}' THEN '{ours}'" for name, ours in VOCABULARIES.items())
    db.execute(
        "CREATE TABLE codes AS SELECT concept_id, any_value(CASE lower(vocabulary_id)"
        f" {systems} END) AS system, any_value(concept_code) AS code FROM concept GROUP BY 1"
    )
    db.execute("CREATE TABLE people AS SELECT person_id, max(person_source_value) AS nhs_number FROM person GROUP BY 1")
    db.execute(
        "CREATE TABLE stays AS SELECT DISTINCT visit_occurrence_id FROM visit_occurrence"
        f" WHERE visit_concept_id IN {INPATIENT_VISITS}"
    )
    selects = [
        f"SELECT '{name}' AS name_of_table, file, line, person_id, {r.date} AS date, {r.value or 'NULL'} AS value,"
        f" {r.concept} AS concept_id, {r.source_concept} AS source_concept_id, visit_occurrence_id, visit_detail_id,"
        f" '{r.source}' AS source_without_stay FROM {name}"
        for name, r in RECORDS.items()
    ]
    db.execute(f"""
        CREATE TABLE used AS
        WITH coded AS (
            SELECT r.*, nhs_number, stays.visit_occurrence_id IS NOT NULL AS is_stay,
                coalesce(own.system, standard.system) AS known_system,
                CASE WHEN source_without_stay = 'MEDICINES' AND known_system = 'SNOMED' THEN 'DMD'
                    ELSE known_system END AS system,
                CASE WHEN own.system IS NOT NULL THEN own.code ELSE standard.code END AS code
            FROM ({" UNION ALL ".join(selects)}) r LEFT JOIN people USING (person_id)
                LEFT JOIN codes own ON own.concept_id = r.source_concept_id
                LEFT JOIN codes standard ON standard.concept_id = r.concept_id
                LEFT JOIN stays ON stays.visit_occurrence_id = r.visit_occurrence_id
        )
        SELECT name_of_table, file, line, nhs_number, date, value, system, code,
            CASE WHEN source_without_stay = 'MEDICINES' THEN 'MEDICINES'
                WHEN is_stay OR system IN ('ICD-10', 'OPCS-4') THEN 'HOSPITAL' ELSE source_without_stay END AS source,
            CASE WHEN NOT is_stay THEN '' WHEN visit_detail_id IS NOT NULL THEN concat('detail ', visit_detail_id)
                ELSE concat('visit ', visit_occurrence_id) END AS episode
        FROM coded
    """)
    db.execute("CREATE TABLE left_out AS SELECT name_of_table, count(*) AS n FROM used WHERE system IS NULL GROUP BY 1")
    db.execute("DELETE FROM used WHERE system IS NULL")


def _patients(practice_code: str, as_at: str) -> str:
    """OMOP has no names, and a letter to nobody must not go: these people are held as invalid records."""
    born = (
        "concat(lpad(year_of_birth, 4, '0'), '-', lpad(coalesce(month_of_birth, '1'), 2, '0'), '-',"
        " lpad(coalesce(day_of_birth, '1'), 2, '0'))"
    )
    died = f"death_date <= '{as_at}'"
    return f"""
        WITH deaths AS (
            SELECT person_id, min(death_date) AS death_date,
                bool_or(death_type_concept_id = '{DEATH_CERTIFICATE}') AS is_formal FROM death GROUP BY 1
        ),
        places AS (
            SELECT DISTINCT ON (location_id) * EXCLUDE (file, line) FROM location ORDER BY location_id, file, line
        ),
        sites AS (SELECT care_site_id, any_value(care_site_source_value) AS ods_code FROM care_site GROUP BY 1)
        SELECT person_source_value AS nhs_number, 'Name' AS given_name, 'Not In OMOP' AS family_name,
            coalesce(birth_datetime[:10], {born}) AS birth_date,
            CASE gender_concept_id WHEN '8532' THEN 'F' WHEN '8507' THEN 'M' WHEN '8521' THEN 'O' ELSE 'U' END AS sex,
            coalesce(ods_code, '{practice_code}') AS practice_code,
            address_1 AS address_line_1, address_2 AS address_line_2, city AS address_line_3,
            coalesce(county, state) AS address_line_4, zip AS postcode,
            CASE WHEN {died} AND is_formal THEN 'FORMAL' WHEN {died} THEN 'INFORMAL' ELSE '' END AS death_status,
            CASE WHEN {died} THEN death_date END AS death_date,
            true AS is_invalid, files.name AS source_file, person.line AS source_line
        FROM person JOIN files USING (file) LEFT JOIN deaths USING (person_id) LEFT JOIN places USING (location_id)
            LEFT JOIN sites USING (care_site_id)
    """


def _notes(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    yield (
        "Mapped from OMOP, which has no names: people known from here alone are held as invalid records until"
        " another extract names them."
    )
    for table, number in db.execute("FROM left_out ORDER BY ALL").fetchall():
        yield f"{table.upper()}: {number:,} left out: neither concept is of a code system of ours."
    for table, number in db.execute(
        "SELECT name_of_table, count(*) FROM used WHERE nhs_number IS NULL GROUP BY 1 ORDER BY 1"
    ).fetchall():
        yield f"{table.upper()}: {number:,} are about nobody whose PERSON with an NHS number is here, and are rejected."
    imprecise = db.execute(
        "SELECT count(*) FROM person WHERE birth_datetime IS NULL AND (month_of_birth IS NULL OR day_of_birth IS NULL)"
    ).fetchall()[0][0]
    if imprecise:
        yield f"PERSON: {imprecise:,} have a birth date without month or day: the first is used."
