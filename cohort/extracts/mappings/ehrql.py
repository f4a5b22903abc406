"""The example data of OpenSAFELY's ehrQL: invented people, who get invented NHS numbers and names."""

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

FILES = ("patients.csv", "clinical_events.csv", "medications.csv", "ons_deaths.csv", "practice_registrations.csv")


def _map(job: Job) -> Mapped:
    if not job.practices:
        raise CannotMap(["No practice is known yet to stand for those of the source; load organisations first."])
    with csv_tables(job.folder, FILES) as db:
        invent_numbers(db, "SELECT DISTINCT patient_id, patient_id::BIGINT AS nth FROM patients")
        db.execute(
            "CREATE TABLE practices AS SELECT unnest($1) AS code, generate_subscripts($1, 1) - 1 AS nth",
            [job.practices],
        )
        write_csv(db, job.into / "patients.csv", _patients(job))
        for name, source, system, column, value in (
            ("events", "clinical_events", "SNOMED", "snomedct_code", "numeric_value"),
            ("medications", "medications", "DMD", "dmd_code", "''"),
        ):
            write_csv(
                db,
                job.into / f"{name}.csv",
                f"SELECT nhs_number, date, '{system}' AS system, {column} AS code, {value} AS value"
                f" FROM {source} LEFT JOIN numbers USING (patient_id) ORDER BY {source}.row",
                leave_out="" if name == "events" else "value",
            )
    return Mapped(
        [
            "Mapped from ehrql: NHS numbers, names and addresses are invented, and practices of this system stand for"
            " those of the source."
        ]
    )


def _patients(job: Job) -> str:
    return f"""
        WITH registered AS (
            SELECT patient_id, arg_max(practice_pseudo_id, start_date) AS pseudo_id FROM practice_registrations
            WHERE start_date::DATE <= DATE '{job.as_at}' AND (end_date = '' OR end_date::DATE > DATE '{job.as_at}')
            GROUP BY patient_id
        ),
        registered_deaths AS (SELECT patient_id, min(date) AS died FROM ons_deaths GROUP BY patient_id)
        SELECT nhs_number, 'Invented' AS given_name, concat('Person ', p.patient_id) AS family_name,
            date_of_birth AS birth_date,
            CASE sex WHEN 'female' THEN 'F' WHEN 'male' THEN 'M' WHEN 'intersex' THEN 'O' ELSE 'U' END AS sex,
            coalesce(practices.code, '{quoted(job.practice_code)}') AS practice_code,
            concat(p.patient_id, ' Invented Street (placeholder)') AS address_line_1, '' AS postcode,
            CASE WHEN died <= '{job.as_at}' THEN 'FORMAL'
                 WHEN date_of_death <> '' AND date_of_death <= '{job.as_at}' THEN 'INFORMAL' ELSE '' END
                AS death_status,
            CASE WHEN died <= '{job.as_at}' THEN died WHEN date_of_death <= '{job.as_at}' THEN date_of_death END
                AS death_date
        FROM patients p LEFT JOIN numbers USING (patient_id) LEFT JOIN registered USING (patient_id)
            LEFT JOIN registered_deaths USING (patient_id)
            LEFT JOIN practices ON practices.nth = pseudo_id::BIGINT % {len(job.practices)}
        ORDER BY p.row
        """


EHRQL = Mapping(named_files("ehrql", FILES), _map)
