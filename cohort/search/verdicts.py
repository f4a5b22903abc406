"""From which measures are true to which criteria are met and why: rules over whole columns of people at once.

People with the same true measures are one profile: a country has some thousands of them, so every
criterion is worked out for a profile once, however many people have it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cohort.search.criteria import AllOf, AnyOf, AtLeast, Clause, Group, Leaf, NoneOf
from cohort.search.plan import WORD, Asked, Plan

Truths = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Attrition:
    """One clause of a criterion, in the rule's order: `path` is "" for the whole rule, "0.1" for the second
    clause of its first.

    `people`: for whom it is true. `remaining`: for whom it is and so are those before it, where all must be.
    """

    criterion: str
    path: str
    label: str
    people: int
    remaining: int


class Verdicts:
    """What the profiles of some people come to. `bits` has a row a profile and a column a word (`Plan.words`)."""

    def __init__(self, plan: Plan, bits: Bits) -> None:
        self.plan = plan
        self.bits = bits
        self.truths: Truths = np.empty((len(bits), len(plan.measures)), dtype=np.bool_)
        for n in range(len(plan.measures)):
            self.truths[:, n] = (bits[:, n // WORD] >> (n % WORD)) & 1
        columns = [self._truth(asked.criterion.rule, asked) for asked in plan.asked]
        self.met: Truths = np.stack(columns, axis=1) if columns else np.empty((len(bits), 0), dtype=np.bool_)

    def reasons(self) -> Iterator[tuple[int, int, int]]:
        """Yields (profile, criterion, place) of every clause that made a criterion of the high tier true.

        `place` is the clause's in `clause_order`: two clauses may ask the same under different names.
        """
        for n in self.plan.high():
            asked = self.plan.asked[n]
            for number, (leaf, places) in enumerate(_places(asked.criterion.rule)):
                shown = np.zeros(len(self.truths), dtype=np.bool_)
                for above in places:
                    here = self.met[:, n].copy()
                    for clause in (*above, leaf):
                        here &= self._truth(clause, asked)
                    shown |= here
                for profile in np.flatnonzero(shown):
                    yield int(profile), n, number

    def attrition(self, people: npt.NDArray[np.int64]) -> list[Attrition]:
        """Returns each clause of each criterion with how many there are, `people` being how many have each profile."""
        everybody = np.ones(len(people), dtype=np.bool_)
        return [
            row
            for asked in self.plan.asked
            for row in self._clause_rows(asked.criterion.rule, asked, "", everybody, people)
        ]

    def _clause_rows(
        self, clause: Clause, asked: Asked, path: str, before: Truths, people: npt.NDArray[np.int64]
    ) -> Iterator[Attrition]:
        truth = self._truth(clause, asked)
        label = clause.label if isinstance(clause, Leaf) else clause_words(clause)
        yield Attrition(asked.criterion.slug, path, label, int(people[truth].sum()), int(people[truth & before].sum()))
        if isinstance(clause, Group):
            left = before
            for n, child in enumerate(clause.clauses):
                yield from self._clause_rows(child, asked, f"{path}.{n}".lstrip("."), left, people)
                if isinstance(clause, AllOf):
                    left = left & self._truth(child, asked)

    def _truth(self, clause: Clause, asked: Asked) -> Truths:
        if not isinstance(clause, Group):
            return self.truths[:, self.plan.number_of(clause, asked)]
        parts = np.stack([self._truth(child, asked) for child in clause.clauses])
        return _combine(clause, parts)


def _combine(clause: Group, parts: Truths) -> Truths:
    true: npt.NDArray[np.intp] = parts.sum(axis=0)
    if isinstance(clause, NoneOf):
        return true == 0
    needed = {AllOf: len(parts), AnyOf: 1}.get(type(clause), 0)
    return true >= (clause.count.value if isinstance(clause, AtLeast) else needed)


def clause_words(clause: Group) -> str:
    """Returns what a group of clauses asks for: `All of these`."""
    if isinstance(clause, AtLeast):
        return f"At least {clause.count.value} of these"
    return {AllOf: "All of these", AnyOf: "Any of these", NoneOf: "None of these"}[type(clause)]


def _places(rule: Clause) -> list[tuple[Leaf, list[tuple[Clause, ...]]]]:
    """Returns each clause that can be evidence with the clauses above each of its places."""
    places: dict[Leaf, list[tuple[Clause, ...]]] = {}
    for leaf, above in _walk(rule, ()):
        places.setdefault(leaf, []).append(above)
    return list(places.items())


def _walk(clause: Clause, above: tuple[Clause, ...]) -> Iterator[tuple[Leaf, tuple[Clause, ...]]]:
    """Yields each place of a clause that can be evidence; nothing beneath a NoneOf is."""
    if isinstance(clause, Leaf):
        yield clause, above
    elif not isinstance(clause, NoneOf):
        for child in clause.clauses:
            yield from _walk(child, (*above, clause))


def clause_order(rule: Clause) -> list[Leaf]:
    """Returns the clauses that can be evidence, in the order that evidence is shown."""
    return [leaf for leaf, _ in _places(rule)]
