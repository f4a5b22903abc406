"""Why somebody is, or is not, found: one person's own records against every criterion in force.

Reads the person's rows from the extract store and judges them with the reference engine, so that the
answer holds for whoever the search did not find as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cohort.extracts import store
from cohort.extracts.scratch import small_database
from cohort.models import CodeListCode, CriterionVersion, Extract, Patient
from cohort.queries import criteria as criteria_queries
from cohort.queries.extracts import extract_folder, newest_extracts
from cohort.search.assurance import found_in_words
from cohort.search.criteria import Group
from cohort.search.reference import Evidence, Person, Record, Trace, explain
from cohort.search.terms import SexCode, Source
from shielding.accounts.models import Organisation


@dataclass(frozen=True)
class Found:
    """A record that a clause counts, with the code's term in the code list (empty where it has none)."""

    evidence: Evidence
    term: str


@dataclass(frozen=True)
class Line:
    """One clause of a criterion, so deep in it, in words, with the records it counts, newest first."""

    depth: int
    is_true: bool
    words: str
    records: tuple[Found, ...]


@dataclass(frozen=True)
class Judgement:
    """One criterion for one person: whether they meet it, and why or why not."""

    version: CriterionVersion
    is_met: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Explanation:
    """Everything known of why somebody is or is not found. `patient` is None where no search ever found them.

    `records` is how many coded records there are of them; `extracts` are those that were read.
    """

    nhs_number: str
    birth_date: date
    practice_code: str
    patient: Patient | None
    extracts: tuple[Extract, ...]
    records: int
    judgements: tuple[Judgement, ...]


def explain_person(*, nhs_number: str, birth_date: date, practice: Organisation | None, on: date) -> Explanation | None:
    """Returns why somebody would be found by a search on a date, or why not, criterion by criterion.

    `practice` limits it to people registered there; None reaches everybody. Somebody out of reach, with
    another date of birth, or in no extract gives None just the same, so that nothing is told. The
    criteria they meet come first, those of high risk before those only counted.
    """
    extracts = newest_extracts()
    number = int(nhs_number)
    registered = next(_rows(extracts, "patients", number, "birth_date, sex, practice_code"), None)
    if registered is None or registered[0] != birth_date or practice not in (None, _practice(registered[2])):
        return None
    records = tuple(
        Record(system, code, day, Source(source), episode, value)
        for system, code, day, source, episode, value in _rows(
            extracts, "records", number, "system, code, date, source, episode, value"
        )
    )
    person = Person(birth_date, SexCode(registered[1]), records)
    judgements = [_judge(version, person, on) for version in criteria_queries.criteria_in_force()]
    patient = Patient.objects.filter(nhs_number=nhs_number).select_related("entry__because").first()
    return Explanation(
        nhs_number=nhs_number,
        birth_date=birth_date,
        practice_code=registered[2],
        patient=patient,
        extracts=tuple(extracts),
        records=len(records),
        judgements=tuple(sorted(judgements, key=_order)),
    )


def _practice(code: str) -> Organisation | None:
    return Organisation.objects.filter(code=code, kind=Organisation.Kind.PRACTICE).first()


def _rows(extracts: list[Extract], table: str, number: int, columns: str) -> Iterator[tuple[Any, ...]]:
    """Yields one person's rows of a table, those of the newest extract first."""
    with small_database() as duck:
        for extract in extracts:
            path = store.shard_of(extract_folder(extract), table, number)
            if path is not None:
                sql = f"SELECT {columns} FROM read_parquet($path) WHERE person = $person"
                yield from duck.execute(sql, {"path": str(path), "person": number}).fetchall()


def _judge(version: CriterionVersion, person: Person, on: date) -> Judgement:
    criterion = criteria_queries.search_criterion(version)
    code_sets = criteria_queries.code_sets(version.code_lists.all())
    trace = explain(criterion, person, code_sets, on)
    held = {record.code for record in person.records}
    codes = CodeListCode.objects.filter(version__in=version.code_lists.all(), code__in=held).exclude(term="")
    terms = {(system, code): term for system, code, term in codes.values_list("system", "code", "term")}
    return Judgement(version, trace.is_true, tuple(_lines(trace, 0, terms)))


def _lines(trace: Trace, depth: int, terms: Mapping[tuple[str, str], str]) -> Iterator[Line]:
    records = () if isinstance(trace.clause, Group) else trace.records
    found = tuple(Found(row, terms.get((row.system, row.code), "")) for row in records)
    yield Line(depth, trace.is_true, found_in_words(trace), found)
    for each in trace.beneath:
        yield from _lines(each, depth + 1, terms)


def _order(judgement: Judgement) -> tuple[bool, str, str]:
    criterion = judgement.version.criterion
    return (not judgement.is_met, criterion.tier, criterion.title)
