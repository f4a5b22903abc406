"""The coded records of the invented country: GP events, dispensed medicines, hospital admissions.

Everybody has noise: common codes that are in no shipped code list. Planned people have, besides,
exactly what makes a criterion find them, or exactly what nearly does. Codes of the shipped lists
are read from their files, so a list may change and the plans (`plans`, `rows`) with it.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from shielding.demo.dice import Dice, list_of, literal
from shielding.demo.plans import IS_PLAIN
from shielding.demo.rows import PLANNED, Place, Planned

CODE_LISTS = Path(__file__).resolve().parents[2] / "cohort" / "criteria_set" / "codelists"

#: (system, code, lowest value, highest value); values of 0 for none. Common in any GP record.
EVENT_NOISE = (
    ("SNOMED", "271649006", 98, 178),  # systolic blood pressure
    ("SNOMED", "271650006", 55, 105),  # diastolic blood pressure
    ("SNOMED", "27113001", 45, 130),  # body weight
    ("SNOMED", "999791000000106", 30, 85),  # HbA1c
    ("SNOMED", "38341003", 0, 0),  # hypertension
    ("SNOMED", "35489007", 0, 0),  # depression
    ("SNOMED", "77176002", 0, 0),  # smoker
    ("SNOMED", "8392000", 0, 0),  # non-smoker
    ("SNOMED", "86198006", 0, 0),  # influenza vaccination
    ("SNOMED", "308335008", 0, 0),  # encounter
    ("SNOMED", "25064002", 0, 0),  # headache
    ("SNOMED", "279039007", 0, 0),  # low back pain
    ("SNOMED", "54150009", 0, 0),  # upper respiratory infection
    ("SNOMED", "49727002", 0, 0),  # cough
    ("SNOMED", "396275006", 0, 0),  # osteoarthritis
    ("SNOMED", "24079001", 0, 0),  # atopic dermatitis
    ("CTV3", "246..", 0, 0),  # blood pressure, in a legacy code
)
MEDICINE_NOISE = (
    ("BNF", "0407010H0AAAMAM"),  # paracetamol
    ("BNF", "0103050P0AAAAAA"),  # omeprazole
    ("BNF", "0212000B0AAABAB"),  # atorvastatin
    ("BNF", "0206020A0AAAAAA"),  # amlodipine
    ("BNF", "0205051R0AAAAAA"),  # ramipril
    ("BNF", "0601022B0AAABAB"),  # metformin
    ("BNF", "0301011R0AAAPAP"),  # salbutamol
    ("BNF", "0209000A0AAABAB"),  # aspirin
    ("BNF", "0403030Q0AAAAAA"),  # sertraline
    ("BNF", "0501013B0AAABAB"),  # amoxicillin
    ("DMD", "39113311000001107"),  # salbutamol inhaler
    ("DMD", "323510009"),  # amoxicillin
    ("DMD", "317291008"),  # omeprazole
    ("DMD", "319283006"),  # amlodipine
    ("DMD", "325278007"),  # metformin
    ("DMD", "320000009"),  # simvastatin
)
DIAGNOSIS_NOISE = [
    "I10X",
    "E780",
    "J303",
    "K219",
    "M179",
    "N390",
    "R074",
    "J189",
    "H269",
    "K590",
    "I480",
    "F329",
    "D649",
    "S525",
    "R55X",
    "Z921",
]
PROCEDURE_NOISE = [
    "C751",
    "H251",
    "G459",
    "M459",
    "W371",
    "U211",
    "Y534",
    "W401",
    "X292",
    "Z942",
    "C712",
    "U051",
    "H221",
    "E851",
    "Q181",
    "T202",
]


class Codes:
    """The shipped code lists."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[str, str, str]]] = {}
        for path in sorted(CODE_LISTS.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                self._rows[path.stem] = [
                    (row["system"], row["code"], row.get("paired_code") or "") for row in csv.DictReader(file)
                ]
        #: Both halves of a pair are kept out of the noise, or it would make pairs by chance.
        self.all = {(system, code) for rows in self._rows.values() for system, code, _ in rows}
        self.all |= {(system, paired) for rows in self._rows.values() for system, _, paired in rows if paired}

    def single(self, slug: str, *systems: str) -> list[tuple[str, str]]:
        """Returns a list's (system, code) of those systems that count alone. Raises KeyError for an unknown list."""
        return [(system, code) for system, code, paired in self._rows[slug] if system in systems and not paired]

    def own(self, slug: str, *systems: str) -> list[tuple[str, str]]:
        """Returns the same, without codes that another list holds too."""
        others = {row[:2] for other, rows in self._rows.items() if other != slug for row in rows}
        return [pair for pair in self.single(slug, *systems) if pair not in others]

    def pairs(self, slug: str) -> list[tuple[str, str, str]]:
        """Returns a list's (system, code, paired code)."""
        return [row for row in self._rows[slug] if row[2]]


def _of(pairs: Sequence[tuple[str, ...]], part: int, index: str) -> str:
    """Returns SQL for one part of one of `pairs`, by an SQL index from 0."""
    parts = [pair[part] for pair in pairs]
    return literal(parts[0]) if len(set(parts)) == 1 else f"{list_of(parts)}[1 + {index}]"


class Records:
    """SQL of the three tables: (nhs BIGINT, date, system, code, and value or episode), noise then plans."""

    def __init__(self, dice: Dice, as_at: date, rows_per_person: int) -> None:
        self.dice, self.today, self.codes = dice, f"DATE '{as_at}'", Codes()
        self.admissions_mean = max(1, round(rows_per_person * 0.1))
        self.events_mean = round(rows_per_person * 0.6)
        self.medications_mean = max(0, rows_per_person - self.admissions_mean - self.events_mean)

    def _noise(self, purpose: str, mean: int, days: int, step: str = "j") -> str:
        """Returns SQL for each person's rows j of one table, on different days, with a number `h` of chance."""
        rows = self.dice.below(f"how many {purpose}", 2 * mean + 1)
        return (
            f"SELECT nhs, j, n, last_date - ({step} * width + (h >> 40) % width::UBIGINT)::INTEGER AS date, h FROM ("
            f"SELECT nhs, n, last_date, j, greatest(1, span // greatest(1, k)) AS width, "
            f"{self.dice.number(purpose, f'n * 1024 + {step}')} AS h FROM (SELECT nhs, n, last_date, k, span, "
            f"unnest(range(k)) AS j FROM (SELECT nhs, n, last_date, least({days}, last_date - birth_date) AS span, "
            f"least({rows}, span)::INTEGER AS k FROM person)))"
        )

    def _codes(self, planned: Planned) -> Sequence[tuple[str, ...]]:
        if planned.codes:
            return planned.codes
        if planned.is_pair:
            return self.codes.pairs(planned.code_list)
        choose = self.codes.single if planned.is_shared else self.codes.own
        return choose(planned.code_list, *planned.systems)

    def _rows(self, planned: Planned) -> str:
        """Returns SQL for the rows of a plan."""
        codes = self._codes(planned)
        code = _of(codes, 1, "c")
        if planned.is_pair:
            code = f"CASE i % 2 WHEN 0 THEN {code} ELSE {_of(codes, 2, 'c')} END"
        which = self.dice.below(f"code {planned.purpose}", len(codes), "n" if planned.is_pair else "n * 64 + i")
        return (
            f"SELECT nhs, {self.today} - ({planned.offset.format(today=self.today)})::INTEGER AS date, "
            f"{_of(codes, 0, 'c')} AS system, {code} AS code, "
            f"{planned.value or 'NULL'}::DOUBLE AS value, "
            + (f"'E' || (n * 1000 + {planned.episode})" if planned.episode else "''")
            + f" AS episode FROM (SELECT *, {which} AS c, "
            f"{self.dice.number(f'days {planned.days or planned.purpose}')} >> 8 AS d "
            f"FROM (SELECT *, unnest(range({planned.count})) AS i FROM person WHERE {planned.where}))"
        )

    def _planned(self, place: Place) -> list[str]:
        return [self._rows(planned) for planned in PLANNED if planned.place == place]

    def events(self) -> str:
        """Returns SQL of the GP's events."""
        noise = [row for row in EVENT_NOISE if row[:2] not in self.codes.all]
        pairs = [row[:2] for row in noise]
        low, high = ([float(row[part]) for row in noise] for part in (2, 3))
        index = f"(h % {len(noise)})::INTEGER"
        value = (
            f"CASE WHEN {high}[1 + {index}] > 0 THEN round({low}[1 + {index}] + "
            f"({high}[1 + {index}] - {low}[1 + {index}]) * ((h >> 20) % 1000) / 1000.0) END"
        )
        parts = [
            f"SELECT nhs, date, {_of(pairs, 0, index)} AS system, {_of(pairs, 1, index)} AS code, {value} AS value, "
            f"'' AS episode FROM ({self._noise('events', self.events_mean, 3650)})",
            *self._planned("events"),
        ]
        return " UNION ALL ".join(parts)

    def medications(self) -> str:
        """Returns SQL of the dispensed medicines."""
        noise = [row for row in MEDICINE_NOISE if row not in self.codes.all]
        index = f"(h % {len(noise)})::INTEGER"
        parts = [
            f"SELECT nhs, date, {_of(noise, 0, index)} AS system, {_of(noise, 1, index)} AS code, "
            f"NULL::DOUBLE AS value, '' AS episode FROM ({self._noise('medications', self.medications_mean, 365)})",
            *self._planned("medications"),
        ]
        return " UNION ALL ".join(parts)

    def admissions(self) -> str:
        """Returns SQL of the hospital's diagnoses and procedures; noise has two rows an episode."""
        diagnoses = [code for code in DIAGNOSIS_NOISE if ("ICD-10", code) not in self.codes.all]
        procedures = [code for code in PROCEDURE_NOISE if ("OPCS-4", code) not in self.codes.all]
        coded = (
            f"CASE WHEN j % 2 = 0 THEN {list_of(diagnoses)}[1 + (h % {len(diagnoses)})::INTEGER] "
            f"ELSE {list_of(procedures)}[1 + (h % {len(procedures)})::INTEGER] END"
        )
        parts = [
            f"SELECT nhs, date, CASE WHEN j % 2 = 0 THEN 'ICD-10' ELSE 'OPCS-4' END AS system, {coded} AS code, "
            f"NULL::DOUBLE AS value, 'E' || (n * 1000 + j // 2) AS episode "
            f"FROM ({self._noise('admissions', self.admissions_mean, 3650, 'j // 2')})",
            *self._planned("admissions"),
        ]
        return " UNION ALL ".join(parts)


#: What is wrong with each kind of coded row that a loader must refuse, in turn.
DIRT = ("check digit", "date to come", "unknown system", "spreadsheet date")


@dataclass(frozen=True)
class Table:
    """One table as a supplier sends it: its rows, about how many a person, and a row that is never wrong."""

    name: str
    columns: tuple[str, ...]
    sql: str
    mean: int
    harmless: tuple[str, str]


def tables(dice: Dice, as_at: date, rows_per_person: int) -> tuple[Table, Table, Table]:
    """Returns events, medications and admissions, with about `rows_per_person` rows of noise between them."""
    make = Records(dice, as_at, rows_per_person)
    key = ("nhs_number", "date", "system", "code")
    return (
        Table("events", (*key, "value"), make.events(), make.events_mean, ("SNOMED", "308335008")),
        Table("medications", key, make.medications(), make.medications_mean, ("BNF", "0407010H0AAAMAM")),
        Table(
            "admissions",
            ("nhs_number", "episode", "date", "system", "code"),
            make.admissions(),
            make.admissions_mean,
            ("ICD-10", "I10X"),
        ),
    )


def write_table(
    connection: duckdb.DuckDBPyConnection, table: Table, path: Path, *, dice: Dice, dirt: float, copy: str
) -> int:
    """Writes the table to `path` with the COPY options `copy`, rows to refuse at its end, and returns their number."""
    is_csv = path.suffix == ".csv"
    kinds = DIRT if is_csv else DIRT[:-1]
    chosen = f"{IS_PLAIN} AND {dice.share(f'dirty {table.name}')} < {dirt * table.mean}"
    connection.execute(
        f"CREATE OR REPLACE TABLE dirty AS SELECT *, (row_number() OVER (ORDER BY n) - 1) % {len(kinds)} AS kind "
        f"FROM person WHERE {chosen}"
    )
    day = "last_date - 40"
    system, code = map(literal, table.harmless)
    bad = {
        "nhs_number": "CASE kind WHEN 0 THEN (nhs // 10)::VARCHAR || (nhs % 10 + 1) % 10 ELSE nhs::VARCHAR END",
        "date": f"CASE kind WHEN 1 THEN DATE '2190-01-01' ELSE {day} END",
        "system": f"CASE kind WHEN 2 THEN 'SNOWMED' ELSE {system} END",
        "code": code,
        "value": "NULL::DOUBLE",
        "episode": "'E' || (n * 1000 + 990)",
    }
    if is_csv:
        bad["date"] = f"CASE kind WHEN 1 THEN '2190-01-01' WHEN 3 THEN '43891' ELSE ({day})::VARCHAR END"
    good = {"nhs_number": "nhs::VARCHAR"}
    connection.execute(
        f"COPY (SELECT {', '.join(f'{good.get(name, name)} AS {name}' for name in table.columns)} FROM ({table.sql}) "
        f"UNION ALL (SELECT {', '.join(f'{bad[name]} AS {name}' for name in table.columns)} FROM dirty ORDER BY n)) "
        f"TO '{path}' {copy}"
    )
    return int(connection.execute("SELECT count(*) FROM dirty").fetchall()[0][0])
