"""Assurance cases: example people with the answer that clinicians expect, run through the reference engine.

Pure. `in_words` says of a failing case what was expected and which clauses decided otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cohort.search.criteria import CodeSet, Criterion, Group, NoneOf
from cohort.search.english import describe
from cohort.search.reference import Person, Record, Trace, explain
from cohort.search.terms import SexCode, Source

#: How many clauses are named where a case fails.
_MOST_CLAUSES = 6


class BadCase(ValueError):
    """A case is not written as it should be; the message says which and why."""


@dataclass(frozen=True)
class Case:
    """An example person, and whether they should meet the criterion at a search date. `why` is for readers."""

    name: str
    person: Person
    search_date: date
    expected: bool
    why: str = ""


@dataclass(frozen=True)
class CaseResult:
    """What the reference engine made of a case."""

    case: Case
    trace: Trace

    @property
    def is_passed(self) -> bool:
        """Whether the answer is the one expected."""
        return self.trace.is_true == self.case.expected

    @property
    def in_words(self) -> str:
        """Returns one sentence: as expected, or what was expected and what decided otherwise."""
        found = "on the list" if self.trace.is_true else "not on the list"
        if self.is_passed:
            return f"{found}, as expected."
        expected = "on the list" if self.case.expected else "not on the list"
        reasons = list(dict.fromkeys(_deciding(self.trace)))
        more = f"; and {len(reasons) - _MOST_CLAUSES} more" if len(reasons) > _MOST_CLAUSES else ""
        return f"expected {expected}, but: {'; '.join(reasons[:_MOST_CLAUSES])}{more}."


def run_cases(criterion: Criterion, cases: Sequence[Case], code_sets: Mapping[str, CodeSet]) -> list[CaseResult]:
    """Returns what becomes of each case. Raises UnknownCodeList where the criterion reads a list not given."""
    return [CaseResult(case, explain(criterion, case.person, code_sets, case.search_date)) for case in cases]


def found_in_words(trace: Trace) -> str:
    """Returns what a clause found: `Prednisolone dispensed: 3 of 4 needed`."""
    if isinstance(trace.clause, Group):
        return describe(trace.clause).rstrip(":")
    if not trace.needed:
        return f"{trace.clause.label}: {'yes' if trace.is_true else 'no'}"
    if trace.needed > 1 or not trace.count:
        return f"{trace.clause.label}: {trace.count} of {trace.needed} needed"
    return f"{trace.clause.label}: found"


def _deciding(trace: Trace) -> Iterator[str]:
    """Yields the clauses that made the trace what it is, in words."""
    if not isinstance(trace.clause, Group):
        yield found_in_words(trace)
        return
    wanted = trace.is_true != isinstance(trace.clause, NoneOf)
    for each in trace.beneath:
        if each.is_true == wanted:
            yield from _deciding(each)


def case_from_json(data: Any) -> Case:
    """Returns the case that an object describes. Raises BadCase where it is not well formed."""
    name = str(data.get("name", "")) if isinstance(data, dict) else ""
    try:
        records = tuple(_record(each) for each in data["records"])
        person = Person(date.fromisoformat(data["birth_date"]), SexCode(data["sex"]), records)
        searched, expected = date.fromisoformat(data["search_date"]), data["expected"]
    except (KeyError, TypeError, ValueError) as error:
        raise BadCase(f"The case “{name}” cannot be read: {error!r}") from None
    if not name.strip() or not isinstance(expected, bool):
        raise BadCase(f"The case “{name}” must have a name, and true or false as `expected`")
    return Case(name, person, searched, expected, str(data.get("why", "")))


def _record(data: Mapping[str, Any]) -> Record:
    value = data.get("value")
    return Record(
        str(data["system"]),
        str(data["code"]),
        date.fromisoformat(data["date"]),
        Source(data["source"]),
        str(data.get("episode") or ""),
        None if value is None else float(value),
    )


def record_to_json(record: Record) -> dict[str, Any]:
    """Returns a record as `case_from_json` takes it."""
    return {
        "system": record.system,
        "code": record.code,
        "date": record.date.isoformat(),
        "source": record.source.value,
        "episode": record.episode,
        "value": record.value,
    }
