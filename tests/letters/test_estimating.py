"""The day a letter should arrive, as a table of cases of the queue, the supplier and the post."""

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from letters.estimating import (
    Supply,
    ahead_of_last,
    assumptions,
    expected,
    handed_over_on,
    lands_on,
    open_hours,
    pace,
)

LONDON = ZoneInfo("Europe/London")
#: A Thursday; Easter is the weekend after next.
NOON = datetime(2020, 4, 2, 12, 0, tzinfo=LONDON)
EASTER = {date(2020, 4, 10), date(2020, 4, 13)}
DAY = (time(8), time(18))
PRINTER = Supply("The printer")


def april(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2020, 4, day, hour, minute, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("start", "end", "hours", "expected_hours"),
    [
        (april(2, 12), april(2, 18), None, 6),
        (april(2, 12), april(2, 12), None, 0),
        (april(2, 12), april(2, 11), None, 0),
        (april(2, 12), april(3), DAY, 6),
        (april(2, 6), april(2, 8, 30), DAY, 0.5),
        (april(2, 18), april(3, 8), DAY, 0),
        (april(2), april(3), (time(22), time(6)), 8),
        (april(2, 17), april(3, 9), DAY, 2),
    ],
)
def test_hours_in_which_a_supplier_takes(
    start: datetime, end: datetime, hours: tuple[time, time] | None, expected_hours: float
) -> None:
    assert open_hours(start, end, hours) == expected_hours


@pytest.mark.parametrize(
    ("count", "first", "last", "expected_pace"),
    [
        (600, april(2, 9), april(2, 12), 200.0),
        (600, april(1, 17), april(2, 9), 300.0),  # the night is closed
        (600, april(2, 9), april(2, 9, 10), None),  # too short to say
        (0, april(2, 9), april(2, 12), None),
    ],
)
def test_the_pace_is_of_the_open_hours_in_which_letters_went(
    count: int, first: datetime, last: datetime, expected_pace: float | None
) -> None:
    assert pace(count, first, last, DAY) == expected_pace


@pytest.mark.parametrize(
    ("ahead", "supply", "day"),
    [
        (2_200_000, PRINTER, 2),  # no limit and no pace: as soon as it takes any
        (0, replace(PRINTER, a_day=100), 2),
        (99, replace(PRINTER, a_day=100), 2),
        (100, replace(PRINTER, a_day=100), 3),
        (199, replace(PRINTER, a_day=100), 3),
        (200, replace(PRINTER, a_day=100), 4),
        (0, replace(PRINTER, a_day=100, taken_today=100), 3),
        (40, replace(PRINTER, a_day=100, taken_today=60), 3),
        (0, replace(PRINTER, a_day=100, taken_today=500), 3),
        (119, replace(PRINTER, an_hour=10), 2),  # twelve hours are left
        (120, replace(PRINTER, an_hour=10), 3),
        (360, replace(PRINTER, an_hour=10), 4),
        (59, replace(PRINTER, an_hour=10, hours=DAY), 2),
        (60, replace(PRINTER, an_hour=10, hours=DAY), 3),
        (60, replace(PRINTER, an_hour=1000, a_day=50), 3),  # the lesser of the two counts
        (0, replace(PRINTER, hours=(time(8), time(11))), 3),  # closed for today
        (150, replace(PRINTER, a_day=100, hours=(time(8), time(11))), 4),
        (0, replace(PRINTER, a_day=0), None),
        (0, replace(PRINTER, an_hour=0.01), 2),
        (1, replace(PRINTER, an_hour=0.01), None),
        (100_000, replace(PRINTER, a_day=100), None),  # longer than a year
    ],
)
def test_the_day_a_letter_goes_to_the_supplier(ahead: int, supply: Supply, day: int | None) -> None:
    assert handed_over_on(ahead, supply, NOON) == (date(2020, 4, day) if day else None)


@pytest.mark.parametrize(
    ("handed_over", "supply", "day"),
    [
        (2, PRINTER, 6),  # Thursday, Friday, and not the weekend
        (3, PRINTER, 7),
        (4, PRINTER, 7),  # a Saturday counts from Monday
        (8, PRINTER, 14),  # Good Friday and Easter Monday
        (6, replace(PRINTER, days_to_deliver=0), 6),
        (4, replace(PRINTER, days_to_deliver=0), 6),
        (6, replace(PRINTER, delivered_after=1.2), 8),
        (2, replace(PRINTER, delivered_after=2.0), 6),
        (6, replace(PRINTER, delivered_after=1.2, dispatched_after=9), 8),
        (6, replace(PRINTER, dispatched_after=0.5), 9),
    ],
)
def test_the_day_it_is_at_the_door(handed_over: int, supply: Supply, day: int) -> None:
    assert lands_on(date(2020, 4, handed_over), supply, EASTER) == date(2020, 4, day)


def test_the_day_is_both_together() -> None:
    assert expected(250, replace(PRINTER, a_day=100), NOON, EASTER) == date(2020, 4, 7)
    assert expected(0, replace(PRINTER, a_day=0), NOON, EASTER) is None


@pytest.mark.parametrize(
    ("waiting", "everywhere", "ahead"),
    [(1, [1], 0), (5, [5], 4), (2, [2, 100], 3), (100, [2, 100], 101), (3, [3, 3, 3], 8), (0, [0, 5], 0)],
)
def test_areas_take_turns(waiting: int, everywhere: list[int], ahead: int) -> None:
    assert ahead_of_last(waiting, everywhere) == ahead


def test_what_it_rests_on_is_said() -> None:
    measured = replace(PRINTER, a_day=20_000, taken_today=500, an_hour=1234.5, hours=DAY, delivered_after=1.25)
    assert assumptions(1_000, measured) == [
        "1,000 letters go before it, and it is put into a batch and released without delay.",
        "The printer takes 20,000 a day; 500 of today's have gone.",
        "It takes them from 08:00 to 18:00.",
        "In the last day they went at 1,234 an hour, and go on so.",
        "Its receipts say that half are delivered within 1.2 days.",
        "No post comes on Saturdays, Sundays and bank holidays in England.",
    ]
    assert assumptions(0, PRINTER)[1:4] == [
        "The printer has no daily limit.",
        "Too few have gone in the last day to measure a pace, so none is reckoned with.",
        "It takes 2 working days to the door, as agreed, since there are too few receipts to measure.",
    ]
    posted = assumptions(0, replace(PRINTER, dispatched_after=0.5, days_to_deliver=1))
    assert "Its receipts say that half are posted within 0.5 days; the post takes 1 working day." in posted
