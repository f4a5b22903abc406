"""The rules, as tables of cases, on the reference engine."""

from datetime import date, timedelta

import pytest

from cohort.search.criteria import (
    AllOf,
    AnyOf,
    AtLeast,
    Clause,
    CodeSet,
    Criterion,
    NoneOf,
    NotFollowedBy,
    Records,
    Sex,
    UnknownCodeList,
)
from cohort.search.reference import Answer, Person, Record, evaluate
from cohort.search.terms import CountedAs, SexCode, Source, Threshold, Tier, Unit, Window

TODAY = date(2020, 3, 20)
DAY = timedelta(days=1)
SETS = {
    "icd": CodeSet("icd", 1, frozenset({("ICD-10", "C437")})),
    "opcs": CodeSet("opcs", 2, frozenset({("OPCS-4", "C437")})),
    "pairs": CodeSet("pairs", 3, frozenset(), frozenset({("OPCS-4", "B208", "Y012"), ("OPCS-4", "B208", "Y018")})),
    "pregnancy": CodeSet("pregnancy", 4, frozenset({("SNOMED", "77386006")})),
    "delivery": CodeSet("delivery", 5, frozenset({("SNOMED", "289256000")})),
}


def answer(rule: Clause, *records: Record, on: date = TODAY, sex: SexCode = SexCode.FEMALE) -> Answer:
    criterion = Criterion("a-criterion", "A criterion", Tier.HIGH, "A group", rule)
    return evaluate(criterion, Person(date(1950, 1, 1), sex, records), SETS, on)


def icd(day: date = TODAY, source: Source = Source.HOSPITAL) -> Record:
    return Record("ICD-10", "C437", day, source)


def opcs(code: str, episode: str = "", day: date = TODAY) -> Record:
    return Record("OPCS-4", code, day, Source.HOSPITAL, episode)


def times(value: int) -> Threshold:
    return Threshold(value, "a test")


def window(length: int, unit: Unit) -> Window:
    return Window(length, unit, "a test")


@pytest.mark.parametrize(
    ("on", "length", "unit", "first_day"),
    [
        (TODAY, 6, Unit.MONTHS, date(2019, 9, 20)),
        (date(2020, 3, 31), 1, Unit.MONTHS, date(2020, 2, 29)),
        (date(2021, 3, 31), 1, Unit.MONTHS, date(2021, 2, 28)),
        (date(2020, 1, 31), 2, Unit.MONTHS, date(2019, 11, 30)),
        (date(2020, 2, 29), 12, Unit.MONTHS, date(2019, 2, 28)),
        (TODAY, 254, Unit.DAYS, date(2019, 7, 10)),
    ],
)
def test_a_window_holds_its_first_day_and_the_search_date(on: date, length: int, unit: Unit, first_day: date) -> None:
    rule = Records("Melanoma", "icd", window=window(length, unit))
    assert not answer(rule, icd(first_day - DAY), on=on).is_met
    assert answer(rule, icd(first_day), on=on).is_met
    assert answer(rule, icd(on), on=on).is_met
    assert not answer(rule, icd(on + DAY), on=on).is_met


def test_ever_ends_with_the_search_date() -> None:
    assert answer(Records("Melanoma", "icd"), icd(date(1948, 7, 5))).is_met
    assert not answer(Records("Melanoma", "icd"), icd(TODAY + DAY)).is_met


def test_a_code_counts_only_in_its_own_system() -> None:
    both = (icd(), opcs("C437"))
    assert [e.system for e in answer(Records("Melanoma", "icd"), *both).evidence] == ["ICD-10"]
    assert [e.system for e in answer(Records("Conjunctiva", "opcs"), *both).evidence] == ["OPCS-4"]
    assert not answer(Records("Melanoma", "icd"), opcs("C437")).is_met
    assert not answer(Records("Conjunctiva", "opcs"), icd()).is_met


@pytest.mark.parametrize("source", list(Source))
def test_a_record_counts_only_from_a_named_source(source: Source) -> None:
    rule = Records("Melanoma", "icd", sources=(Source.HOSPITAL,))
    assert answer(rule, icd(source=source)).is_met == (source is Source.HOSPITAL)


@pytest.mark.parametrize(
    ("days_ago", "records", "dates"),
    [([0, 1, 2, 3], 4, 4), ([0, 0, 1, 1], 4, 2), ([0, 0, 0, 0], 4, 1), ([0, 1, 2], 3, 3)],
)
def test_four_are_counted_by_record_or_by_day(days_ago: list[int], records: int, dates: int) -> None:
    given = [icd(TODAY - n * DAY) for n in days_ago]
    rule = Records("Melanoma", "icd", at_least=times(4))
    assert answer(rule, *given).is_met == (records >= 4)
    by_day = Records("Melanoma", "icd", at_least=times(4), counted_as=CountedAs.DISTINCT_DATES)
    assert answer(by_day, *given).is_met == (dates >= 4)


@pytest.mark.parametrize(
    ("records", "detail"),
    [
        ((opcs("B208", "e1"), opcs("Y012", "e1")), "With Y012 in the same episode"),
        ((opcs("B208", "e1"), opcs("Y018", "e1"), opcs("Y012", "e1")), "With Y012, Y018 in the same episode"),
        ((opcs("B208", "e1", TODAY - DAY), opcs("Y012", "e1")), "With Y012 in the same episode"),
        ((opcs("B208", "e1"), opcs("Y012", "e2")), None),
        ((opcs("B208", ""), opcs("Y012", "")), None),
        ((opcs("B208", "e1"), opcs("Y011", "e1")), None),
        ((opcs("B208", "e1"),), None),
        ((opcs("Y012", "e1"),), None),
        ((opcs("B208", "e1"), opcs("Y012", "e1", TODAY + DAY)), None),
        ((opcs("B208", "e1"), Record("ICD-10", "Y012", TODAY, Source.HOSPITAL, "e1")), None),
        ((Record("ICD-10", "B208", TODAY, Source.HOSPITAL, "e1"), opcs("Y012", "e1")), None),
    ],
)
def test_a_pair_counts_where_both_codes_are_in_one_episode(records: tuple[Record, ...], detail: str | None) -> None:
    found = answer(Records("Thymus", "pairs"), *records)
    assert [(e.code, e.detail) for e in found.evidence] == ([("B208", detail)] if detail else [])
    assert found.is_met == (detail is not None)


def test_a_pair_is_one_record() -> None:
    rule = Records("Thymus", "pairs", at_least=times(2))
    assert not answer(rule, opcs("B208", "e1"), opcs("Y012", "e1"), opcs("Y018", "e1")).is_met


def pregnant(days_ago: int) -> Record:
    return Record("SNOMED", "77386006", TODAY - days_ago * DAY, Source.GP)


def delivered(days_ago: int) -> Record:
    return Record("SNOMED", "289256000", TODAY - days_ago * DAY, Source.GP)


@pytest.mark.parametrize(
    ("records", "is_pregnant"),
    [
        ([pregnant(10)], True),
        ([pregnant(254)], True),
        ([pregnant(255)], False),
        ([pregnant(100), delivered(99)], False),
        ([pregnant(100), delivered(100)], True),
        ([pregnant(100), delivered(101)], True),
        ([pregnant(200), delivered(100), pregnant(50)], True),
        ([pregnant(100), delivered(-1)], True),
        ([delivered(10)], False),
        ([], False),
    ],
)
def test_pregnant_is_a_code_with_no_later_delivery(records: list[Record], is_pregnant: bool) -> None:
    rule = NotFollowedBy("Pregnant now", "pregnancy", "delivery", window=window(254, Unit.DAYS))
    assert answer(rule, *records).is_met == is_pregnant


def test_only_the_codes_after_the_delivery_are_evidence() -> None:
    rule = NotFollowedBy("Pregnant now", "pregnancy", "delivery")
    found = answer(rule, pregnant(200), delivered(100), pregnant(50), pregnant(20))
    assert [e.event_date for e in found.evidence] == [TODAY - 20 * DAY, TODAY - 50 * DAY]


YES = Records("Yes", "icd")
NO = Records("No", "delivery")
ALSO = Records("Also", "opcs")


@pytest.mark.parametrize(
    ("rule", "is_met", "reasons"),
    [
        (AllOf((YES, ALSO)), True, ["Yes", "Also"]),
        (AllOf((YES, NO)), False, []),
        (AnyOf((NO, YES)), True, ["Yes"]),
        (AnyOf((NO, NO)), False, []),
        (AnyOf((YES, ALSO)), True, ["Yes", "Also"]),
        (AnyOf((AllOf((ALSO, NO)), YES)), True, ["Yes"]),
        (NoneOf((NO,)), True, []),
        (NoneOf((NO, YES)), False, []),
        (AllOf((YES, NoneOf((NO,)))), True, ["Yes"]),
        (AtLeast(times(2), (YES, NO, ALSO)), True, ["Yes", "Also"]),
        (AtLeast(times(3), (YES, NO, ALSO)), False, []),
        (AllOf((YES, AnyOf((YES, NO)))), True, ["Yes"]),
        (Sex((SexCode.MALE,)), False, []),
        (Sex((SexCode.FEMALE,)), True, ["Sex recorded as female"]),
    ],
)
def test_only_the_clauses_that_made_it_true_are_evidence(rule: Clause, is_met: bool, reasons: list[str]) -> None:
    found = answer(rule, icd(), opcs("C437"))
    assert (found.is_met, [e.clause for e in found.evidence]) == (is_met, reasons)


def test_evidence_is_the_twelve_newest() -> None:
    found = answer(Records("Melanoma", "icd"), *(icd(TODAY - n * DAY) for n in range(20)))
    assert [e.event_date for e in found.evidence] == [TODAY - n * DAY for n in range(12)]


def test_a_code_list_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownCodeList, match="a-criterion reads code lists that are not there: other"):
        answer(Records("Other", "other"))
