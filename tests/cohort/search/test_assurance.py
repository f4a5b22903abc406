"""Assurance cases: whether an example person gets the answer expected, and in words why not."""

from datetime import date
from typing import Any

import pytest

from cohort.search.assurance import BadCase, Case, case_from_json, record_to_json, run_cases
from cohort.search.criteria import Age, AllOf, AnyOf, Clause, CodeSet, Criterion, NoneOf, Records
from cohort.search.reference import Person, Record
from cohort.search.terms import CountedAs, SexCode, Source, Threshold, Tier

DAY = date(2020, 3, 20)
LISTS = {
    "prednisolone": CodeSet("prednisolone", 1, frozenset({("DMD", "325426006")})),
    "inhaler": CodeSet("inhaler", 2, frozenset({("DMD", "9207411000001106")})),
}
FOUR = Records(
    "Prednisolone dispensed",
    "prednisolone",
    at_least=Threshold(4, "England's rule"),
    counted_as=CountedAs.DISTINCT_DATES,
)
INHALER = Records("Inhaler", "inhaler")
ADULT = Age(at_least=Threshold(18, "adults"))


def dispensed(times: int, code: str = "325426006") -> tuple[Record, ...]:
    return tuple(Record("DMD", code, date(2020, 1, 1 + n), Source.MEDICINES) for n in range(times))


def result(rule: Clause, *records: Record, expected: bool = True) -> Any:
    case = Case("Somebody", Person(date(1960, 1, 1), SexCode.FEMALE, records), DAY, expected)
    (found,) = run_cases(Criterion("a", "A", Tier.HIGH, "A group", rule), [case], LISTS)
    return found


@pytest.mark.parametrize(("times", "expected", "is_passed"), [(4, True, True), (3, False, True), (3, True, False)])
def test_a_case_passes_where_the_answer_is_the_one_expected(times: int, expected: bool, is_passed: bool) -> None:
    assert result(FOUR, *dispensed(times), expected=expected).is_passed is is_passed


@pytest.mark.parametrize(
    ("rule", "records", "expected", "words"),
    [
        (FOUR, dispensed(3), True, "expected on the list, but: Prednisolone dispensed: 3 of 4 needed."),
        (AllOf((INHALER, FOUR, ADULT)), dispensed(4), True, "expected on the list, but: Inhaler: 0 of 1 needed."),
        (AnyOf((INHALER, FOUR)), dispensed(5), False, "not on the list, but: Prednisolone dispensed: 5 of 4 needed."),
        (AllOf((ADULT, NoneOf((FOUR,)))), dispensed(4), True, "but: Prednisolone dispensed: 4 of 4 needed."),
        (
            AllOf((ADULT, NoneOf((FOUR,)))),
            dispensed(1),
            False,
            "but: Aged 18 or over: yes; Prednisolone dispensed: 1 of 4 needed.",
        ),
        (FOUR, dispensed(4), True, "on the list, as expected."),
    ],
)
def test_a_failing_case_says_which_clauses_decided(
    rule: Clause, records: tuple[Record, ...], expected: bool, words: str
) -> None:
    assert result(rule, *records, expected=expected).in_words.endswith(words)


WRITTEN: dict[str, Any] = {
    "criterion": "severe-asthma",
    "name": "Four courses",
    "birth_date": "1960-02-29",
    "sex": "F",
    "records": [
        {"system": "DMD", "code": "325426006", "date": "2020-01-01", "source": "MEDICINES", "episode": "", "value": 2}
    ],
    "search_date": "2020-03-20",
    "expected": True,
    "why": "England's rule",
}


def test_a_case_is_read_from_its_json_and_its_records_written_back() -> None:
    case = case_from_json(WRITTEN)
    assert case.person.records == (Record("DMD", "325426006", date(2020, 1, 1), Source.MEDICINES, "", 2.0),)
    assert (case.name, case.search_date, case.expected, case.why) == ("Four courses", DAY, True, "England's rule")
    assert [record_to_json(record) for record in case.person.records] == WRITTEN["records"]


@pytest.mark.parametrize(
    "change",
    [
        {"birth_date": "29/02/1960"},
        {"sex": "X"},
        {"expected": "yes"},
        {"name": " "},
        {"records": [{"system": "DMD"}]},
        {"records": None},
        {"records": [WRITTEN["records"][0] | {"source": "PHARMACY"}]},
    ],
)
def test_a_case_that_cannot_be_read_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(BadCase, match=r"The case “(Four courses| )”"):
        case_from_json(WRITTEN | change)
