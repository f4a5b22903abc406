"""The reference engine: one person, one criterion, plain loops. Slow and obvious on purpose.

The fast engines must give the same answer, evidence included; tests hold them to it. It also tells
why, and why not, clause by clause, for one person.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from cohort.search.criteria import (
    EVIDENCE_LIMIT,
    SEX_WORDS,
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Clause,
    CodeSet,
    Criterion,
    Group,
    LatestOfTwo,
    LatestValue,
    Leaf,
    NoneOf,
    NotFollowedBy,
    Records,
    SameEpisode,
    Sex,
    check_code_lists,
)
from cohort.search.terms import AnyWindow, CountedAs, SexCode, Source, ValueRange, age_on


@dataclass(frozen=True)
class Record:
    """One coded row of a person. `episode` is empty outside hospital; `value` is a measurement's."""

    system: str
    code: str
    date: date
    source: Source
    episode: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Person:
    """One person with every record of theirs."""

    birth_date: date
    sex: SexCode
    records: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Why a clause is true: a record, or (with `code` empty) the person's age or sex in `detail`."""

    clause: str
    system: str
    code: str
    event_date: date | None
    source: str
    detail: str
    code_list: str


@dataclass(frozen=True)
class Answer:
    """Whether the person meets the criterion, and the evidence: clause by clause in the rule's order, newest first."""

    is_met: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Trace:
    """Why, or why not: one clause with those beneath it.

    `records` are all that the clause counts, newest first, whether or not they are enough; `count` is
    how many there are as the clause counts them (courses, say), of `needed`; 0 needed where it does not count.
    """

    clause: Clause
    is_true: bool
    records: tuple[Evidence, ...] = ()
    count: int = 0
    needed: int = 0
    beneath: tuple["Trace", ...] = ()


def evaluate(criterion: Criterion, person: Person, code_sets: Mapping[str, CodeSet], search_date: date) -> Answer:
    """Returns whether the person meets the criterion at the search date, with the evidence.

    Raises UnknownCodeList where the criterion reads a list that is not in `code_sets`.
    """
    trace = explain(criterion, person, code_sets, search_date)
    rows = _evidence(trace) if trace.is_true else {}
    return Answer(trace.is_true, tuple(row for found in rows.values() for row in found[:EVIDENCE_LIMIT]))


def explain(criterion: Criterion, person: Person, code_sets: Mapping[str, CodeSet], search_date: date) -> Trace:
    """Returns why the person meets the criterion at the search date, or why not, clause by clause.

    Raises UnknownCodeList where the criterion reads a list that is not in `code_sets`.
    """
    check_code_lists(criterion, code_sets)
    return _Case(person, code_sets, search_date).judge(criterion.rule)


def _evidence(trace: Trace) -> dict[Leaf, tuple[Evidence, ...]]:
    """Returns the records of each clause that made a true rule true."""
    if not trace.is_true or isinstance(trace.clause, NoneOf):
        return {}
    if not isinstance(trace.clause, Group):
        return {trace.clause: trace.records}
    found: dict[Leaf, tuple[Evidence, ...]] = {}
    for each in trace.beneath:
        found |= _evidence(each)
    return found


class _Case:
    """One person at one search date."""

    def __init__(self, person: Person, code_sets: Mapping[str, CodeSet], search_date: date) -> None:
        self.person = person
        self.code_sets = code_sets
        self.search_date = search_date

    def judge(self, clause: Clause) -> Trace:
        if isinstance(clause, Group):
            return self._judge_several(clause)
        if isinstance(clause, Age | Sex):
            rows = self._about_person(clause)
            return Trace(clause, is_true=bool(rows), records=tuple(rows))
        rows, count, needed = self._counted(clause)
        newest_first = sorted(rows, key=lambda e: (e.system, e.code, e.source, e.detail))
        newest_first.sort(key=lambda e: e.event_date or date.min, reverse=True)
        return Trace(clause, is_true=count >= needed, records=tuple(newest_first), count=count, needed=needed)

    def _judge_several(self, clause: Group) -> Trace:
        beneath = tuple(self.judge(child) for child in clause.clauses)
        true = sum(each.is_true for each in beneath)
        if isinstance(clause, NoneOf):
            return Trace(clause, is_true=true == 0, beneath=beneath)
        needed = {AllOf: len(beneath), AnyOf: 1}.get(type(clause), 0)
        if isinstance(clause, AtLeast):
            needed = clause.count.value
        return Trace(clause, is_true=true >= needed, count=true, needed=needed, beneath=beneath)

    def _about_person(self, leaf: Age | Sex) -> list[Evidence]:
        if isinstance(leaf, Sex):
            holds, detail = self.person.sex in leaf.any_of, SEX_WORDS[self.person.sex]
        else:
            age = age_on(self.search_date, self.person.birth_date)
            holds = (not leaf.at_least or age >= leaf.at_least.value) and (not leaf.under or age < leaf.under.value)
            detail = f"Aged {age}"
        return [Evidence(leaf.label, "", "", None, "", detail, "")] if holds else []

    def _counted(self, leaf: Leaf) -> tuple[list[Evidence], int, int]:
        """Returns the records that a clause counts, how many that is as it counts them, and how many it needs."""
        if isinstance(leaf, Records):
            found = [row for _, row in self._matching(leaf, leaf.code_list, leaf.window, leaf.sources, leaf.value)]
            return found, self._count(leaf, found), leaf.at_least.value
        if isinstance(leaf, SameEpisode):
            found = self._in_one_episode(leaf)
            return found, len(found), 1
        if isinstance(leaf, LatestValue):
            rivals = [row for _, row in self._valued(leaf)]
            found = [row for _, row in self._matching(leaf, leaf.code_list, leaf.window, leaf.sources, leaf.value)]
        elif isinstance(leaf, LatestOfTwo):
            rivals = [row for _, row in self._matching(leaf, leaf.other_list, leaf.window, leaf.sources)]
            found = [row for _, row in self._matching(leaf, leaf.code_list, leaf.window, leaf.sources)]
        else:
            assert isinstance(leaf, NotFollowedBy)  # noqa: S101
            rivals = [row for _, row in self._matching(leaf, leaf.followed_by, None, leaf.sources)]
            found = [row for _, row in self._matching(leaf, leaf.code_list, leaf.window, leaf.sources)]
        found = [row for row in found if not any(_day(rival) > _day(row) for rival in rivals)]
        return found, len(found), 1

    @staticmethod
    def _count(leaf: Records, rows: list[Evidence]) -> int:
        if leaf.counted_as is CountedAs.RECORDS:
            return len(rows)
        days = sorted({_day(row) for row in rows})
        if leaf.course_gap is None:
            return len(days)
        gaps = [(after - before).days for before, after in itertools.pairwise(days)]
        return bool(days) + sum(gap > leaf.course_gap.value for gap in gaps)

    def _in_one_episode(self, leaf: SameEpisode) -> list[Evidence]:
        others = self._matching(leaf, leaf.with_list, None, (Source.HOSPITAL,))
        rows = []
        for record, row in self._matching(leaf, leaf.code_list, leaf.window, (Source.HOSPITAL,)):
            beside = {
                other.code
                for other, _ in others
                if record.episode and other.episode == record.episode
                if (other.system, other.code) != (record.system, record.code)
            }
            if beside:
                rows.append(replace(row, detail=_with(beside)))
        return rows

    def _valued(self, leaf: LatestValue) -> list[tuple[Record, Evidence]]:
        found = self._matching(leaf, leaf.code_list, leaf.window, leaf.sources)
        return [(record, row) for record, row in found if record.value is not None]

    def _matching(
        self,
        leaf: Leaf,
        code_list: str,
        window: AnyWindow | None,
        sources: tuple[Source, ...],
        value: ValueRange | None = None,
    ) -> list[tuple[Record, Evidence]]:
        """Returns the records of a list that count: right source, window and value, none after the search date."""
        rows = []
        for record in self.person.records:
            if record.source not in sources or record.date > self.search_date:
                continue
            if window is not None and not (
                window.start(self.search_date) <= record.date <= window.end(self.search_date)
            ):
                continue
            if value is not None and not value.holds(record.value):
                continue
            detail = self._match(record, self.code_sets[code_list])
            if detail is not None:
                source = record.source.value
                row = Evidence(leaf.label, record.system, record.code, record.date, source, detail, code_list)
                rows.append((record, row))
        return rows

    def _match(self, record: Record, code_set: CodeSet) -> str | None:
        """Returns None where the record is not of the list; the other codes of its pairs, where those made it so."""
        if (record.system, record.code) in code_set.codes:
            return ""
        others = {
            other.code
            for other in self.person.records
            if record.episode and other.episode == record.episode and other.date <= self.search_date
            if (record.system, record.code, other.code) in code_set.pairs and other.system == record.system
        }
        return _with(others) if others else None


def _with(others: set[str]) -> str:
    return f"With {', '.join(sorted(others))} in the same episode"


def _day(row: Evidence) -> date:
    assert row.event_date is not None, "evidence of records has a date"  # noqa: S101
    return row.event_date
