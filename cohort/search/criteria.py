"""What a clinical-risk criterion says: a tree of clauses over one person's records, as frozen data.

Owns the criteria model and its JSON form. Knows no engine: `reference` evaluates a criterion slowly
and plainly, `compile` turns it into one query. A new kind of clause is a dataclass in `Clause`, and
a case in each of those two and in `english`.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

#: How many records a person is shown for one clause, newest first.
EVIDENCE_LIMIT = 12
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_WINDOW_YEARS = 120


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
    """What is counted: each record, or each day that has one."""

    RECORDS = "RECORDS"
    DISTINCT_DATES = "DISTINCT_DATES"


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


def _check(holds: bool, path: str, problem: str) -> None:
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
        _check(1 <= self.value <= 1000, "value", "must be from 1 to 1000")
        _check(self.value == 1 or bool(self.reason.strip()), "reason", "must say why this number")


ONCE = Threshold(1)


@dataclass(frozen=True)
class Window:
    """So many days or months up to the search date, and why so many."""

    length: int
    unit: Unit
    reason: str

    def __post_init__(self) -> None:
        limit = _LONGEST_WINDOW_YEARS * (12 if self.unit is Unit.MONTHS else 365)
        _check(1 <= self.length <= limit, "length", f"must be from 1 to {limit} {self.unit.lower()}")
        _check(bool(self.reason.strip()), "reason", "must say why this length")

    def start(self, search_date: date) -> date:
        """Returns the first day that counts. The search date itself is the last."""
        if self.unit is Unit.MONTHS:
            return months_before(search_date, self.length)
        return search_date - timedelta(days=self.length)


def _check_label(label: str) -> None:
    _check(bool(label.strip()) and len(label) <= 200, "label", "must have 1 to 200 characters")


def _check_list(slug: str, path: str) -> None:
    _check(bool(_SLUG.fullmatch(slug)), path, "must be the slug of a code list, such as solid-transplant")


def _check_choices(chosen: tuple[StrEnum, ...], path: str) -> None:
    _check(bool(chosen), path, "must name at least one")
    _check(len(set(chosen)) == len(chosen), path, "must not name one twice")


@dataclass(frozen=True)
class Records:
    """Enough records of a code list, from these sources, in the window (None: ever).

    A two-code pair of the list counts as one record, dated as its first code, where both codes are
    in one hospital episode. Records after the search date never count.
    """

    label: str
    code_list: str
    sources: tuple[Source, ...] = EVERY_SOURCE
    window: Window | None = None
    at_least: Threshold = ONCE
    counted_as: CountedAs = CountedAs.RECORDS

    def __post_init__(self) -> None:
        _check_label(self.label)
        _check_list(self.code_list, "code_list")
        _check_choices(self.sources, "sources")


@dataclass(frozen=True)
class NotFollowedBy:
    """A record of `code_list` in the window after which, on no later day, comes one of `followed_by`."""

    label: str
    code_list: str
    followed_by: str
    sources: tuple[Source, ...] = EVERY_SOURCE
    window: Window | None = None

    def __post_init__(self) -> None:
        _check_label(self.label)
        _check_list(self.code_list, "code_list")
        _check_list(self.followed_by, "followed_by")
        _check_choices(self.sources, "sources")


@dataclass(frozen=True)
class Age:
    """Whole years of age at the search date: `at_least` or more, `under` or less than that, or both."""

    at_least: Threshold | None = None
    under: Threshold | None = None

    def __post_init__(self) -> None:
        _check(self.at_least is not None or self.under is not None, "", "an age needs at_least, under or both")
        if self.at_least and self.under:
            _check(self.at_least.value < self.under.value, "under", "must be more than at_least")

    @property
    def label(self) -> str:
        """What it asks for, in words."""
        if self.at_least and self.under:
            return f"Aged {self.at_least.value} to {self.under.value - 1}"
        if self.at_least:
            return f"Aged {self.at_least.value} or over"
        return f"Aged under {self.under.value if self.under else 0}"


@dataclass(frozen=True)
class Sex:
    """The sex on the person's record is one of these."""

    any_of: tuple[SexCode, ...]

    def __post_init__(self) -> None:
        _check_choices(self.any_of, "any_of")

    @property
    def label(self) -> str:
        """What it asks for, in words."""
        return f"Sex recorded as {' or '.join(SEX_WORDS[code].lower() for code in self.any_of)}"


SEX_WORDS = {
    SexCode.FEMALE: "Female",
    SexCode.MALE: "Male",
    SexCode.OTHER: "Other",
    SexCode.UNKNOWN: "Not known",
}


def _check_clauses(clauses: "tuple[Clause, ...]") -> None:
    _check(bool(clauses), "clauses", "must have at least one clause")


@dataclass(frozen=True)
class AllOf:
    """Every clause is true."""

    clauses: "tuple[Clause, ...]"

    def __post_init__(self) -> None:
        _check_clauses(self.clauses)


@dataclass(frozen=True)
class AnyOf:
    """One clause or more is true."""

    clauses: "tuple[Clause, ...]"

    def __post_init__(self) -> None:
        _check_clauses(self.clauses)


@dataclass(frozen=True)
class NoneOf:
    """No clause is true. It gives no evidence: what is not there cannot be shown."""

    clauses: "tuple[Clause, ...]"

    def __post_init__(self) -> None:
        _check_clauses(self.clauses)


@dataclass(frozen=True)
class AtLeast:
    """So many of the clauses are true."""

    count: Threshold
    clauses: "tuple[Clause, ...]"

    def __post_init__(self) -> None:
        _check_clauses(self.clauses)
        _check(self.count.value <= len(self.clauses), "count.value", "must not be more than there are clauses")


Leaf = Records | NotFollowedBy | Age | Sex
Clause = AllOf | AnyOf | NoneOf | AtLeast | Leaf


@dataclass(frozen=True)
class Criterion:
    """One clinical-risk criterion. `note` says what is assumed and where the rule comes from."""

    slug: str
    title: str
    tier: Tier
    disease_group: str
    rule: Clause
    note: str = ""

    def __post_init__(self) -> None:
        _check(bool(_SLUG.fullmatch(self.slug)) and len(self.slug) <= 100, "slug", "must be small letters and hyphens")
        _check(bool(self.title.strip()) and len(self.title) <= 200, "title", "must have 1 to 200 characters")
        _check(
            bool(self.disease_group.strip()) and len(self.disease_group) <= 100,
            "disease_group",
            "must have 1 to 100 characters",
        )
        labels: dict[str, Leaf] = {}
        for leaf in leaves(self.rule):
            known = labels.setdefault(leaf.label, leaf)
            _check(known == leaf, "rule", f"two different clauses are both called “{leaf.label}”")


@dataclass(frozen=True)
class CodeSet:
    """One version of a code list: codes that stand alone, and pairs (system, code, paired code)."""

    slug: str
    version: int
    codes: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    pairs: frozenset[tuple[str, str, str]] = field(default_factory=frozenset)


def walk(clause: Clause) -> Iterator[Clause]:
    """Yields the clause and everything beneath it, parents first."""
    yield clause
    if isinstance(clause, AllOf | AnyOf | NoneOf | AtLeast):
        for child in clause.clauses:
            yield from walk(child)


def leaves(rule: Clause) -> list[Leaf]:
    """Returns the different clauses that look at the person, in the order of the rule, each once."""
    return list(dict.fromkeys(c for c in walk(rule) if isinstance(c, Records | NotFollowedBy | Age | Sex)))


def code_lists(criterion: Criterion) -> frozenset[str]:
    """Returns the slugs of every code list that the criterion reads."""
    found: set[str] = set()
    for leaf in leaves(criterion.rule):
        if isinstance(leaf, Records):
            found.add(leaf.code_list)
        elif isinstance(leaf, NotFollowedBy):
            found |= {leaf.code_list, leaf.followed_by}
    return frozenset(found)


class UnknownCodeList(LookupError):
    """A criterion reads a code list that was not given. The message names both."""


def check_code_lists(criterion: Criterion, code_sets: Mapping[str, CodeSet]) -> None:
    """Raises UnknownCodeList where the criterion reads a list that is not in `code_sets`."""
    missing = sorted(code_lists(criterion) - code_sets.keys())
    if missing:
        raise UnknownCodeList(f"{criterion.slug} reads code lists that are not there: {', '.join(missing)}")
