"""Small extracts in the form of the extract store, and a search over them read back into Python."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from cohort.search.criteria import CodeSet, Criterion
from cohort.search.engine import SearchResult, run_search
from cohort.search.reference import Evidence, Person, evaluate
from cohort.search.terms import Tier
from tests.cohort.search.strategies import CODE_SETS

PRACTICE = "Z00001"
TEXT = pa.string()
TEXTS = pa.list_(TEXT)
PATIENTS = pa.schema(
    {
        "person": pa.int64(),
        "given_name": TEXT,
        "family_name": TEXT,
        "birth_date": pa.date32(),
        "sex": TEXT,
        "practice_code": TEXT,
        "address_lines": TEXTS,
        "postcode": TEXT,
    }
)
RECORDS = pa.schema(
    {
        "person": pa.int64(),
        "system": TEXT,
        "code": TEXT,
        "date": pa.date32(),
        "source": TEXT,
        "value": pa.float64(),
        "episode": TEXT,
    }
)


def write_patients(path: Path, people: Mapping[int, Person], practice: str = PRACTICE, name: str = "Amina") -> Path:
    rows = [
        {
            "person": number,
            "given_name": name,
            "family_name": "Begum",
            "birth_date": person.birth_date,
            "sex": person.sex.value,
            "practice_code": practice,
            "address_lines": ["1 Mill Lane"],
            "postcode": "LU1 1AA",
        }
        for number, person in people.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=PATIENTS), path)
    return path


def write_records(path: Path, people: Mapping[int, Person]) -> Path:
    rows = [
        {
            "person": number,
            "system": record.system,
            "code": record.code,
            "date": record.date,
            "source": record.source.value,
            "value": record.value,
            "episode": record.episode,
        }
        for number, person in people.items()
        for record in person.records
    ]
    rows.sort(key=lambda row: (row["system"], row["code"], row["person"], row["date"]))
    pq.write_table(pa.Table.from_pylist(rows, schema=RECORDS), path)
    return path


@dataclass
class Found:
    """What a search wrote."""

    result: SearchResult
    flags: list[tuple[int, str]]
    evidence: dict[tuple[int, str], tuple[Evidence, ...]]
    counts: dict[tuple[str, str], int]
    people: list[dict[str, Any]]


def read(out: Path, result: SearchResult) -> Found:
    evidence: dict[tuple[int, str], tuple[Evidence, ...]] = {}
    with duckdb.connect() as duck:
        for person, criterion, *row in duck.read_parquet(str(out / "evidence-*.parquet")).fetchall():
            evidence[person, criterion] = (*evidence.get((person, criterion), ()), Evidence(*row))
        flags = sorted(row[:2] for row in duck.read_parquet(str(out / "flags-*.parquet")).fetchall())
        people = [row for path in sorted(out.glob("people-*.parquet")) for row in pq.read_table(path).to_pylist()]
        counts = duck.read_parquet(str(out / "counts.parquet")).fetchall()
        return Found(result, flags, evidence, {(slug, code): n for slug, code, n in counts}, people)


def write_extract(
    folder: Path, people: Mapping[int, Person], strangers: Mapping[int, Person] | None = None, *, count: int = 1
) -> Path:
    """Writes an extract of so many shards, as the extract store has it."""
    folder.mkdir(parents=True, exist_ok=True)
    everybody = {**people, **(strangers or {})}
    for number in range(count):
        name = f"{number:03}-of-{count:03}.parquet"
        write_patients(folder / f"patients-{name}", {n: each for n, each in people.items() if n % count == number})
        write_records(folder / f"records-{name}", {n: each for n, each in everybody.items() if n % count == number})
    return folder


def search(
    folder: Path,
    criteria: Sequence[Criterion],
    code_sets: Mapping[str, CodeSet],
    people: Mapping[int, Person],
    search_date: date,
    *,
    strangers: Mapping[int, Person] | None = None,
    shards: int = 1,
) -> Found:
    """Searches these people; `strangers` have records but no row among the patients."""
    result = run_search(
        criteria=criteria,
        code_sets=code_sets,
        extracts=[write_extract(folder / "extract", people, strangers, count=shards)],
        search_date=search_date,
        out=folder / "out",
        progress=lambda percent, doing: None,
        threads=1,
    )
    return read(folder / "out", result)


def check(found: Found, wanted: Sequence[Criterion], people: Mapping[int, Person], search_date: date) -> None:
    """Asserts that a search for these criteria, with the strategies' code lists, found what the reference finds."""
    flags, evidence, counts = [], {}, Counter()
    for number, person in people.items():
        for criterion in wanted:
            answer = evaluate(criterion, person, CODE_SETS, search_date)
            if answer.is_met:
                counts[criterion.slug, PRACTICE] += 1
            if answer.is_met and criterion.tier is Tier.HIGH:
                flags.append((number, criterion.slug))
                if answer.evidence:
                    evidence[number, criterion.slug] = answer.evidence
    assert found.flags == sorted(flags)
    assert found.evidence == evidence
    assert found.counts == dict(counts)
    assert found.result.counts == {c.slug: counts[c.slug, PRACTICE] for c in wanted}
    assert [row["person"] for row in found.people] == sorted({number for number, _ in flags})
    assert found.result.people_flagged == len(found.people)
    assert found.result.people_searched == len(people)
    assert found.result.people_without_demographics == 0
