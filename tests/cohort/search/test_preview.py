"""Previewing an edited criterion counts whom the reference finds, whatever a search before has left to begin from."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohort.search import preview as previews
from cohort.search.criteria import Age, AllOf, AnyOf, Clause, Criterion, Group, NoneOf, RecordLeaf, Records
from cohort.search.engine import run_search
from cohort.search.movers import Since
from cohort.search.plan import Asked, Plan
from cohort.search.preview import Preview, preview
from cohort.search.reference import Person, Record, evaluate
from cohort.search.terms import SexCode, Source, Threshold, Tier, Unit, Window, age_on
from tests.cohort.search.extracts import PRACTICE, write_extract
from tests.cohort.search.strategies import CODE_SETS, SEARCH_DATES, criteria, people
from tests.cohort.search.test_agreement import SLOW
from tests.cohort.search.test_incremental import clause_truths, write_changes

#: Every example is a search and six previews.
FEWER = settings(SLOW, max_examples=15)
DAY = date(2020, 3, 20)
ALPHA = Records("Alpha", "alpha")
BETA = Records("Beta", "beta", window=Window(6, Unit.MONTHS, "chosen for a test"))
ADULT = Age(at_least=Threshold(18, "chosen for a test"))
PEOPLE = {
    9_990_000_000: Person(date(2004, 3, 20), SexCode.FEMALE, (Record("ICD-10", "C437", DAY, Source.GP),)),
    9_990_000_001: Person(date(2004, 3, 21), SexCode.MALE, (Record("ICD-10", "C437", DAY, Source.HOSPITAL),)),
    9_990_000_002: Person(date(1950, 1, 1), SexCode.MALE, (Record("OPCS-4", "Y012", DAY, Source.GP),)),
    9_990_000_003: Person(date(1950, 1, 1), SexCode.UNKNOWN),
}


def criterion(rule: Clause) -> Criterion:
    return Criterion("edited", "Edited", Tier.HIGH, "A group", rule)


def searched(folder: Path, extract: Path, wanted: list[Criterion], day: date = DAY) -> Path:
    run_search(
        criteria=wanted,
        code_sets=CODE_SETS,
        extracts=[extract],
        search_date=day,
        out=folder / "out",
        progress=lambda percent, doing: None,
        threads=1,
    )
    return folder / "out"


def previewed(
    extract: Path, draft: Criterion, published: Criterion | None, day: date = DAY, results: Path | None = None
) -> Preview:
    found = preview(
        draft=draft,
        draft_code_sets=CODE_SETS,
        published=published,
        published_code_sets=CODE_SETS,
        extracts=[extract],
        search_date=day,
        results=results,
        threads=1,
    )
    return replace(found, seconds=0)


def kept_measures(extract: Path, draft: Criterion, day: date, results: Path) -> int:
    return len(previews._kept(Plan([Asked(draft, CODE_SETS)], day), [extract], results).numbers)


def check(
    found: Preview, draft: Criterion, published: Criterion | None, everybody: Mapping[int, Person], day: date
) -> None:
    """Asserts that a preview counts whom the reference finds, clause by clause."""
    cells: Counter[tuple[Any, ...]] = Counter()
    clauses: Counter[str] = Counter()
    remaining: Counter[str] = Counter()
    for person in everybody.values():
        is_draft = evaluate(draft, person, CODE_SETS, day).is_met
        is_published = published is not None and evaluate(published, person, CODE_SETS, day).is_met
        if is_draft or is_published:
            cells[band(age_on(day, person.birth_date)), person.sex.value, PRACTICE, is_draft, is_published] += 1
        for path, is_true, is_left in clause_truths(draft, person, day):
            clauses[path] += is_true
            remaining[path] += is_true and is_left
    assert {tuple(vars(cell).values())[:-1]: cell.people for cell in found.cells} == dict(cells)
    assert {row.path: row.people for row in found.clauses} == dict(clauses)
    assert {row.path: row.remaining for row in found.clauses} == dict(remaining)


def band(age: int) -> str:
    if age >= 90:
        return "90+"
    if 15 <= age < 20:
        return "15" if age == 15 else "16-19"
    return f"{age // 5 * 5}-{age // 5 * 5 + 4}"


@st.composite
def edited(draw: st.DrawFn, published: list[Criterion]) -> Criterion:
    """A published criterion with another clause beside it, in place of it, or nothing changed."""
    was = draw(st.sampled_from(published)).rule
    (new,) = draw(criteria(most=1))
    rule = renamed(new.rule)
    beside = AllOf((was, rule)), AnyOf((was, rule)), AllOf((was, NoneOf((rule,)))), rule, was
    return replace(new, rule=draw(st.sampled_from(beside)))


def renamed(clause: Clause) -> Clause:
    if isinstance(clause, Group):
        return replace(clause, clauses=tuple(map(renamed, clause.clauses)))
    return replace(clause, label=f"New {clause.label}") if isinstance(clause, RecordLeaf) else clause


@FEWER
@given(st.data())
def test_a_preview_agrees_with_the_reference_with_and_without_what_a_search_left(data: st.DataObject) -> None:
    day = data.draw(st.sampled_from(SEARCH_DATES))
    published = data.draw(criteria(most=4))
    everybody = data.draw(people(day, least=5, most=15))
    shards = data.draw(st.sampled_from([1, 2]))
    with tempfile.TemporaryDirectory() as folder:
        extract = write_extract(Path(folder) / "extract", everybody, count=shards)
        out = searched(Path(folder), extract, published, day)
        for _ in range(3):
            draft = data.draw(edited(published))
            beside = data.draw(st.sampled_from([None, *published]))
            without = previewed(extract, draft, beside, day)
            check(without, draft, beside, everybody, day)
            assert previewed(extract, draft, beside, day, out) == without


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    return write_extract(tmp_path / "extract", PEOPLE)


def test_clauses_that_a_search_had_are_not_looked_for_again(tmp_path: Path, extract: Path) -> None:
    published, draft = criterion(ALPHA), criterion(AnyOf((ALPHA, BETA)))
    out = searched(tmp_path, extract, [published])
    # Without records only what the search left can answer.
    for path in extract.glob("records-*"):
        path.unlink()
    found = previewed(extract, draft, published, DAY, out)
    assert sum(cell.people for cell in found.cells) == 2
    assert kept_measures(extract, draft, DAY, out) == 1
    assert not previewed(extract, draft, published).cells


@pytest.mark.parametrize("why", ["another day", "other extracts", "another format", "no names", "gone"])
def test_a_search_of_something_else_is_not_begun_from(tmp_path: Path, extract: Path, why: str) -> None:
    draft = criterion(AnyOf((ALPHA, BETA)))
    day = DAY - timedelta(days=1) if why == "another day" else DAY
    out = searched(tmp_path, extract, [draft], day)
    assert kept_measures(extract, draft, day, out) == 2
    job = json.loads((out / "search.json").read_text())
    if why == "other extracts":
        job["extracts"] = ["newer"]
    if why == "another format":
        job["format"] = 1
    if why == "no names":
        del job["measures"]
    (out / "search.json").write_text(json.dumps(job))
    if why == "gone":
        shutil.rmtree(out)
    assert not kept_measures(extract, draft, DAY, out)
    check(previewed(extract, draft, None, DAY, out), draft, None, PEOPLE, DAY)


def test_what_a_search_left_may_go_while_it_is_read(tmp_path: Path, extract: Path) -> None:
    draft = criterion(AnyOf((ALPHA, BETA)))
    out = searched(tmp_path, extract, [draft])
    for path in out.glob("state-*"):
        path.unlink()
    assert kept_measures(extract, draft, DAY, out)
    check(previewed(extract, draft, None, DAY, out), draft, None, PEOPLE, DAY)


def test_what_incremental_searches_left_is_begun_from_too(tmp_path: Path) -> None:
    wanted, draft = [criterion(ALPHA)], criterion(AnyOf((ALPHA, BETA, NoneOf((ALPHA, ADULT)))))
    out = searched(tmp_path, write_extract(tmp_path / "gp-1", PEOPLE, count=2), wanted)
    came, lost, gone, stays = PEOPLE
    now = {
        came: replace(PEOPLE[gone], birth_date=date(2010, 1, 1)),
        lost: replace(PEOPLE[lost], records=()),
        stays: PEOPLE[stays],
        9_990_000_009: PEOPLE[came],
    }
    extract = write_extract(tmp_path / "gp-2", now, count=2)
    change = write_changes(extract, "gp-1", now.keys() ^ {gone, stays}, now, {"records", "patients"})
    run_search(
        criteria=wanted,
        code_sets=CODE_SETS,
        extracts=[extract],
        search_date=DAY,
        out=tmp_path / "out-2",
        progress=lambda percent, doing: None,
        threads=1,
        since=Since(out, DAY, [change], DAY),
    )
    assert list((tmp_path / "out-2").glob("state-001-*"))
    assert kept_measures(extract, draft, DAY, tmp_path / "out-2") == 1
    check(previewed(extract, draft, wanted[0], DAY, tmp_path / "out-2"), draft, wanted[0], now, DAY)


def test_a_clause_with_another_window_or_list_is_looked_for_again(tmp_path: Path, extract: Path) -> None:
    out = searched(tmp_path, extract, [criterion(BETA)])
    wider = replace(BETA, window=Window(7, Unit.MONTHS, "chosen for a test"))
    renamed = replace(BETA, label="Called otherwise")
    assert [kept_measures(extract, criterion(each), DAY, out) for each in (BETA, renamed, wider)] == [1, 1, 0]
    more = CODE_SETS | {"beta": replace(CODE_SETS["beta"], codes=CODE_SETS["beta"].codes | {("SNOMED", "1")})}
    plan = Plan([Asked(criterion(BETA), more)], DAY)
    assert not previews._kept(plan, [extract], out).numbers
