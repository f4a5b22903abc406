"""The words that clauses are made of: sources, thresholds, windows and ranges of values, and what can be wrong."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import isfinite

_LONGEST_WINDOW_YEARS = 120
#: No record is older: extracts with an earlier date are refused.
EARLIEST_DATE = date(1900, 1, 1)


class CriterionError(ValueError):
    """A criterion is not well formed. `path` says where, such as `rule.clauses[1].window.length`."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}" if path else problem)

    def beneath(self, parent: str) -> "CriterionError":
        """Returns the same error with its path counted from further up."""
        joint = "" if not parent or not self.path or self.path.startswith("[") else "."
        return type(self)(f"{parent}{joint}{self.path}", self.problem)


class MissingField(CriterionError):
    """A field that has no default is not there."""


class UnknownField(CriterionError):
    """A field that this kind of clause does not have."""


class UnknownClause(CriterionError):
    """A clause of a kind that there is not."""


class WrongType(CriterionError):
    """A value of the wrong type, such as a text where a whole number belongs."""


class BadValue(CriterionError):
    """A value of the right type that cannot be: an empty label, a window of no length."""


class Tier(StrEnum):
    """HIGH people are found and contacted; VULNERABLE people are counted."""

    HIGH = "HIGH"
    VULNERABLE = "VULNERABLE"


class Source(StrEnum):
    """Where a record comes from."""

    GP = "GP"
    MEDICINES = "MEDICINES"
    HOSPITAL = "HOSPITAL"


EVERY_SOURCE = (Source.GP, Source.MEDICINES, Source.HOSPITAL)


class CountedAs(StrEnum):
    """What is counted: each record, each day that has one, or each run of days without a long gap."""

    RECORDS = "RECORDS"
    DISTINCT_DATES = "DISTINCT_DATES"
    COURSES = "COURSES"


class Unit(StrEnum):
    """What a window's length is counted in."""

    DAYS = "DAYS"
    MONTHS = "MONTHS"


class SexCode(StrEnum):
    """Sex as the extract holds it."""

    FEMALE = "F"
    MALE = "M"
    OTHER = "O"
    UNKNOWN = "U"


def check(holds: bool, path: str, problem: str) -> None:
    """Raises BadValue for the field at `path` where something does not hold."""
    if not holds:
        raise BadValue(path, problem)


def months_before(day: date, months: int) -> date:
    """Returns the same day of the month so many months earlier, or that month's last day if it has none.

    One month before 31 March 2020 is 29 February 2020. The one definition of a month for every engine.
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def age_on(day: date, birth_date: date) -> int:
    """Returns whole years of age; somebody born on 29 February is a year older on 1 March of a common year."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


@dataclass(frozen=True)
class Threshold:
    """A whole number that somebody chose, and why. Only 1 ("at all") needs no reason."""

    value: int
    reason: str = ""

    def __post_init__(self) -> None:
        check(1 <= self.value <= 1000, "value", "must be from 1 to 1000")
        check(self.value == 1 or bool(self.reason.strip()), "reason", "must say why this number")


ONCE = Threshold(1)


@dataclass(frozen=True)
class Window:
    """So many days or months up to the search date, and why so many."""

    length: int
    unit: Unit
    reason: str

    def __post_init__(self) -> None:
        limit = _LONGEST_WINDOW_YEARS * (12 if self.unit is Unit.MONTHS else 365)
        check(1 <= self.length <= limit, "length", f"must be from 1 to {limit} {self.unit.lower()}")
        check(bool(self.reason.strip()), "reason", "must say why this length")

    def start(self, search_date: date) -> date:
        """Returns the first day that counts. The search date itself is the last."""
        if self.unit is Unit.MONTHS:
            return months_before(search_date, self.length)
        return search_date - timedelta(days=self.length)

    def end(self, search_date: date) -> date:
        """Returns the last day that counts."""
        return search_date


@dataclass(frozen=True)
class FixedWindow:
    """From one day to another, both counting, whenever the search is; without a `last` up to the search date."""

    first: date
    reason: str
    last: date | None = None

    def __post_init__(self) -> None:
        check(bool(self.reason.strip()), "reason", "must say why these days")
        check(self.first >= EARLIEST_DATE, "first", f"must be {EARLIEST_DATE} or later")
        check(self.last is None or self.last >= self.first, "last", "must not be before first")

    def start(self, search_date: date) -> date:
        """Returns the first day that counts."""
        return self.first

    def end(self, search_date: date) -> date:
        """Returns the last day that counts, which may be before the first: then nothing counts yet."""
        return min(self.last, search_date) if self.last else search_date


AnyWindow = Window | FixedWindow


@dataclass(frozen=True)
class ValueRange:
    """Values that count: `at_least` or more, `under` or less than that, or both, and why. Without a value none does."""

    reason: str
    at_least: float | None = None
    under: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        check(bool(self.reason.strip()), "reason", "must say why these values")
        limits = [limit for limit in (self.at_least, self.under) if limit is not None]
        check(bool(limits), "", "a range needs at_least, under or both")
        check(all(isfinite(limit) for limit in limits), "", "limits must be ordinary numbers")
        check(limits == sorted(set(limits)), "under", "must be more than at_least")
        check(len(self.unit) <= 30, "unit", "must have 30 characters at most")

    def holds(self, value: float | None) -> bool:
        """Says whether a record with this value counts."""
        if value is None:
            return False
        return (self.at_least is None or value >= self.at_least) and (self.under is None or value < self.under)
