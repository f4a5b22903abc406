"""The assurance cases of the shipped set: all right, and so many that no number of a rule can change unnoticed."""

import copy
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cohort.actions.criteria import shipped_cases, shipped_criteria
from cohort.search.assurance import Case, run_cases
from cohort.search.codec import from_json, to_json
from cohort.search.criteria import Criterion
from cohort.search.reference import evaluate
from cohort.search.terms import CriterionError, Tier
from tests.cohort.search.extracts import search
from tests.cohort.shipped import shipped_code_sets

CODE_SETS = shipped_code_sets()
CRITERIA = {criterion.slug: criterion for criterion in shipped_criteria()}
CASES: dict[str, list[Case]] = defaultdict(list)
for slug, case in shipped_cases():
    CASES[slug].append(case)


@pytest.mark.parametrize("slug", CRITERIA)
def test_every_case_gets_the_answer_expected(slug: str) -> None:
    results = run_cases(CRITERIA[slug], CASES[slug], CODE_SETS)
    assert [f"{each.case.name}: {each.in_words}" for each in results if not each.is_passed] == []


@pytest.mark.parametrize("slug", CRITERIA)
def test_every_criterion_has_people_who_meet_it_and_near_misses_by_different_names(slug: str) -> None:
    cases = CASES[slug]
    assert {case.expected for case in cases} == {True, False}
    assert len({case.name for case in cases}) == len(cases)
    assert all(case.why for case in cases)


def test_one_search_over_everybody_in_the_cases_finds_whom_each_expects(tmp_path: Path) -> None:
    """Every criterion as high risk, since only those leave flags; and for all people all criteria as the reference."""
    (search_date,) = {case.search_date for cases in CASES.values() for case in cases}
    numbered = dict(enumerate(((slug, case) for slug, cases in CASES.items() for case in cases), start=9990000000))
    people = {number: case.person for number, (_, case) in numbered.items()}
    criteria = [replace(criterion, tier=Tier.HIGH) for criterion in CRITERIA.values()]
    found = search(tmp_path, criteria, CODE_SETS, people, search_date, shards=2)
    flags = set(found.flags)
    assert [f"{slug}: {c.name}" for n, (slug, c) in numbered.items() if ((n, slug) in flags) != c.expected] == []
    assert flags == {
        (number, criterion.slug)
        for number, person in people.items()
        for criterion in criteria
        if evaluate(criterion, person, CODE_SETS, search_date).is_met
    }


def test_no_case_is_of_a_criterion_that_is_not_shipped() -> None:
    assert CASES.keys() == CRITERIA.keys()


def _objects(clause: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield clause
    for each in clause.get("clauses", ()):
        yield from _objects(each)


def _changes(clause: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields what could be otherwise in one clause: (what, the fields that change)."""
    window = clause.get("window", {})
    for step in (-1, 1) if "length" in window else ():
        yield f"window {step:+}", {"window": window | {"length": window["length"] + step}}
    for field in ("at_least", "under", "course_gap"):
        for step in (-1, 1) if "value" in clause.get(field, {}) else ():
            yield f"{field} {step:+}", {field: clause[field] | {"value": clause[field]["value"] + step}}
    if "at_least" in clause.get("value", {}):
        for step in (-0.5, 0.5):
            yield f"value {step:+}", {"value": clause["value"] | {"at_least": clause["value"]["at_least"] + step}}
    if len(clause.get("sources", ())) > 1:
        for source in clause["sources"]:
            yield f"without {source}", {"sources": [other for other in clause["sources"] if other != source]}
    if "sources" in clause:
        yield "every source", {"sources": ["GP", "MEDICINES", "HOSPITAL"]}
    if clause.get("counted_as") == "DISTINCT_DATES":
        yield "records", {"counted_as": "RECORDS"}
    for number in range(len(clause.get("clauses", ()))) if len(clause.get("clauses", ())) > 1 else ():
        left = [each for place, each in enumerate(clause["clauses"]) if place != number]
        yield f"without clause {number}", {"clauses": left}


def changed(criterion: Criterion) -> Iterator[tuple[str, Criterion]]:
    """Yields the criterion with one thing changed, and what."""
    written = to_json(criterion)
    for number, clause in enumerate(_objects(written["rule"])):
        for what, fields in _changes(clause):
            other = copy.deepcopy(written)
            list(_objects(other["rule"]))[number].update(json.loads(json.dumps(fields)))
            try:
                yield f"{clause.get('label', clause['clause'])}: {what}", from_json(other)
            except CriterionError:
                continue


@pytest.mark.parametrize("slug", CRITERIA)
def test_no_number_source_or_clause_of_a_rule_can_change_without_a_case_that_fails(slug: str) -> None:
    unnoticed = [
        what
        for what, criterion in changed(CRITERIA[slug])
        if all(each.is_passed for each in run_cases(criterion, CASES[slug], CODE_SETS))
    ]
    assert unnoticed == []
