"""What a search has to find out: every clause numbered as a measure, and the codes that bear on each.

A measure is true or false for a person, and a person's measures are one bit each. Plain Python: the
engines turn the tables of a plan into queries, `verdicts` turns a person's bits into an answer.
"""

import copy
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cohort.search.criteria import (
    Age,
    CodeSet,
    Criterion,
    LatestOfTwo,
    LatestValue,
    Leaf,
    NotFollowedBy,
    RecordLeaf,
    Records,
    SameEpisode,
    Sex,
    check_code_lists,
    leaves,
    lists_of,
)
from cohort.search.terms import EARLIEST_DATE, EVERY_SOURCE, AnyWindow, CountedAs, Source, Tier, ValueRange

#: How many measures a word of bits holds: below the 63 that a signed number has.
WORD = 62
#: The measure of the second code of a pair, which bears on none itself.
SECOND = -1


@dataclass(frozen=True)
class Asked:
    """A criterion with the code lists that it reads, in the versions it reads them in."""

    criterion: Criterion
    code_sets: Mapping[str, CodeSet]


@dataclass(frozen=True)
class Bearing:
    """A code that bears on a measure: for it, or (`is_rival`) as what a record must not be older than or sits beside.

    Without `is_alone` it is the first of a pair. It counts from `first` to `last`, from `sources`,
    with a value in `value`; `needs_value` asks for any value.
    """

    code: tuple[str, str]
    measure: int
    is_rival: bool
    is_alone: bool
    first: date
    last: date
    sources: frozenset[Source] = frozenset(EVERY_SOURCE)
    value: ValueRange | None = None
    needs_value: bool = False


class Plan:
    """All criteria of one search, their measures, and the codes that bear on them.

    `measures` are the different clauses, whatever they are called; `number_of` gives a clause's
    place among them. Raises UnknownCodeList.
    """

    def __init__(self, asked: Sequence[Asked], search_date: date) -> None:
        for each in asked:
            check_code_lists(each.criterion, each.code_sets)
        self.asked = list(asked)
        self.criteria = [each.criterion for each in asked]
        self.search_date = search_date
        self.measures: list[Leaf] = []
        self._numbers: dict[object, int] = {}
        self._sets: list[Mapping[str, CodeSet]] = []
        for each in asked:
            for leaf in leaves(each.criterion.rule):
                key = self._key(leaf, each.code_sets)
                if key not in self._numbers:
                    self._numbers[key] = len(self.measures)
                    self.measures.append(leaf)
                    self._sets.append(each.code_sets)
        self._find_codes(range(len(self.measures)))

    def only(self, wanted: Collection[int]) -> "Plan":
        """Returns the plan for some of the measures alone, under the same numbers."""
        plan = copy.copy(self)
        plan._find_codes(sorted(wanted))
        return plan

    def _find_codes(self, wanted: Sequence[int]) -> None:
        self._wanted = wanted
        self.bearings = [bearing for n in wanted for bearing in self._bearings_on(n)]
        self.pairs = sorted({pair for n in wanted for pair in self._pairs_of(n)})
        seconds = {(system, second) for _, _, system, _, second in self.pairs}
        self.bearings += [
            Bearing(code, SECOND, is_rival=False, is_alone=True, first=EARLIEST_DATE, last=self.search_date)
            for code in sorted(seconds)
        ]
        self.codes = sorted({bearing.code for bearing in self.bearings})

    @property
    def words(self) -> int:
        """How many words of bits a person has."""
        return max(1, -(-len(self.measures) // WORD))

    def number_of(self, leaf: Leaf, asked: Asked) -> int:
        """Returns the measure of a clause of a criterion."""
        return self._numbers[self._key(leaf, asked.code_sets)]

    def numbers(self, *kinds: type) -> list[int]:
        """Returns the measures whose clauses are of these kinds."""
        return [n for n in self._wanted if isinstance(self.measures[n], kinds)]

    def counted(self, how: CountedAs | None) -> list[int]:
        """Returns the measures that are counted in this way; None: those that one record makes true."""
        found = []
        for n in self._wanted:
            leaf = self.measures[n]
            if isinstance(leaf, RecordLeaf):
                many = isinstance(leaf, Records) and leaf.at_least.value > 1
                if (leaf.counted_as if many else None) is how:  # type: ignore[union-attr]
                    found.append(n)
        return found

    def high(self) -> list[int]:
        """Returns the places of the criteria of the high tier."""
        return [n for n, criterion in enumerate(self.criteria) if criterion.tier is Tier.HIGH]

    def names(self) -> list[str]:
        """Returns a name for each measure that no measure which asks something else has, in any search."""
        return [hashlib.blake2b(self._text(n).encode(), digest_size=16).hexdigest() for n in range(len(self.measures))]

    def _text(self, number: int) -> str:
        leaf = self.measures[number]
        if not isinstance(leaf, RecordLeaf):
            return repr(leaf)
        sets = [self._sets[number][slug] for slug in lists_of(leaf)]
        return repr((replace(leaf, label="-"), [(sorted(each.codes), sorted(each.pairs)) for each in sets]))

    @staticmethod
    def _key(leaf: Leaf, code_sets: Mapping[str, CodeSet]) -> object:
        if isinstance(leaf, Age | Sex):
            return leaf
        return replace(leaf, label="-"), tuple(code_sets[slug] for slug in lists_of(leaf))

    def _bearings_on(self, number: int) -> Iterator[Bearing]:
        leaf = self.measures[number]
        if not isinstance(leaf, RecordLeaf):
            return
        hospital = (Source.HOSPITAL,)
        sources = hospital if isinstance(leaf, SameEpisode) else leaf.sources
        value = leaf.value if isinstance(leaf, Records | LatestValue) else None
        yield from self._coded(number, leaf.code_list, leaf.window, sources, value=value)
        if isinstance(leaf, SameEpisode):
            yield from self._coded(number, leaf.with_list, None, hospital, is_rival=True)
        elif isinstance(leaf, LatestOfTwo):
            yield from self._coded(number, leaf.other_list, leaf.window, leaf.sources, is_rival=True)
        elif isinstance(leaf, NotFollowedBy):
            yield from self._coded(number, leaf.followed_by, None, leaf.sources, is_rival=True)
        elif isinstance(leaf, LatestValue):
            yield from self._coded(number, leaf.code_list, leaf.window, leaf.sources, is_rival=True, needs_value=True)

    def _coded(
        self,
        number: int,
        code_list: str,
        window: AnyWindow | None,
        sources: tuple[Source, ...],
        *,
        is_rival: bool = False,
        value: ValueRange | None = None,
        needs_value: bool = False,
    ) -> Iterator[Bearing]:
        code_set = self._sets[number][code_list]
        first = window.start(self.search_date) if window else EARLIEST_DATE
        last = window.end(self.search_date) if window else self.search_date
        for code in sorted(code_set.codes | {(system, code) for system, code, _ in code_set.pairs}):
            alone = code in code_set.codes
            yield Bearing(code, number, is_rival, alone, first, last, frozenset(sources), value, needs_value)

    def _pairs_of(self, number: int) -> Iterator[tuple[int, bool, str, str, str]]:
        """Yields (measure, is_rival, system, first code, second code) of the pairs whose first does not stand alone."""
        leaf = self.measures[number]
        if not isinstance(leaf, RecordLeaf):
            return
        main, *rivals = [self._sets[number][slug] for slug in lists_of(leaf)]
        if isinstance(leaf, LatestValue):
            rivals = [main]
        for is_rival, code_sets in ((False, [main]), (True, rivals)):
            for code_set in code_sets:
                for system, code, second in code_set.pairs:
                    if (system, code) not in code_set.codes:
                        yield number, is_rival, system, code, second
