"""What a clinical-risk criterion says: a tree of clauses over one person's records, as frozen data.

Owns the criteria model. Knows no engine: `reference` evaluates a criterion slowly and plainly, `plan`
and `compile` turn it into one query. A new kind of clause is a dataclass in `Clause`, and a case in
`reference`, in `plan` and in `english`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cohort.search.terms import (
    EVERY_SOURCE,
    ONCE,
    AnyWindow,
    CountedAs,
    SexCode,
    Source,
    Threshold,
    Tier,
    ValueRange,
    check,
)

#: How many records a person is shown for one clause, newest first.
EVIDENCE_LIMIT = 12
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _check_label(label: str) -> None:
    check(bool(label.strip()) and len(label) <= 200, "label", "must have 1 to 200 characters")


def _check_list(slug: str, path: str) -> None:
    check(bool(_SLUG.fullmatch(slug)), path, "must be the slug of a code list, such as solid-transplant")


def _check_choices(chosen: tuple[StrEnum, ...], path: str) -> None:
    check(bool(chosen), path, "must name at least one")
    check(len(set(chosen)) == len(chosen), path, "must not name one twice")


@dataclass(frozen=True)
class Records:
    """Enough records of a code list, from these sources, in the window (None: ever), with such a value.

    A two-code pair of the list counts as one record, dated as its first code, where both codes are
    in one hospital episode. Records after the search date never count. COURSES need `course_gap`: a
    record more than so many days after the last one begins another course.
    """

    label: str
    code_list: str
    sources: tuple[Source, ...] = EVERY_SOURCE
    window: AnyWindow | None = None
    at_least: Threshold = ONCE
    counted_as: CountedAs = CountedAs.RECORDS
    course_gap: Threshold | None = None
    value: ValueRange | None = None

    def __post_init__(self) -> None:
        _check_label(self.label)
        _check_list(self.code_list, "code_list")
        _check_choices(self.sources, "sources")
        has_gap = self.course_gap is not None
        check(has_gap == (self.counted_as is CountedAs.COURSES), "course_gap", "must be there for COURSES, and only so")


@dataclass(frozen=True)
class SameEpisode:
    """A record of `code_list` in the window, in a hospital episode that has another code, of `with_list`."""

    label: str
    code_list: str
    with_list: str
    window: AnyWindow | None = None

    def __post_init__(self) -> None:
        _check_label(self.label)
        _check_list(self.code_list, "code_list")
        _check_list(self.with_list, "with_list")


@dataclass(frozen=True)
class LatestOfTwo:
    """Of all records of two lists in the window the latest is of `code_list`; on one day, `code_list` wins."""

    label: str
    code_list: str
    other_list: str
    sources: tuple[Source, ...] = EVERY_SOURCE
    window: AnyWindow | None = None

    def __post_init__(self) -> None:
        _check_label(self.label)
        _check_list(self.code_list, "code_list")
        _check_list(self.other_list, "other_list")
        _check_choices(self.sources, "sources")


@dataclass(frozen=True)
class LatestValue:
    """Of the records of a list in the window that have a value, one of the latest day is in the range."""

    label: str
    code_list: str
    value: ValueRange
    sources: tuple[Source, ...] = EVERY_SOURCE
    window: AnyWindow | None = None

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
    window: AnyWindow | None = None

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
        check(self.at_least is not None or self.under is not None, "", "an age needs at_least, under or both")
        if self.at_least and self.under:
            check(self.at_least.value < self.under.value, "under", "must be more than at_least")

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
    check(bool(clauses), "clauses", "must have at least one clause")


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
        check(self.count.value <= len(self.clauses), "count.value", "must not be more than there are clauses")


RecordLeaf = Records | SameEpisode | LatestOfTwo | LatestValue | NotFollowedBy
PersonLeaf = Age | Sex
Leaf = RecordLeaf | PersonLeaf
Group = AllOf | AnyOf | NoneOf | AtLeast
Clause = Group | Leaf


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
        check(bool(_SLUG.fullmatch(self.slug)) and len(self.slug) <= 100, "slug", "must be small letters and hyphens")
        check(bool(self.title.strip()) and len(self.title) <= 200, "title", "must have 1 to 200 characters")
        check(
            bool(self.disease_group.strip()) and len(self.disease_group) <= 100,
            "disease_group",
            "must have 1 to 100 characters",
        )
        labels: dict[str, Leaf] = {}
        for leaf in leaves(self.rule):
            known = labels.setdefault(leaf.label, leaf)
            check(known == leaf, "rule", f"two different clauses are both called “{leaf.label}”")


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
    if isinstance(clause, Group):
        for child in clause.clauses:
            yield from walk(child)


def leaves(rule: Clause) -> list[Leaf]:
    """Returns the different clauses that look at the person, in the order of the rule, each once."""
    return list(dict.fromkeys(clause for clause in walk(rule) if isinstance(clause, Leaf)))


def lists_of(leaf: RecordLeaf) -> tuple[str, ...]:
    """Returns the code lists that a clause reads: first the one whose records are evidence."""
    if isinstance(leaf, SameEpisode):
        return (leaf.code_list, leaf.with_list)
    if isinstance(leaf, LatestOfTwo):
        return (leaf.code_list, leaf.other_list)
    if isinstance(leaf, NotFollowedBy):
        return (leaf.code_list, leaf.followed_by)
    return (leaf.code_list,)


def code_lists(criterion: Criterion) -> frozenset[str]:
    """Returns the slugs of every code list that the criterion reads."""
    return frozenset(slug for leaf in leaves(criterion.rule) if isinstance(leaf, RecordLeaf) for slug in lists_of(leaf))


class UnknownCodeList(LookupError):
    """A criterion reads a code list that was not given. The message names both."""


def check_code_lists(criterion: Criterion, code_sets: Mapping[str, CodeSet]) -> None:
    """Raises UnknownCodeList where the criterion reads a list that is not in `code_sets`."""
    missing = sorted(code_lists(criterion) - code_sets.keys())
    if missing:
        raise UnknownCodeList(f"{criterion.slug} reads code lists that are not there: {', '.join(missing)}")
