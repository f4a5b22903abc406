"""The day on which a letter should arrive: from the queue before it, what its supplier takes, and the post.

Pure: no Django, no clock, no I/O. Moments are in UK time; a pace is of the hours in which the supplier takes.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from letters.rules import is_between

#: Nothing is promised beyond this: a queue that lasts longer is one that somebody must look at.
LONGEST_DAYS = 366
#: Shorter than this, what went says nothing about a pace.
SHORTEST_HOURS = 0.25
#: From fewer receipts than this no median is taken.
FEWEST_RECEIPTS = 20


@dataclass(frozen=True)
class Supply:
    """What is known of a supplier of letters.

    `a_day` is its capacity (None: no limit) and `taken_today` how much of today's is used; `an_hour` is the
    pace that was measured (None: nothing has gone that could be measured). It takes letters in `hours`.
    `days_to_deliver` are working days as agreed. `delivered_after` and `dispatched_after` are days
    from hand-over as its receipts say, None where there are too few.
    """

    name: str
    a_day: int | None = None
    taken_today: int = 0
    an_hour: float | None = None
    hours: tuple[time, time] | None = None
    days_to_deliver: int = 2
    delivered_after: float | None = None
    dispatched_after: float | None = None


def open_hours(start: datetime, end: datetime, hours: tuple[time, time] | None) -> float:
    """Returns how many hours from `start` to `end` are within a supplier's hours, to the minute."""
    if end <= start:
        return 0.0
    if hours is None:
        return (end - start) / timedelta(hours=1)
    minutes = int((end - start) / timedelta(minutes=1))
    return sum(is_between((start + timedelta(minutes=n)).time(), *hours) for n in range(minutes)) / 60


def pace(count: int, first: datetime, last: datetime, hours: tuple[time, time] | None) -> float | None:
    """Returns how many an hour went, where they went from `first` to `last`; None where that is too short to say."""
    span = open_hours(first, last, hours)
    return count / span if count and span >= SHORTEST_HOURS else None


def handed_over_on(ahead: int, supply: Supply, at: datetime) -> date | None:
    """Returns the day on which a letter behind `ahead` others goes to the supplier; None where that is too far off.

    Without a limit and a pace to reckon with, all of them go as soon as the supplier takes any.
    """
    midnight = datetime.combine(at.date() + timedelta(days=1), time.min, tzinfo=at.tzinfo)
    left = open_hours(at, midnight, supply.hours)
    a_whole_day = open_hours(midnight, midnight + timedelta(days=1), supply.hours)
    capacity = math.inf if supply.a_day is None else supply.a_day
    today = min(max(capacity - supply.taken_today, 0), math.inf if supply.an_hour is None else supply.an_hour * left)
    if left and ahead < today:
        return at.date()
    ahead -= int(today) if left else 0
    a_day = min(capacity, math.inf if supply.an_hour is None else supply.an_hour * a_whole_day)
    if a_day < 1:
        return None
    days = 1 + (0 if a_day == math.inf else int(ahead // a_day))
    return at.date() + timedelta(days=days) if days <= LONGEST_DAYS else None


def lands_on(handed_over: date, supply: Supply, holidays: Collection[date]) -> date:
    """Returns the day on which a letter is at the door: by the receipts' measure, else by what was agreed.

    No post comes on Saturdays, Sundays and `holidays`.
    """
    if supply.delivered_after is not None:
        return _working_day(handed_over + timedelta(days=math.ceil(supply.delivered_after)), holidays)
    day = handed_over + timedelta(days=math.ceil(supply.dispatched_after or 0))
    for _ in range(supply.days_to_deliver):
        day = _working_day(day + timedelta(days=1), holidays)
    return _working_day(day, holidays)


def expected(ahead: int, supply: Supply, at: datetime, holidays: Collection[date]) -> date | None:
    """Returns the day on which a letter behind `ahead` others should be at the door, or None (see above)."""
    handed_over = handed_over_on(ahead, supply, at)
    return None if handed_over is None else lands_on(handed_over, supply, holidays)


def ahead_of_last(waiting: int, everywhere: Iterable[int]) -> int:
    """Returns how many go before the last of an area's waiting letters, where areas take turns.

    `everywhere` are the letters waiting in each area, this one included.
    """
    return max(sum(min(waiting, others) for others in everywhere) - 1, 0)


def assumptions(ahead: int, supply: Supply) -> list[str]:
    """Returns what the estimate rests on, a sentence each."""
    said = [f"{ahead:,} letters go before it, and it is put into a batch and released without delay."]
    if supply.a_day is None:
        said.append(f"{supply.name} has no daily limit.")
    else:
        said.append(f"{supply.name} takes {supply.a_day:,} a day; {supply.taken_today:,} of today's have gone.")
    if supply.hours:
        said.append(f"It takes them from {supply.hours[0]:%H:%M} to {supply.hours[1]:%H:%M}.")
    if supply.an_hour is None:
        said.append("Too few have gone in the last day to measure a pace, so none is reckoned with.")
    else:
        said.append(f"In the last day they went at {supply.an_hour:,.0f} an hour, and go on so.")
    agreed = f"{supply.days_to_deliver} working {'day' if supply.days_to_deliver == 1 else 'days'}"
    if supply.delivered_after is not None:
        said.append(f"Its receipts say that half are delivered within {supply.delivered_after:.1f} days.")
    elif supply.dispatched_after is not None:
        said.append(
            f"Its receipts say that half are posted within {supply.dispatched_after:.1f} days; the post takes {agreed}."
        )
    else:
        said.append(f"It takes {agreed} to the door, as agreed, since there are too few receipts to measure.")
    said.append("No post comes on Saturdays, Sundays and bank holidays in England.")
    return said


def _working_day(day: date, holidays: Collection[date]) -> date:
    while day.weekday() >= 5 or day in holidays:
        day += timedelta(days=1)
    return day
