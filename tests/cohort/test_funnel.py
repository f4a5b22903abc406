"""The funnel plot, as tables of cases."""

from math import isclose

import pytest

from cohort.funnel import ALARM, WARNING, Funnel, Measure, Verdict, funnel, winsorised

PROPORTION, RATIO = Measure.PROPORTION, Measure.RATIO
TENTH = Funnel(PROPORTION, 0.1, 1.0, 100)
HALF = Funnel(RATIO, 0.5, 1.0, 100)


@pytest.mark.parametrize(
    ("held_against", "cases", "people", "verdict"),
    [
        (TENTH, 10, 100, Verdict.AS_EXPECTED),
        (TENTH, 15, 100, Verdict.AS_EXPECTED),
        (TENTH, 17, 100, Verdict.HIGH),
        (TENTH, 25, 100, Verdict.VERY_HIGH),
        (TENTH, 4, 100, Verdict.LOW),
        (TENTH, 1, 100, Verdict.VERY_LOW),
        (TENTH, 0, 100, Verdict.VERY_LOW),
        (TENTH, 0, 20, Verdict.LOW),
        (TENTH, 19, 19, Verdict.TOO_FEW),
        (TENTH, 20, 20, Verdict.VERY_HIGH),
        (TENTH, 0, 0, Verdict.TOO_FEW),
        (HALF, 50, 100, Verdict.AS_EXPECTED),
        (HALF, 66, 100, Verdict.HIGH),
        (HALF, 300, 100, Verdict.VERY_HIGH),
        (HALF, 36, 100, Verdict.LOW),
        (HALF, 20, 100, Verdict.VERY_LOW),
        (Funnel(PROPORTION, 0.1, 3.0, 100), 25, 100, Verdict.AS_EXPECTED),  # practices differ more than by chance
        (Funnel(PROPORTION, 0.0, 1.0, 100), 0, 100, Verdict.AS_EXPECTED),
        (Funnel(PROPORTION, 1.0, 1.0, 100), 100, 100, Verdict.AS_EXPECTED),
    ],
)
def test_a_rate_is_judged_by_how_far_it_is_from_the_average(
    held_against: Funnel, cases: int, people: int, verdict: Verdict
) -> None:
    assert held_against.verdict(cases, people) is verdict


@pytest.mark.parametrize("held_against", [TENTH, HALF, Funnel(PROPORTION, 0.3, 2.0, 9), Funnel(RATIO, 3.5, 1.5, 9)])
@pytest.mark.parametrize("people", [20, 100, 3300])
@pytest.mark.parametrize("deviations", [WARNING, ALARM])
def test_the_limits_are_where_the_verdict_turns(held_against: Funnel, people: int, deviations: float) -> None:
    low, high = held_against.limits(people, deviations)
    assert 0 <= low < held_against.average < high
    for cases in range(int(people * 2 if held_against.measure is RATIO else people) + 1):
        is_outside = abs(held_against.z(cases, people)) > deviations
        assert is_outside is not (low <= cases / people <= high) or isclose(
            abs(held_against.z(cases, people)), deviations
        )


def test_limits_narrow_with_people_and_stay_possible() -> None:
    widths = [high - low for low, high in (TENTH.limits(people, ALARM) for people in (20, 100, 1000))]
    assert widths == sorted(widths, reverse=True)
    assert Funnel(PROPORTION, 0.95, 1.0, 9).limits(20, ALARM)[1] <= 1
    # 1.96 and 3.09 standard deviations; of 10 % among 1,000 people some 1.9 and 3 points each side.
    assert (round(WARNING, 2), round(ALARM, 2)) == (1.96, 3.09)
    assert [round(limit, 3) for limit in TENTH.limits(1000, WARNING)] == [0.082, 0.119]


@pytest.mark.parametrize(
    ("practices", "expected"),
    [
        ([], None),
        ([(2, 20)] * 9, None),
        ([(2, 20)] * 10, (0.1, 1.0, 10)),
        ([(2, 20)] * 10 + [(19, 19)] * 50, (0.1, 1.0, 10)),  # the small are not compared
        ([(0, 1000)] * 10 + [(200, 1000)] * 10, (0.1, 15.7, 20)),
    ],
)
def test_practices_are_held_against_all_of_them(
    practices: list[tuple[int, int]], expected: tuple[float, float, int] | None
) -> None:
    found = funnel(PROPORTION, practices)
    assert (found and (round(found.average, 3), round(found.widening, 1), found.practices)) == expected


def test_one_outlier_among_many_does_not_hide_itself() -> None:
    ordinary = [(cases, 100) for cases in (6, 8, 9, 10, 10, 11, 12, 14)] * 5
    found = funnel(PROPORTION, [*ordinary, (90, 100)])
    assert found is not None
    assert found.verdict(90, 100) is Verdict.VERY_HIGH
    assert {found.verdict(*row) for row in ordinary} <= {Verdict.AS_EXPECTED, Verdict.LOW}


def test_the_ends_are_pulled_in() -> None:
    assert winsorised([5, 1, 2, 3, 4, 6, 7, 8, 9, 100]) == [2, 2, 3, 4, 5, 6, 7, 8, 9, 9]
    assert winsorised([1, 2]) == [1, 2]
