"""The coded records of the invented country: GP events, dispensed medicines, hospital admissions.

Everybody has noise: common codes that are in no shipped code list. Planned people have, besides,
exactly what makes a criterion find them, or exactly what nearly does. Codes of the shipped lists
are read from their files, so a list may change and the plans with it.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from shielding.demo.dice import Dice, list_of, literal
from shielding.demo.people import IS_PLAIN

CODE_LISTS = Path(__file__).resolve().parents[2] / "cohort" / "criteria_set" / "codelists"

#: (system, code, lowest value, highest value); values of 0 for none. Common in any GP record.
EVENT_NOISE = (
    ("SNOMED", "271649006", 98, 178),  # systolic blood pressure
    ("SNOMED", "271650006", 55, 105),  # diastolic blood pressure
    ("SNOMED", "27113001", 45, 130),  # body weight
    ("SNOMED", "60621009", 17, 42),  # body mass index
    ("SNOMED", "999791000000106", 30, 85),  # HbA1c
    ("SNOMED", "38341003", 0, 0),  # hypertension
    ("SNOMED", "44054006", 0, 0),  # type 2 diabetes
    ("SNOMED", "195967001", 0, 0),  # asthma
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
    ("CTV3", "H33..", 0, 0),  # asthma, in a legacy code
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
    "E119",
    "J459",
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

#: The kinds of near miss, from 1, with the criterion each would wrongly meet.
NEAR_MISSES = (
    ("asthma", "prednisolone dispensed on three days of six months, one day twice, and before them"),
    ("asthma", "prednisolone enough, but no inhaler"),
    ("asthma", "inhaler, and prednisolone before the window only"),
    ("transplant", "a transplant's code in the wrong system"),
    ("transplant", "the two codes of a pair in two episodes"),
    ("immunosuppressed", "the medicine before the window only"),
    ("dialysis", "a dialysis code in the wrong system"),
    ("dialysis", "dialysis in hospital, years ago"),
)
#: Real meanings of these: acute hepatitis C, melanoma of the leg, sinusitis, impacted teeth, caries,
#: poisoning; and, in OPCS-4, a bilateral operation. In the other system they are transplants or dialysis.
WRONG_SYSTEM_TRANSPLANTS = (
    *(("ICD-10", code) for code in ("B171", "C437", "J011", "K011", "K021")),
    ("OPCS-4", "Z941"),
)
WRONG_SYSTEM_DIALYSIS = (("ICD-10", "X401"), ("ICD-10", "X402"), ("ICD-10", "X403"))


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

    def _rows(
        self,
        purpose: str,
        where: str,
        codes: Sequence[tuple[str, ...]],
        offset: str,
        count: int = 1,
        *,
        code: str = "",
        episode: str = "",
        days: str = "",
    ) -> str:
        """Returns SQL for planned rows i = 0 to `count` - 1 of each person `where`.

        `offset` is SQL for the days before the extract, with i, and d, a number of chance of the person (the same
        for plans of the same `days`). `code` is SQL for it where the first of each of `codes` will not do; c is then
        which, the same for all of a person's rows. `episode` is SQL for its number among the person's.
        """
        which = self.dice.below(f"code {purpose}", len(codes), "n" if code else "n * 64 + i")
        return (
            f"SELECT nhs, {self.today} - ({offset})::INTEGER AS date, {_of(codes, 0, 'c')} AS system, "
            f"{code or _of(codes, 1, 'c')} AS code, NULL::DOUBLE AS value, "
            + (f"'E' || (n * 1000 + {episode})" if episode else "''")
            + f" AS episode FROM (SELECT *, {which} AS c, {self.dice.number(f'days {days or purpose}')} >> 8 AS d "
            f"FROM (SELECT *, unnest(range({count})) AS i FROM person WHERE {where}))"
        )

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
        transplant = self.codes.single("solid-transplant", "SNOMED")
        fibrosis = self.codes.single("cystic-fibrosis", "SNOMED")
        dialysis = self.codes.single("dialysis", "SNOMED")
        pregnant, delivered = self.codes.single("pregnancy", "SNOMED"), self.codes.single("delivery", "SNOMED")
        ever = f"30 + d % greatest(1, least(7000, {self.today} - birth_date - 30))"
        parts = [
            f"SELECT nhs, date, {_of(pairs, 0, index)} AS system, {_of(pairs, 1, index)} AS code, {value} AS value, "
            f"'' AS episode FROM ({self._noise('events', self.events_mean, 3650)})",
            self._rows("transplant", "transplant = 1", transplant, ever),
            self._rows("cystic fibrosis", "cystic_fibrosis AND n % 4 > 0", fibrosis, f"{ever} + i", 2),
            self._rows("dialysis", "dialysis AND n % 3 = 0", dialysis, "25 + d % 30 + 40 * i", 3),
            # Pregnant: the code in 254 days and no later delivery; of kind 2 after an earlier child's.
            self._rows("pregnant", "pregnancy IN (1, 2)", pregnant, "30 + d % 80 + 60 * i", 2),
            self._rows("earlier delivery", "pregnancy = 2", delivered, "500 + d % 200"),
            self._rows("earlier pregnancy", "pregnancy = 2", pregnant, "710 + d % 30"),
            self._rows("was pregnant", "pregnancy = 3", pregnant, "120 + d % 100"),
            self._rows("delivered", "pregnancy = 3", delivered, "25 + d % 80"),
            self._rows("pregnant long ago", "pregnancy = 4", pregnant, "290 + d % 400"),
        ]
        return " UNION ALL ".join(parts)

    def medications(self) -> str:
        """Returns SQL of the dispensed medicines."""
        noise = [row for row in MEDICINE_NOISE if row not in self.codes.all]
        index = f"(h % {len(noise)})::INTEGER"
        inhaler = self.codes.single("asthma-inhaler", "DMD", "BNF")
        steroid = self.codes.single("prednisolone", "DMD", "BNF")
        #: Of two systems, so that the two of one day are never the same row.
        one, another = (self.codes.single("prednisolone", system) for system in ("DMD", "BNF"))
        medicine = self.codes.single("immunosuppressant", "DMD", "BNF")
        parts = [
            f"SELECT nhs, date, {_of(noise, 0, index)} AS system, {_of(noise, 1, index)} AS code, "
            f"NULL::DOUBLE AS value, '' AS episode FROM ({self._noise('medications', self.medications_mean, 365)})",
            # Severe asthma: an inhaler, and prednisolone on four days or more of six months.
            self._rows("inhaler", "asthma OR near_miss IN (1, 3)", inhaler, "22 + d % 20 + 45 * i", 3),
            self._rows("steroid", "asthma", steroid, "23 + d % 9 + 30 * i", 5),
            self._rows("three steroids", "near_miss = 1", one, "24 + d % 20 + 50 * i", 3),
            self._rows("second strength", "near_miss = 1", another, "24 + d % 20", days="three steroids"),
            self._rows("older steroids", "near_miss IN (1, 3)", steroid, "215 + d % 20 + 35 * i", 4),
            self._rows("steroid alone", "near_miss = 2", steroid, "23 + d % 9 + 30 * i", 5),
            self._rows("medicine", "immunosuppressed", medicine, "22 + d % 8 + 30 * i", 5),
            self._rows("older medicine", "near_miss = 6", medicine, "400 + d % 30 + 30 * i", 4),
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
        transplant = self.codes.single("solid-transplant", "OPCS-4")
        status = self.codes.single("solid-transplant", "ICD-10")
        pairs = self.codes.pairs("solid-transplant")
        fibrosis = self.codes.single("cystic-fibrosis", "ICD-10")
        dialysis = self.codes.single("dialysis", "OPCS-4", "ICD-10")
        ever = f"30 + d % greatest(1, least(3400, {self.today} - birth_date - 60))"
        either = f"CASE i % 2 WHEN 0 THEN {_of(pairs, 1, 'c')} ELSE {_of(pairs, 2, 'c')} END"
        parts = [
            f"SELECT nhs, date, CASE WHEN j % 2 = 0 THEN 'ICD-10' ELSE 'OPCS-4' END AS system, {coded} AS code, "
            f"NULL::DOUBLE AS value, 'E' || (n * 1000 + j // 2) AS episode "
            f"FROM ({self._noise('admissions', self.admissions_mean, 3650, 'j // 2')})",
            self._rows("operation", "transplant = 2", transplant, ever, episode="900"),
            self._rows("status", "transplant = 4", status, ever, episode="900"),
            self._rows("pair", "transplant = 3", pairs, ever, 2, code=either, episode="900"),
            self._rows("torn pair", "near_miss = 5", pairs, f"{ever} + 9 * i", 2, code=either, episode="900 + i"),
            self._rows("wrong system", "near_miss = 4", WRONG_SYSTEM_TRANSPLANTS, ever, episode="901"),
            self._rows("fibrosis", "cystic_fibrosis AND n % 4 = 0", fibrosis, ever, episode="902"),
            self._rows("sessions", "dialysis AND n % 3 > 0", dialysis, "22 + d % 4 + 14 * i", 6, episode="910 + i"),
            self._rows("old sessions", "near_miss = 8", dialysis, "700 + d % 200 + 14 * i", 6, episode="910 + i"),
            self._rows("not dialysis", "near_miss = 7", WRONG_SYSTEM_DIALYSIS, ever, episode="903"),
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
