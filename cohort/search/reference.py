"""The reference engine: one person, one criterion, plain loops. Slow and obvious on purpose.

The fast engines must give the same answer, evidence included; tests hold them to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
    CountedAs,
    Criterion,
    Leaf,
    NoneOf,
    NotFollowedBy,
    Records,
    Sex,
    SexCode,
    Source,
    Window,
    age_on,
    check_code_lists,
)


@dataclass(frozen=True)
class Record:
    """One coded row of a person. `episode` is empty outside hospital."""

    system: str
    code: str
    date: date
    source: Source
    episode: str = ""


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


def evaluate(criterion: Criterion, person: Person, code_sets: Mapping[str, CodeSet], search_date: date) -> Answer:
    """Returns whether the person meets the criterion at the search date, with the evidence.

    Raises UnknownCodeList where the criterion reads a list that is not in `code_sets`.
    """
    check_code_lists(criterion, code_sets)
    is_met, found = _Case(person, code_sets, search_date).judge(criterion.rule)
    return Answer(is_met, tuple(row for rows in found.values() for row in rows) if is_met else ())


#: The evidence of each clause that made the rule true.
_Found = dict[Leaf, list[Evidence]]


class _Case:
    """One person at one search date."""

    def __init__(self, person: Person, code_sets: Mapping[str, CodeSet], search_date: date) -> None:
        self.person = person
        self.code_sets = code_sets
        self.search_date = search_date

    def judge(self, clause: Clause) -> tuple[bool, _Found]:
        if isinstance(clause, AllOf | AnyOf | NoneOf | AtLeast):
            return self._judge_several(clause)
        rows = self._rows(clause)
        if rows is None:
            return False, {}
        newest_first = sorted(rows, key=lambda e: (e.system, e.code, e.source, e.detail))
        newest_first.sort(key=lambda e: e.event_date or date.min, reverse=True)
        return True, {clause: newest_first[:EVIDENCE_LIMIT]}

    def _judge_several(self, clause: AllOf | AnyOf | NoneOf | AtLeast) -> tuple[bool, _Found]:
        found: _Found = {}
        true = 0
        for child in clause.clauses:
            is_true, theirs = self.judge(child)
            if is_true:
                true += 1
                found |= theirs
        if isinstance(clause, NoneOf):
            return true == 0, {}
        needed = {AllOf: len(clause.clauses), AnyOf: 1}.get(type(clause))
        if isinstance(clause, AtLeast):
            needed = clause.count.value
        return (True, found) if needed is not None and true >= needed else (False, {})

    def _rows(self, leaf: Leaf) -> list[Evidence] | None:
        """Returns the evidence of a clause, or None where it is not true."""
        if isinstance(leaf, Age):
            age = age_on(self.search_date, self.person.birth_date)
            if (leaf.at_least and age < leaf.at_least.value) or (leaf.under and age >= leaf.under.value):
                return None
            return [Evidence(leaf.label, "", "", None, "", f"Aged {age}", "")]
        if isinstance(leaf, Sex):
            if self.person.sex not in leaf.any_of:
                return None
            return [Evidence(leaf.label, "", "", None, "", SEX_WORDS[self.person.sex], "")]
        rows = self._matching(leaf.label, leaf.code_list, leaf.sources, leaf.window)
        if isinstance(leaf, NotFollowedBy):
            later = [e.event_date for e in self._matching("", leaf.followed_by, leaf.sources, None) if e.event_date]
            rows = [e for e in rows if e.event_date and not any(day > e.event_date for day in later)]
            return rows or None
        return rows if self._counted(leaf, rows) >= leaf.at_least.value else None

    @staticmethod
    def _counted(leaf: Records, rows: list[Evidence]) -> int:
        if leaf.counted_as is CountedAs.DISTINCT_DATES:
            return len({e.event_date for e in rows})
        return len(rows)

    def _matching(
        self, label: str, code_list: str, sources: tuple[Source, ...], window: Window | None
    ) -> list[Evidence]:
        """Returns the records of a code list that count: right source, in the window, not after the search date."""
        rows = []
        for record in self.person.records:
            if record.source not in sources or record.date > self.search_date:
                continue
            if window is not None and record.date < window.start(self.search_date):
                continue
            detail = self._match(record, self.code_sets[code_list])
            if detail is not None:
                rows.append(
                    Evidence(label, record.system, record.code, record.date, record.source.value, detail, code_list)
                )
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
        return f"With {', '.join(sorted(others))} in the same episode" if others else None
