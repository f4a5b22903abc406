"""Windows, ages, and what may and may not be said in a criterion."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cohort.search.codec import from_json, to_json
from cohort.search.criteria import AllOf, Criterion, Records, leaves
from cohort.search.english import plain_english
from cohort.search.terms import (
    BadValue,
    CriterionError,
    MissingField,
    Tier,
    Unit,
    UnknownClause,
    UnknownField,
    Window,
    WrongType,
    age_on,
    months_before,
)


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2020, 3, 20), 6, date(2019, 9, 20)),
        (date(2020, 3, 31), 1, date(2020, 2, 29)),
        (date(2021, 3, 31), 1, date(2021, 2, 28)),
        (date(2020, 1, 31), 2, date(2019, 11, 30)),
        (date(2020, 1, 31), 1, date(2019, 12, 31)),
        (date(2020, 2, 29), 12, date(2019, 2, 28)),
        (date(2020, 2, 29), 48, date(2016, 2, 29)),
        (date(2020, 12, 1), 12, date(2019, 12, 1)),
    ],
)
def test_months_are_counted_back_to_the_same_day_or_the_months_last(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


@pytest.mark.parametrize(
    ("length", "unit", "start"),
    [(254, Unit.DAYS, date(2019, 7, 10)), (1, Unit.DAYS, date(2020, 3, 19)), (6, Unit.MONTHS, date(2019, 9, 20))],
)
def test_a_window_starts_so_long_before_the_search_date(length: int, unit: Unit, start: date) -> None:
    assert Window(length, unit, "a test").start(date(2020, 3, 20)) == start


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(1950, 3, 20), date(2020, 3, 20), 70),
        (date(1950, 3, 21), date(2020, 3, 20), 69),
        (date(2000, 2, 29), date(2018, 2, 28), 17),
        (date(2000, 2, 29), date(2018, 3, 1), 18),
        (date(2000, 2, 29), date(2020, 2, 29), 20),
        (date(2020, 3, 20), date(2020, 3, 20), 0),
    ],
)
def test_age_is_in_whole_years(birth: date, day: date, age: int) -> None:
    assert age_on(day, birth) == age


def definition(**rule: Any) -> dict[str, Any]:
    return {
        "slug": "cystic-fibrosis",
        "title": "Cystic fibrosis",
        "tier": "HIGH",
        "disease_group": "Respiratory",
        "rule": rule or {"clause": "RECORDS", "label": "Cystic fibrosis", "code_list": "cystic-fibrosis"},
    }


RECORDS = {"clause": "RECORDS", "label": "A label", "code_list": "a-list"}
WINDOW = {"length": 6, "unit": "MONTHS", "reason": "a test"}


@pytest.mark.parametrize(
    ("data", "error", "path"),
    [
        ([], WrongType, ""),
        ({}, MissingField, "slug"),
        (definition() | {"tier": "MEDIUM"}, BadValue, "tier"),
        (definition() | {"titel": "x"}, UnknownField, "titel"),
        (definition() | {"slug": "Cystic fibrosis"}, BadValue, "slug"),
        (definition() | {"title": 7}, WrongType, "title"),
        (definition(clause="SOME_OF", clauses=[]), UnknownClause, "rule.clause"),
        (definition(clauses=[]), MissingField, "rule.clause"),
        (definition(clause="ALL_OF", clauses=[]), BadValue, "rule.clauses"),
        (definition(clause="ALL_OF", clauses={}), WrongType, "rule.clauses"),
        (definition(clause="ALL_OF", clauses=[RECORDS, {}]), MissingField, "rule.clauses[1].clause"),
        (
            definition(clause="ANY_OF", clauses=[RECORDS | {"window": WINDOW | {"length": 0}}]),
            BadValue,
            "rule.clauses[0].window.length",
        ),
        (definition(**RECORDS, window=WINDOW | {"unit": "WEEKS"}), BadValue, "rule.window.unit"),
        (definition(**RECORDS, window=WINDOW | {"reason": " "}), BadValue, "rule.window.reason"),
        (definition(**RECORDS, window=WINDOW | {"length": True}), WrongType, "rule.window.length"),
        (definition(**RECORDS, at_least={"value": 4}), BadValue, "rule.at_least.reason"),
        (definition(**RECORDS, at_least={"value": 0, "reason": "x"}), BadValue, "rule.at_least.value"),
        (definition(**RECORDS, sources=["GP", "PHARMACY"]), BadValue, "rule.sources[1]"),
        (definition(**RECORDS, sources=[]), BadValue, "rule.sources"),
        (definition(**RECORDS, sources=["GP", "GP"]), BadValue, "rule.sources"),
        (definition(**RECORDS | {"label": ""}), BadValue, "rule.label"),
        (definition(**RECORDS | {"code_list": "A list"}), BadValue, "rule.code_list"),
        (definition(clause="AGE"), BadValue, "rule"),
        (
            definition(clause="AGE", at_least={"value": 70, "reason": "x"}, under={"value": 18, "reason": "x"}),
            BadValue,
            "rule.under",
        ),
        (definition(clause="SEX", any_of=["X"]), BadValue, "rule.any_of[0]"),
        (
            definition(clause="AT_LEAST", count={"value": 2, "reason": "x"}, clauses=[RECORDS]),
            BadValue,
            "rule.count.value",
        ),
        (
            definition(clause="ALL_OF", clauses=[RECORDS, RECORDS | {"code_list": "another-list"}]),
            BadValue,
            "rule",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(data: Any, error: type[CriterionError], path: str) -> None:
    with pytest.raises(error) as caught:
        from_json(data)
    assert caught.value.path == path
    assert str(caught.value).startswith(path)


def test_clauses_without_end_are_refused() -> None:
    rule: dict[str, Any] = RECORDS
    for _ in range(500):
        rule = {"clause": "NONE_OF", "clauses": [rule]}
    with pytest.raises(BadValue, match="nested 20 deep"):
        from_json(definition(**rule))


def test_defaults_are_left_out_of_the_json() -> None:
    assert to_json(from_json(definition())) == definition()


def test_the_same_clause_may_stand_twice() -> None:
    records = Records("A label", "a-list")
    criterion = Criterion("one", "One", Tier.HIGH, "A group", AllOf((records, AllOf((records,)))))
    assert leaves(criterion.rule) == [records]
    with pytest.raises(BadValue, match="A label"):
        replace(criterion, rule=AllOf((records, replace(records, code_list="b-list"))))


def test_plain_english_says_every_number_and_its_reason() -> None:
    criterion = from_json(
        definition(
            clause="AT_LEAST",
            count={"value": 2, "reason": "one alone is common."},
            clauses=[
                {
                    "clause": "NOT_FOLLOWED_BY",
                    "label": "Pregnant now",
                    "code_list": "pregnancy",
                    "followed_by": "delivery",
                    "sources": ["HOSPITAL", "GP"],
                    "window": {"length": 254, "unit": "DAYS", "reason": "the published rule"},
                },
                {
                    "clause": "NONE_OF",
                    "clauses": [
                        {
                            **RECORDS,
                            "at_least": {"value": 3, "reason": "Scotland's rule"},
                            "window": {"length": 1, "unit": "MONTHS", "reason": "a test"},
                            "counted_as": "DISTINCT_DATES",
                        },
                        {**RECORDS, "label": "B", "at_least": {"value": 2, "reason": "a test"}},
                    ],
                },
                {"clause": "AGE", "at_least": {"value": 18, "reason": "adults"}, "under": {"value": 70, "reason": "r"}},
                {"clause": "SEX", "any_of": ["F", "U"]},
            ],
        )
        | {"note": "Invented."}
    )
    assert plain_english(criterion) == (
        "People are high risk (Respiratory) where this is true:\n"
        "\n"
        "- At least 2 of these: Why 2: one alone is common.\n"
        "  - Pregnant now: a record from the list “pregnancy” in GP records or hospital records, in the 254 days up to"
        " the search date, with no record from the list “delivery” on a later day. Why 254 days: the published rule.\n"
        "  - None of these:\n"
        "    - A label: records on 3 or more different days from the list “a-list” in any source, in the 1 month up to"
        " the search date. Why 3: Scotland's rule. Why 1 month: a test.\n"
        "    - B: 2 or more records from the list “a-list” in any source, ever. Why 2: a test.\n"
        "  - Aged 18 to 69 at the search date. Why 18: adults. Why 70: r.\n"
        "  - Sex recorded as female or not known.\n"
        "\n"
        "Note: Invented."
    )
