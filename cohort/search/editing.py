"""Changing the tree of a rule: a rule and a path in, a new rule out. Pure.

A path is where a clause is, as the attrition of a search counts them: `` is the rule itself, `1` its
second clause, `1.0` the first beneath that. Every rule given back is well formed.
"""

from dataclasses import replace
from enum import StrEnum

from cohort.search.criteria import AllOf, AnyOf, AtLeast, Clause, Group, NoneOf


class CannotChange(ValueError):
    """The change asked for cannot be made; the message says why and what to do."""


class Direction(StrEnum):
    """Where a clause is moved: among its neighbours, into the group before it, or out of its group."""

    UP = "UP"
    DOWN = "DOWN"
    IN = "IN"
    OUT = "OUT"


class GroupKind(StrEnum):
    """The kinds of group that can be put around a clause as it stands."""

    ALL_OF = "ALL_OF"
    ANY_OF = "ANY_OF"
    NONE_OF = "NONE_OF"


_GROUPS: dict[GroupKind, type[AllOf] | type[AnyOf] | type[NoneOf]] = {
    GroupKind.ALL_OF: AllOf,
    GroupKind.ANY_OF: AnyOf,
    GroupKind.NONE_OF: NoneOf,
}


def clause_at(rule: Clause, path: str) -> Clause:
    """Returns the clause at the path. Raises CannotChange where there is none."""
    found = rule
    for index in _indexes(path):
        if not isinstance(found, Group) or index >= len(found.clauses):
            raise CannotChange("That clause is not there any more. Look at the rule again.")
        found = found.clauses[index]
    return found


def replaced(rule: Clause, path: str, clause: Clause) -> Clause:
    """Returns the rule with another clause at the path."""
    clause_at(rule, path)
    return _put(rule, _indexes(path), clause)


def added(rule: Clause, path: str, clause: Clause) -> Clause:
    """Returns the rule with the clause as the last of the group at the path.

    Where that is no group, it and the new clause are put under `All of these`.
    """
    there = clause_at(rule, path)
    fuller = _with_clauses(there, (*there.clauses, clause)) if isinstance(there, Group) else AllOf((there, clause))
    return replaced(rule, path, fuller)


def wrapped(rule: Clause, path: str, kind: GroupKind) -> Clause:
    """Returns the rule with a group of this kind around the clause at the path."""
    return replaced(rule, path, _GROUPS[kind]((clause_at(rule, path),)))


def removed(rule: Clause, path: str) -> Clause:
    """Returns the rule without the clause at the path, nor a group that it was the last of."""
    clause_at(rule, path)
    indexes = _indexes(path)
    while indexes:
        *above, index = indexes
        parent = clause_at(rule, _path(above))
        assert isinstance(parent, Group)  # noqa: S101
        rest = parent.clauses[:index] + parent.clauses[index + 1 :]
        if rest:
            smaller = _with_clauses(parent, rest)
            return _put(rule, above, smaller)
        indexes = above
    raise CannotChange("A rule has at least one clause. Add another before you remove this one.")


def moved(rule: Clause, path: str, direction: Direction) -> tuple[Clause, str]:
    """Returns the rule with the clause moved, and its new path. Raises CannotChange where it cannot go there."""
    clause = clause_at(rule, path)
    if not path:
        raise CannotChange("The whole rule cannot be moved.")
    *above, index = _indexes(path)
    parent = clause_at(rule, _path(above))
    assert isinstance(parent, Group)  # noqa: S101
    siblings = list(parent.clauses)
    if direction in (Direction.UP, Direction.DOWN):
        other = index + (1 if direction is Direction.DOWN else -1)
        if not 0 <= other < len(siblings):
            raise CannotChange(f"That clause is the {'last' if index else 'first'} of its group already.")
        siblings[index], siblings[other] = siblings[other], siblings[index]
        reordered = _with_clauses(parent, tuple(siblings))
        return _put(rule, above, reordered), _path([*above, other])
    if direction is Direction.IN:
        before = siblings[index - 1] if index else None
        if not isinstance(before, Group):
            raise CannotChange("There is no group just before that clause to move it into.")
        siblings[index - 1 : index + 1] = [_with_clauses(before, (*before.clauses, clause))]
        fuller = _with_clauses(parent, tuple(siblings))
        return _put(rule, above, fuller), _path([*above, index - 1, len(before.clauses)])
    if not above:
        raise CannotChange("That clause is in the outermost group already.")
    *higher, place = above
    grandparent = clause_at(rule, _path(higher))
    assert isinstance(grandparent, Group)  # noqa: S101
    rest = parent.clauses[:index] + parent.clauses[index + 1 :]
    kept = (_with_clauses(parent, rest),) if rest else ()
    around = (*grandparent.clauses[:place], *kept, clause, *grandparent.clauses[place + 1 :])
    fuller = _with_clauses(grandparent, around)
    return _put(rule, higher, fuller), _path([*higher, place + len(kept)])


def _with_clauses(group: Group, clauses: tuple[Clause, ...]) -> Group:
    if isinstance(group, AtLeast) and group.count.value > len(clauses):
        raise CannotChange(
            f"“At least {group.count.value} of these” needs {group.count.value} clauses or more."
            " Lower its number first, or add a clause to it."
        )
    return replace(group, clauses=clauses)


def _put(rule: Clause, indexes: list[int], clause: Clause) -> Clause:
    if not indexes:
        return clause
    assert isinstance(rule, Group)  # noqa: S101
    first, *rest = indexes
    clauses = tuple(_put(each, rest, clause) if at == first else each for at, each in enumerate(rule.clauses))
    return replace(rule, clauses=clauses)


def _indexes(path: str) -> list[int]:
    try:
        indexes = [int(part) for part in path.split(".")] if path else []
    except ValueError:
        indexes = [-1]
    if any(index < 0 for index in indexes):
        raise CannotChange("That clause is not there any more. Look at the rule again.")
    return indexes


def _path(indexes: list[int]) -> str:
    return ".".join(map(str, indexes))
