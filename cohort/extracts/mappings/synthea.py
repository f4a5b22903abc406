"""Synthea's CSV: invented people of the United States, who get invented NHS numbers."""

from cohort.extracts.mappings.shared import (
    CannotMap,
    Job,
    Mapped,
    Mapping,
    csv_tables,
    invent_numbers,
    named_files,
    quoted,
    write_csv,
)

FILES = ("patients.csv", "conditions.csv", "procedures.csv", "observations.csv", "medications.csv")


def _map(job: Job) -> Mapped:
    if not job.practice_code:
        raise CannotMap(["Synthea has no English practices; say with --practice which to put people under."])
    with csv_tables(job.folder, FILES) as db:
        invent_numbers(db, "SELECT Id AS patient_id, row_number() OVER (ORDER BY Id) AS nth FROM patients")
        write_csv(
            db,
            job.into / "patients.csv",
            f"""
            SELECT nhs_number, "FIRST" AS given_name, "LAST" AS family_name, BIRTHDATE AS birth_date,
                CASE WHEN GENDER IN ('F', 'M') THEN GENDER ELSE 'U' END AS sex,
                '{quoted(job.practice_code)}' AS practice_code,
                ADDRESS AS address_line_1, CITY AS address_line_2, '' AS postcode,
                CASE WHEN DEATHDATE <> '' AND DEATHDATE[:10] <= '{job.as_at}' THEN 'FORMAL' ELSE '' END AS death_status,
                CASE WHEN DEATHDATE[:10] <= '{job.as_at}' THEN DEATHDATE[:10] END AS death_date
            FROM patients LEFT JOIN numbers ON patient_id = Id ORDER BY patients.row
            """,
        )
        write_csv(
            db,
            job.into / "events.csv",
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
    return Mapped(
        [
            "Mapped from Synthea: NHS numbers are invented, and addresses (United States) have no postcode.",
            f"medications.csv: {counts[0]:,} rows cannot be used: they are RxNorm, which is not a code system of ours.",
            f"observations.csv: {counts[1]:,} rows cannot be used: LOINC and Synthea's own codes are no system of"
            " ours.",
            f"observations.csv: {counts[2]:,} rows are not used: their value is not a number.",
        ]
    )


SYNTHEA = Mapping(named_files("synthea", FILES), _map)
