"""What can be true of a rule, whoever the person: the reasoning behind the checks before publishing.

Of a person only age and sex are known to be limited; any clause about records may be true or false,
save where one makes another true. Pure.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from cohort.search.criteria import (
    Age,
    AllOf,
    AtLeast,
    Clause,
    Group,
    LatestValue,
    Leaf,
    NoneOf,
    RecordLeaf,
    Records,
    SameEpisode,
    Sex,
    leaves,
)
from cohort.search.terms import AnyWindow, CountedAs, SexCode, Source, ValueRange

#: Nobody is older, as far as these checks go.
OLDEST = 125
#: The age of an example where any age will do.
_ADULT = 40
#: A rule too tangled to be settled in so many steps is given the benefit of the doubt.
_MOST_STEPS = 20_000


@dataclass(frozen=True)
class Kind:
    """People who are alike to a rule: an age and a sex that stand for them all."""

    age: int
    sex: SexCode

    def holds(self, leaf: Age | Sex) -> bool:
        """Says whether a clause about age or sex is true for them."""
        if isinstance(leaf, Sex):
            return self.sex in leaf.any_of
        return (not leaf.at_least or self.age >= leaf.at_least.value) and (
            not leaf.under or self.age < leaf.under.value
        )


def kinds(rule: Clause) -> list[Kind]:
    """Returns one Kind for every way in which age and sex can differ to this rule, an adult where one will do."""
    about = [leaf for leaf in leaves(rule) if isinstance(leaf, Age | Sex)]
    limits = {limit.value for leaf in about if isinstance(leaf, Age) for limit in (leaf.at_least, leaf.under) if limit}
    ages = {0, _ADULT, *(age for value in limits for age in (value - 1, value) if 0 <= age <= OLDEST)}
    different: dict[tuple[bool, ...], Kind] = {}
    for age in sorted(ages, key=lambda age: (age < 18, age)):
        for sex in SexCode:
            kind = Kind(age, sex)
            different.setdefault(tuple(kind.holds(leaf) for leaf in about), kind)
    return list(different.values())


def without_records(rule: Clause, kind: Kind) -> bool:
    """Says whether the rule is true for such a person when they have no records at all."""
    known = {leaf: kind.holds(leaf) if isinstance(leaf, Age | Sex) else False for leaf in leaves(rule)}
    return bool(_value(rule, known))


class Possibilities:
    """Which truth values clauses of a rule can have at a search date; `never` are known never to be true."""

    def __init__(self, rule: Clause, *, search_date: date, never: Collection[Leaf] = ()) -> None:
        self._kinds = kinds(rule)
        self._never = never
        records = [leaf for leaf in leaves(rule) if isinstance(leaf, RecordLeaf)]
        self._implied = {a: [b for b in records if a != b and implies(a, b, search_date)] for a in records}
        self._implying = {b: [a for a in records if b in self._implied[a]] for b in records}

    def can_be(self, clause: Clause, wanted: bool, *, kind: Kind | None = None) -> bool:
        """Says whether the clause can be true (or false) for anybody, or for somebody of this kind."""
        return any(self._can_be(clause, wanted, each) for each in ([kind] if kind else self._kinds))

    def _can_be(self, clause: Clause, wanted: bool, kind: Kind) -> bool:
        known: dict[Leaf, bool] = {}
        for leaf in leaves(clause):
            if isinstance(leaf, Age | Sex):
                known[leaf] = kind.holds(leaf)
            elif leaf in self._never:
                known[leaf] = False
        self._steps = 0
        return self._search(clause, wanted, known)

    def _search(self, clause: Clause, wanted: bool, known: Mapping[Leaf, bool]) -> bool:
        value = _value(clause, known)
        if value is not None:
            return value == wanted
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return True
        undecided = next(leaf for leaf in leaves(clause) if leaf not in known)
        for guess in (wanted, not wanted):
            decided = self._with(known, undecided, guess)
            if decided is not None and self._search(clause, wanted, decided):
                return True
        return False

    def _with(self, known: Mapping[Leaf, bool], leaf: Leaf, value: bool) -> dict[Leaf, bool] | None:
        """Returns what is known once a clause about records is decided, or None where that contradicts the rest."""
        decided = dict(known)
        waiting = [leaf]
        while waiting:
            each = waiting.pop()
            if decided.setdefault(each, value) != value:
                return None
            assert isinstance(each, RecordLeaf)  # noqa: S101
            follows = self._implied[each] if value else self._implying[each]
            for other in follows:
                if decided.get(other) is (not value):
                    return None
                if other not in decided:
                    waiting.append(other)
        return decided


def _value(clause: Clause, known: Mapping[Leaf, bool]) -> bool | None:
    """Returns whether the clause is true, or None where what is known does not settle it."""
    if not isinstance(clause, Group):
        return known.get(clause)
    values = [_value(child, known) for child in clause.clauses]
    true, undecided = values.count(True), values.count(None)
    if isinstance(clause, NoneOf):
        return False if true else None if undecided else True
    needed = len(values) if isinstance(clause, AllOf) else clause.count.value if isinstance(clause, AtLeast) else 1
    if true >= needed:
        return True
    return None if true + undecided >= needed else False


def implies(a: Leaf, b: Leaf, search_date: date) -> bool:
    """Says whether `b` is true of everybody of whom `a` is, at this search date. May miss some, never errs."""
    if a == b:
        return True
    if isinstance(a, Age) and isinstance(b, Age):
        return _age_range(a)[0] >= _age_range(b)[0] and _age_range(a)[1] <= _age_range(b)[1]
    if isinstance(a, Sex) and isinstance(b, Sex):
        return set(a.any_of) <= set(b.any_of)
    if not isinstance(a, RecordLeaf) or not isinstance(b, Records) or a.code_list != b.code_list:
        return False
    return (
        set(_sources(a)) <= set(b.sources)
        and _within(a.window, b.window, search_date)
        and _values_within(a.value if isinstance(a, Records | LatestValue) else None, b.value)
        and _count_reaches(a, b)
    )


def _age_range(age: Age) -> tuple[int, int]:
    return (age.at_least.value if age.at_least else 0, age.under.value if age.under else OLDEST + 1)


def _sources(leaf: RecordLeaf) -> tuple[Source, ...]:
    return (Source.HOSPITAL,) if isinstance(leaf, SameEpisode) else leaf.sources


def _within(inner: AnyWindow | None, outer: AnyWindow | None, search_date: date) -> bool:
    if outer is None:
        return True
    return (
        inner is not None
        and outer.start(search_date) <= inner.start(search_date)
        and inner.end(search_date) <= outer.end(search_date)
    )


def _values_within(inner: ValueRange | None, outer: ValueRange | None) -> bool:
    if outer is None:
        return True
    if inner is None:
        return False
    above = outer.at_least is None or (inner.at_least is not None and inner.at_least >= outer.at_least)
    below = outer.under is None or (inner.under is not None and inner.under <= outer.under)
    return above and below


def _count_reaches(a: RecordLeaf, b: Records) -> bool:
    if b.at_least.value == 1:
        return True
    if not isinstance(a, Records) or a.at_least.value < b.at_least.value:
        return False
    if b.counted_as is CountedAs.COURSES:
        return bool(a.course_gap and b.course_gap and a.course_gap.value >= b.course_gap.value)
    return b.counted_as is CountedAs.RECORDS or a.counted_as is not CountedAs.RECORDS


def with_paths(rule: Clause, path: str = "") -> Iterator[tuple[str, Clause]]:
    """Yields every clause with where it is: `` is the rule, `1` its second clause, `1.0` the first beneath that."""
    yield path, rule
    if isinstance(rule, Group):
        for index, child in enumerate(rule.clauses):
            yield from with_paths(child, f"{path}.{index}" if path else str(index))


def in_words(kind: Kind) -> str:
    """Returns `a woman aged 40`, for a message."""
    who = {SexCode.FEMALE: "a woman", SexCode.MALE: "a man"}.get(kind.sex, "somebody")
    if kind.age < 18:
        who = {SexCode.FEMALE: "a girl", SexCode.MALE: "a boy"}.get(kind.sex, "a child")
    return f"{who} aged {kind.age}"
