"""How many people one edited criterion is, over the whole extract, while its author looks on.

Reads only the blocks of the extract that hold the criterion's own codes, and writes nothing.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from cohort.search.compile import Program
from cohort.search.criteria import CodeSet, Criterion
from cohort.search.duck import opened
from cohort.search.plan import Asked, Plan
from cohort.search.shards import File, Shard, every_file
from cohort.search.totals import band
from cohort.search.truth import kinds, without_records
from cohort.search.verdicts import Attrition

_DRAFT, _PUBLISHED = "draft", "published"
#: A search's bands, but for 15 and 16 to 19: working age begins at 16.
_BAND = f"CASE WHEN age = 15 THEN '15' WHEN age BETWEEN 16 AND 19 THEN '16-19' ELSE {band('age')} END"


@dataclass(frozen=True)
class Cell:
    """How many people of one age band, sex and practice meet the draft, the published version, or both.

    Bands are a search's, save that 15 and 16-19 are apart, because working age begins at 16.
    """

    age_band: str
    sex: str
    practice_code: str
    draft: bool
    published: bool
    people: int


@dataclass(frozen=True)
class Preview:
    """What a draft would find. `clauses` are its attrition; `seconds` is what it took."""

    cells: list[Cell]
    clauses: list[Attrition]
    seconds: float


def preview(
    *,
    draft: Criterion,
    draft_code_sets: Mapping[str, CodeSet],
    published: Criterion | None = None,
    published_code_sets: Mapping[str, CodeSet] | None = None,
    extracts: Sequence[Path],
    search_date: date,
    threads: int | None = None,
) -> Preview:
    """Returns how many people meet the draft, beside the published version where there is one.

    `extracts` are folders, newest first; without any, nobody is found. Raises UnknownCodeList.
    """
    began = time.perf_counter()
    asked = [Asked(replace(draft, slug=_DRAFT), draft_code_sets)]
    if published is not None:
        asked.append(Asked(replace(published, slug=_PUBLISHED), published_code_sets or {}))
    plan = Plan(asked, search_date)
    patients = every_file(extracts, "patients")
    if not patients:
        return Preview([], [], time.perf_counter() - began)
    everything = Shard(
        0,
        1,
        tuple(File(path, picks=False) for path in patients),
        tuple(File(path, picks=False) for path in every_file(extracts, "records")),
    )
    with tempfile.TemporaryDirectory() as spill, opened(Path(spill), threads=threads) as duck:
        rules = [each.criterion.rule for each in asked]
        needs_records = not any(without_records(rule, kind) for rule in rules for kind in kinds(rule))
        program = Program(plan, needs_records=needs_records, counts_only=True)
        for given in program.given:
            duck.give(given)
        duck.read(everything, (code for _, code in plan.codes))
        for step in program.before:
            duck.keep(step)
        bits, people = duck.profiles(program, duck.sql(program.profiles))
        verdicts = duck.judge(program, bits)
        words = ", ".join(program.words)
        rows = duck.execute(
            f"SELECT {_BAND} AS age_band, sex, practice_code, profile, count(*)"
            f" FROM people JOIN verdicts USING ({words}) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    cells = [
        Cell(age_band, sex, practice, bool(verdicts.met[n, 0]), len(asked) > 1 and bool(verdicts.met[n, 1]), count)
        for age_band, sex, practice, n, count in rows
    ]
    clauses = [row for row in verdicts.attrition(people) if row.criterion == _DRAFT]
    return Preview(cells, clauses, time.perf_counter() - began)
