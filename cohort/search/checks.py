"""What is wrong with a criterion before it is published: errors, which block it, and warnings, which are shown.

Pure: a criterion and its code lists in, problems out.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cohort.search.criteria import (
    Age,
    AllOf,
    AtLeast,
    Clause,
    CodeSet,
    Criterion,
    Group,
    LatestOfTwo,
    Leaf,
    NoneOf,
    NotFollowedBy,
    RecordLeaf,
    Records,
    SameEpisode,
    code_lists,
    leaves,
    lists_of,
)
from cohort.search.english import named
from cohort.search.terms import CountedAs, FixedWindow, SexCode, Source, Tier
from cohort.search.truth import OLDEST, Kind, Possibilities, implies, in_words, kinds, with_paths, without_records

#: The systems whose codes each source's records can have.
SYSTEMS_OF: Mapping[Source, frozenset[str]] = {
    Source.GP: frozenset({"SNOMED", "DMD", "BNF", "CTV3", "READ2"}),
    Source.MEDICINES: frozenset({"SNOMED", "DMD", "BNF", "CTV3", "READ2"}),
    Source.HOSPITAL: frozenset({"ICD-10", "OPCS-4", "SNOMED"}),
}
_SOURCE_WORDS = {Source.GP: "GP records", Source.MEDICINES: "dispensed medicines", Source.HOSPITAL: "hospital records"}


class Severity(StrEnum):
    """An ERROR blocks publishing; a WARNING is shown."""

    ERROR = "ERROR"
    WARNING = "WARNING"


@dataclass(frozen=True)
class Problem:
    """Something wrong. `path` is where (`` the whole rule, `1.0` a clause), `do` is what to do about it."""

    severity: Severity
    path: str
    what: str
    do: str


def check_criterion(criterion: Criterion, code_sets: Mapping[str, CodeSet], *, search_date: date) -> list[Problem]:
    """Returns what is wrong with the criterion as a search of that day would read it, errors first."""
    found = [*_check_rule(criterion, code_sets, search_date), *_check_without_records(criterion, search_date)]
    return sorted(dict.fromkeys(found), key=lambda problem: problem.severity)


def unused_lists(lists: Iterable[str], criteria: Iterable[Criterion]) -> list[Problem]:
    """Returns a warning for each code list that none of these criteria reads."""
    read: set[str] = set().union(*(code_lists(criterion) for criterion in criteria))
    return [
        _warning("", f"No criterion reads the code list “{slug}”.", "Use it in a criterion, or leave it be.")
        for slug in sorted(set(lists) - read)
    ]


def _error(path: str, what: str, do: str) -> Problem:
    return Problem(Severity.ERROR, path, what, do)


def _warning(path: str, what: str, do: str) -> Problem:
    return Problem(Severity.WARNING, path, what, do)


def _named(clause: Clause) -> str:
    return f"“{named(clause)}”"


def _check_rule(criterion: Criterion, code_sets: Mapping[str, CodeSet], search_date: date) -> Iterator[Problem]:
    of_leaf = {leaf: list(_check_leaf(leaf, code_sets, search_date)) for leaf in leaves(criterion.rule)}
    never = [leaf for leaf, faults in of_leaf.items() if any(fault[0] is Severity.ERROR for fault in faults)]
    possible = Possibilities(criterion.rule, search_date=search_date, never=never)
    for path, clause in with_paths(criterion.rule):
        if not isinstance(clause, Group):
            for severity, what, do in of_leaf[clause]:
                yield Problem(severity, path, what, do)
            if clause not in never and not possible.can_be(clause, False):
                yield _warning(path, f"{_named(clause)} is true of everybody, so it adds nothing.", "Remove it.")
            continue
        if not possible.can_be(clause, True) and all(possible.can_be(child, True) for child in clause.clauses):
            yield _error(path, *_never(clause))
        yield from _check_siblings(path, clause, search_date)


def _never(clause: Group) -> tuple[str, str]:
    if isinstance(clause, NoneOf):
        return (
            "“None of these” can never be true: one of its clauses is true of everybody.",
            "Narrow that clause, or remove it.",
        )
    return (
        f"{_named(clause)} can never be true: its clauses contradict each other.",
        "Look at limits of age, windows and “None of these” that leave nobody, and change one of them.",
    )


def _check_siblings(path: str, group: Group, search_date: date) -> Iterator[Problem]:
    """Warns of a clause that another beside it makes needless."""
    for index, clause in enumerate(group.clauses):
        where = f"{path}.{index}" if path else str(index)
        if clause in group.clauses[:index]:
            if isinstance(group, AtLeast):
                yield _warning(where, f"{_named(clause)} is there twice, so it counts twice.", "Remove one of the two.")
            else:
                yield _warning(where, f"{_named(clause)} is there twice, which adds nothing.", "Remove one of the two.")
            continue
        if isinstance(clause, Group) or isinstance(group, AtLeast):
            continue
        for other in group.clauses:
            if other == clause or isinstance(other, Group):
                continue
            adds_nothing = (
                implies(other, clause, search_date) if isinstance(group, AllOf) else implies(clause, other, search_date)
            )
            if adds_nothing:
                what = f"{_named(clause)} adds nothing: {_named(other)} already covers it."
                yield _warning(where, what, "Remove it, or check that its list, window and count are what you meant.")
                break


Fault = tuple[Severity, str, str]


def _check_leaf(leaf: Leaf, code_sets: Mapping[str, CodeSet], search_date: date) -> Iterator[Fault]:
    if isinstance(leaf, Age):
        if leaf.at_least and leaf.at_least.value > OLDEST:
            yield Severity.ERROR, f"{_named(leaf)} can never be true: nobody is over {OLDEST}.", "Lower the age."
    elif isinstance(leaf, RecordLeaf):
        yield from _check_lists(leaf, code_sets)
        yield from _check_window(leaf, search_date)
        if isinstance(leaf, Records):
            yield from _check_count(leaf, search_date)


def _check_lists(leaf: RecordLeaf, code_sets: Mapping[str, CodeSet]) -> Iterator[Fault]:
    slugs = lists_of(leaf)
    sources = (Source.HOSPITAL,) if isinstance(leaf, SameEpisode) else leaf.sources
    for position, slug in enumerate(dict.fromkeys(slugs)):
        code_set = code_sets.get(slug)
        if code_set is None:
            yield (
                Severity.ERROR,
                f"{_named(leaf)} reads the code list “{slug}”, which is not there.",
                "Upload it first.",
            )
        elif not code_set.codes and not code_set.pairs:
            yield Severity.ERROR, f"{_named(leaf)} reads the code list “{slug}”, which is empty.", "Add codes to it."
        elif not _can_be_found(code_set, sources):
            severity = (
                Severity.WARNING if position and isinstance(leaf, NotFollowedBy | LatestOfTwo) else Severity.ERROR
            )
            yield (
                severity,
                f"{_named(leaf)} can find nothing of “{slug}”: {_why_not(code_set, sources)}",
                ("Ask for other sources, or choose another list."),
            )
    if len(slugs) == 2 and slugs[0] == slugs[1] and isinstance(leaf, NotFollowedBy | LatestOfTwo):
        yield (
            Severity.ERROR,
            f"{_named(leaf)} sets the code list “{slugs[0]}” against itself, so the second list changes nothing.",
            "Choose another list as the second, or ask for records of the one list.",
        )
    elif len(slugs) == 2 and isinstance(leaf, NotFollowedBy | LatestOfTwo) and set(slugs) <= code_sets.keys():
        first, second = (code_sets[slug] for slug in slugs)
        shared = len(first.codes & second.codes) + len(first.pairs & second.pairs)
        if shared:
            codes = "1 code is" if shared == 1 else f"{shared} codes are"
            yield (
                Severity.WARNING,
                f"{_named(leaf)} sets two lists against each other, and {codes} in both.",
                "Check that the codes in both lists are meant to be.",
            )


def _can_be_found(code_set: CodeSet, sources: Collection[Source]) -> bool:
    systems = set().union(*(SYSTEMS_OF[source] for source in sources))
    return any(system in systems for system, _ in code_set.codes) or (
        Source.HOSPITAL in sources and any(system in SYSTEMS_OF[Source.HOSPITAL] for system, *_ in code_set.pairs)
    )


def _why_not(code_set: CodeSet, sources: Collection[Source]) -> str:
    where = " and ".join(_SOURCE_WORDS[source] for source in sources)
    if not code_set.codes:
        return f"it has only pairs of codes, which count within a hospital stay, and the clause looks in {where}."
    systems = sorted({system for system, *_ in (*code_set.codes, *code_set.pairs)})
    return f"it has codes of {' and '.join(systems)}, and the clause looks in {where}, which have none."


def _check_window(leaf: RecordLeaf, search_date: date) -> Iterator[Fault]:
    if isinstance(leaf.window, FixedWindow) and leaf.window.first > search_date:
        yield (
            Severity.ERROR,
            f"{_named(leaf)} looks at records from {_day(leaf.window.first)}, which is after the search date.",
            "Choose an earlier first day.",
        )


def _check_count(leaf: Records, search_date: date) -> Iterator[Fault]:
    if leaf.window is None or leaf.counted_as is CountedAs.RECORDS:
        return
    days = (leaf.window.end(search_date) - leaf.window.start(search_date)).days + 1
    most, of_what = days, "different days"
    if leaf.course_gap is not None:
        most, of_what = (days + leaf.course_gap.value) // (leaf.course_gap.value + 1), "courses"
    if 0 < most < leaf.at_least.value:
        yield (
            Severity.ERROR,
            f"{_named(leaf)} asks for {leaf.at_least.value} {of_what}, and its window has room for {most}.",
            "Ask for fewer, or lengthen the window.",
        )


def _check_without_records(criterion: Criterion, search_date: date) -> Iterator[Problem]:
    everybody = kinds(criterion.rule)
    found = [kind for kind in everybody if without_records(criterion.rule, kind)]
    if not found:
        return
    possible = Possibilities(criterion.rule, search_date=search_date)
    by_absence = [kind for kind in found if possible.can_be(criterion.rule, False, kind=kind)]
    if by_absence:
        yield _error(
            "",
            f"Somebody with no records at all meets this rule: {in_words(_grown_up(by_absence))}, say.",
            "“None of these” is true where there are no records: put it under “All of these”, beside a clause that"
            " needs a record.",
        )
    elif len(found) == len(everybody):
        yield _error("", "Everybody meets this rule, even with no records at all.", "Add a clause that needs a record.")
    elif criterion.tier is Tier.HIGH:
        yield _warning(
            "",
            f"Age and sex alone are enough to meet this rule: {in_words(_grown_up(found))}, say, with no records.",
            "Check that everybody of that age and sex is meant to be written to.",
        )


def _grown_up(some: list[Kind]) -> Kind:
    """Returns the example that reads best: a woman, an adult."""
    return min(some, key=lambda kind: (kind.age < 18, kind.sex is not SexCode.FEMALE, kind.age))


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
