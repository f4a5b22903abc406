"""FHIR R4 Bulk Data (NDJSON), by the conventions of UK Core.

Files of one kind of resource are read block by block into a scratch database; then references are
resolved and each record that counts becomes one row. Every row carries the file and line it came from.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from cohort.extracts.mappings import fhir_patients
from cohort.extracts.mappings.fhir_shapes import ODS_CODES, SHAPES, day_of, id_of, structure, system_of
from cohort.extracts.mappings.lines import SHOWN, lines_of
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

PIECE_ROWS = 8192
INPATIENT = ("IMP", "ACUTE", "NONAC", "SS", "inpatient")
MEDICINES = ("MedicationRequest", "MedicationDispense")
#: Of several codings of one record the first of these systems is used, by what the record is.
PREFERRED = {
    "HOSPITAL": ["ICD-10", "OPCS-4", "SNOMED", "CTV3", "READ2", "DMD", "BNF"],
    "GP": ["SNOMED", "CTV3", "READ2", "DMD", "BNF", "ICD-10", "OPCS-4"],
    "MEDICINES": ["DMD", "BNF", "CTV3", "READ2", "SNOMED", "ICD-10", "OPCS-4"],
}
_FILE = re.compile(rf"({'|'.join(SHAPES)})([._-].*)?\.ndjson(\.gz)?", re.IGNORECASE)
_CODINGS = "STRUCT(system VARCHAR, code VARCHAR, selected BOOLEAN)[]"
_RECORDS = (
    "records (file INTEGER, line BIGINT, resource VARCHAR, id VARCHAR, part INTEGER, subject_number VARCHAR,"
    " subject_id VARCHAR, encounter_id VARCHAR, moment VARCHAR, value VARCHAR, medication_id VARCHAR,"
    f" request_id VARCHAR, why_not VARCHAR, codings {_CODINGS})"
)


def files_of(folder: Path) -> list[Path]:
    """Returns the NDJSON files that are read. Raises CannotMap where there are none."""
    found = sorted(path for path in folder.iterdir() if _FILE.fullmatch(path.name))
    if not found:
        raise CannotMap([f"{folder} has no Patient.ndjson, Condition.ndjson and so on, which the mapping fhir reads."])
    return found


def _map(job: Job) -> Mapped:
    with scratch_database(job) as db:
        _create(db)
        lines: dict[str, int] = defaultdict(int)
        bad: dict[str, list[tuple[str, int, str, str]]] = defaultdict(list)
        for number, path in enumerate(files_of(job.folder)):
            resource = _resource(path)
            db.execute("INSERT INTO files VALUES (?, ?)", [number, path.name])
            for read, unreadable in _read(db, number, path, resource, job):
                lines[resource] += read
                bad[resource] += [(path.name, *line) for line in sorted(unreadable)]
        _resolve(db)
        write_parquet(db, job.into / "patients.parquet", fhir_patients.output(quoted(job.practice_code)))
        for table, source, extra in (
            ("events", "GP", ", value"),
            ("medications", "MEDICINES", ""),
            ("admissions", "HOSPITAL", ", episode"),
        ):
            write_parquet(
                db,
                job.into / f"{table}.parquet",
                f"SELECT nhs_number, {day_of('moment')} AS date, system, unnest(codes) AS code{extra},"
                f" name AS source_file, line AS source_line FROM used JOIN files USING (file)"
                f" WHERE source = '{source}'",
            )
        notes = list(_notes(db))
    return Mapped(notes, [UnreadableLines(kind, lines[kind], found) for kind, found in bad.items() if found])


FHIR = Mapping(files_of, _map)


def _resource(path: Path) -> str:
    found = _FILE.fullmatch(path.name)
    written = found.group(1).lower() if found else ""
    return next(resource for resource in SHAPES if resource.lower() == written)


def _create(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("CREATE TABLE files (file INTEGER, name VARCHAR)")
    db.execute(f"CREATE TABLE {fhir_patients.TABLE}")
    db.execute("CREATE TABLE organizations (id VARCHAR, ods_code VARCHAR)")
    db.execute(f"CREATE TABLE medications (id VARCHAR, codings {_CODINGS})")
    db.execute("CREATE TABLE encounters (id VARCHAR, is_inpatient BOOLEAN, started VARCHAR)")
    db.execute(f"CREATE TABLE {_RECORDS}")


def _read(
    db: duckdb.DuckDBPyConnection, number: int, path: Path, resource: str, job: Job
) -> Iterator[tuple[int, list[tuple[int, str, str]]]]:
    """Stages a file block by block; yields of each how many lines it has, and those that are no such resource."""
    insert = _insert(number, resource, str(job.as_at))
    for block in lines_of(path):
        bad = [(line, "is not UTF-8", text) for line, text in block.bad]
        rows = block.rows.filter(block.rows["text"].is_valid())
        # One thread reads one piece, so a block in one piece would be parsed by one.
        db.register("block", pa.Table.from_batches(rows.to_batches(max_chunksize=PIECE_ROWS), rows.schema))
        db.execute(
            "CREATE OR REPLACE TEMP TABLE parsed AS"
            " SELECT line, text, TRY(from_json(CASE WHEN TRY(json_type(text)) = 'OBJECT' THEN text END, $1)) AS r"
            " FROM block WHERE trim(text) <> ''",
            [structure(resource)],
        )
        bad += db.execute(
            "SELECT line, CASE WHEN r.resourceType IS NULL THEN 'is not a FHIR resource written as JSON on one line'"
            f" ELSE 'is another resource than its file is named for' END, text[:{SHOWN}] FROM parsed"
            f" WHERE r.resourceType IS DISTINCT FROM '{resource}' ORDER BY line"
        ).fetchall()
        db.execute(
            f"CREATE OR REPLACE TEMP VIEW good AS SELECT line, r FROM parsed WHERE r.resourceType = '{resource}'"
        )
        db.execute(insert)
        read: int = db.execute("SELECT count(*) FROM parsed").fetchall()[0][0]
        db.unregister("block")
        yield read + len(block.bad), bad


def _insert(number: int, resource: str, as_at: str) -> str:
    match resource:
        case "Patient":
            return f"INSERT INTO patients {fhir_patients.select(number, as_at)}"
        case "Organization":
            codes = f"list_filter(r.identifier, lambda i: i.system IN {ODS_CODES})"
            return f"INSERT INTO organizations SELECT r.id, {codes}[1].value FROM good"
        case "Medication":
            return f"INSERT INTO medications SELECT r.id, {_codings('r.code')} FROM good"
        case "Encounter":
            return (
                f'INSERT INTO encounters SELECT r.id, r.class.code IN {INPATIENT}, r.period."start" FROM good'
                " WHERE r.status IS DISTINCT FROM 'entered-in-error' AND r.status IS DISTINCT FROM 'cancelled'"
            )
        case _:
            return "INSERT INTO records " + " UNION ALL ".join(
                _record(number, resource, part) for part in ((0, 1) if resource == "Observation" else (0,))
            )


def _record(number: int, resource: str, part: int) -> str:
    """Returns the query of a resource itself (part 0), or of an Observation's components (part 1)."""
    is_medicine = resource in MEDICINES
    item, source = ("c", "(SELECT line, r, unnest(r.component) AS c FROM good)") if part else ("r", "good")
    value = f"coalesce({item}.valueQuantity.value, {item}.valueInteger)" if resource == "Observation" else "NULL"
    contained = "list_filter(r.contained, lambda m: concat('#', m.id) = r.medicationReference.reference)[1].code"
    codings = (
        f"coalesce(nullif({_codings('r.medicationCodeableConcept')}, []), {_codings(contained)})"
        if is_medicine
        else _codings(f"{item}.code")
    )
    medication = id_of("r.medicationReference.reference") if is_medicine else "NULL"
    request = id_of("r.authorizingPrescription[1].reference") if resource == "MedicationDispense" else "NULL"
    encounter = "NULL" if is_medicine else id_of("r.encounter.reference")
    return (
        f"SELECT {number}, line, '{resource}', r.id,"
        f" {'row_number() OVER (PARTITION BY line)' if part else '0'},"
        f" {fhir_patients.subject_number('r.subject')}, {id_of('r.subject.reference')}, {encounter},"
        f" coalesce({_MOMENTS[resource]}), {value}, {medication}, {request}, {_WHY_NOT[resource]}, {codings}"
        f" FROM {source}"
    )


def _codings(concept: str) -> str:
    return (
        f"list_transform(list_filter({concept}.coding, lambda k: coalesce(k.code, '') <> ''),"
        f" lambda k: {{'system': {system_of('k.system')}, 'code': k.code, 'selected': k.userSelected = 'true'}})"
    )


_MOMENTS = {
    "Condition": 'r.onsetDateTime, r.onsetPeriod."start", r.recordedDate',
    "Procedure": 'r.performedDateTime, r.performedPeriod."start"',
    "Observation": 'r.effectiveDateTime, r.effectivePeriod."start", r.effectiveInstant, r.issued',
    "MedicationRequest": "r.authoredOn",
    "MedicationDispense": "r.whenHandedOver, r.whenPrepared",
}


def _status(field: str, left_out: tuple[str, ...]) -> str:
    spelled = ", ".join(f"'{status}'" for status in left_out)
    return f"CASE WHEN {field} IN ({spelled}) THEN {field} END"


_WHY_NOT = {
    "Condition": _status(
        "list_filter(r.verificationStatus.coding, lambda v: v.code IN ('entered-in-error', 'refuted'))[1].code",
        ("entered-in-error", "refuted"),
    ),
    "Procedure": _status("r.status", ("entered-in-error", "not-done", "preparation")),
    "Observation": (
        f"coalesce({_status('r.status', ('entered-in-error', 'cancelled'))},"
        " CASE WHEN list_filter(r.dataAbsentReason.coding, lambda d: d.code = 'not-performed')[1].code IS NOT NULL"
        " THEN 'not-performed' END)"
    ),
    "MedicationRequest": (
        f"coalesce({_status('r.status', ('entered-in-error', 'cancelled', 'draft'))},"
        f" {_status('r.intent', ('proposal', 'plan', 'option'))},"
        " CASE WHEN r.doNotPerform = 'true' THEN 'not to be given (doNotPerform)' END)"
    ),
    "MedicationDispense": _status("r.status", ("entered-in-error", "cancelled", "declined", "preparation")),
}


def _resolve(db: duckdb.DuckDBPyConnection) -> None:
    """Makes `used`: the records that count, each with its person, source, system and codes; tells why not the others.

    An SQL list of codes has more than one only for ICD-10 and OPCS-4, where codes of one record add to each other.
    """
    # Each id once, whatever the source says, so that no join makes two rows of one record.
    for table, columns in {
        "people": "SELECT id, max(nhs_number) AS nhs_number FROM patients WHERE id IS NOT NULL GROUP BY id",
        "stays": "SELECT id, bool_or(is_inpatient) AS is_inpatient, min(started) AS started FROM encounters"
        " GROUP BY id",
        "medicines": "SELECT id, any_value(codings) AS codings FROM medications GROUP BY id",
        "dispensed": "SELECT DISTINCT request_id AS id FROM records WHERE request_id IS NOT NULL AND why_not IS NULL",
    }.items():
        db.execute(f"CREATE TABLE {table} AS {columns}")
    db.execute(
        "CREATE OR REPLACE TABLE organizations AS SELECT id, max(ods_code) AS ods_code FROM organizations GROUP BY 1"
    )
    hospital = "list_transform(usable, lambda k: k.system IN ('ICD-10', 'OPCS-4'))"
    orders = " ".join(f"WHEN '{source}' THEN {order}" for source, order in PREFERRED.items())
    db.execute(f"""
        CREATE TABLE used AS
        WITH found AS (
            SELECT r.* EXCLUDE (codings), coalesce(r.subject_number, people.nhs_number) AS nhs_number,
                coalesce(is_inpatient, false) AS is_inpatient, stays.started,
                r.resource IN {MEDICINES} AS is_medicine,
                dispensed.id IS NOT NULL AND r.resource = 'MedicationRequest' AS is_dispensed,
                row_number() OVER (PARTITION BY r.resource, coalesce(r.id, concat(r.file, ' ', r.line)), r.part
                    ORDER BY r.file, r.line) AS nth,
                list_transform(list_filter(
                    CASE WHEN len(r.codings) > 0 THEN r.codings ELSE medicines.codings END,
                    lambda k: k.system IS NOT NULL), lambda k: {{
                        'system': CASE WHEN r.resource IN {MEDICINES} AND k.system = 'SNOMED' THEN 'DMD'
                            ELSE k.system END,
                        'code': CASE WHEN k.system IN ('ICD-10', 'OPCS-4') THEN upper(replace(k.code, '.', ''))
                            ELSE k.code END,
                        'selected': k.selected}}) AS usable
            FROM records r LEFT JOIN people ON people.id = r.subject_id LEFT JOIN stays ON stays.id = r.encounter_id
                LEFT JOIN medicines ON medicines.id = r.medication_id LEFT JOIN dispensed ON dispensed.id = r.id
        ),
        sourced AS (
            SELECT *, CASE WHEN is_medicine THEN 'MEDICINES'
                WHEN is_inpatient OR list_bool_and({hospital}) THEN 'HOSPITAL' ELSE 'GP' END AS source
            FROM found
        ),
        sorted AS (
            SELECT *, list_sort(list_transform(usable, lambda k, i: {{
                'rank': list_position(CASE source {orders} END, k.system),
                'unselected': NOT coalesce(k.selected, false), 'nth': i, 'system': k.system, 'code': k.code}})) AS best
            FROM sourced
        )
        SELECT file, line, resource, nhs_number, source, best[1].system AS system, value,
            CASE WHEN is_inpatient THEN encounter_id ELSE '' END AS episode,
            coalesce(moment, started) AS moment, moment IS NULL AND started IS NOT NULL AS is_date_of_stay,
            CASE WHEN best[1].system IN ('ICD-10', 'OPCS-4') THEN list_distinct(list_transform(
                list_filter(best, lambda k: k.system = best[1].system), lambda k: k.code))
                ELSE [best[1].code] END AS codes,
            len(usable) - len(codes) AS other_codings,
            CASE WHEN why_not IS NOT NULL THEN why_not
                WHEN nth > 1 THEN 'the same id came before'
                WHEN is_dispensed THEN 'its dispensing is counted instead'
                WHEN coalesce(len(usable), 0) = 0 AND part > 0 THEN 'component with no code of a system of ours'
                WHEN coalesce(len(usable), 0) = 0 THEN 'no code of a system of ours' END AS left_out
        FROM sorted
    """)
    db.execute(
        "CREATE TABLE left_out AS SELECT resource, left_out, count(*) AS n FROM used"
        " WHERE left_out IS NOT NULL GROUP BY ALL"
    )
    db.execute("DELETE FROM used WHERE left_out IS NOT NULL")


def _notes(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    for resource, why, number in db.execute("FROM left_out ORDER BY ALL").fetchall():
        yield f"{resource}: {number:,} left out: {why}."
    for resource, number in db.execute(
        "SELECT resource, sum(other_codings)::BIGINT FROM used GROUP BY 1 HAVING sum(other_codings) > 0 ORDER BY 1"
    ).fetchall():
        yield f"{resource}: {number:,} other codings of records that are used by another one (docs/mappings.md)."
    for what, condition in {
        "have a date without a day: the first of that month or year is used": "length(moment) IN (4, 7)",
        "have no date of their own: the day their stay in hospital began is used": "is_date_of_stay",
        "are about nobody whose Patient is here, and are rejected": "nhs_number IS NULL",
    }.items():
        for resource, number in db.execute(
            f"SELECT resource, count(*) FROM used WHERE {condition} GROUP BY 1 ORDER BY 1"
        ).fetchall():
            yield f"{resource}: {number:,} {what}."
    without = db.execute("SELECT count(*) FROM patients WHERE nhs_number IS NULL").fetchall()[0][0]
    if without:
        yield f"Patient: {without:,} have no NHS number, and are rejected."
