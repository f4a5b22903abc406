"""The shipped criteria as an expert would write them by hand: one pass over the records, one GROUP BY.

The text is for DuckDB and PostgreSQL alike, and is the yardstick of the search engine: a criterion
that is shipped belongs here too, written by hand. Code lists are data: they are in the tables
`codes` (list, system, code, of codes that stand alone) and `pairs` (list, system, code, paired_code).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

from benchmarks.catalogue import shipped_lists

#: `{codes}` and so on are codes as literals, by which sorted files and indexes are skipped.
MET = """
CREATE TEMPORARY TABLE met AS
WITH found AS (
    SELECT r.person, c.list, r.date, r.source, r.value
    FROM records r JOIN codes c ON c.system = r.system AND c.code = r.code
    WHERE r.code IN ({codes}) AND r.date <= DATE '{day}'
    UNION ALL
    SELECT a.person, p.list, a.date, a.source, a.value
    FROM records a
    JOIN pairs p ON p.system = a.system AND p.code = a.code
    JOIN records b
        ON b.person = a.person AND b.episode = a.episode AND b.system = a.system AND b.code = p.paired_code
    WHERE a.code IN ({firsts}) AND b.code IN ({seconds}) AND a.episode <> ''
        AND a.date <= DATE '{day}' AND b.date <= DATE '{day}'
),
treated AS (
    SELECT a.person,
        count(*) FILTER (WHERE ca.list = 'solid-cancer' AND cb.list = 'chemotherapy') AS cancer_treated,
        count(*) FILTER (WHERE ca.list = 'lung-cancer' AND cb.list = 'radical-radiotherapy') AS lung_treated
    FROM records a
    JOIN records b ON b.person = a.person AND b.episode = a.episode AND (b.system <> a.system OR b.code <> a.code)
    JOIN codes ca ON ca.system = a.system AND ca.code = a.code
    JOIN codes cb ON cb.system = b.system AND cb.code = b.code
    WHERE ca.list IN ('solid-cancer', 'lung-cancer') AND cb.list IN ('chemotherapy', 'radical-radiotherapy')
        AND a.code IN ({cancers}) AND b.code IN ({treatments})
        AND a.episode <> '' AND a.source = 'HOSPITAL' AND b.source = 'HOSPITAL'
        AND a.date BETWEEN DATE '{day}' - INTERVAL '6 months' AND DATE '{day}' AND b.date <= DATE '{day}'
    GROUP BY a.person
),
courses AS (
    SELECT person, count(*) FILTER (WHERE gap IS NULL OR gap > 14) AS courses
    FROM (
        SELECT person, date - lag(date) OVER (PARTITION BY person ORDER BY date) AS gap
        FROM (
            SELECT DISTINCT r.person, r.date
            FROM records r JOIN codes c ON c.system = r.system AND c.code = r.code
            WHERE c.list = 'prednisolone' AND r.code IN ({steroids}) AND r.source = 'MEDICINES'
                AND r.date BETWEEN DATE '{day}' - INTERVAL '12 months' AND DATE '{day}'
        ) AS days
    ) AS gaps
    GROUP BY person
),
counted AS (
    SELECT person,
        count(*) FILTER (WHERE list = 'solid-transplant') AS transplant,
        count(*) FILTER (WHERE list = 'transplant-complication') AS complication,
        max(date) FILTER (WHERE list = 'immunosuppressant' AND source = 'MEDICINES') AS immunosuppressant,
        count(*) FILTER (WHERE list = 'haematological-cancer' AND source IN ('GP', 'HOSPITAL')
            AND date >= DATE '{day}' - INTERVAL '24 months') AS blood_cancer,
        max(date) FILTER (WHERE list = 'haematological-transplant' AND source IN ('GP', 'HOSPITAL'))
            AS blood_transplant,
        count(DISTINCT date) FILTER (WHERE list = 'prednisolone' AND source = 'MEDICINES'
            AND date >= DATE '{day}' - INTERVAL '3 months') AS steroid_3,
        count(DISTINCT date) FILTER (WHERE list = 'prednisolone' AND source = 'MEDICINES'
            AND date >= DATE '{day}' - INTERVAL '6 months') AS steroid_6,
        count(DISTINCT date) FILTER (WHERE list = 'prednisolone' AND source = 'MEDICINES'
            AND date >= DATE '{day}' - INTERVAL '12 months') AS steroid_12,
        count(*) FILTER (WHERE list = 'asthma-inhaler' AND source = 'MEDICINES'
            AND date >= DATE '{day}' - INTERVAL '12 months') AS inhaler,
        count(*) FILTER (WHERE list = 'inhaled-steroid' AND source = 'MEDICINES'
            AND date >= DATE '{day}' - INTERVAL '12 months') AS inhaled_steroid,
        count(*) FILTER (WHERE list = 'asthma' AND source IN ('GP', 'HOSPITAL')) AS asthma,
        count(*) FILTER (WHERE list = 'copd' AND source IN ('GP', 'HOSPITAL')) AS copd,
        count(*) FILTER (WHERE list = 'chronic-lung-disease' AND source IN ('GP', 'HOSPITAL')) AS lung_disease,
        count(*) FILTER (WHERE list = 'cystic-fibrosis') AS cystic_fibrosis,
        count(*) FILTER (WHERE list = 'severe-lung-disease' AND source IN ('GP', 'HOSPITAL')) AS severe_lung_disease,
        count(*) FILTER (WHERE list = 'corticosteroid-card' AND source = 'GP'
            AND date >= DATE '{day}' - INTERVAL '24 months') AS card,
        count(*) FILTER (WHERE list = 'rare-disease' AND source IN ('GP', 'HOSPITAL')) AS rare_disease,
        max(date) FILTER (WHERE list = 'pregnancy' AND date >= DATE '{day}' - INTERVAL '254 days') AS pregnant,
        max(date) FILTER (WHERE list = 'delivery') AS delivered,
        count(*) FILTER (WHERE list = 'congenital-heart-disease' AND source IN ('GP', 'HOSPITAL')) AS congenital,
        count(*) FILTER (WHERE list = 'splenectomy' AND source IN ('GP', 'HOSPITAL')) AS splenectomy,
        count(*) FILTER (WHERE list = 'spleen-problem' AND source IN ('GP', 'HOSPITAL')) AS spleen,
        count(*) FILTER (WHERE list = 'dialysis' AND (source = 'GP' OR source = 'HOSPITAL'
            AND date >= DATE '{day}' - INTERVAL '12 months')) AS dialysis,
        count(*) FILTER (WHERE list = 'chronic-heart-disease' AND source IN ('GP', 'HOSPITAL')) AS heart,
        count(*) FILTER (WHERE list = 'chronic-liver-disease' AND source IN ('GP', 'HOSPITAL')) AS liver,
        count(*) FILTER (WHERE list = 'chronic-neurological-disease' AND source IN ('GP', 'HOSPITAL')) AS nerves,
        max(date) FILTER (WHERE list = 'diabetes' AND source IN ('GP', 'HOSPITAL')) AS diabetes,
        max(date) FILTER (WHERE list = 'diabetes-resolved' AND source IN ('GP', 'HOSPITAL')) AS resolved,
        count(*) FILTER (WHERE list = 'immune-deficiency' AND source IN ('GP', 'HOSPITAL')) AS immunity,
        count(*) FILTER (WHERE list = 'chemotherapy' AND source IN ('GP', 'HOSPITAL')
            AND date >= DATE '{day}' - INTERVAL '6 months') AS chemotherapy_known,
        count(*) FILTER (WHERE list = 'chemotherapy' AND date >= DATE '{day}' - INTERVAL '6 months') AS chemotherapy,
        count(*) FILTER (WHERE list = 'solid-cancer' AND source = 'GP'
            AND date >= DATE '{day}' - INTERVAL '60 months') AS solid_cancer,
        count(*) FILTER (WHERE list = 'lung-cancer' AND source = 'GP'
            AND date >= DATE '{day}' - INTERVAL '24 months') AS lung_cancer,
        count(*) FILTER (WHERE list = 'radical-radiotherapy'
            AND date >= DATE '{day}' - INTERVAL '6 months') AS radiotherapy,
        count(*) FILTER (WHERE list = 'severe-copd' AND source = 'GP') AS severe_copd,
        max(date) FILTER (WHERE list = 'copd-lama' AND source = 'MEDICINES') AS lama,
        max(date) FILTER (WHERE list = 'copd-laba' AND source = 'MEDICINES') AS laba,
        max(date) FILTER (WHERE list = 'ckd-stage-3-to-5' AND source IN ('GP', 'HOSPITAL')) AS late_kidney,
        max(date) FILTER (WHERE list = 'ckd-stage-1-to-2' AND source IN ('GP', 'HOSPITAL')) AS early_kidney,
        count(*) FILTER (WHERE list = 'dialysis' AND source IN ('GP', 'HOSPITAL')
            AND date >= DATE '{day}' - INTERVAL '12 months') AS recent_dialysis,
        max(date) FILTER (WHERE list = 'body-mass-index' AND source = 'GP' AND value IS NOT NULL) AS weighed,
        max(date) FILTER (WHERE list = 'body-mass-index' AND source = 'GP' AND value >= 40 AND value < 200) AS heavy
    FROM found GROUP BY person
),
judged AS (
    SELECT p.person AS p_person, p.practice_code,
        p.birth_date <= DATE '{day}' - INTERVAL '70 years' AS is_old,
        p.birth_date <= DATE '{day}' - INTERVAL '35 years' AS is_35,
        p.birth_date <= DATE '{day}' - INTERVAL '18 years' AS is_adult,
        coalesce(lama >= DATE '{day}' - INTERVAL '6 months' AND laba >= DATE '{day}' - INTERVAL '6 months', false)
            AS both_inhalers,
        coalesce(immunosuppressant >= DATE '{day}' - INTERVAL '2 months', false) AS suppressed_2,
        coalesce(immunosuppressant >= DATE '{day}' - INTERVAL '6 months', false) AS suppressed_6,
        coalesce(steroid_3 >= 2 AND steroid_12 >= 4, false) AS steroids,
        coalesce(pregnant IS NOT NULL AND (delivered IS NULL OR delivered <= pregnant), false) AS expecting,
        c.*, t.cancer_treated, t.lung_treated, s.courses
    FROM patients p LEFT JOIN counted c ON c.person = p.person
    LEFT JOIN treated t ON t.person = p.person LEFT JOIN courses s ON s.person = p.person
)
SELECT * FROM (
    SELECT p_person AS person, practice_code,
        transplant > 0 OR complication > 0 AND suppressed_2 AS "solid-transplant",
        cancer_treated > 0 OR solid_cancer > 0 AND chemotherapy > 0 AS "solid-cancer-chemotherapy",
        lung_treated > 0 OR lung_cancer > 0 AND radiotherapy > 0 AS "lung-cancer-radiotherapy",
        blood_cancer > 0 AS "haematological-cancer",
        blood_transplant >= DATE '{day}' - INTERVAL '6 months' AS "haematological-transplant",
        blood_transplant IS NOT NULL AND (suppressed_2 OR steroids) AS "haematological-transplant-immunosuppressed",
        inhaler > 0 AND steroid_6 >= 4 AS "severe-asthma",
        is_35 AND (severe_copd > 0 OR copd > 0 AND both_inhalers AND courses >= 2) AS "severe-copd",
        cystic_fibrosis > 0 OR severe_lung_disease > 0 AS "severe-respiratory",
        card > 0 AS "corticosteroid-safety-card",
        rare_disease > 0 AS "rare-disease",
        suppressed_6 AS "immunosuppression",
        expecting AND congenital > 0 AS "pregnant-heart-defect",
        splenectomy > 0 AS "splenectomy",
        dialysis > 0 AS "dialysis",
        is_old AS "aged-70-and-over",
        NOT is_old AND (copd > 0 OR lung_disease > 0 OR cystic_fibrosis > 0 OR severe_lung_disease > 0
            OR asthma > 0 AND (inhaled_steroid > 0 OR inhaler > 0)) AS "chronic-respiratory-disease",
        NOT is_old AND (heart > 0 OR congenital > 0) AS "chronic-heart-disease",
        NOT is_old AND (late_kidney IS NOT NULL AND (early_kidney IS NULL OR early_kidney <= late_kidney)
            OR recent_dialysis > 0) AS "chronic-kidney-disease",
        NOT is_old AND liver > 0 AS "chronic-liver-disease",
        NOT is_old AND nerves > 0 AS "chronic-neurological-conditions",
        NOT is_old AND diabetes IS NOT NULL AND (resolved IS NULL OR resolved <= diabetes) AS "diabetes",
        NOT is_old AND (splenectomy > 0 OR spleen > 0) AS "spleen-problems",
        NOT is_old AND (immunity > 0 OR suppressed_6 OR chemotherapy_known > 0 OR steroids) AS "weakened-immune-system",
        is_adult AND NOT is_old AND heavy = weighed AS "severe-obesity",
        expecting AS "pregnant"
    FROM judged
) AS everybody
WHERE {any_criterion}
"""


class Connection(Protocol):
    """What runs SQL: a DuckDB connection or a cursor of PostgreSQL."""

    def execute(self, query: str, /) -> Any:
        """Runs a statement."""

    def executemany(self, query: str, rows: Any, /) -> Any:
        """Runs a statement for each row."""


def statements(slugs: Sequence[str], high: Sequence[str], day: date) -> tuple[str, str, str]:
    """Returns three statements: one that makes `met`; and of it (person, criterion), and (criterion, people).

    Of the first of these two only the criteria of the high tier are among the rows, as in a search.
    """
    codes, pairs = code_rows()
    missing = [slug for slug in slugs if f'AS "{slug}"' not in MET]
    if missing:
        raise LookupError(f"Write these criteria by hand in benchmarks/handwritten.py: {', '.join(missing)}")
    met = MET.format(
        day=day,
        codes=_literals({code for _, _, code in codes}),
        firsts=_literals({code for _, _, code, _ in pairs}),
        seconds=_literals({code for _, _, _, code in pairs}),
        cancers=_literals({code for slug, _, code in codes if slug in ("solid-cancer", "lung-cancer")}),
        treatments=_literals({code for slug, _, code in codes if slug in ("chemotherapy", "radical-radiotherapy")}),
        steroids=_literals({code for slug, _, code in codes if slug == "prednisolone"}),
        any_criterion=" OR ".join(f'"{slug}"' for slug in slugs),
    )
    flags = " UNION ALL ".join(f"SELECT person, '{slug}' AS criterion FROM met WHERE \"{slug}\"" for slug in high)
    counts = " UNION ALL ".join(
        f"SELECT '{slug}' AS criterion, count(*) AS people FROM met WHERE \"{slug}\"" for slug in slugs
    )
    return met, flags, counts


def give_code_lists(connection: Connection, place: str, *, is_duckdb: bool) -> None:
    """Makes the tables `codes` and `pairs`. `place` is how the connection spells a parameter."""
    codes, pairs = code_rows()
    kind = "TEXT"
    if is_duckdb:
        # Comparing numbers in place of words is what an expert would do.
        connection.execute(f"CREATE TYPE list_name AS ENUM ({_literals({row[0] for row in [*codes, *pairs]})})")
        kind = "list_name"
    connection.execute(f"CREATE TEMPORARY TABLE codes (list {kind}, system TEXT, code TEXT)")
    connection.execute(f"CREATE TEMPORARY TABLE pairs (list {kind}, system TEXT, code TEXT, paired_code TEXT)")
    connection.executemany(f"INSERT INTO codes VALUES ({place}, {place}, {place})", codes)
    connection.executemany(f"INSERT INTO pairs VALUES ({place}, {place}, {place}, {place})", pairs)


def code_rows() -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str, str]]]:
    """Returns the codes that stand alone of the lists in the query, as (list, system, code), and their pairs."""
    codes, pairs = set(), set()
    for slug, rows in shipped_lists():
        if f"list = '{slug}'" not in MET:
            continue
        for row in rows:
            if row["paired_code"]:
                pairs.add((slug, row["system"], row["code"], row["paired_code"]))
            else:
                codes.add((slug, row["system"], row["code"]))
    return sorted(codes), sorted(pairs)


def _literals(words: set[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))
