"""How fast a batch goes, what of it waits for what, and when the last of it goes, in words for whoever watches it.

Pure: no Django, no clock, no I/O. Moments are in UK time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from letters.estimating import Supply, handed_over_on
from letters.rules import is_between

#: The pace is that of so long before now.
MEASURED = timedelta(minutes=10)
#: From less than this no pace is told.
SHORTEST = timedelta(minutes=1)


@dataclass(frozen=True)
class Line:
    """What of one channel of a batch waits, and for whom.

    `noun` is what it is, in the plural. `supply` is None where no supplier is in use. The supplier is left
    alone until `rests_until`. `is_behind`: an older batch has the same waiting, and goes first.
    """

    noun: str
    waiting: int
    supply: Supply | None
    rests_until: datetime | None = None
    is_behind: bool = False


@dataclass(frozen=True)
class Pace:
    """How many went in how long, until now."""

    gone: int
    span: timedelta

    @property
    def an_hour(self) -> float | None:
        """How many an hour; None where that cannot be told."""
        return self.gone / (self.span / timedelta(hours=1)) if self.gone and self.span >= SHORTEST else None


def outlook(lines: Sequence[Line], pace: Pace, at: datetime) -> list[str]:
    """Returns how fast it goes and how long the rest takes, and what waits for what, a paragraph each."""
    waits = {line.noun: words for line in lines if (words := _waits_for(line, at))}
    going = [line for line in lines if line.noun not in waits]
    said = []
    if pace.an_hour is not None:
        said.append(f"{pace.gone:,} went in the last {_minutes(pace.span)}: {pace.an_hour:,.0f} an hour.")
    if going and pace.an_hour is not None:
        said.append(_left(going, pace, at))
    elif going and pace.span < MEASURED:
        said.append("It has only just begun, so nobody can say yet how long it takes.")
    elif going:
        said.append(f"Nothing has gone in the last {_minutes(pace.span)}. If that lasts, tell the technical team.")
    return [*([" ".join(said)] if said else []), *waits.values()]


def _waits_for(line: Line, at: datetime) -> str:
    """Returns what keeps all of a line from going now, and until when; '' where nothing does."""
    supply, rest = line.supply, f"{line.waiting:,} {line.noun}"
    if supply is None:
        return f"No supplier of {line.noun} is in use, so {rest} wait. Ask an administrator to set one up."
    tomorrow = at.date() + timedelta(days=1)
    if supply.hours and not is_between(at.time(), *supply.hours):
        opens, closes = supply.hours
        day = "today" if at.time() < opens else "tomorrow"
        said = f"{supply.name} takes {line.noun} from {_hour(opens)} to {_hour(closes)}: {rest} wait until {day}."
        return f"{said} {_last(line, supply, at)}".strip()
    if supply.a_day is not None and supply.taken_today >= supply.a_day:
        said = f"{supply.name} has taken the {supply.a_day:,} that it takes a day: {rest} wait until {_day(tomorrow)}."
        return f"{said} {_last(line, supply, at)}".strip()
    if line.rests_until and at < line.rests_until:
        return f"{supply.name} takes nothing at the moment. It is tried again at {_hour(line.rests_until.time())}."
    if line.is_behind:
        return f"An older batch goes first: {rest} wait for it."
    return ""


def _left(lines: Sequence[Line], pace: Pace, at: datetime) -> str:
    """Returns how long the lines that are going take yet: minutes or hours today, else the day."""
    days = [
        handed_over_on(line.waiting - 1, replace(line.supply, an_hour=pace.an_hour), at)
        for line in lines
        if line.supply
    ]
    if None in days:
        return "At this pace it takes more than a year."
    last = max(day for day in days if day)
    waiting = sum(line.waiting for line in lines)
    if last > at.date():
        return f"The last of the other {waiting:,} goes on {_day(last)}."
    hours = waiting / (pace.an_hour or math.inf)
    return f"About {_minutes(timedelta(hours=hours))} left."


def _last(line: Line, supply: Supply, at: datetime) -> str:
    """Returns the day on which the last of a line goes by the supplier's capacity alone; '' where it has none."""
    day = handed_over_on(line.waiting - 1, supply, at) if supply.a_day is not None else None
    return f"The last goes on {_day(day)} at the earliest." if day else ""


def _minutes(span: timedelta) -> str:
    minutes = math.ceil(span / timedelta(minutes=1))
    if minutes < 100:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{math.ceil(minutes / 60)} hours"


def _hour(moment: time) -> str:
    return f"{moment.hour % 12 or 12}{f':{moment:%M}' if moment.minute else ''}{'am' if moment.hour < 12 else 'pm'}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
