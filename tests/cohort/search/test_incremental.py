"""An incremental search gives what a search of everybody gives; and the totals of either are the reference's."""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohort.search.criteria import Age, AllOf, CodeSet, Criterion, Group, Records
from cohort.search.engine import CannotContinue, run_search
from cohort.search.movers import Change, Since
from cohort.search.reference import Person, Record, evaluate, explain
from cohort.search.terms import SexCode, Source, Threshold, Tier, Unit, Window, age_on
from tests.cohort.search.extracts import Found, read, write_extract, write_patients, write_records
from tests.cohort.search.strategies import CODE_SETS, SEARCH_DATES, criteria, people
from tests.cohort.search.test_agreement import SLOW

#: Every example is three to five searches.
SLOWER = settings(SLOW, max_examples=15)
TOTALS = ("counts", "groups", "combinations", "attrition", "tally-profiles", "tally-practices", "tally-groups")


def search(
    out: Path, extracts: Sequence[Path], wanted: Sequence[Criterion], search_date: date, since: Since | None = None
) -> Found:
    result = run_search(
        criteria=wanted,
        code_sets=CODE_SETS,
        extracts=extracts,
        search_date=search_date,
        out=out,
        progress=lambda percent, doing: None,
        since=since,
        threads=1,
    )
    return read(out, result)


def write_changes(
    extract: Path, before: str, numbers: Set[int], rows: Mapping[int, Person], tables: Set[str]
) -> Change:
    """Writes who changed beside an extract, with their rows of these tables; `rows` has everybody's."""
    pq.write_table(pa.table({"person": pa.array(sorted(numbers), pa.int64())}), extract / "changed.parquet")
    for n in range(2):
        changed = {number: rows[number] for number in numbers & rows.keys() if number % 2 == n}
        for table, write in (("records", write_records), ("patients", write_patients)):
            if table in tables:
                write(extract / f"changed-{table}-{n:03}-of-002.parquet", changed)
    return Change(before, extract)


def totals(out: Path) -> dict[str, list[dict[str, Any]]]:
    return {name: pq.read_table(out / f"{name}.parquet").to_pylist() for name in TOTALS}


def _person(row: Mapping[str, Any]) -> int:
    return int(row["person"])


def assert_follows(base: Found, now: Found, whole: Found, out: Path, whole_out: Path) -> None:
    """The search before, with what the incremental one found put in its place, is the search of everybody."""
    searched = {row["person"] for path in out.glob("searched-*") for row in pq.read_table(path).to_pylist()}
    assert {person for person, _ in now.flags} <= searched
    assert sorted([flag for flag in base.flags if flag[0] not in searched] + now.flags) == whole.flags
    kept = {key: rows for key, rows in base.evidence.items() if key[0] not in searched}
    assert kept | now.evidence == whole.evidence
    people = [row for row in base.people if row["person"] not in searched] + now.people
    assert sorted(people, key=_person) == sorted(whole.people, key=_person)
    assert totals(out) == totals(whole_out)


@SLOWER
@given(st.data())
def test_an_incremental_search_is_a_search_of_everybody(data: st.DataObject) -> None:
    search_date = data.draw(st.sampled_from(SEARCH_DATES))
    wanted = data.draw(criteria(most=5))
    everybody = data.draw(people(search_date, most=12))
    days = data.draw(st.lists(st.sampled_from([0, 1, 7, 30, 200]), min_size=1, max_size=3))
    with_details = data.draw(st.sampled_from([("gp",), ("gp", "hospital")]))
    with tempfile.TemporaryDirectory() as folder:
        suppliers = {
            name: Supplier(Path(folder), name, everybody, with_details=name in with_details)
            for name in ("gp", "hospital")
        }
        out = Path(folder) / "0"
        base = search(out, [each.extract for each in suppliers.values()], wanted, search_date)
        for week, by in enumerate(days, start=1):
            latest = data.draw(st.sampled_from([None, max(each.latest for each in suppliers.values())]))
            since = Since(out, search_date, [], latest)
            search_date += timedelta(by)
            # Of each supplier nothing came, or one extract or two since the last search.
            changes = [
                each.sends(
                    data.draw(people(search_date, most=3)),
                    data.draw(st.sets(st.sampled_from(sorted(everybody)), max_size=1)),
                    data.draw(st.sampled_from([set(), {"records"}, {"records", "patients"}])),
                )
                for each in suppliers.values()
                for _ in range(data.draw(st.sampled_from([0, 1, 1, 2])))
            ]
            extracts = [each.extract for each in suppliers.values()]
            out = Path(folder) / f"{week}"
            now = search(out, extracts, wanted, search_date, replace(since, changes=changes[::-1]))
            whole_out = Path(folder) / f"whole-{week}"
            whole = search(whole_out, extracts, wanted, search_date)
            assert_follows(base, now, whole, out, whole_out)
            assert now.result.counts == whole.result.counts
            base = whole


class Supplier:
    """Sends the GP's rows or the hospital's, with everybody's details or without: an extract a week."""

    def __init__(self, root: Path, name: str, everybody: Mapping[int, Person], *, with_details: bool) -> None:
        self.root = root
        self.name = name
        self.with_details = with_details
        self.number = 0
        self.people = {number: self._own(person) for number, person in everybody.items()}
        self.extract = self._write()

    @property
    def latest(self) -> date:
        return max((record.date for each in self.people.values() for record in each.records), default=date(1900, 1, 1))

    def sends(self, moved: Mapping[int, Person], gone: Set[int], tables: Set[str]) -> Change:
        """New rows for some, the same number; some new people; some who are no longer there."""
        before = self.extract.name
        now = self.people | {number: self._own(person) for number, person in moved.items()}
        self.people = {number: person for number, person in now.items() if number not in gone}
        self.number += 1
        self.extract = self._write()
        return write_changes(self.extract, before, {*moved, *gone}, self.people, tables)

    def _own(self, person: Person) -> Person:
        at_hospital = self.name == "hospital"
        records = tuple(each for each in person.records if (each.source is Source.HOSPITAL) == at_hospital)
        return replace(person, records=records)

    def _write(self) -> Path:
        folder = write_extract(self.root / f"{self.name}-{self.number}", self.people, count=2)
        for path in folder.glob("patients-*") if not self.with_details else ():
            path.unlink()
        return folder


SETS = {"list": CodeSet("list", 1, frozenset({("SNOMED", "1")}))}
WEEK = Window(7, Unit.DAYS, "a test")
RULE = Criterion("one", "One", Tier.HIGH, "G", Records("A record", "list", window=WEEK))
AMINA, BOB, CHARLIE = 9_990_000_018, 9_990_000_026, 9_990_000_034
TODAY = date(2020, 3, 20)


def had(days_ago: int) -> Person:
    return Person(date(1980, 6, 1), SexCode.FEMALE, (Record("SNOMED", "1", TODAY - timedelta(days_ago), Source.GP),))


def first_search(tmp_path: Path, everybody: Mapping[int, Person]) -> Path:
    extract = write_extract(tmp_path / "extract", everybody)
    run_search(
        criteria=[RULE], code_sets=SETS, extracts=[extract], search_date=TODAY, out=tmp_path / "base", progress=print
    )
    return extract


def test_only_those_whom_time_changes_are_searched_where_nothing_new_came(tmp_path: Path) -> None:
    extract = first_search(tmp_path, {AMINA: had(6), BOB: had(0), CHARLIE: had(30)})
    result = run_search(
        criteria=[RULE],
        code_sets=SETS,
        extracts=[extract],
        search_date=TODAY + timedelta(2),
        out=tmp_path / "out",
        progress=print,
        since=Since(tmp_path / "base", TODAY, [], latest=TODAY),
    )
    assert (result.people_searched, result.people_flagged, result.counts) == (1, 0, {"one": 1})


def test_somebody_whose_record_was_still_to_come_is_searched_again(tmp_path: Path) -> None:
    extract = first_search(tmp_path, {AMINA: had(-1), BOB: had(30)})
    found = [
        run_search(
            criteria=[RULE],
            code_sets=SETS,
            extracts=[extract],
            search_date=TODAY + timedelta(2),
            out=tmp_path / "out",
            progress=print,
            since=Since(tmp_path / "base", TODAY, [], latest=latest),
        )
        for latest in (None, TODAY + timedelta(1))
    ]
    assert [(result.people_searched, result.counts) for result in found] == [(1, {"one": 1})] * 2


def test_somebody_born_on_29_february_comes_of_age_on_1_march(tmp_path: Path) -> None:
    adult = Criterion("adult", "Adult", Tier.HIGH, "G", Age(at_least=Threshold(21, "a test")))
    extract = write_extract(tmp_path / "extract", {AMINA: Person(date(2000, 2, 29), SexCode.FEMALE, ())})
    base = search(tmp_path / "base", [extract], [adult], date(2021, 2, 28))
    found = search(
        tmp_path / "out", [extract], [adult], date(2021, 3, 1), Since(tmp_path / "base", date(2021, 2, 28), [])
    )
    assert (base.flags, found.flags) == ([], [(AMINA, "adult")])


@pytest.mark.parametrize("what", ["rules", "shards", "results"])
def test_a_search_that_cannot_follow_the_one_before_says_so(tmp_path: Path, what: str) -> None:
    extract = first_search(tmp_path, {AMINA: had(6)})
    rule = replace(RULE, rule=replace(RULE.rule, at_least=Threshold(2, "a test"))) if what == "rules" else RULE
    if what == "shards":
        extract = write_extract(tmp_path / "sharded", {AMINA: had(6)}, count=2)
    base = tmp_path / ("nowhere" if what == "results" else "base")
    with pytest.raises(CannotContinue):
        run_search(
            criteria=[rule],
            code_sets=SETS,
            extracts=[extract],
            search_date=TODAY,
            out=tmp_path / "out",
            progress=print,
            since=Since(base, TODAY, []),
        )
    assert not (tmp_path / "out").exists()


@SLOWER
@given(st.data())
def test_the_totals_are_the_references(data: st.DataObject) -> None:
    search_date = data.draw(st.sampled_from(SEARCH_DATES))
    wanted = data.draw(criteria(most=4))
    everybody = data.draw(people(search_date, most=12))
    with tempfile.TemporaryDirectory() as folder:
        search(Path(folder) / "out", [write_extract(Path(folder) / "extract", everybody)], wanted, search_date)
        found = totals(Path(folder) / "out")

    together: Counter[tuple[str, ...]] = Counter()
    groups: Counter[tuple[str, str, str]] = Counter()
    clauses: Counter[tuple[str, str]] = Counter()
    remaining: Counter[tuple[str, str]] = Counter()
    for person in everybody.values():
        met = [c.slug for c in wanted if evaluate(c, person, CODE_SETS, search_date).is_met]
        together[tuple(met)] += bool(met)
        low = age_on(search_date, person.birth_date) // 5 * 5
        for slug in met:
            groups[slug, "90+" if low >= 90 else f"{low}-{low + 4}", person.sex.value] += 1
        for criterion in wanted:
            for path, is_true, is_left in clause_truths(criterion, person, search_date):
                clauses[criterion.slug, path] += is_true
                remaining[criterion.slug, path] += is_true and is_left
    assert {tuple(row["criteria"]): row["people"] for row in found["combinations"]} == dict(+together)
    assert {(row["criterion"], row["age_band"], row["sex"]): row["people"] for row in found["groups"]} == dict(groups)
    assert {(row["criterion"], row["path"]): row["people"] for row in found["attrition"]} == dict(clauses)
    assert {(row["criterion"], row["path"]): row["remaining"] for row in found["attrition"]} == dict(remaining)


def clause_truths(criterion: Criterion, person: Person, search_date: date) -> list[tuple[str, bool, bool]]:
    rows = []

    def walk(trace: Any, path: str, is_left: bool) -> None:
        rows.append((path, trace.is_true, is_left))
        for n, child in enumerate(trace.beneath):
            walk(child, f"{path}.{n}".lstrip("."), is_left)
            if isinstance(trace.clause, Group) and isinstance(trace.clause, AllOf):
                is_left = is_left and child.is_true

    walk(explain(criterion, person, CODE_SETS, search_date), "", True)
    return rows
