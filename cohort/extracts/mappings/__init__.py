"""Folders of another shape, turned into the tables of the contract.

What a mapping writes goes through the same checks as a supplier's files. FHIR and OMOP are for real
extracts; ehrQL's and Synthea's example data are invented people to test with. `docs/mappings.md`
documents them all.
"""

import csv
from datetime import date
from pathlib import Path

from cohort.extracts.loading import TableCount
from cohort.extracts.mappings.ehrql import EHRQL
from cohort.extracts.mappings.fhir import FHIR
from cohort.extracts.mappings.omop import OMOP
from cohort.extracts.mappings.shared import CannotMap, Job, Mapped, Mapping, UnreadableLines
from cohort.extracts.mappings.synthea import SYNTHEA
from cohort.extracts.schema import REJECTED_COLUMNS

__all__ = ["MAPPINGS", "CannotMap", "Mapped", "map_tables", "source_files", "write_unreadable"]

MAPPINGS: dict[str, Mapping] = {"ehrql": EHRQL, "fhir": FHIR, "omop": OMOP, "synthea": SYNTHEA}


def source_files(mapping: str, folder: Path) -> list[Path]:
    """Returns the files the mapping reads. Raises CannotMap where some are missing."""
    return MAPPINGS[mapping].files(folder)


def map_tables(
    mapping: str,
    folder: Path,
    into: Path,
    *,
    as_at: date,
    practices: list[str],
    practice_code: str,
    reject_above: float,
    memory_limit: str,
) -> Mapped:
    """Writes patients, events and so on into a folder, and returns what is to be told.

    `practices` are the codes of those that are open. Raises CannotMap, also where more than the share
    `reject_above` of the lines of one kind of file cannot be read.
    """
    mapped = MAPPINGS[mapping].write(Job(folder, into, as_at, sorted(practices), practice_code, memory_limit))
    problems = [
        f"{kind.name}: {len(kind.bad):,} of {kind.lines:,} lines cannot be read, more than the {reject_above * 100:g} %"
        f" allowed; the first is {kind.bad[0][0]} line {kind.bad[0][1]:,}, which {kind.bad[0][2]}."
        for kind in mapped.unreadable
        if len(kind.bad) > kind.lines * reject_above
    ]
    if problems:
        raise CannotMap(problems)
    return mapped


def write_unreadable(unreadable: list[UnreadableLines], folder: Path) -> tuple[TableCount, ...]:
    """Writes `unreadable-<kind>.csv` for each kind of file with lines that cannot be read, and returns their counts."""
    counts = []
    for kind in unreadable:
        folder.mkdir(exist_ok=True)
        table = f"unreadable-{kind.name}"
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([*REJECTED_COLUMNS, "file", "text"])
            writer.writerows([line, "", reason, file, text] for file, line, reason, text in kind.bad)
        counts.append(TableCount(table, 0, len(kind.bad), (f"{table}.csv",)))
    return tuple(counts)
